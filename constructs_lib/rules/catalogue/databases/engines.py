"""Engines of databases: serverless and provisioned capacity, versions, and instance classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.database_versions import END_OF_SUPPORT, READ_ON, end_of, exists, major_of, supported
from constructs_lib.foundation.dates import today
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.database_classes import SERVERLESS, is_offered, suggestion
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import PROVIDER
from constructs_lib.rules.queries.databases import (
    AURORA_GUIDE,
    CLUSTER,
    GLOBAL,
    INSTANCE,
    MEMBER,
    RDS_GUIDE,
    cluster_of,
    engine_of,
    members_of,
    version_of,
)
from constructs_lib.rules.queries.links import called
from constructs_lib.rules.rule import REMOVED, WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_V2: Final = "serverlessv2_scaling_configuration"
_V1: Final = "scaling_configuration"
_SERVERLESS_CLUSTER: Final = {
    "cluster_identifier": "shop-prod-orders",
    "engine": "aurora-postgresql",
    "engine_version": "17.9",
    "global_cluster_identifier": "${aws_rds_global_cluster.orders.id}",
    _V2: {"min_capacity": 0.5, "max_capacity": 4},
}
_PROVISIONED: Final = {
    "cluster_identifier": "shop-prod-stock",
    "engine": "aurora-mysql",
    "engine_version": "8.0.mysql_aurora.3.12.0",
}
_GOOD: Final = {
    "resource": {
        GLOBAL: {"orders": {"global_cluster_identifier": "shop-prod-orders", "engine": "aurora-postgresql"}},
        CLUSTER: {"orders": _SERVERLESS_CLUSTER, "stock": _PROVISIONED},
        MEMBER: {
            "orders": {
                "cluster_identifier": "${aws_rds_cluster.orders.id}",
                "engine": "${aws_rds_cluster.orders.engine}",
                "instance_class": SERVERLESS,
            },
            "stock": {
                "cluster_identifier": "shop-prod-stock",
                "engine": "aurora-mysql",
                "instance_class": "db.r7g.large",
            },
        },
        INSTANCE: {
            "legacy": {
                "identifier": "shop-prod-legacy",
                "engine": "postgres",
                "engine_version": "17.6",
                "instance_class": "db.t4g.micro",
            }
        },
    }
}
_ORDERS: Final = f"resource.{CLUSTER}.orders"
_STOCK: Final = f"resource.{CLUSTER}.stock"
_ORDERS_MEMBER: Final = f"resource.{MEMBER}.orders"
_STOCK_MEMBER: Final = f"resource.{MEMBER}.stock"
_LEGACY: Final = f"resource.{INSTANCE}.legacy"


@rule(
    "RDS-001",
    "Aurora Serverless v2 scaling matches the instance classes",
    why="The scaling configuration has no effect on provisioned instances, and a db.serverless instance cannot be "
    "created without it.",
    fix='Set serverlessv2_scaling_configuration on the cluster and instance_class "db.serverless" on an instance, '
    "or neither.",
    page=f"{AURORA_GUIDE}/aurora-serverless-v2.requirements.html",
    types=[CLUSTER],
    lessons=["PLAT-1"],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS_MEMBER}.instance_class": "db.t3.medium"},
        {f"{_ORDERS}.{_V2}": REMOVED},
        {f"{_STOCK}.{_V2}": [{"min_capacity": "1", "max_capacity": "8"}]},
        {f"{_STOCK_MEMBER}.instance_class": SERVERLESS},
    ],
)
def scaling_matches_instance_classes(cluster: Block) -> Iterator[Outcome]:
    """A cluster may mix both types of instances, as long as one is serverless."""
    scaling = cluster.section(_V2)
    if scaling is not None and isinstance(scaling.body, Unknown):
        yield cluster.undecided(scaling.body, _V2)
        return
    members = members_of(cluster)
    classes = [(member, member.get("instance_class")) for member in members]
    unknown = next(((member, name) for member, name in classes if isinstance(name, Unknown)), None)
    serverless = [member for member, name in classes if name == SERVERLESS]
    if scaling is None:
        for member in serverless:
            yield member.fail(f"must not be {SERVERLESS} without {_V2} in {called(cluster, member)}", "instance_class")
    if unknown is not None and (scaling is None or not serverless):
        yield unknown[0].undecided(unknown[1], "instance_class")
    elif scaling is not None and members and not serverless:
        member, name = classes[0]
        yield cluster.fail(
            f"must have an instance of class {SERVERLESS}, but {called(member, cluster)} is {name}; remove the "
            "block, or change the class",
            _V2,
        )


@rule(
    "RDS-002",
    "Aurora cluster does not combine Serverless v1 and v2 scaling",
    why="scaling_configuration is for Aurora Serverless v1, serverlessv2_scaling_configuration for v2; AWS rejects "
    "a cluster with both at apply.",
    fix="Remove scaling_configuration.",
    page=f"{PROVIDER}/resources/rds_cluster",
    types=[CLUSTER],
    good=_GOOD,
    breaks=[{f"{_ORDERS}.{_V1}": {"min_capacity": 1, "max_capacity": 8}}, {f"{_ORDERS}.{_V1}": [{}]}],
)
def one_type_of_scaling_configuration(cluster: Block) -> Iterator[Outcome]:
    """Each block may be an object or a list."""
    if cluster.section(_V1) and cluster.section(_V2):
        yield cluster.fail(f"must be removed: it is for Aurora Serverless v1 and cannot be combined with {_V2}", _V1)


@rule(
    "RDS-003",
    "Aurora cluster engine mode is provisioned",
    why="The engine mode serverless is Aurora Serverless v1, which AWS retired in 2025; such a cluster cannot be "
    "created.",
    fix="Remove engine_mode and scaling_configuration; for serverless use serverlessv2_scaling_configuration and "
    "instances of class db.serverless.",
    page=f"{AURORA_GUIDE}/aurora-serverless-v2.requirements.html",
    types=[CLUSTER],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.engine_mode": "serverless"},
        {f"{_STOCK}.engine_mode": "serverless"},
        {f"{_STOCK}.{_V1}": {"max_capacity": 8}},
    ],
)
def engine_mode_is_provisioned(cluster: Block) -> Iterator[Outcome]:
    """The default is provisioned."""
    mode = cluster.get("engine_mode")
    if isinstance(mode, Unknown):
        yield cluster.undecided(mode, "engine_mode")
    elif mode == "serverless":
        wanted = f"must be provisioned, also with {_V2}" if cluster.section(_V2) else "must be provisioned"
        yield cluster.fail(f"{wanted}: serverless is Aurora Serverless v1, which is retired", "engine_mode")
    elif cluster.section(_V1) and not cluster.section(_V2):
        yield cluster.fail(f"must be removed: Aurora Serverless v1 is retired; for serverless use {_V2}", _V1)


@rule(
    "RDS-004",
    "RDS engine version exists",
    why="AWS rejects the database at apply; terraform plan does not check the version.",
    fix="Use a version from `aws rds describe-db-engine-versions`, or the major version alone.",
    page=f"{AURORA_GUIDE}/Aurora.VersionPolicy.html",
    types=[CLUSTER, INSTANCE, MEMBER, GLOBAL],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.engine_version": "15.9"},
        {f"{_STOCK}.engine_version": "8.0.35"},
        {f"{_STOCK}.engine_version": "8.0.mysql_aurora.3.4.0"},
        {f"{_LEGACY}.engine_version": "18.5"},
        {f"{_LEGACY}.engine": "mysql", f"{_LEGACY}.engine_version": "8.0.38"},
        {f"{_LEGACY}.engine_version": "latest"},
    ],
)
def version_exists(block: Block) -> Iterator[Outcome]:
    """Versions newer than the table may exist."""
    engine, version = engine_of(block), version_of(block)
    if version is None or engine is None:
        yield NotApplicable("it sets no engine version")
    elif isinstance(engine, Unknown) or isinstance(version, Unknown):
        at, value = ("engine", engine) if isinstance(engine, Unknown) else ("engine_version", version)
        if isinstance(value, Unknown):
            yield block.undecided(value, at)
    elif engine in END_OF_SUPPORT:
        known = exists(engine, version)
        if known is None:
            yield block.undecided(Unknown(f"{engine} {version} is not in the table of {READ_ON}"), "engine_version")
        elif not known:
            example = "8.0.mysql_aurora.3.12.0" if engine == "aurora-mysql" else supported(engine, today())[-1]
            yield block.fail(f"must be a version of {engine}, such as {example}", "engine_version")


@rule(
    "RDS-005",
    "RDS engine version is in standard support",
    why="After the end of standard support AWS charges for RDS Extended Support per vCPU-hour, or upgrades the "
    "database on its own schedule.",
    fix="Upgrade to a later major version.",
    page=f"{RDS_GUIDE}/extended-support.html",
    types=[CLUSTER, INSTANCE, GLOBAL],
    severity=WARNING,
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.engine_version": "13.20"},
        {f"{_STOCK}.engine_version": "5.7.mysql_aurora.2.11.2"},
        {f"{_LEGACY}.engine": "mysql", f"{_LEGACY}.engine_version": "8.0"},
        {f"{_LEGACY}.engine": "mariadb", f"{_LEGACY}.engine_version": "10.6.28"},
        {f"{_ORDERS}.engine_version": "16.4"},
    ],
)
def version_is_supported(block: Block) -> Iterator[Outcome]:
    """The default version is a supported one."""
    engine, version = engine_of(block), version_of(block)
    if version is None or engine is None:
        yield NotApplicable("it sets no engine version")
    elif isinstance(version, Unknown):
        yield block.undecided(version, "engine_version")
    elif isinstance(engine, Unknown):
        yield block.undecided(engine, "engine")
    elif engine in END_OF_SUPPORT:
        end, name = end_of(engine, version)
        if end is not None and end < today():
            later = ", ".join(supported(engine, today()))
            yield block.fail(
                f"must be in standard support, which ended for {name} on {end}; major versions of {engine} in "
                f"support: {later}",
                "engine_version",
            )


@rule(
    "RDS-006",
    "RDS instance class is supported by the engine",
    why="AWS rejects the instance at apply; terraform plan does not check the class.",
    fix="Use a class from `aws rds describe-orderable-db-instance-options` for the engine.",
    page=f"{AURORA_GUIDE}/Concepts.DBInstanceClass.SupportAurora.html",
    types=[MEMBER, INSTANCE],
    lessons=["PLAT-1"],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS_MEMBER}.instance_class": "db.t3.micro"},
        {f"{_ORDERS_MEMBER}.instance_class": "db.m5.large"},
        {f"{_STOCK_MEMBER}.instance_class": "db.t3.small"},
        {f"{_STOCK_MEMBER}.instance_class": "r7g.large"},
        {f"{_LEGACY}.instance_class": SERVERLESS},
        {f"{_LEGACY}.instance_class": "db.t4g.nano"},
    ],
)
def engine_supports_the_class(block: Block) -> Iterator[Outcome]:
    """Engines whose classes depend on edition and license are exempt."""
    name, engine = block.get("instance_class"), engine_of(block)
    if isinstance(name, Unknown):
        yield block.undecided(name, "instance_class")
    elif isinstance(engine, Unknown):
        yield block.undecided(engine, "engine")
    elif name is None or engine is None:
        yield NotApplicable("its class or engine is set elsewhere")
    else:
        offered = is_offered(engine, str(name))
        if offered is None and engine in END_OF_SUPPORT:
            yield block.undecided(Unknown(f"{name} is not in the table of {READ_ON}"), "instance_class")
        elif offered is False:
            yield block.fail(f"must be a class that {engine} supports; {suggestion(engine)}", "instance_class")


@rule(
    "RDS-007",
    "Aurora cluster, its instances and its global cluster have the same engine",
    why="AWS rejects an instance or a member cluster whose engine differs from that of the cluster that it joins.",
    fix="Reference engine and engine_version of the cluster.",
    page=f"{PROVIDER}/resources/rds_cluster_instance",
    types=[MEMBER, CLUSTER],
    good=_GOOD,
    breaks=[
        {f"{_STOCK_MEMBER}.engine": "aurora-postgresql"},
        {f"{_STOCK_MEMBER}.engine": "aurora-mysql", f"{_STOCK_MEMBER}.engine_version": "5.7.mysql_aurora.2.11.2"},
        {f"resource.{GLOBAL}.orders.engine": "aurora-mysql"},
    ],
)
def engines_are_the_same(block: Block) -> Iterator[Outcome]:
    """Major versions are compared: minor versions may differ during an upgrade."""
    other = cluster_of(block) if block.type == MEMBER else block.target("global_cluster_identifier", GLOBAL)
    if other is None:
        yield NotApplicable("the cluster that it joins is not in the checked stacks")
        return
    for at in ("engine", "engine_version"):
        mine, theirs = block.text(at), other.text(at)
        if mine is None or theirs is None:
            continue
        if isinstance(mine, Unknown) or isinstance(theirs, Unknown):
            same_raw = block.raw(at) == other.raw(at) and block.stack is other.stack
            from_other = other in block.targets(at)
            if not same_raw and not from_other:
                yield block.undecided(mine if isinstance(mine, Unknown) else Unknown(str(theirs)), at)
            continue
        engine = str(other.get("engine"))
        if at == "engine_version":
            mine, theirs = major_of(engine, mine) or mine, major_of(engine, theirs) or theirs
        if mine != theirs:
            yield block.fail(f"must be {theirs} as in {called(other, block)}", at)
            return
