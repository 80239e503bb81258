"""What the remaining arguments of a cluster may be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.foundation.opt_out import OptOut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs_lib.aurora_provisioned.engines import Engine, MajorUpgrade
    from constructs_lib.construct import HardenedConstruct
    from constructs_lib.foundation.errors import Problems
    from constructs_lib.regional_vpc import Vpc
    from constructs_lib.stack import Region

MIN_ZONES: Final = 2
MAX_RETENTION: Final = 35
MIN_PORT: Final = 1150
MAX_PORT: Final = 65535
MAX_BACKTRACK_HOURS: Final = 72
MAX_DATABASE_NAME: Final = 63
_DATABASE: Final = {
    "aurora-postgresql": (re.compile(r"[a-z][a-z0-9_]*"), "lower-case letters, digits and underscores"),
    "aurora-mysql": (re.compile(r"[a-z][a-z0-9]*"), "lower-case letters and digits"),
}
_RESERVED_DATABASES: Final = frozenset(
    {"information_schema", "mysql", "performance_schema", "postgres", "rdsadmin", "sys", "template0", "template1"}
)


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


def check_names(problems: Problems, engine: Engine, database: object, port: object) -> None:
    """Note a database name or a port that AWS refuses."""
    pattern, allowed = _DATABASE[engine.name]
    if problems.check(
        isinstance(database, str) and pattern.fullmatch(database) and len(database) <= MAX_DATABASE_NAME,
        "database_name",
        database,
        f"must be 1 to {MAX_DATABASE_NAME} {allowed}, starting with a letter",
    ):
        problems.check(
            database not in _RESERVED_DATABASES, "database_name", database, "is reserved by the engine; choose another"
        )
    problems.check(
        type(port) is int and MIN_PORT <= port <= MAX_PORT,
        "port",
        port,
        f"must be a whole number from {MIN_PORT} to {MAX_PORT}",
    )


def check_retention(problems: Problems, region: Region, days: object) -> None:
    """Note a retention of backups that AWS or the environment refuses."""
    floor = region.profile.backup_retention_days
    problems.check(
        type(days) is int and floor <= days <= MAX_RETENTION,
        "backup_retention_days",
        days,
        f"must be a whole number from {floor}, what {region.environment.value} asks for, to {MAX_RETENTION}",
    )


def check_backtrack(problems: Problems, engine: Engine, hours: object) -> None:
    """Note backtracking where the engine has none."""
    problems.check(
        type(hours) is int and 0 <= hours <= MAX_BACKTRACK_HOURS,
        "backtrack_hours",
        hours,
        f"must be a whole number from 0 to {MAX_BACKTRACK_HOURS}",
    )
    problems.check(
        not hours or engine.name == "aurora-mysql",
        "backtrack_hours",
        hours,
        f"{engine.name} cannot backtrack; restore to a point in time instead",
    )


def protected(problems: Problems, region: Region, given: object) -> bool:
    """Return whether the cluster is protected from deletion, and note a choice that the environment does not allow."""
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


def serverless_traces(construct: HardenedConstruct) -> list[str]:
    """Return what somebody changed on the cluster or its instances to make them serverless."""
    found: list[str] = []
    for role, element in construct.resources.items():
        if not (role == "Resource" or role.startswith("instance-")):
            continue
        ((_, named),) = element.to_terraform()["resource"].items()
        ((_, block),) = named.items()
        # Whatever is there counts: an override cannot be told from an argument here, and neither may be.
        found += [
            f"{role}: {name} makes the cluster serverless, and it is provisioned; take the change out"
            for name in ("scaling_configuration", "serverlessv2_scaling_configuration")
            if block.get(name) not in (None, [], {})
        ]
        mode = block.get("engine_mode", "provisioned")
        class_ = block.get("instance_class")
        if mode != "provisioned":
            found.append(f"{role}: engine_mode={mode!r}: must stay 'provisioned'")
        if class_ == "db.serverless":
            found.append(f"{role}: instance_class={class_!r}: must be a provisioned class")
    return found


def upgrade_settings(upgrade: MajorUpgrade | None, instance_group: str) -> dict[str, Any]:
    """Return the arguments that a major upgrade needs together, none without one.

    The instances' parameter group must change with the engine: instances of the new version cannot keep the old one's.
    Both must happen in the apply that asks for them, or Terraform would move the instances to a group of a version
    that they do not have yet.

    See https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html.
    """
    if upgrade is None:
        return {}
    return {
        "allow_major_version_upgrade": True,
        "apply_immediately": True,
        "db_instance_parameter_group_name": instance_group,
    }
