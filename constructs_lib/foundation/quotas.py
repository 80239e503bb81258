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
    """A limit that AWS sets for an account and region unless it is raised on request.

    Attributes:
        default: The value in a new account.
        source: The page with the value.
        adjustable: Whether AWS raises it on request.
        read_on: The day on which the value was read.
        service: The service code in Service Quotas, where constructs name it.
        code: The quota code in Service Quotas, where constructs name it.
    """

    default: int
    source: str
    adjustable: bool = True
    read_on: date = _READ
    service: str = ""
    code: str = ""

    def increase(self, wanted: int, region: str) -> str:
        """Return the command of the AWS CLI that requests a higher quota."""
        return (
            f"aws service-quotas request-service-quota-increase --service-code {self.service} --quota-code {self.code} "
            f"--desired-value {wanted} --region {region}"
        )


CONCURRENCY_QUOTA: Final = "L-B99A9384"
"""The quota code of Lambda's concurrent executions in Service Quotas."""

QUOTAS: Final[dict[str, Quota]] = {
    "lambda-concurrent-executions": Quota(1000, f"{_DOCS}/lambda/latest/dg/gettingstarted-limits.html"),
    "lambda-unreserved-concurrency": Quota(
        100, f"{_DOCS}/lambda/latest/dg/configuration-concurrency.html", adjustable=False
    ),
    "vpc-active-peering-connections": Quota(50, f"{_DOCS}/vpc/latest/userguide/amazon-vpc-limits.html"),
    "vpcs": Quota(5, f"{_DOCS}/vpc/latest/userguide/amazon-vpc-limits.html", service="vpc", code="L-F678F1CE"),
    "elastic-ip-addresses": Quota(
        5, f"{_DOCS}/vpc/latest/userguide/amazon-vpc-limits.html", service="ec2", code="L-0263D0A3"
    ),
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

    Accounts start with a quota of 10 or 50 concurrent executions, of which nothing can be reserved. AWS raises it with
    use, or on request.

    Attributes:
        limit: The account's concurrent executions in the region; 1,000 by default.
        reserved: The reservations by construct path.

    See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
    """

    limit: int = QUOTAS["lambda-concurrent-executions"].default
    reserved: dict[str, int] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        """Executions that cannot be reserved."""
        return min(self.limit, QUOTAS["lambda-unreserved-concurrency"].default)

    @property
    def available(self) -> int:
        """Executions that may still be reserved."""
        return self.limit - self.kept - sum(self.reserved.values())

    def reserve(self, path: str, executions: int, region: str) -> None:
        """Set `executions` aside for the function at `path`.

        Raises:
            ConfigurationError: More than is left, with the table of who reserves what.
        """
        if executions > self.available:
            taken = ", ".join(f"{who} {n}" for who, n in self.reserved.items()) or "nobody"
            raise ConfigurationError(
                path,
                f"reserved_concurrency={executions!r}: only {self.available} of the {self.limit} concurrent "
                f"executions in {region} are left ({self.kept} stay unreserved; reserved by {taken}): reserve less, or "
                "raise the account's quota and give region(..., concurrency_limit=). Request the increase in Service "
                f"Quotas, of Lambda's Concurrent executions ({CONCURRENCY_QUOTA})",
            )
        self.reserved[path] = executions
