"""What the remaining arguments of a cluster may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from constructs_lib._engine import core
from constructs_lib.aurora_provisioned.engines import ENGINES, ExtendedSupport, MajorUpgrade, PinnedMinorVersion
from constructs_lib.aurora_provisioned.scaling import ReaderScaling
from constructs_lib.foundation.opt_out import OptOut
from constructs_lib.multi_region_key import MultiRegionKey
from constructs_lib.regional_vpc.network import Vpc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs_lib.aurora_provisioned.engines import Engine
    from constructs_lib.construct import HardenedConstruct
    from constructs_lib.foundation.errors import Problems
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

_KINDS: Final[dict[str, tuple[tuple[type, ...], str]]] = {
    "vpc": ((Vpc,), "a RegionalVpc"),
    "key": ((MultiRegionKey,), "a MultiRegionKey"),
    "pinned": ((PinnedMinorVersion, type(None)), "PinnedMinorVersion(reason) or None"),
    "upgrade": ((MajorUpgrade, type(None)), "MajorUpgrade(to) or None"),
    "extended_support": ((ExtendedSupport, type(None)), "ExtendedSupport(reason) or None"),
    "reader_scaling": ((ReaderScaling, type(None)), "ReaderScaling(maximum) or None"),
    "parameters": ((Mapping, type(None)), "a mapping of names to strings, or None"),
    "instance_parameters": ((Mapping, type(None)), "a mapping of names to strings, or None"),
    "io_optimized": ((bool,), "True or False"),
}


@dataclass(frozen=True)
class Deletable(OptOut):
    """A database may be deleted where the environment protects it; a cluster still leaves a final snapshot."""


def check_kinds(problems: Problems, *, engine: object, **given: object) -> None:
    """Refuse at once what is of another type, or no engine: without it nothing else can be checked."""
    for argument, value in given.items():
        kinds, allowed = _KINDS[argument]
        problems.check(isinstance(value, kinds), argument, value, f"must be {allowed}")
    problems.check(
        isinstance(engine, str) and engine in ENGINES, "engine", engine, f"must be one of {', '.join(ENGINES)}"
    )
    problems.raise_if_any()


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


def lifecycle(*, keep: bool, exact: bool) -> core.TerraformResourceLifecycle:
    """Return what Terraform refuses to destroy, and which changes it leaves to AWS."""
    # A destroy would take the instances before AWS refuses to delete the cluster; Terraform refuses the plan.
    return core.TerraformResourceLifecycle(
        prevent_destroy=keep or None,
        # AWS takes the one choice with a new cluster only; the other it changes itself.
        ignore_changes=["engine_lifecycle_support"] if exact else ["engine_lifecycle_support", "engine_version"],
    )
