"""Checks of principals, and of the source ARNs that services act on behalf of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from constructs_lib.foundation.errors import Problems

ASYNCHRONOUS_SERVICES: Final = frozenset(
    {
        "config.amazonaws.com",
        "events.amazonaws.com",
        "iot.amazonaws.com",
        "logs.amazonaws.com",
        "s3.amazonaws.com",
        "scheduler.amazonaws.com",
        "ses.amazonaws.com",
        "sns.amazonaws.com",
    }
)
"""Services that do not wait for a function's response.

See https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html.
"""

_SERVICE: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_REFERENCE: Final = re.compile(r"\$\{[^}]*\}")
_ARN_PARTS: Final = 6


def is_account(principal: object) -> bool:
    """Return whether a principal is an account id."""
    return isinstance(principal, str) and _ACCOUNT.fullmatch(principal) is not None


def is_service(principal: object) -> bool:
    """Return whether a principal is a service principal."""
    return isinstance(principal, str) and _SERVICE.fullmatch(principal) is not None


def without_account(service: str) -> bool:
    """Return whether the ARNs of the service's resources contain no account, which must then be a condition."""
    return service.startswith("s3.")


def check_source_arn(problems: Problems, service: str, arn: str) -> None:
    """Report a source ARN that is malformed, or that other accounts' or all of the account's resources match."""
    plain = _REFERENCE.sub("reference", arn)
    if plain.startswith("reference"):
        return
    parts = plain.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS or parts[0] != "arn":
        problems.add("source_arn", arn, "expected an ARN, arn:partition:service:region:account:resource")
        return
    account, resource = parts[-2:]
    if "*" in account or not (account or without_account(service)):
        problems.add("source_arn", arn, "matches resources of other accounts; expected an ARN with an account")
    problems.check(
        resource.strip("*/:"),
        "source_arn",
        arn,
        "matches every resource of the account; expected an ARN of one resource",
    )
