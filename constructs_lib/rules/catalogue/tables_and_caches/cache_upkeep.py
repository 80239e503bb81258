"""Caches: snapshots, versions, parameters, logs, windows, names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.cache_versions import END_OF_SUPPORT, VERSIONS
from constructs_lib.foundation.dates import today
from constructs_lib.foundation.windows import daily, overlap, weekly
from constructs_lib.rules.catalogue.tables_and_caches.cache_access import (
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
    "Snapshots of a cache are kept",
    why="What is only in the cache is gone with it, and an empty cache sends the whole load to the database.",
    fix="Set snapshot_retention_limit to 1 day or more.",
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
def snapshots_are_kept(block: Block) -> Iterator[Outcome]:
    """Memcached has no snapshots, and of a node its replication group decides."""
    if block.type == NODES and block.raw("replication_group_id") is not None:
        yield NotApplicable("its replication group decides")
    elif engine_of(block) == "memcached" or is_secondary(block):
        yield NotApplicable("Memcached, or a secondary of a global group")
    else:
        yield from expect_number(
            block,
            "snapshot_retention_limit",
            lambda days: days is not None and days >= 1,
            "must be 1 day or more; the default keeps none",
        )


@rule(
    "DDB-029",
    "A cache leaves a final snapshot",
    why="Without one, what is in the cache is gone with it.",
    fix="Set final_snapshot_identifier.",
    page=f"{CACHE}/backups-final.html",
    types=[REPLICATED],
    severity=PRODUCTION,
    good=_GOOD,
    breaks=[{f"{_SESSIONS}.final_snapshot_identifier": REMOVED}, {f"{_CARTS}.final_snapshot_identifier": ""}],
)
def final_snapshot_is_kept(group: Block) -> Iterator[Outcome]:
    """A secondary of a global group holds nothing of its own."""
    if is_secondary(group):
        yield NotApplicable("a secondary of a global group")
    else:
        yield from expect_set(group, "final_snapshot_identifier", "must name the final snapshot, or none is made")


@rule(
    "DDB-030",
    "ElastiCache has the version that is asked for",
    why="AWS refuses the cache at apply; plan does not ask.",
    fix="Take Redis up to 7.1, or Valkey from 7.2 on.",
    page=f"{CACHE}/supported-engine-versions.html",
    types=[REPLICATED],
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.engine_version": "7.2"},
        {f"{_CARTS}.engine_version": "7.0"},
        {f"{_SESSIONS}.engine_version": "latest"},
    ],
)
def version_exists(group: Block) -> Iterator[Outcome]:
    """A version newer than the table may exist."""
    engine, version = engine_of(group), group.text("engine_version")
    if version is None:
        yield NotApplicable("it names no version")
    elif isinstance(version, Unknown) or isinstance(engine, Unknown):
        value = version if isinstance(version, Unknown) else Unknown(str(engine))
        yield group.undecided(value, "engine_version")
    elif engine in VERSIONS:
        known = exists(engine, version)
        if known is None:
            yield group.undecided(Unknown(f"{engine} {version} is not in the table"), "engine_version")
        elif not known:
            yield group.fail(f"is no version of {engine}; there are {', '.join(VERSIONS[engine])}", "engine_version")


@rule(
    "DDB-031",
    "A cache's version is in standard support",
    why="Past its end AWS bills extended support, or upgrades the cache on a day of its own.",
    fix="Upgrade to Redis 7.1 or to Valkey.",
    page=f"{CACHE}/extended-support.html",
    types=[REPLICATED],
    severity=WARNING,
    good=_GOOD,
    breaks=[{f"{_SESSIONS}.engine_version": "5.0.6"}, {f"{_SESSIONS}.engine_version": "4.0.10"}],
)
def version_is_supported(group: Block) -> Iterator[Outcome]:
    """Without a version AWS takes one that it supports."""
    engine, version = engine_of(group), group.text("engine_version")
    if version is None:
        yield NotApplicable("it names no version")
    elif isinstance(version, Unknown):
        yield group.undecided(version, "engine_version")
    else:
        end = END_OF_SUPPORT.get((str(engine), version.partition(".")[0]))
        if end is not None and end < today():
            yield group.fail(f"is out of standard support since {end}; take 7.1, or Valkey", "engine_version")


@rule(
    "DDB-032",
    "A cache has a parameter group of its own",
    why="A default parameter group cannot be changed: the first parameter that must change needs another group.",
    fix="Give an aws_elasticache_parameter_group, even with few parameters.",
    page=f"{CACHE}/ParameterGroups.html",
    types=[REPLICATED],
    severity=ADVICE,
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.parameter_group_name": REMOVED},
        {f"{_SESSIONS}.parameter_group_name": "default.redis7.cluster.on"},
    ],
)
def parameters_are_its_own(group: Block) -> Iterator[Outcome]:
    """The groups that AWS makes begin with default."""
    at = "parameter_group_name"
    name = group.get(at)
    if is_secondary(group):
        yield NotApplicable("the first member of the global group decides")
    elif isinstance(name, Unknown) and not isinstance(name, Computed) and meant(group, at, PARAMETERS) is None:
        yield group.undecided(name, at)
    elif name in (None, "") or str(name).startswith(_DEFAULT):
        yield group.fail(f"must name an {PARAMETERS} of your own; AWS's default group cannot be changed", at)


@rule(
    "DDB-033",
    "A cache's parameter group is of the family of its version",
    why="AWS refuses a parameter group that was made for another engine or another major version.",
    fix="Set the family to redis7 or valkey8, as the engine and its major version are.",
    page=f"{CACHE}/ParameterGroups.html",
    types=[REPLICATED],
    good=_GOOD,
    breaks=[
        {f"resource.{PARAMETERS}.sessions.family": "redis6.x"},
        {f"{_CARTS}.engine_version": "7.2"},
        {f"{_SESSIONS}.parameter_group_name": "default.redis6.x"},
    ],
)
def family_fits(group: Block) -> Iterator[Outcome]:
    """A default group's family follows from its name."""
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
        yield NotApplicable("it names no group of these stacks, or no version")
        return
    wanted = family(str(engine), version)
    if wanted is not None and of != wanted:
        shown = f"{called(parameters, group)} is of the family {of}" if parameters else f"is of the family {of}"
        yield group.fail(f"{shown}; {engine} {version} needs {wanted}", at)


@rule(
    "DDB-034",
    "A cache delivers its slow log and its engine log",
    why="Both are kept in the node's memory for a while only, and gone with the node.",
    fix="Give a log_delivery_configuration for slow-log and one for engine-log.",
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
    """Redis before 6 has no engine log to deliver, before 5.0.6 no slow log either."""
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
        yield group.fail(f"must stand for {' and for '.join(missing)}", at)


@rule(
    "DDB-035",
    "A cache takes minor versions by itself",
    why="Minor versions are security patches.",
    fix="Leave auto_minor_version_upgrade out, or set it to true.",
    page=f"{CACHE}/VersionManagement.html",
    types=[REPLICATED, NODES],
    severity=WARNING,
    frameworks=Frameworks(fsbp=("ElastiCache.2",), pci=("6.3.3",), checkov=("CKV_AWS_322",)),
    good=_GOOD,
    breaks=[{f"{_SESSIONS}.auto_minor_version_upgrade": False}, {f"{_CARTS}.auto_minor_version_upgrade": "false"}],
)
def minor_versions_are_taken(block: Block) -> Iterator[Outcome]:
    """They are unless they are turned off."""
    yield from expect_flag(
        block, "auto_minor_version_upgrade", "must be true: minor versions are security patches", default=True
    )


@rule(
    "DDB-036",
    "Snapshot and maintenance windows are well written and apart",
    why="AWS refuses windows that overlap, that are shorter than an hour, or that it cannot read.",
    fix="Write the snapshot window as 02:00-03:00, the maintenance window as sun:04:00-sun:05:00, in UTC.",
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
def windows_are_apart(block: Block) -> Iterator[Outcome]:
    """A window that is left out AWS chooses, apart from the other."""
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
            yield block.fail(f"must be written as {example}, in UTC", at)
        elif span is not None and span[1] < _SHORTEST:
            yield block.fail(f"must last {_SHORTEST} minutes or more", at)
    if every_day and every_week and overlap(every_day, every_week):
        yield block.fail(f"overlaps the daily snapshot_window {snapshot}", "maintenance_window")


@rule(
    "DDB-037",
    "A cache's name is legal",
    why="AWS refuses another one at apply; plan does not ask.",
    fix="Begin with a letter, go on with small letters, digits and single hyphens, up to 40 characters.",
    page=f"{AWS}/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html",
    types=[REPLICATED, NODES, SERVERLESS],
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.replication_group_id": "shop-production-sessions-of-the-european-store"},
        {f"{_SESSIONS}.replication_group_id": "shop--sessions"},
        {f"{_CARTS}.replication_group_id": "shop_carts"},
    ],
)
def name_is_legal(block: Block) -> Iterator[Outcome]:
    """AWS writes it in small letters; Terraform takes capitals and does so too."""
    at, longest = _NAME_AT[block.type]
    name = block.text(at)
    if isinstance(name, Unknown):
        yield block.undecided(name, at)
    elif name is None:
        yield NotApplicable("it has no name")
    elif len(name) > longest:
        yield block.fail(f"has {len(name)} characters; at most {longest} are allowed", at)
    elif not re.fullmatch(r"[A-Za-z](-?[A-Za-z0-9])*", name):
        yield block.fail("must begin with a letter and hold letters, digits and single hyphens, not at its end", at)
