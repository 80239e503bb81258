"""Who may do something on whose behalf: accounts, services, and the resources that services act for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from constructs_lib.foundation.errors import Problems

_SERVICE: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_REFERENCE: Final = re.compile(r"\$\{[^}]*\}")
_ARN_PARTS: Final = 6


def is_account(principal: object) -> bool:
    """Return whether a principal is an account id."""
    return isinstance(principal, str) and _ACCOUNT.fullmatch(principal) is not None


def is_service(principal: object) -> bool:
    """Return whether a principal is that of an AWS service."""
    return isinstance(principal, str) and _SERVICE.fullmatch(principal) is not None


def without_account(service: str) -> bool:
    """Return whether the ARNs of the service's resources name no account, so that it must be given beside them."""
    return service.startswith("s3.")


def check_source_arn(problems: Problems, service: str, arn: str) -> None:
    """Note the ARN of a source that is none, or that other accounts' or all of the account's resources would match."""
    plain = _REFERENCE.sub("reference", arn)
    if plain.startswith("reference"):
        return
    parts = plain.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS or parts[0] != "arn":
        problems.add("source_arn", arn, "must be an ARN, arn:partition:service:region:account:resource")
        return
    account, resource = parts[-2:]
    if "*" in account or not (account or without_account(service)):
        problems.add("source_arn", arn, "must name the account: the same resource in any account would match")
    problems.check(
        resource.strip("*/:"), "source_arn", arn, "must name the resource: every resource of the account would match"
    )
