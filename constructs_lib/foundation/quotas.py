"""AWS quotas that a synthesized estate can break, each with its source and the day it was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from constructs_lib.foundation.errors import ConfigurationError

_DOCS: Final = "https://docs.aws.amazon.com"
_READ: Final = date(2026, 11, 22)


@dataclass(frozen=True)
class Quota:
    """A limit that AWS sets for an account and region unless it is raised on request."""

    default: int
    source: str
    adjustable: bool = True
    read_on: date = _READ


QUOTAS: Final[dict[str, Quota]] = {
    "lambda-concurrent-executions": Quota(1000, f"{_DOCS}/lambda/latest/dg/gettingstarted-limits.html"),
    "lambda-unreserved-concurrency": Quota(
        100, f"{_DOCS}/lambda/latest/dg/configuration-concurrency.html", adjustable=False
    ),
    "vpc-active-peering-connections": Quota(50, f"{_DOCS}/vpc/latest/userguide/amazon-vpc-limits.html"),
    "vpc-routes-per-route-table": Quota(500, f"{_DOCS}/vpc/latest/userguide/amazon-vpc-limits.html"),
    "vpc-rules-per-security-group": Quota(60, f"{_DOCS}/vpc/latest/userguide/amazon-vpc-limits.html"),
    "vpc-rules-per-network-acl": Quota(20, f"{_DOCS}/vpc/latest/userguide/amazon-vpc-limits.html"),
    "acm-names-per-certificate": Quota(10, f"{_DOCS}/acm/latest/userguide/acm-limits.html"),
    "api-integration-timeout-seconds": Quota(29, f"{_DOCS}/apigateway/latest/developerguide/limits.html"),
}
"""Figures that constructs check their arguments against."""


@dataclass
class ConcurrencyBudget:
    """Reserved Lambda concurrency of one account and region, of which AWS keeps 100 for unreserved functions.

    Attributes:
        limit: The account's concurrent executions in the region; 1,000 unless AWS has raised it.
    """

    limit: int = QUOTAS["lambda-concurrent-executions"].default
    reserved: dict[str, int] = field(default_factory=dict)

    @property
    def available(self) -> int:
        """Executions that may still be reserved."""
        kept = QUOTAS["lambda-unreserved-concurrency"].default
        return self.limit - kept - sum(self.reserved.values())

    def reserve(self, path: str, executions: int, region: str) -> None:
        """Set `executions` aside for the function at `path`.

        Raises:
            ConfigurationError: More than is left, with the table of who reserves what.
        """
        if executions > self.available:
            kept = QUOTAS["lambda-unreserved-concurrency"].default
            taken = ", ".join(f"{who} {n}" for who, n in self.reserved.items()) or "nobody"
            raise ConfigurationError(
                path,
                f"reserved_concurrency={executions!r}: only {self.available} of the {self.limit} concurrent "
                f"executions in {region} are left ({kept} stay unreserved; reserved by {taken}): reserve less, or "
                "raise the account's quota and give region(..., concurrency_limit=)",
            )
        self.reserved[path] = executions
