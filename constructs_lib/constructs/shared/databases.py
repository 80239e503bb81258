"""Checks that databases and caches share: subnets and deletion protection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from constructs_lib.constructs.regional_vpc import Vpc
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.opt_out import OptOut

MIN_ZONES: Final = 2


@dataclass(frozen=True)
class NoDeletionProtection(OptOut):
    """No deletion protection in an environment that requires it; clusters still create a final snapshot."""


def check_subnets(problems: Problems, vpc: Vpc, region: Region) -> Sequence[str]:
    """Return the zones of the VPC's database subnets, and report those that a subnet group cannot have.

    See https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html.
    """
    if not problems.check(
        vpc.region.name == region.name, "vpc", vpc.path, f"is in {vpc.region.name}; expected a VPC in {region.name}"
    ):
        return ()
    if not problems.check(
        "database" in vpc.tiers, "vpc", vpc.path, "has no database subnets; give the VPC the tier 'database'"
    ):
        return ()
    zones = list(dict.fromkeys(subnet.zone for subnet in vpc.subnets("database")))
    problems.check(
        len(zones) >= MIN_ZONES,
        "vpc",
        vpc.path,
        f"has database subnets in {', '.join(zones)} only; AWS requires at least {MIN_ZONES} Availability Zones",
    )
    return zones


def protected(problems: Problems, region: Region, given: object) -> bool:
    """Return whether deletion protection is on, and report a value that the environment does not allow."""
    required = region.profile.deletion_protection
    if given is None or not problems.check(
        isinstance(given, (bool, NoDeletionProtection)),
        "deletion_protection",
        given,
        "must be True, False or NoDeletionProtection(reason)",
    ):
        return required
    problems.check(
        not (required and given is False),
        "deletion_protection",
        given,
        f"must be True in {region.environment.value}; give NoDeletionProtection(reason) to turn it off",
    )
    return given is True
