"""Parameter groups of databases: TLS, custom groups and families."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.database_versions import END_OF_SUPPORT, major_of
from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.databases import (
    AURORA_GUIDE,
    CLUSTER,
    CLUSTER_GROUP,
    GROUP,
    INSTANCE,
    MEMBER,
    RDS_GUIDE,
    cluster_of,
    engine_of,
    meant,
    parameters,
    version_of,
)
from constructs_lib.rules.queries.links import called
from constructs_lib.rules.rule import ADVICE, REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_GROUP_AT: Final = {
    CLUSTER: ("db_cluster_parameter_group_name", CLUSTER_GROUP),
    MEMBER: ("db_parameter_group_name", GROUP),
    INSTANCE: ("parameter_group_name", GROUP),
}
_DEFAULT: Final = "default."

_TLS: Final = {
    "aurora-mysql": ("require_secure_transport", "8.4"),
    "aurora-postgresql": ("rds.force_ssl", "17"),
    "mariadb": ("require_secure_transport", "11.8"),
    "mysql": ("require_secure_transport", None),
    "postgres": ("rds.force_ssl", "15"),
}
"""The parameter that requires TLS, and the major version since which it is on by default.

See https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html and the pages of the
other engines, read on 22 November 2026.
"""
_ON: Final = ("1", "on", "true")

_GOOD: Final = {
    "resource": {
        CLUSTER: {
            "orders": {
                "cluster_identifier": "shop-prod-orders",
                "engine": "aurora-postgresql",
                "engine_version": "16.13",
                "db_cluster_parameter_group_name": "${aws_rds_cluster_parameter_group.orders.name}",
            }
        },
        MEMBER: {
            "orders": {
                "cluster_identifier": "${aws_rds_cluster.orders.id}",
                "engine": "aurora-postgresql",
                "instance_class": "db.r7g.large",
                "db_parameter_group_name": "${aws_db_parameter_group.orders.name}",
            }
        },
        INSTANCE: {
            "legacy": {
                "identifier": "shop-prod-legacy",
                "engine": "mysql",
                "engine_version": "8.4.8",
                "parameter_group_name": "shop-prod-legacy",
            }
        },
        CLUSTER_GROUP: {
            "orders": {
                "name": "shop-prod-orders",
                "family": "aurora-postgresql16",
                "parameter": [{"name": "rds.force_ssl", "value": "1"}],
            }
        },
        GROUP: {
            "orders": {"name": "shop-prod-orders", "family": "aurora-postgresql16"},
            "legacy": {
                "name": "shop-prod-legacy",
                "family": "mysql8.4",
                "parameter": {"name": "require_secure_transport", "value": "ON"},
            },
        },
    }
}
_ORDERS: Final = f"resource.{CLUSTER}.orders"
_MEMBER: Final = f"resource.{MEMBER}.orders"
_LEGACY: Final = f"resource.{INSTANCE}.legacy"
_ORDERS_GROUP: Final = f"resource.{CLUSTER_GROUP}.orders"
_LEGACY_GROUP: Final = f"resource.{GROUP}.legacy"


@rule(
    "RDS-019",
    "RDS database requires TLS",
    why="A client without TLS sends statements and rows in plain text, and the database accepts it.",
    fix="Set rds.force_ssl (PostgreSQL) or require_secure_transport (MySQL, MariaDB) to 1 in the parameter group.",
    page=f"{RDS_GUIDE}/UsingWithRDS.SSL.html",
    types=[CLUSTER, INSTANCE],
    severity=WARNING,
    lessons=["TRD-5"],
    frameworks=Frameworks(fsbp=("RDS.44",), pci=("4.2.1",), checkov=("CKV2_AWS_69",)),
    good=_GOOD,
    breaks=[
        {f"{_ORDERS_GROUP}.parameter.0.value": "0"},
        {f"{_ORDERS_GROUP}.parameter": REMOVED},
        {f"{_ORDERS}.db_cluster_parameter_group_name": REMOVED},
        {f"{_LEGACY_GROUP}.parameter.value": "OFF"},
        {f"{_LEGACY}.parameter_group_name": "default.mysql8.4"},
    ],
)
def tls_is_required(block: Block) -> Iterator[Outcome]:
    """Newer versions require TLS unless the parameter group disables it."""
    engine, version = engine_of(block), version_of(block)
    if isinstance(engine, Unknown):
        yield block.undecided(engine, "engine")
        return
    if engine not in _TLS or (engine == "mariadb" and str(version).startswith(("10.3", "10.4"))):
        yield NotApplicable("its engine has no such parameter, or its source determines the engine")
        return
    parameter, since = _TLS[engine]
    at, type_ = _GROUP_AT[block.type]
    name, group = block.get(at), meant(block, at, type_)
    value: str | Unknown | None = None
    if group is not None:
        value = _value(group, parameter)
    elif isinstance(name, Unknown):
        value = name
    elif name and not str(name).startswith(_DEFAULT):
        value = Unknown(f"the parameter group {name} is not in the checked stacks")
    if value is None:
        value = _by_default(version, since)
    if isinstance(value, Unknown):
        yield block.undecided(value, at)
    elif value.lower() not in _ON:
        where = called(group, block) if group is not None else f"a custom {type_}"
        yield block.fail(f"must be a parameter group with {parameter} = 1; set it in {where}", at)


def _value(group: Block, parameter: str) -> str | Unknown | None:
    doubt: Unknown | None = None
    for _, name, value in parameters(group):
        if name == parameter:
            return value
        doubt = name if isinstance(name, Unknown) else doubt
    return doubt


def _by_default(version: str | Unknown | None, since: str | None) -> str | Unknown:
    if since is None:
        return "0"
    if isinstance(version, Unknown):
        return version
    if version is None:
        return Unknown("AWS chooses the engine version, which decides whether TLS is required by default")
    numbers = [float(part) for part in re.findall(r"\d+", version)[: since.count(".") + 1]]
    return "1" if numbers >= [float(part) for part in since.split(".")] else "0"


@rule(
    "RDS-020",
    "RDS database has custom parameter groups",
    why="A default parameter group cannot be changed, and a switch to a custom one needs a reboot of the database.",
    fix="Add an aws_rds_cluster_parameter_group and an aws_db_parameter_group, even with few parameters.",
    page=f"{AURORA_GUIDE}/USER_WorkingWithParamGroups.html",
    types=[CLUSTER, MEMBER, INSTANCE],
    severity=ADVICE,
    lessons=["TRD-5"],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.db_cluster_parameter_group_name": REMOVED},
        {f"{_MEMBER}.db_parameter_group_name": REMOVED},
        {f"{_LEGACY}.parameter_group_name": "default.mysql8.4"},
    ],
)
def parameter_groups_are_custom(block: Block) -> Iterator[Outcome]:
    """Names of default groups begin with default."""
    at, type_ = _GROUP_AT[block.type]
    name = block.get(at)
    if isinstance(name, Unknown) and not isinstance(name, Computed) and meant(block, at, type_) is None:
        yield block.undecided(name, at)
    elif name is None or str(name).startswith(_DEFAULT):
        yield block.fail(f"must be a custom {type_}; a default parameter group cannot be changed", at)


@rule(
    "RDS-021",
    "RDS parameter group family matches the engine version",
    why="AWS rejects a parameter group of another engine or major version.",
    fix="Set family to the engine followed by its major version, such as aurora-postgresql17.",
    page=f"{AURORA_GUIDE}/USER_WorkingWithParamGroups.html",
    types=[CLUSTER, MEMBER, INSTANCE],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS_GROUP}.family": "aurora-postgresql15"},
        {f"{_ORDERS}.engine_version": "17"},
        {f"resource.{GROUP}.orders.family": "postgres16"},
        {f"{_LEGACY}.parameter_group_name": "default.mysql8.0"},
        {f"{_LEGACY_GROUP}.family": "mysql8.0"},
        {f"{_LEGACY}.engine": "mariadb", f"{_LEGACY}.engine_version": REMOVED},
    ],
)
def family_matches(block: Block) -> Iterator[Outcome]:
    """Only the engine is compared if the version is unknown."""
    at, type_ = _GROUP_AT[block.type]
    group, name = meant(block, at, type_), block.get(at)
    if group is not None:
        family = group.get("family")
    elif isinstance(name, str) and name.startswith(_DEFAULT):
        family = name.removeprefix(_DEFAULT)
    elif isinstance(name, Unknown):
        yield block.undecided(name, at)
        return
    else:
        yield NotApplicable("its parameter group is not in the checked stacks")
        return
    engine, version = engine_of(block), version_of(block)
    if version is None and block.type == MEMBER:
        cluster = cluster_of(block)
        version = version_of(cluster) if cluster is not None else None
    if isinstance(family, Computed):
        return  # from a data source with the right version
    for value, where in ((family, at), (engine, "engine")):
        if isinstance(value, Unknown):
            yield block.undecided(value, where)
            return
    wanted = _family_of(str(engine), version) if engine else None
    if wanted is None or family is None or re.fullmatch(wanted, str(family)):
        if isinstance(version, Unknown):
            yield block.undecided(version, "engine_version")
        return
    shown = f"; {called(group, block)} has {family}" if group is not None else ""
    of = f"{engine} {version}" if isinstance(version, str) else engine
    yield block.fail(f"must have {_readable(wanted)} for {of}{shown}", at)


def _family_of(engine: str, version: str | Unknown | None) -> str | None:
    """Return a regular expression for the matching families; None if those of the engine are unknown."""
    if engine not in END_OF_SUPPORT:
        return None
    if isinstance(version, str):
        major = major_of(engine, version)
        return re.escape(f"{engine}{major}") if major else f"{engine}.*"
    return rf"{engine}\d.*"


def _readable(wanted: str) -> str:
    return f"the family {wanted.replace(chr(92), '')}" if wanted[-1].isdecimal() else "a family"
