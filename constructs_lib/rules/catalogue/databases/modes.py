"""Serverless and provisioned: what a cluster may be told at once, and which classes and versions there are."""

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

    from constructs_lib.rules.estate.blocks import Block
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
    "A cluster's scaling block and the classes of its instances agree",
    why="Capacity units mean nothing to instances of a fixed size, and an instance of the class db.serverless cannot "
    "be made in a cluster without them.",
    fix="Either give the cluster serverlessv2_scaling_configuration and an instance the class db.serverless, or leave "
    "both out.",
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
def scaling_and_classes_agree(cluster: Block) -> Iterator[Outcome]:
    """Instances of both kinds may stand together in one cluster, as long as one of them scales."""
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
            yield member.fail(f"needs {_V2} in {called(cluster, member)}", "instance_class")
    if unknown is not None and (scaling is None or not serverless):
        yield unknown[0].undecided(unknown[1], "instance_class")
    elif scaling is not None and members and not serverless:
        member, name = classes[0]
        yield cluster.fail(
            f"is for instances of the class {SERVERLESS}, and {called(member, cluster)} is {name}: remove the block, "
            "or change the class",
            _V2,
        )


@rule(
    "RDS-002",
    "A cluster has one kind of scaling block",
    why="One block is for Aurora Serverless v1, the other for v2; AWS refuses the cluster at apply.",
    fix="Remove scaling_configuration.",
    page=f"{PROVIDER}/resources/rds_cluster",
    types=[CLUSTER],
    good=_GOOD,
    breaks=[{f"{_ORDERS}.{_V1}": {"min_capacity": 1, "max_capacity": 8}}, {f"{_ORDERS}.{_V1}": [{}]}],
)
def one_kind_of_scaling_block(cluster: Block) -> Iterator[Outcome]:
    """Both blocks may be written as an object or as a list."""
    if cluster.section(_V1) and cluster.section(_V2):
        yield cluster.fail(f"cannot stand beside {_V2}; remove it, it is for Aurora Serverless v1", _V1)


@rule(
    "RDS-003",
    "A cluster's engine mode is provisioned, serverless v2 or not",
    why="The engine mode serverless means Aurora Serverless v1, which AWS retired in 2025: it makes no such cluster.",
    fix="Remove engine_mode and scaling_configuration; for serverless, give serverlessv2_scaling_configuration and "
    "instances of the class db.serverless.",
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
    """Where nothing stands, AWS takes provisioned."""
    mode = cluster.get("engine_mode")
    if isinstance(mode, Unknown):
        yield cluster.undecided(mode, "engine_mode")
    elif mode == "serverless":
        wanted = f"must be provisioned, also with {_V2}" if cluster.section(_V2) else "must be provisioned"
        yield cluster.fail(f"{wanted}: serverless is Aurora Serverless v1, which is retired", "engine_mode")
    elif cluster.section(_V1) and not cluster.section(_V2):
        yield cluster.fail(f"is for Aurora Serverless v1, which is retired; give {_V2}, or neither", _V1)


@rule(
    "RDS-004",
    "The engine has the version that is asked for",
    why="AWS cannot find the version and refuses the database at apply; plan does not ask.",
    fix="Take a version that `aws rds describe-db-engine-versions` lists, or the major version alone.",
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
    """A version newer than the table may exist."""
    engine, version = engine_of(block), version_of(block)
    if version is None or engine is None:
        yield NotApplicable("it names no version")
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
            yield block.fail(f"is no version of {engine}; one is {example}", "engine_version")


@rule(
    "RDS-005",
    "The engine's version is in standard support",
    why="Past its end AWS bills extended support by the hour and vCPU, or upgrades the database on a day of its own.",
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
    """Without a version AWS takes one that it supports."""
    engine, version = engine_of(block), version_of(block)
    if version is None or engine is None:
        yield NotApplicable("it names no version")
    elif isinstance(version, Unknown):
        yield block.undecided(version, "engine_version")
    elif isinstance(engine, Unknown):
        yield block.undecided(engine, "engine")
    elif engine in END_OF_SUPPORT:
        end, name = end_of(engine, version)
        if end is not None and end < today():
            later = ", ".join(supported(engine, today()))
            yield block.fail(
                f"{name} is out of standard support since {end}; major versions of {engine} in support: {later}",
                "engine_version",
            )


@rule(
    "RDS-006",
    "The engine offers the instance class",
    why="AWS refuses the instance at apply; plan does not ask.",
    fix="Take a class that `aws rds describe-orderable-db-instance-options` lists for the engine.",
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
def engine_offers_the_class(block: Block) -> Iterator[Outcome]:
    """Only engines whose classes do not depend on edition and license are judged."""
    name, engine = block.get("instance_class"), engine_of(block)
    if isinstance(name, Unknown):
        yield block.undecided(name, "instance_class")
    elif isinstance(engine, Unknown):
        yield block.undecided(engine, "engine")
    elif name is None or engine is None:
        yield NotApplicable("another block decides its class or engine")
    else:
        offered = is_offered(engine, str(name))
        if offered is None and engine in END_OF_SUPPORT:
            yield block.undecided(Unknown(f"{name} is not in the table of {READ_ON}"), "instance_class")
        elif offered is False:
            yield block.fail(f"is not offered for {engine}; {suggestion(engine)}", "instance_class")


@rule(
    "RDS-007",
    "A cluster's instances, and its global cluster, run the cluster's engine",
    why="AWS refuses an instance or a member whose engine is not that of the cluster it joins.",
    fix="Take engine and engine_version from the cluster by reference.",
    page=f"{PROVIDER}/resources/rds_cluster_instance",
    types=[MEMBER, CLUSTER],
    good=_GOOD,
    breaks=[
        {f"{_STOCK_MEMBER}.engine": "aurora-postgresql"},
        {f"{_STOCK_MEMBER}.engine": "aurora-mysql", f"{_STOCK_MEMBER}.engine_version": "5.7.mysql_aurora.2.11.2"},
        {f"resource.{GLOBAL}.orders.engine": "aurora-mysql"},
    ],
)
def engines_agree(block: Block) -> Iterator[Outcome]:
    """Versions are compared by their major one: while an upgrade runs the rest may differ."""
    other = cluster_of(block) if block.type == MEMBER else block.target("global_cluster_identifier", GLOBAL)
    if other is None:
        yield NotApplicable("the cluster that it joins is not in these stacks")
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
