"""Monitoring of databases: enhanced monitoring, Performance Insights and exported logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import expect_flag, expect_set
from constructs_lib.rules.queries.customer_keys import expect_customer_key
from constructs_lib.rules.queries.databases import (
    AURORA_GUIDE,
    CLUSTER,
    INSTANCE,
    MEMBER,
    RDS_GUIDE,
    cluster_of,
    engine_of,
    is_copy,
)
from constructs_lib.rules.rule import ADVICE, REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_INTERVALS: Final = (1, 5, 10, 15, 30, 60)

_LOGS: Final = {
    "aurora-mysql": ("audit", "error", "slowquery"),
    "aurora-postgresql": ("postgresql",),
    "mariadb": ("error", "slowquery"),
    "mysql": ("error", "slowquery"),
    "postgres": ("postgresql",),
    **dict.fromkeys(("oracle-ee", "oracle-ee-cdb", "oracle-se2", "oracle-se2-cdb"), ("alert", "audit")),
    **dict.fromkeys(("sqlserver-ee", "sqlserver-se", "sqlserver-web"), ("error",)),
}
"""Recommended log exports, by engine."""

_OFFERED: Final = {
    "aurora-mysql": ("audit", "error", "general", "iam-db-auth-error", "instance", "slowquery"),
    "aurora-postgresql": ("iam-db-auth-error", "instance", "postgresql"),
    "mariadb": ("audit", "error", "general", "iam-db-auth-error", "slowquery"),
    "mysql": ("audit", "error", "general", "iam-db-auth-error", "slowquery"),
    "postgres": ("iam-db-auth-error", "postgresql", "upgrade"),
}
"""Supported log exports, for engines whose list is complete.

See https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html, read on
22 November 2026.
"""

_WATCHED: Final = {
    "monitoring_interval": 60,
    "monitoring_role_arn": "${aws_iam_role.monitoring.arn}",
    "performance_insights_enabled": True,
    "performance_insights_kms_key_id": "${aws_kms_key.data.arn}",
}
_GOOD: Final = {
    "resource": {
        "aws_iam_role": {"monitoring": {"name": "shop-prod-monitoring"}},
        "aws_kms_key": {"data": {"enable_key_rotation": True}},
        CLUSTER: {
            "orders": {
                "cluster_identifier": "shop-prod-orders",
                "engine": "aurora-postgresql",
                "enabled_cloudwatch_logs_exports": ["postgresql"],
            },
        },
        MEMBER: {
            "orders": {
                "cluster_identifier": "${aws_rds_cluster.orders.id}",
                "engine": "aurora-postgresql",
                "instance_class": "db.r7g.large",
                **_WATCHED,
            }
        },
        INSTANCE: {
            "legacy": {
                "identifier": "shop-prod-legacy",
                "engine": "mysql",
                "instance_class": "db.m7g.large",
                "enabled_cloudwatch_logs_exports": ["error", "slowquery"],
                **_WATCHED,
            }
        },
    }
}
_ORDERS: Final = f"resource.{CLUSTER}.orders"
_MEMBER: Final = f"resource.{MEMBER}.orders"
_LEGACY: Final = f"resource.{INSTANCE}.legacy"


def _owner(block: Block, is_set: str) -> Block:
    """Return the block with the setting: the cluster of an instance if the cluster sets more."""
    cluster = cluster_of(block) if block.type == MEMBER and block.raw(is_set) is None else None
    return block if cluster is None or cluster.raw(is_set) is None else cluster


@rule(
    "RDS-016",
    "RDS instance has enhanced monitoring enabled",
    why="CloudWatch metrics come from the hypervisor once a minute; only the agent of enhanced monitoring reports "
    "processes and memory. AWS rejects an interval without a role.",
    fix="Set monitoring_interval to 60 or less, and monitoring_role_arn to a role with "
    "AmazonRDSEnhancedMonitoringRole.",
    page=f"{RDS_GUIDE}/USER_Monitoring.OS.Enabling.html",
    types=[MEMBER, INSTANCE],
    severity=WARNING,
    lessons=["TRD-5"],
    frameworks=Frameworks(fsbp=("RDS.6",), checkov=("CKV_AWS_118",)),
    good=_GOOD,
    breaks=[
        {f"{_MEMBER}.monitoring_interval": REMOVED, f"{_MEMBER}.monitoring_role_arn": REMOVED},
        {f"{_MEMBER}.monitoring_role_arn": REMOVED},
        {f"{_LEGACY}.monitoring_interval": "0"},
        {f"{_LEGACY}.monitoring_interval": 45},
    ],
)
def enhanced_monitoring_is_enabled(instance: Block) -> Iterator[Outcome]:
    """A cluster may set both for all its instances."""
    owner = _owner(instance, "monitoring_interval")
    interval = owner.number("monitoring_interval")
    if isinstance(interval, Unknown):
        yield owner.undecided(interval, "monitoring_interval")
    elif interval not in _INTERVALS:
        yield instance.fail(
            "must be 1, 5, 10, 15, 30 or 60 seconds; the default 0 disables enhanced monitoring", "monitoring_interval"
        )
    else:
        yield from expect_set(
            owner, "monitoring_role_arn", "must be the ARN of a role that monitoring.rds.amazonaws.com can assume"
        )


@rule(
    "RDS-017",
    "RDS instance has Performance Insights enabled with a customer managed key",
    why="Without it you cannot see which statements the database waits for. Its data contains parts of the "
    "statements, and needs the same protection as the database.",
    fix="Set performance_insights_enabled to true and performance_insights_kms_key_id to a customer managed key.",
    page=f"{AURORA_GUIDE}/USER_PerfInsights.html",
    types=[MEMBER, INSTANCE],
    severity=ADVICE,
    lessons=["TRD-5"],
    frameworks=Frameworks(checkov=("CKV_AWS_353", "CKV_AWS_354")),
    good=_GOOD,
    breaks=[
        {f"{_MEMBER}.performance_insights_enabled": REMOVED},
        {f"{_MEMBER}.performance_insights_kms_key_id": REMOVED},
        {f"{_LEGACY}.performance_insights_enabled": "false"},
        {f"{_LEGACY}.performance_insights_kms_key_id": "alias/aws/rds"},
    ],
)
def performance_insights_are_enabled(instance: Block) -> Iterator[Outcome]:
    """Small burstable classes of MySQL and MariaDB do not support it."""
    engine, name = engine_of(instance), instance.get("instance_class")
    if isinstance(engine, str) and isinstance(name, str) and not _has_insights(engine, name):
        yield NotApplicable(f"{name} does not support Performance Insights for {engine}")
        return
    owner = _owner(instance, "performance_insights_enabled")
    if owner.flag("performance_insights_enabled") is True:
        yield from expect_customer_key(owner, "performance_insights_kms_key_id", "must be a customer managed key")
    else:
        yield from expect_flag(
            owner, "performance_insights_enabled", "must be true: it shows which statements the database waits for"
        )


def _has_insights(engine: str, name: str) -> bool:
    family, _, size = name.removeprefix("db.").partition(".")
    if engine in ("mysql", "mariadb"):
        return not (family in ("t2", "t3", "t4g") and size in ("micro", "small"))
    if engine == "aurora-mysql":
        return family not in ("t2", "t3")
    return not engine.startswith(("db2", "custom"))


@rule(
    "RDS-018",
    "RDS database exports logs to CloudWatch",
    why="Logs on the instance are deleted after a few days, and together with the instance.",
    fix="List the logs of the engine in enabled_cloudwatch_logs_exports.",
    page=f"{RDS_GUIDE}/USER_LogAccess.Procedural.UploadtoCloudWatch.html",
    types=[CLUSTER, INSTANCE],
    severity=WARNING,
    lessons=["TRD-5"],
    frameworks=Frameworks(
        fsbp=("RDS.9", "RDS.34", "RDS.36", "RDS.37"),
        checkov=("CKV_AWS_129", "CKV_AWS_324", "CKV_AWS_325"),
    ),
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.enabled_cloudwatch_logs_exports": REMOVED},
        {f"{_LEGACY}.enabled_cloudwatch_logs_exports": ["error"]},
        {f"{_LEGACY}.enabled_cloudwatch_logs_exports": []},
        {f"{_ORDERS}.enabled_cloudwatch_logs_exports": ["postgresql", "slowquery"]},
        {f"{_ORDERS}.engine": "aurora-mysql", f"{_ORDERS}.enabled_cloudwatch_logs_exports": ["error", "slowquery"]},
    ],
)
def logs_are_exported(block: Block) -> Iterator[Outcome]:
    """A replica without an engine argument has the engine of its source."""
    at = "enabled_cloudwatch_logs_exports"
    engine, exported = engine_of(block), block.items(at)
    if engine is None and is_copy(block):
        yield NotApplicable("its source determines the engine")
        return
    unknown = next((value for value in (engine, exported) if isinstance(value, Unknown)), None)
    if unknown is None and isinstance(exported, list):
        unknown = next((log for log in exported if isinstance(log, Unknown)), None)
    if unknown is not None:
        yield block.undecided(unknown, "engine" if unknown is engine else at)
        return
    if engine not in _LOGS or not isinstance(exported, list):
        yield NotApplicable("the logs of its engine are not in the table")
        return
    foreign = [log for log in exported if log not in _OFFERED.get(str(engine), exported)]
    missing = [log for log in _LOGS[str(engine)] if log not in exported]
    if foreign:
        yield block.fail(
            f"must not contain {', '.join(map(str, foreign))}; {engine} offers {', '.join(_OFFERED[str(engine)])}", at
        )
    elif missing:
        more = " as well" if exported else ""
        yield block.fail(f"must contain {', '.join(missing)}{more}", at)
