"""What databases and caches have in common: where they stand, and whether they may be deleted."""

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
class Deletable(OptOut):
    """A database may be deleted where the environment protects it; a cluster still leaves a final snapshot."""


def check_place(problems: Problems, vpc: Vpc, region: Region) -> Sequence[str]:
    """Return the zones of the VPC's database subnets, and note when a subnet group cannot be made of them.

    See https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html.
    """
    if not problems.check(
        vpc.region.name == region.name, "vpc", vpc.path, f"is in {vpc.region.name} and the cluster in {region.name}"
    ):
        return ()
    if not problems.check("database" in vpc.tiers, "vpc", vpc.path, "has no database subnets for the cluster"):
        return ()
    zones = list(dict.fromkeys(subnet.zone for subnet in vpc.subnets("database")))
    problems.check(
        len(zones) >= MIN_ZONES,
        "vpc",
        vpc.path,
        f"has database subnets in {', '.join(zones)} only; AWS needs them in at least {MIN_ZONES} zones",
    )
    return zones


def protected(problems: Problems, region: Region, given: object) -> bool:
    """Return whether a database is protected from deletion, and note a choice that the environment does not allow."""
    asked = region.profile.deletion_protection
    if given is None or not problems.check(
        isinstance(given, (bool, Deletable)), "deletion_protection", given, "must be True, False or Deletable(reason)"
    ):
        return asked
    problems.check(
        not (asked and given is False),
        "deletion_protection",
        given,
        f"{region.environment.value} protects databases; give Deletable(reason) where this one may go",
    )
    return given is True
