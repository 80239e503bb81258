"""ElastiCache: snapshots, engine versions, parameter groups, log delivery, windows, names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.cache_versions import END_OF_SUPPORT, VERSIONS
from constructs_lib.foundation.dates import today
from constructs_lib.foundation.windows import daily, overlap, weekly
from constructs_lib.rules.catalogue.tables_and_caches.cache_security import (
    CACHE,
    NODES,
    REPLICATED,
    SERVERLESS,
    engine_of,
    is_secondary,
)
from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.caches import exists, family
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, expect_flag, expect_number, expect_set
from constructs_lib.rules.queries.databases import meant
from constructs_lib.rules.queries.links import called
from constructs_lib.rules.rule import ADVICE, PRODUCTION, REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

PARAMETERS: Final = "aws_elasticache_parameter_group"
_LOGS: Final = ("slow-log", "engine-log")
_DEFAULT: Final = "default."
_NAME_AT: Final = {REPLICATED: ("replication_group_id", 40), NODES: ("cluster_id", 50), SERVERLESS: ("name", 40)}
_SHORTEST: Final = 60

_GOOD: Final = {
    "resource": {
        REPLICATED: {
            "sessions": {
                "replication_group_id": "shop-prod-sessions",
                "engine": "redis",
                "engine_version": "7.1",
                "parameter_group_name": "${aws_elasticache_parameter_group.sessions.name}",
                "snapshot_retention_limit": 7,
                "snapshot_window": "02:00-03:00",
                "maintenance_window": "sun:04:00-sun:05:00",
                "final_snapshot_identifier": "shop-prod-sessions-final",
                "auto_minor_version_upgrade": True,
                "log_delivery_configuration": [
                    {"log_type": "slow-log", "destination": "shop-slow", "destination_type": "cloudwatch-logs"},
                    {"log_type": "engine-log", "destination": "shop-engine", "destination_type": "cloudwatch-logs"},
                ],
            },
            "carts": {
                "replication_group_id": "shop-prod-carts",
                "engine": "valkey",
                "engine_version": "8.0",
                "parameter_group_name": "shop-prod-carts",
                "snapshot_retention_limit": 7,
                "final_snapshot_identifier": "shop-prod-carts-final",
                "log_delivery_configuration": [{"log_type": "slow-log"}, {"log_type": "engine-log"}],
            },
        },
        PARAMETERS: {
            "sessions": {"name": "shop-prod-sessions", "family": "redis7"},
            "carts": {"name": "shop-prod-carts", "family": "valkey8"},
        },
    }
}
_SESSIONS: Final = f"resource.{REPLICATED}.sessions"
_CARTS: Final = f"resource.{REPLICATED}.carts"


@rule(
    "DDB-028",
    "ElastiCache cache has automatic backups enabled",
    why="Without backups, the data is lost with the cache, and an empty cache passes the whole load to the database.",
    fix="Set snapshot_retention_limit to at least 1 day.",
    page=f"{CACHE}/backups-automatic.html",
    types=[REPLICATED, NODES, SERVERLESS],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("ElastiCache.1",), checkov=("CKV_AWS_134",)),
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.snapshot_retention_limit": REMOVED},
        {f"{_SESSIONS}.snapshot_retention_limit": "0"},
        {f"resource.{SERVERLESS}": {"search": {"name": "shop-prod-search", "engine": "valkey"}}},
    ],
)
def backups_are_enabled(block: Block) -> Iterator[Outcome]:
    """Skip Memcached, which has no snapshots, and nodes of a replication group."""
    if block.type == NODES and block.raw("replication_group_id") is not None:
        yield NotApplicable("its replication group decides")
    elif engine_of(block) == "memcached" or is_secondary(block):
        yield NotApplicable("it is Memcached, or a secondary of a global datastore")
    else:
        yield from expect_number(
            block,
            "snapshot_retention_limit",
            lambda days: days is not None and days >= 1,
            "must be at least 1 day; the default of 0 disables automatic backups",
        )


@rule(
    "DDB-029",
    "ElastiCache replication group creates a final snapshot",
    why="Without a final snapshot, the data is lost when the replication group is deleted.",
    fix="Set final_snapshot_identifier.",
    page=f"{CACHE}/backups-final.html",
    types=[REPLICATED],
    severity=PRODUCTION,
    good=_GOOD,
    breaks=[{f"{_SESSIONS}.final_snapshot_identifier": REMOVED}, {f"{_CARTS}.final_snapshot_identifier": ""}],
)
def final_snapshot_is_created(group: Block) -> Iterator[Outcome]:
    """Skip secondaries of a global datastore, which are copies."""
    if is_secondary(group):
        yield NotApplicable("it is a secondary of a global datastore")
    else:
        yield from expect_set(
            group, "final_snapshot_identifier", "must be the name of the final snapshot, or none is created"
        )


@rule(
    "DDB-030",
    "ElastiCache engine version exists",
    why="ElastiCache rejects the version at apply; plan does not report it.",
    fix="Use Redis OSS up to 7.1, or Valkey 7.2 or later.",
    page=f"{CACHE}/supported-engine-versions.html",
    types=[REPLICATED],
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.engine_version": "7.2"},
        {f"{_CARTS}.engine_version": "7.0"},
        {f"{_SESSIONS}.engine_version": "latest"},
    ],
)
def version_is_valid(group: Block) -> Iterator[Outcome]:
    """A version newer than the listed ones may be valid."""
    engine, version = engine_of(group), group.text("engine_version")
    if version is None:
        yield NotApplicable("it sets no engine version")
    elif isinstance(version, Unknown) or isinstance(engine, Unknown):
        value = version if isinstance(version, Unknown) else Unknown(str(engine))
        yield group.undecided(value, "engine_version")
    elif engine in VERSIONS:
        known = exists(engine, version)
        if known is None:
            yield group.undecided(Unknown(f"{engine} {version} is newer than the known versions"), "engine_version")
        elif not known:
            yield group.fail(
                f"is not a version of {engine}; use one of {', '.join(VERSIONS[engine])}", "engine_version"
            )


@rule(
    "DDB-031",
    "ElastiCache engine version is in standard support",
    why="After the end of standard support, AWS bills extended support or upgrades the cache on its own schedule.",
    fix="Upgrade to Redis OSS 7.1 or to Valkey.",
    page=f"{CACHE}/extended-support.html",
    types=[REPLICATED],
    severity=WARNING,
    good=_GOOD,
    breaks=[{f"{_SESSIONS}.engine_version": "5.0.6"}, {f"{_SESSIONS}.engine_version": "4.0.10"}],
)
def version_is_supported(group: Block) -> Iterator[Outcome]:
    """Without engine_version, ElastiCache selects a supported version."""
    engine, version = engine_of(group), group.text("engine_version")
    if version is None:
        yield NotApplicable("it sets no engine version")
    elif isinstance(version, Unknown):
        yield group.undecided(version, "engine_version")
    else:
        end = END_OF_SUPPORT.get((str(engine), version.partition(".")[0]))
        if end is not None and end < today():
            yield group.fail(
                f"standard support ended on {end}; upgrade to Redis OSS 7.1 or to Valkey", "engine_version"
            )


@rule(
    "DDB-032",
    "ElastiCache replication group has a custom parameter group",
    why="A default parameter group cannot be modified: changing the first parameter requires switching to another "
    "group.",
    fix="Set parameter_group_name to an aws_elasticache_parameter_group, even one without parameters.",
    page=f"{CACHE}/ParameterGroups.html",
    types=[REPLICATED],
    severity=ADVICE,
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.parameter_group_name": REMOVED},
        {f"{_SESSIONS}.parameter_group_name": "default.redis7.cluster.on"},
    ],
)
def parameter_group_is_custom(group: Block) -> Iterator[Outcome]:
    """The names of AWS's default parameter groups start with `default.`."""
    at = "parameter_group_name"
    name = group.get(at)
    if is_secondary(group):
        yield NotApplicable("the primary of its global datastore decides")
    elif isinstance(name, Unknown) and not isinstance(name, Computed) and meant(group, at, PARAMETERS) is None:
        yield group.undecided(name, at)
    elif name in (None, "") or str(name).startswith(_DEFAULT):
        yield group.fail(f"must be an {PARAMETERS} of your own; a default parameter group cannot be changed", at)


@rule(
    "DDB-033",
    "ElastiCache parameter group family matches the engine version",
    why="ElastiCache rejects a parameter group of another engine or major version.",
    fix="Set family to that of the engine and major version, such as redis7 or valkey8.",
    page=f"{CACHE}/ParameterGroups.html",
    types=[REPLICATED],
    good=_GOOD,
    breaks=[
        {f"resource.{PARAMETERS}.sessions.family": "redis6.x"},
        {f"{_CARTS}.engine_version": "7.2"},
        {f"{_SESSIONS}.parameter_group_name": "default.redis6.x"},
    ],
)
def family_matches_the_version(group: Block) -> Iterator[Outcome]:
    """The name of a default parameter group contains its family."""
    at = "parameter_group_name"
    parameters, name = meant(group, at, PARAMETERS), group.get(at)
    of: object = None
    if parameters is not None:
        of = parameters.get("family")
    elif isinstance(name, Unknown):
        of = name
    elif name and str(name).startswith(_DEFAULT):
        of = str(name).removeprefix(_DEFAULT).removesuffix(".cluster.on")
    engine, version = engine_of(group), group.text("engine_version")
    for value, where in ((of, at), (engine, "engine"), (version, "engine_version")):
        if isinstance(value, Unknown):
            yield group.undecided(value, where)
            return
    if of is None or not isinstance(version, str) or not version[:1].isdecimal():
        yield NotApplicable("its parameter group is not defined in these stacks, or it sets no engine version")
        return
    wanted = family(str(engine), version)
    if wanted is not None and of != wanted:
        holder = called(parameters, group) if parameters else "it"
        yield group.fail(f"must have the family {wanted} for {engine} {version}; {holder} has {of}", at)


@rule(
    "DDB-034",
    "ElastiCache replication group delivers its slow log and engine log",
    why="Without log delivery, both logs are kept on the node for a short time only, and are lost with it.",
    fix="Add one log_delivery_configuration for slow-log and one for engine-log.",
    page=f"{CACHE}/Log_Delivery.html",
    types=[REPLICATED],
    severity=ADVICE,
    lessons=["TRD-11"],
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.log_delivery_configuration": REMOVED},
        {f"{_SESSIONS}.log_delivery_configuration.1": REMOVED},
        {f"{_SESSIONS}.log_delivery_configuration.0.log_type": "engine-log"},
    ],
)
def logs_are_delivered(group: Block) -> Iterator[Outcome]:
    """Skip Redis before 6, which delivers no engine log, or none at all."""
    at = "log_delivery_configuration"
    sections = group.sections(at)
    types = [section.body if isinstance(section.body, Unknown) else section.get("log_type") for section in sections]
    version = group.text("engine_version")
    is_old = engine_of(group) == "redis" and isinstance(version, str) and version.startswith(("2.", "3.", "4.", "5."))
    missing = [] if is_old else [log for log in _LOGS if log not in types]
    unknown = next((kind for kind in types if isinstance(kind, Unknown)), None)
    if missing and unknown is not None:
        yield group.undecided(unknown, at)
    elif missing:
        yield group.fail(f"must be set for {' and for '.join(missing)}", at)


@rule(
    "DDB-035",
    "ElastiCache cache has automatic minor version upgrades enabled",
    why="Minor versions contain security patches.",
    fix="Omit auto_minor_version_upgrade, or set it to true.",
    page=f"{CACHE}/VersionManagement.html",
    types=[REPLICATED, NODES],
    severity=WARNING,
    frameworks=Frameworks(fsbp=("ElastiCache.2",), pci=("6.3.3",), checkov=("CKV_AWS_322",)),
    good=_GOOD,
    breaks=[{f"{_SESSIONS}.auto_minor_version_upgrade": False}, {f"{_CARTS}.auto_minor_version_upgrade": "false"}],
)
def minor_versions_are_upgraded(block: Block) -> Iterator[Outcome]:
    """Automatic minor version upgrades are enabled by default."""
    yield from expect_flag(
        block, "auto_minor_version_upgrade", "must be true: minor versions contain security patches", default=True
    )


@rule(
    "DDB-036",
    "ElastiCache snapshot and maintenance windows are valid and do not overlap",
    why="ElastiCache rejects windows that overlap, are shorter than an hour, or have another format.",
    fix="Write snapshot_window as 02:00-03:00 and maintenance_window as sun:04:00-sun:05:00, in UTC.",
    page=f"{AWS}/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html",
    types=[REPLICATED, NODES],
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.maintenance_window": "sun:02:30-sun:03:30"},
        {f"{_SESSIONS}.snapshot_window": "2-3"},
        {f"{_SESSIONS}.maintenance_window": "sun:04:00-sun:04:30"},
        {f"{_SESSIONS}.snapshot_window": "02:00-02:30"},
    ],
)
def windows_do_not_overlap(block: Block) -> Iterator[Outcome]:
    """ElastiCache selects a window that is not set, so that it does not overlap."""
    snapshot, maintenance = block.text("snapshot_window"), block.text("maintenance_window")
    for value, at in ((snapshot, "snapshot_window"), (maintenance, "maintenance_window")):
        if isinstance(value, Unknown):
            yield block.undecided(value, at)
            return
    every_day = daily(str(snapshot)) if snapshot else None
    every_week = weekly(str(maintenance)) if maintenance else None
    for value, span, at, example in (
        (snapshot, every_day, "snapshot_window", "02:00-03:00"),
        (maintenance, every_week, "maintenance_window", "sun:04:00-sun:05:00"),
    ):
        if value and span is None:
            yield block.fail(f"must have the format {example}, in UTC", at)
        elif span is not None and span[1] < _SHORTEST:
            yield block.fail(f"must be at least {_SHORTEST} minutes long", at)
    if every_day and every_week and overlap(every_day, every_week):
        yield block.fail(f"must not overlap the daily snapshot_window {snapshot}", "maintenance_window")


@rule(
    "DDB-037",
    "ElastiCache cache name is valid",
    why="ElastiCache rejects the name at apply; plan does not report it.",
    fix="Begin with a letter, and use lowercase letters, digits and single hyphens, up to 40 characters.",
    page=f"{AWS}/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html",
    types=[REPLICATED, NODES, SERVERLESS],
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.replication_group_id": "shop-production-sessions-of-the-european-store"},
        {f"{_SESSIONS}.replication_group_id": "shop--sessions"},
        {f"{_CARTS}.replication_group_id": "shop_carts"},
    ],
)
def name_is_valid(block: Block) -> Iterator[Outcome]:
    """Uppercase letters are allowed: the provider converts them to lowercase."""
    at, longest = _NAME_AT[block.type]
    name = block.text(at)
    if isinstance(name, Unknown):
        yield block.undecided(name, at)
    elif name is None:
        yield NotApplicable("it has no name")
    elif len(name) > longest:
        yield block.fail(f"must have at most {longest} characters; it has {len(name)}", at)
    elif not re.fullmatch(r"[A-Za-z](-?[A-Za-z0-9])*", name):
        yield block.fail(
            "must begin with a letter and contain letters, digits and single hyphens only, without a hyphen at the end",
            at,
        )
