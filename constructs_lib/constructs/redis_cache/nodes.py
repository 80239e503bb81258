"""How many nodes a cache has, of which type, and in how many shards."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.regions import is_token

MAX_REPLICAS: Final = 5
MAX_NODES: Final = 90
"""What the account's quota gives one cache unless it is raised."""

_LARGE: Final = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "cache.t4g": ("micro", "small", "medium"),
    "cache.r7g": _LARGE,
    "cache.m7g": _LARGE,
    "cache.r6g": _LARGE,
    "cache.m6g": _LARGE,
}
"""Sizes by family, the families that we prefer first: Graviton, in nearly every region.

See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html.
"""
_TYPE: Final = re.compile(r"(?P<family>cache\.[a-z0-9]+)\.(?P<size>[a-z0-9]+)")


@dataclass(frozen=True)
class ReplicationGroup:
    """One primary and its replicas, which hold all of the data each.

    Attributes:
        nodes: The primary and its replicas together, 1 to 6; by default from the environment.
    """

    nodes: int | None = None


@dataclass(frozen=True)
class Shards:
    """Cluster mode: the data is spread over shards, each with a primary and replicas of its own.

    Attributes:
        count: Shards; more or fewer later moves the data.
        replicas: Replicas of each shard, 0 to 5; by default from the environment.
    """

    count: int
    replicas: int | None = None


@dataclass(frozen=True)
class Layout:
    """What a topology comes to.

    Attributes:
        shards: Number of shards; None without cluster mode.
        nodes: Nodes of each shard.
    """

    shards: int | None
    nodes: int

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of the replication group; AWS takes one pair or the other."""
        redundant = self.nodes > 1
        if self.shards is None:
            return {
                "num_cache_clusters": self.nodes,
                "automatic_failover_enabled": redundant,
                "multi_az_enabled": redundant,
            }
        return {
            "cluster_mode": "enabled",
            "num_node_groups": self.shards,
            "replicas_per_node_group": self.nodes - 1,
            # Cluster mode works with it only.
            "automatic_failover_enabled": True,
            "multi_az_enabled": redundant,
        }

    def members(self, group: str) -> Iterator[str]:
        """Yield the names that ElastiCache gives the nodes."""
        for node in range(1, self.nodes + 1):
            if self.shards is None:
                yield f"{group}-{node:03}"
            else:
                yield from (f"{group}-{shard:04}-{node:03}" for shard in range(1, self.shards + 1))


def lay_out(problems: Problems, topology: object, region: Region) -> Layout:
    """Return the nodes of a cache, and note those that AWS or the environment refuses."""
    least = region.profile.cache_nodes
    asks = f"what {region.environment.value} asks for"
    if topology is None:
        return Layout(None, least)
    if isinstance(topology, ReplicationGroup):
        nodes = least if topology.nodes is None else topology.nodes
        fine = problems.check(
            type(nodes) is int and least <= nodes <= MAX_REPLICAS + 1,
            "topology.nodes",
            nodes,
            f"must be a whole number from {least}, {asks}, to {MAX_REPLICAS + 1}",
        )
        return Layout(None, nodes if fine else least)
    if not isinstance(topology, Shards):
        problems.add("topology", topology, "must be ReplicationGroup(nodes=...) or Shards(count, replicas)")
        return Layout(None, least)
    replicas = least - 1 if topology.replicas is None else topology.replicas
    fine = problems.check(
        type(replicas) is int and least - 1 <= replicas <= MAX_REPLICAS,
        "topology.replicas",
        replicas,
        f"must be a whole number from {least - 1}, {asks}, to {MAX_REPLICAS}",
    )
    nodes = replicas + 1 if fine else least
    most = MAX_NODES // nodes
    counted = problems.check(
        type(topology.count) is int and 1 <= topology.count <= most,
        "topology.count",
        topology.count,
        f"must be a whole number from 1 to {most}, because a cache has {MAX_NODES} nodes at most",
    )
    return Layout(topology.count if counted else 1, nodes)


def is_burstable(node_type: str) -> bool:
    """Whether a type works on CPU credits."""
    return node_type.startswith("cache.t")


def check_type(problems: Problems, node_type: object, region: Region) -> None:
    """Note a node type that ElastiCache does not have, that is old, or that the environment does not allow."""
    default = region.profile.cache_node_type
    named = _TYPE.fullmatch(node_type) if isinstance(node_type, str) and not is_token(node_type) else None
    families = {
        family: sizes for family, sizes in FAMILIES.items() if is_burstable(default) or not is_burstable(family)
    }
    if named and named["family"] in FAMILIES and named["family"] not in families:
        problems.add(
            "node_type",
            node_type,
            f"is burstable, and {region.environment.value} needs CPU that does not run out of credits; such as "
            f"{default!r}",
        )
        return
    problems.check(
        named and named["size"] in families.get(named["family"], ()),
        "node_type",
        node_type,
        f"must be a size of {', '.join(families)}, such as {default!r}",
    )
