"""Parameter groups of databases: of one's own, of the right family, and forcing TLS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.database_versions import END_OF_SUPPORT, major_of
from constructs_lib.rules.estate.values import Computed, Unknown
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

    from constructs_lib.rules.estate.blocks import Block
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
"""The parameter that forces TLS, and the major version from which on it is on by default.

See https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html and its like for the
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
    "A database accepts connections over TLS only",
    why="A client that does not ask for TLS sends its statements and the rows in plain text, and nobody notices.",
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
def tls_is_forced(block: Block) -> Iterator[Outcome]:
    """Newer versions force TLS unless the parameter group says otherwise."""
    engine, version = engine_of(block), version_of(block)
    if isinstance(engine, Unknown):
        yield block.undecided(engine, "engine")
        return
    if engine not in _TLS or (engine == "mariadb" and str(version).startswith(("10.3", "10.4"))):
        yield NotApplicable("its engine has no such parameter, or its source decides")
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
        value = Unknown(f"the parameter group {name} is not in these stacks")
    if value is None:
        value = _by_default(version, since)
    if isinstance(value, Unknown):
        yield block.undecided(value, at)
    elif value.lower() not in _ON:
        where = called(group, block) if group is not None else f"a parameter group ({type_}) of your own"
        yield block.fail(f"{where} must set {parameter} to 1", at)


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
        return Unknown("AWS chooses the engine's version, and that whether TLS is forced")
    numbers = [float(part) for part in re.findall(r"\d+", version)[: since.count(".") + 1]]
    return "1" if numbers >= [float(part) for part in since.split(".")] else "0"


@rule(
    "RDS-020",
    "A database has parameter groups of its own",
    why="A default parameter group cannot be changed: the first parameter that must change costs a restart.",
    fix="Give an aws_rds_cluster_parameter_group and an aws_db_parameter_group, even with few parameters.",
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
def groups_are_its_own(block: Block) -> Iterator[Outcome]:
    """The groups that AWS makes begin with default."""
    at, type_ = _GROUP_AT[block.type]
    name = block.get(at)
    if isinstance(name, Unknown) and not isinstance(name, Computed) and meant(block, at, type_) is None:
        yield block.undecided(name, at)
    elif name is None or str(name).startswith(_DEFAULT):
        yield block.fail(f"must name an {type_} of your own; AWS's default group cannot be changed", at)


@rule(
    "RDS-021",
    "A parameter group is of the family of its database's version",
    why="AWS refuses a parameter group that was made for another engine or another major version.",
    fix="Set the group's family to the engine followed by its major version, such as aurora-postgresql17.",
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
def family_fits(block: Block) -> Iterator[Outcome]:
    """Of a version that is not known, only the engine is compared."""
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
        yield NotApplicable("it names no parameter group of these stacks")
        return
    engine, version = engine_of(block), version_of(block)
    if version is None and block.type == MEMBER:
        cluster = cluster_of(block)
        version = version_of(cluster) if cluster is not None else None
    if isinstance(family, Computed):
        return  # taken from a data source that knows the version
    for value, where in ((family, at), (engine, "engine")):
        if isinstance(value, Unknown):
            yield block.undecided(value, where)
            return
    wanted = _family_of(str(engine), version) if engine else None
    if wanted is None or family is None or re.fullmatch(wanted, str(family)):
        if isinstance(version, Unknown):
            yield block.undecided(version, "engine_version")
        return
    shown = f"{called(group, block)} is of the family {family}" if group is not None else "is of another family"
    of = f"{engine} {version}" if isinstance(version, str) else engine
    yield block.fail(f"{shown}; {of} needs {_readable(wanted)}", at)


def _family_of(engine: str, version: str | Unknown | None) -> str | None:
    """Return an expression for the families that fit; None where the engine's families are not known."""
    if engine not in END_OF_SUPPORT:
        return None
    if isinstance(version, str):
        major = major_of(engine, version)
        return re.escape(f"{engine}{major}") if major else f"{engine}.*"
    return rf"{engine}\d.*"


def _readable(wanted: str) -> str:
    return f"the family {wanted.replace(chr(92), '')}" if wanted[-1].isdecimal() else "a family of its own engine"
