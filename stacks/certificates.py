"""Which certificates the trading system listens with: those that a variable names, or examples that nobody has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from constructs_lib import Environment
from constructs_lib.foundation.errors import ConfigurationError, Problems

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs_lib import Certificate, Region

VARIABLE: Final = "TRADING_CERTIFICATES"

EXAMPLE_ACCOUNT: Final = "111122223333"
"""The account of AWS's documentation, which nobody has: a plan for it is refused before anything is made."""
EXAMPLES: Final = {
    region: f"arn:aws:acm:{region}:{EXAMPLE_ACCOUNT}:certificate/00000000-0000-4000-8000-000000000000"
    for region in ("us-east-1", "eu-west-1")
}
"""Staging and prod as they will look, for those who have no certificate yet."""

_PARTS: Final = 6


class _Arn(NamedTuple):
    region: str
    account: str
    resource: str


def _read(arn: str) -> _Arn | None:
    parts = arn.split(":")
    return _Arn(*parts[3:]) if len(parts) == _PARTS and parts[2] == "acm" else None


def accounts_of(path: str, certificates: Mapping[str, str]) -> list[str]:
    """Return the account that the certificates are in; what is no ARN is left to who listens with it.

    Raises:
        ConfigurationError: They are of several accounts, and the stack is deployed to one.
    """
    accounts = sorted({read.account for read in map(_read, certificates.values()) if read})
    if len(accounts) > 1:
        raise ConfigurationError(
            path, f"certificates={accounts!r}: must be of one account, the one that the load balancers are in"
        )
    return accounts


def in_own_account(region: Region, given: Certificate | str | None) -> Certificate | str | None:
    """Return an ARN with a reference to the account, which the stack's guard holds to the one that the ARN names."""
    read = _read(given) if isinstance(given, str) else None
    return region.arn("acm", read.resource) if read and read.region == region.name else given


def certificates_from_environment(variables: Mapping[str, str], environment: Environment) -> dict[str, str] | None:
    """Return ARNs by region from `TRADING_CERTIFICATES`, which has them with commas between them.

    Without it there are none in dev, which then serves plain HTTP, and the examples in staging and prod.

    Raises:
        ConfigurationError: Not the ARN of a certificate, or two of one region.
    """
    given = [part.strip() for part in variables.get(VARIABLE, "").split(",") if part.strip()]
    if not given:
        return None if environment is Environment.DEV else dict(EXAMPLES)
    problems = Problems("main.py")
    found: dict[str, str] = {}
    for arn in given:
        read = _read(arn)
        if read is None:
            problems.add(VARIABLE, arn, "must be ARNs of ACM certificates with commas between them")
        elif read.region in found:
            problems.add(VARIABLE, arn, f"is the second one of {read.region}; give one for each region")
        else:
            found[read.region] = arn
    problems.raise_if_any()
    return found
