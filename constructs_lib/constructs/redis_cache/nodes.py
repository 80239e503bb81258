"""Topology and node types of a cache."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.regions import is_token

MAX_REPLICAS: Final = 5
COMPATIBLE_NODES: Final = 2
MAX_NODES: Final = 90
"""The default quota of nodes of one cache."""

_LARGE: Final = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "cache.t4g": ("micro", "small", "medium"),
    "cache.r7g": _LARGE,
    "cache.m7g": _LARGE,
    "cache.r6g": _LARGE,
    "cache.m6g": _LARGE,
}
"""Sizes by family, preferred families first: Graviton, which is available in nearly every region.

See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html.
"""
_TYPE: Final = re.compile(r"(?P<family>cache\.[a-z0-9]+)\.(?P<size>[a-z0-9]+)")


@dataclass(frozen=True)
class ReplicationGroup:
    """Cluster mode disabled: one primary node and its replicas, each with all of the data.

    Attributes:
        nodes: The number of nodes, the primary included: 1 to 6, and 2 or more in prod; the minimum by default.
        compatible: The cluster mode `compatible`, a step from `ReplicationGroup` to `Shards` in which clients connect
            with or without the cluster protocol. It requires 2 or more nodes, and Valkey or Redis OSS 7.0 or later;
            nothing else can change in the same apply.

    See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/modify-cluster-mode.html.
    """

    nodes: int | None = None
    compatible: bool = False


@dataclass(frozen=True)
class Shards:
    """Cluster mode enabled: the data is partitioned over shards, each with a primary node and replicas.

    Attributes:
        count: The number of shards; a change reshards the cache online. At most 90 nodes together.
        replicas: The number of replicas of each shard, 0 to 5, and 1 or more in prod; the minimum by default.
    """

    count: int
    replicas: int | None = None


@dataclass(frozen=True)
class Layout:
    """The numbers of shards and nodes of a topology.

    Attributes:
        shards: The number of shards; None with cluster mode disabled.
        nodes: The number of nodes of each shard.
        compatible: Whether the cluster mode is `compatible`.
    """

    shards: int | None
    nodes: int
    compatible: bool = False

    @property
    def has_configuration_endpoint(self) -> bool:
        """Whether clients can use the cluster protocol."""
        return self.shards is not None or self.compatible

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of the replication group; `num_cache_clusters` and `num_node_groups` exclude each other."""
        redundant = self.nodes > 1
        if self.shards is None:
            return {
                **({"cluster_mode": "compatible"} if self.compatible else {}),
                "num_cache_clusters": self.nodes,
                "automatic_failover_enabled": redundant,
                "multi_az_enabled": redundant,
            }
        return {
            "cluster_mode": "enabled",
            "num_node_groups": self.shards,
            "replicas_per_node_group": self.nodes - 1,
            # Required with cluster mode enabled.
            "automatic_failover_enabled": True,
            "multi_az_enabled": redundant,
        }

    def members(self, group: str) -> Iterator[str]:
        """Yield the ids that ElastiCache gives the nodes."""
        for node in range(1, self.nodes + 1):
            if self.shards is None:
                yield f"{group}-{node:03}"
            else:
                yield from (f"{group}-{shard:04}-{node:03}" for shard in range(1, self.shards + 1))


def lay_out(problems: Problems, topology: object, region: Region, *, has_compatible: bool) -> Layout:
    """Return the shards and nodes, and report numbers that AWS or the environment does not allow."""
    least = region.profile.cache_nodes
    minimum = f"the minimum in {region.environment.value}"
    if topology is None:
        return Layout(None, least)
    if isinstance(topology, ReplicationGroup):
        nodes = least if topology.nodes is None else topology.nodes
        fine = problems.check(
            type(nodes) is int and least <= nodes <= MAX_REPLICAS + 1,
            "topology.nodes",
            nodes,
            f"must be a whole number from {least}, {minimum}, to {MAX_REPLICAS + 1}",
        )
        if topology.compatible:
            problems.check(
                has_compatible and (not fine or nodes >= COMPATIBLE_NODES),
                "topology.compatible",
                topology.compatible,
                f"requires at least {COMPATIBLE_NODES} nodes, and Valkey or Redis OSS 7.0 or later",
            )
        return Layout(None, nodes if fine else least, compatible=topology.compatible)
    if not isinstance(topology, Shards):
        problems.add("topology", topology, "must be ReplicationGroup(nodes=...) or Shards(count, replicas)")
        return Layout(None, least)
    replicas = least - 1 if topology.replicas is None else topology.replicas
    fine = problems.check(
        type(replicas) is int and least - 1 <= replicas <= MAX_REPLICAS,
        "topology.replicas",
        replicas,
        f"must be a whole number from {least - 1}, {minimum}, to {MAX_REPLICAS}",
    )
    nodes = replicas + 1 if fine else least
    most = MAX_NODES // nodes
    counted = problems.check(
        type(topology.count) is int and 1 <= topology.count <= most,
        "topology.count",
        topology.count,
        f"must be a whole number from 1 to {most}; a cache can have {MAX_NODES} nodes",
    )
    return Layout(topology.count if counted else 1, nodes)


def is_burstable(node_type: str) -> bool:
    """Whether a node type is burstable, with CPU credits."""
    return node_type.startswith("cache.t")


def check_type(problems: Problems, node_type: object, region: Region) -> None:
    """Report an unknown node type, an old generation, or one that the environment does not allow."""
    default = region.profile.cache_node_type
    named = _TYPE.fullmatch(node_type) if isinstance(node_type, str) and not is_token(node_type) else None
    families = {
        family: sizes for family, sizes in FAMILIES.items() if is_burstable(default) or not is_burstable(family)
    }
    if named and named["family"] in FAMILIES and named["family"] not in families:
        problems.add(
            "node_type",
            node_type,
            f"is burstable, which is not allowed in {region.environment.value}; expected a node type such as "
            f"{default!r}",
        )
        return
    problems.check(
        named and named["size"] in families.get(named["family"], ()),
        "node_type",
        node_type,
        f"must be a size of {', '.join(families)}, such as {default!r}",
    )
