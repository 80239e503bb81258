"""Checks of who may invoke a function: a service on behalf of one resource, or one account."""

from __future__ import annotations

import re
from typing import Final

from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.regions import is_token

_SERVICE: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_REFERENCE: Final = re.compile(r"\$\{[^}]*\}")
_ARN_PARTS: Final = 6


def is_account(principal: str) -> bool:
    """Return whether a principal is an account id."""
    return _ACCOUNT.fullmatch(principal) is not None


def without_account(service: str) -> bool:
    """Return whether the ARNs of the service's resources name no account, so that it must be given beside them."""
    return service.startswith("s3.")


def check_trigger(path: str, service: str, source_arn: str | None, source_account: str | None) -> None:
    """Refuse a permission that somebody else's resource could use.

    Raises:
        ConfigurationError: A principal that is neither a service nor an account id; a source ARN that is missing,
            names no account where it should, or matches everything; a malformed account id.
    """
    problems = Problems(path)
    if not isinstance(service, str) or not (_SERVICE.fullmatch(service) or is_account(service)):
        problems.stop(
            "service",
            service,
            "must be a service principal such as 'events.amazonaws.com' or an account id of 12 digits; a role of this "
            "account invokes the function by its own policy, see grant_invoke",
        )
    if is_account(service):
        for argument, value in (("source_arn", source_arn), ("source_account", source_account)):
            problems.check(value is None, argument, value, "callers of an account have no source; leave it out")
    elif source_arn is None:
        problems.add(
            "source_arn",
            source_arn,
            f"must be the ARN of what invokes the function; without it {service} does so for every account",
        )
    else:
        _check_arn(problems, service, source_arn)
    if source_account is not None and not is_account(service):
        problems.check(
            is_token(source_account) or is_account(str(source_account)),
            "source_account",
            source_account,
            "must be an account id of 12 digits, or a reference to one",
        )
    problems.raise_if_any()


def _check_arn(problems: Problems, service: str, arn: str) -> None:
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
