"""Checks of a cluster's arguments."""

from __future__ import annotations

import re
from typing import Any, Final

from constructs_lib.constructs.aurora_provisioned.engines import Engine, MajorUpgrade
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems

DEFAULT_USER: Final = "cluster_owner"
GUESSED_USERS: Final = frozenset(
    ("admin", "administrator", "awsuser", "dba", "master", "mysql", "postgres", "root", "sa", "user")
)
"""Names that are easy to guess."""
RESERVED_USERS: Final = ("pg_", "rds")
"""Prefixes of names that the engines and RDS reserve."""
MAX_RETENTION: Final = 35
MIN_PORT: Final = 1150
MAX_PORT: Final = 65535
MAX_BACKTRACK_HOURS: Final = 72
MAX_DATABASE_NAME: Final = 63
_USER: Final = re.compile(r"[a-z][a-z0-9_]*")
_DATABASE: Final = {
    "aurora-postgresql": (re.compile(r"[a-z][a-z0-9_]*"), "lower-case letters, digits and underscores"),
    "aurora-mysql": (re.compile(r"[a-z][a-z0-9]*"), "lower-case letters and digits"),
}
_RESERVED_DATABASES: Final = frozenset(
    {"information_schema", "mysql", "performance_schema", "postgres", "rdsadmin", "sys", "template0", "template1"}
)


def check_names(problems: Problems, engine: Engine, database: object, port: object) -> None:
    """Report a database name or a port that AWS refuses."""
    pattern, allowed = _DATABASE[engine.name]
    if problems.check(
        isinstance(database, str) and pattern.fullmatch(database) and len(database) <= MAX_DATABASE_NAME,
        "database_name",
        database,
        f"must be 1 to {MAX_DATABASE_NAME} {allowed}, starting with a letter",
    ):
        problems.check(
            database not in _RESERVED_DATABASES,
            "database_name",
            database,
            "is reserved by the engine; choose another name",
        )
    problems.check_whole("port", port, MIN_PORT, MAX_PORT)


def check_user(problems: Problems, argument: str, user: object, engine: Engine) -> None:
    """Report a master username that is easy to guess or that the engine refuses."""
    if problems.check(
        isinstance(user, str) and _USER.fullmatch(user) and len(user) <= engine.max_user,
        argument,
        user,
        f"must be 1 to {engine.max_user} lower-case letters, digits and underscores, starting with a letter",
    ):
        problems.check(user not in GUESSED_USERS, argument, user, "is easy to guess; choose another name")
        problems.check(
            not str(user).startswith(RESERVED_USERS),
            argument,
            user,
            f"is reserved; expected a name that does not begin with {' or '.join(RESERVED_USERS)}",
        )


def check_retention(problems: Problems, region: Region, days: object) -> None:
    """Report a backup retention period that AWS or the environment does not allow."""
    floor = region.profile.backup_retention_days
    problems.check(
        type(days) is int and floor <= days <= MAX_RETENTION,
        "backup_retention_days",
        days,
        f"must be a whole number from {floor}, the minimum in {region.environment.value}, to {MAX_RETENTION}",
    )


def check_backtrack(problems: Problems, engine: Engine, hours: object) -> None:
    """Report backtracking for an engine that does not support it."""
    problems.check_whole("backtrack_hours", hours, 0, MAX_BACKTRACK_HOURS)
    problems.check(
        not hours or engine.name == "aurora-mysql",
        "backtrack_hours",
        hours,
        f"{engine.name} does not support backtracking; use point-in-time recovery",
    )


def serverless_traces(construct: HardenedConstruct) -> list[str]:
    """Return overrides of the cluster and its instances that make them serverless."""
    found: list[str] = []
    for role, element in construct.resources.items():
        if not (role == "Resource" or role.startswith("instance-")):
            continue
        ((_, named),) = element.to_terraform()["resource"].items()
        ((_, block),) = named.items()
        # Arguments and overrides cannot be distinguished here, and neither is allowed.
        found += [
            f"{role}: {name} makes the cluster serverless; remove it from the provisioned cluster"
            for name in ("scaling_configuration", "serverlessv2_scaling_configuration")
            if block.get(name) not in (None, [], {})
        ]
        mode = block.get("engine_mode", "provisioned")
        class_ = block.get("instance_class")
        if mode != "provisioned":
            found.append(f"{role}: engine_mode={mode!r}: must be 'provisioned'")
        if class_ == "db.serverless":
            found.append(f"{role}: instance_class={class_!r}: must be a provisioned class")
    return found


def upgrade_settings(upgrade: MajorUpgrade | None, instance_group: str) -> dict[str, Any]:
    """Return the arguments of a major version upgrade; none without one.

    Engine version and the instances' parameter group must change in the same apply: Terraform would otherwise associate
    instances of the old version with a parameter group of the new one.

    See https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html.
    """
    if upgrade is None:
        return {}
    return {
        "allow_major_version_upgrade": True,
        "db_instance_parameter_group_name": instance_group,
    }
