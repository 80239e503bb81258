"""Quotas of the account that the local AWS is: AWS's defaults, and those that a caller sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.quotas import QUOTAS
from constructs_lib.testing.errors import LocalAwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
_MORE: Final = {"ec2-elastic-ips-per-region": 5, "vpc-vpcs-per-region": 5}

DEFAULTS: Final[Mapping[str, int]] = {**{name: quota.default for name, quota in QUOTAS.items()}, **_MORE}
"""AWS's defaults. The default VPC of each Region counts, as it does on AWS."""

NEW_ACCOUNT: Final[Mapping[str, int]] = {"lambda-concurrent-executions": 10}
"""Quotas of a new account that are lower than the defaults in AWS's documentation."""


def check_quotas(given: Mapping[str, int]) -> None:
    """Check the names of quotas.

    Raises:
        LocalAwsError: A name is unknown.
    """
    if unknown := sorted(given.keys() - DEFAULTS.keys()):
        raise LocalAwsError(f"quotas={unknown}: unknown names; expected {', '.join(sorted(DEFAULTS))}")
