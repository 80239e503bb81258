"""ElastiCache: node types, node counts, failover and subnet groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.rules.catalogue.tables_and_caches.cache_security import (
    CACHE,
    NODES,
    REPLICATED,
    SERVERLESS,
    is_secondary,
)
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.caches import is_node_type, is_previous_generation
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import PROVIDER, expect_set
from constructs_lib.rules.queries.networks import may_be_absent
from constructs_lib.rules.queries.zones import zones_text
from constructs_lib.rules.rule import PRODUCTION, REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

SUBNETS: Final = "aws_elasticache_subnet_group"

_SHARDS: Final = ("num_node_groups", "replicas_per_node_group", "node_group_configuration")
_UNSHARDED: Final = ("num_cache_clusters", "number_cache_clusters", "preferred_cache_cluster_azs")
_TIERED: Final = "cache.r6gd."
_NO_DEFAULT: Final = "must refer to subnets of your own VPC; the default is the default VPC"

_ZONES: Final = {
    letter: {"cidr_block": f"10.0.{20 + number}.0/24", "availability_zone": f"eu-west-1{letter}"}
    for number, letter in enumerate("ab")
}
_GOOD: Final = {
    "resource": {
        "aws_subnet": _ZONES,
        SUBNETS: {"cache": {"name": "shop-prod-cache", "subnet_ids": ["${aws_subnet.a.id}", "${aws_subnet.b.id}"]}},
        REPLICATED: {
            "sessions": {
                "replication_group_id": "shop-prod-sessions",
                "node_type": "cache.t4g.small",
                "num_cache_clusters": 2,
                "automatic_failover_enabled": True,
                "multi_az_enabled": True,
                "subnet_group_name": "${aws_elasticache_subnet_group.cache.name}",
            },
            "carts": {
                "replication_group_id": "shop-prod-carts",
                "node_type": "cache.r6gd.xlarge",
                "data_tiering_enabled": True,
                "num_node_groups": 2,
                "replicas_per_node_group": 1,
                "automatic_failover_enabled": True,
                "multi_az_enabled": True,
                "subnet_group_name": "shop-prod-cache",
            },
        },
        NODES: {
            "pages": {
                "cluster_id": "shop-prod-pages",
                "engine": "memcached",
                "node_type": "cache.m7g.large",
                "subnet_group_name": "shop-prod-cache",
            }
        },
    }
}
_SESSIONS: Final = f"resource.{REPLICATED}.sessions"
_CARTS: Final = f"resource.{REPLICATED}.carts"
_PAGES: Final = f"resource.{NODES}.pages"


def _is_sharded(group: Block) -> bool:
    return any(group.raw(at) not in (None, []) for at in _SHARDS)


def _nodes(group: Block) -> tuple[str, float | Unknown]:
    """Return the argument for the number of nodes that can replace each other, and that number."""
    if not _is_sharded(group):
        at = next((at for at in _UNSHARDED[:2] if group.raw(at) is not None), _UNSHARDED[0])
        given = group.number(at)
        apart = group.referrers_at("replication_group_id", NODES)
        uncounted = next((one for one in apart if may_be_absent(one)), None)
        if isinstance(given, Unknown):
            return at, given
        if uncounted is not None:
            return at, Unknown(f"the number of {uncounted.address} is known after plan only")
        return at, (1 if given is None else given) + len(apart)
    replicas = group.number("replicas_per_node_group")
    shards = group.sections("node_group_configuration")
    if replicas is None and shards:
        counts = [0 if isinstance(one.body, Unknown) else one.number("replica_count") for one in shards]
        doubt = next((count for count in counts if isinstance(count, Unknown)), None)
        replicas = doubt or min(count or 0 for count in counts if not isinstance(count, Unknown))
    at = "replicas_per_node_group"
    return at, replicas if isinstance(replicas, Unknown) else 1 + (replicas or 0)


@rule(
    "DDB-020",
    "ElastiCache replication group has automatic failover and Multi-AZ enabled",
    why="If its only node, or the Availability Zone of all nodes, fails, all data is lost and the database receives "
    "the load.",
    fix="Use at least two nodes, and set automatic_failover_enabled and multi_az_enabled to true.",
    page=f"{CACHE}/AutoFailover.html",
    types=[REPLICATED],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("ElastiCache.3",), checkov=("CKV2_AWS_50",)),
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.automatic_failover_enabled": REMOVED, f"{_SESSIONS}.multi_az_enabled": REMOVED},
        {f"{_SESSIONS}.multi_az_enabled": "false"},
        {f"{_SESSIONS}.num_cache_clusters": 1},
        {f"{_CARTS}.replicas_per_node_group": 0},
    ],
)
def cache_fails_over(group: Block) -> Iterator[Outcome]:
    """Count nodes that are separate resources as well."""
    at, nodes = _nodes(group)
    if is_secondary(group):
        yield NotApplicable("the primary of its global datastore fails over")
        return
    if isinstance(nodes, Unknown):
        yield group.undecided(nodes, at)
    elif nodes < 2:  # noqa: PLR2004  primary and replica
        least = "at least 2" if not _is_sharded(group) else "at least 1"
        yield group.fail(f"must be {least}, so that a replica can be promoted", at)
        return
    for flag in ("automatic_failover_enabled", "multi_az_enabled"):
        value = group.flag(flag)
        if isinstance(value, Unknown):
            yield group.undecided(value, flag)
        elif not value:
            yield group.fail("must be true, or a replica in another Availability Zone is not promoted", flag)
            return


@rule(
    "DDB-021",
    "ElastiCache failover settings are consistent",
    why="ElastiCache rejects automatic failover without a replica, Multi-AZ without automatic failover, and several "
    "shards without automatic failover.",
    fix="Set automatic_failover_enabled to true for several shards and to false for a single node; set "
    "multi_az_enabled to true with automatic failover only.",
    page=f"{PROVIDER}/resources/elasticache_replication_group",
    types=[REPLICATED],
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.num_cache_clusters": "1"},
        {f"{_SESSIONS}.automatic_failover_enabled": False},
        {f"{_CARTS}.automatic_failover_enabled": REMOVED, f"{_CARTS}.multi_az_enabled": REMOVED},
    ],
)
def failover_is_consistent(group: Block) -> Iterator[Outcome]:
    """A sharded group without replicas may enable failover before it gets replicas."""
    failover, zones = group.flag("automatic_failover_enabled"), group.flag("multi_az_enabled")
    at, nodes = _nodes(group)
    shards = group.number("num_node_groups")
    if isinstance(failover, Unknown):
        yield group.undecided(failover, "automatic_failover_enabled")
    elif not failover:
        if zones is True:
            yield group.fail("must be true if multi_az_enabled is true", "automatic_failover_enabled")
        elif isinstance(zones, Unknown):
            yield group.undecided(zones, "multi_az_enabled")
        elif isinstance(shards, int | float) and shards > 1:
            yield group.fail("must be true if num_node_groups is greater than 1", "automatic_failover_enabled")
    elif isinstance(nodes, Unknown):
        yield group.undecided(nodes, at)
    elif not _is_sharded(group) and not is_secondary(group) and nodes < 2:  # noqa: PLR2004  primary and replica
        yield group.fail("must be at least 2 if automatic_failover_enabled is true", at)


@rule(
    "DDB-022",
    "ElastiCache replication group sets its node count in one way",
    why="The node count is set either in total or per shard; the provider rejects both together.",
    fix="Set num_cache_clusters, or num_node_groups and replicas_per_node_group.",
    page=f"{PROVIDER}/resources/elasticache_replication_group",
    types=[REPLICATED],
    good=_GOOD,
    breaks=[
        {f"{_CARTS}.num_cache_clusters": 4},
        {f"{_SESSIONS}.replicas_per_node_group": 1},
        {f"{_CARTS}.preferred_cache_cluster_azs": ["eu-west-1a", "eu-west-1b"]},
    ],
)
def node_count_is_set_once(group: Block) -> Iterator[Outcome]:
    """preferred_cache_cluster_azs requires num_cache_clusters."""
    values = {at: group.get(at) for at in (*_SHARDS, *_UNSHARDED)}
    sharded = [at for at in _SHARDS if values[at] not in (None, [])]
    for at in _UNSHARDED:
        if values[at] in (None, []) or not sharded:
            continue
        unknown = next((values[name] for name in (at, *sharded) if isinstance(values[name], Unknown)), None)
        if unknown is not None:
            yield group.undecided(unknown, at)
        else:
            yield group.fail(f"cannot be combined with {' and '.join(sharded)}; remove one", at)


@rule(
    "DDB-023",
    "ElastiCache cache has a custom subnet group",
    why="Without a subnet group, the cache is created in the default VPC, whose subnets are public.",
    fix="Set subnet_group_name to an aws_elasticache_subnet_group with private subnets.",
    page=f"{CACHE}/SubnetGroups.html",
    types=[REPLICATED, NODES, SERVERLESS],
    severity=WARNING,
    frameworks=Frameworks(fsbp=("ElastiCache.7",), checkov=("CKV_AWS_323",)),
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.subnet_group_name": REMOVED},
        {f"{_CARTS}.subnet_group_name": "default"},
        {f"{_PAGES}.subnet_group_name": REMOVED},
        {f"resource.{SERVERLESS}": {"search": {"name": "shop-prod-search", "engine": "valkey"}}},
    ],
)
def subnet_group_is_not_default(block: Block) -> Iterator[Outcome]:
    """Skip nodes of a replication group, which use the subnets of the group."""
    if block.type == NODES and block.raw("replication_group_id") is not None:
        yield NotApplicable("its replication group decides")
        return
    at = "subnet_ids" if block.type == SERVERLESS else "subnet_group_name"
    if block.get(at) == "default":
        yield block.fail(_NO_DEFAULT, at)
    else:
        yield from expect_set(block, at, _NO_DEFAULT)


@rule(
    "DDB-024",
    "ElastiCache subnet group spans two Availability Zones",
    why="With subnets in one Availability Zone, the cache cannot fail over to another one.",
    fix="Set subnet_ids to subnets in at least two Availability Zones.",
    page=f"{CACHE}/SubnetGroups.html",
    types=[SUBNETS],
    severity=PRODUCTION,
    good=_GOOD,
    breaks=[
        {f"resource.{SUBNETS}.cache.subnet_ids": ["${aws_subnet.a.id}"]},
        {"resource.aws_subnet.b.availability_zone": "eu-west-1a"},
    ],
)
def subnet_group_spans_zones(group: Block) -> Iterator[Outcome]:
    """Equal expressions count as one zone."""
    wrong = zones_text(group, "subnet_ids")
    if isinstance(wrong, Unknown):
        yield group.undecided(wrong, "subnet_ids")
    elif wrong:
        yield group.fail(f"{wrong}; failover requires subnets in at least two Availability Zones", "subnet_ids")


@rule(
    "DDB-025",
    "ElastiCache for Redis or Valkey uses a replication group",
    why="An aws_elasticache_cluster of Redis is a single node without replicas, failover, encryption and "
    "authentication.",
    fix="Use an aws_elasticache_replication_group; one with a single node can get replicas later.",
    page=f"{CACHE}/Replication.html",
    types=[NODES],
    severity=WARNING,
    frameworks=Frameworks(fsbp=("ElastiCache.6",)),
    good=_GOOD,
    breaks=[{f"{_PAGES}.engine": "redis"}, {f"{_PAGES}.engine": "valkey"}],
)
def redis_is_replicated(block: Block) -> Iterator[Outcome]:
    """Skip nodes of a replication group."""
    if block.raw("replication_group_id") not in (None, ""):
        yield NotApplicable("it is a node of a replication group")
        return
    engine = block.get("engine")
    if isinstance(engine, Unknown):
        yield block.undecided(engine, "engine")
    elif engine in ("redis", "valkey"):
        yield block.fail(
            f"{engine} must use an aws_elasticache_replication_group, which supports encryption and failover", "engine"
        )


@rule(
    "DDB-026",
    "ElastiCache node type is of the current generation",
    why="Previous-generation node types cost more for less performance, and do not support new engine versions.",
    fix="Use cache.t4g for small caches, cache.m7g or cache.r7g for larger ones.",
    page=f"{CACHE}/CacheNodes.SupportedTypes.html",
    types=[REPLICATED, NODES],
    severity=WARNING,
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.node_type": "cache.t2.micro"},
        {f"{_PAGES}.node_type": "cache.m4.large"},
        {f"{_SESSIONS}.node_type": "t4g.micro"},
        {f"{_CARTS}.node_type": "cache.large"},
    ],
)
def node_type_is_current(block: Block) -> Iterator[Outcome]:
    """Unlisted families are assumed to be newer."""
    node = block.get("node_type")
    if isinstance(node, Unknown):
        yield block.undecided(node, "node_type")
    elif node is None:
        yield NotApplicable("another block sets its node type")
    elif is_previous_generation(str(node)):
        yield block.fail("is a previous-generation node type; use cache.t4g, cache.m7g or cache.r7g", "node_type")
    elif is_node_type(str(node)) is False:
        yield block.fail("is not a node type; use one such as cache.t4g.small", "node_type")


@rule(
    "DDB-027",
    "ElastiCache data tiering matches the node type",
    why="ElastiCache rejects r6gd nodes without data tiering, and data tiering on other node types.",
    fix="Set data_tiering_enabled to true for cache.r6gd nodes only.",
    page=f"{CACHE}/data-tiering.html",
    types=[REPLICATED],
    good=_GOOD,
    breaks=[
        {f"{_CARTS}.data_tiering_enabled": REMOVED},
        {f"{_SESSIONS}.data_tiering_enabled": "true"},
    ],
)
def data_tiering_matches_the_node_type(group: Block) -> Iterator[Outcome]:
    """Data tiering is disabled by default."""
    node, tiering = group.get("node_type"), group.flag("data_tiering_enabled")
    if node is None:
        yield NotApplicable("another block sets its node type")
    elif isinstance(tiering, Unknown):
        yield group.undecided(tiering, "data_tiering_enabled")
    elif isinstance(node, Unknown):
        if tiering:
            yield group.undecided(node, "node_type")
    elif tiering is not str(node).startswith(_TIERED):
        wanted = "must be true" if not tiering else "must not be true"
        yield group.fail(f"{wanted} for {node}", "data_tiering_enabled")
