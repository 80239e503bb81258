"""CloudWatch alarms of a cache's nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from constructs_lib.constructs.redis_cache.nodes import is_burstable
from constructs_lib.core.alarms import Alarm

_NAMESPACE: Final = "AWS/ElastiCache"
CPU_PERCENT: Final = 80
MEMORY_PERCENT: Final = 80
LAG_SECONDS: Final = 5
CONNECTIONS_SHARE: Final = 0.8
MAX_CONNECTIONS: Final = {False: 65_000, True: 20_000}
"""The connections that a node allows, by whether its type is burstable."""


def node_alarms(node_type: str, *, replicated: bool, evicts: bool) -> Iterator[tuple[str, Alarm]]:
    """Yield the alarms of one node with their names.

    Args:
        node_type: The node type.
        replicated: Whether the shard has replicas.
        evicts: Whether the eviction policy evicts keys; with `noeviction` the metric is always 0.

    See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.WhichShouldIMonitor.html.
    """
    yield (
        "cpu",
        Alarm(
            _NAMESPACE,
            "EngineCPUUtilization",
            "GreaterThanThreshold",
            CPU_PERCENT,
            f"The engine's one thread is over {CPU_PERCENT} % busy for 15 minutes: look at the slow log, or add shards",
        ),
    )
    yield (
        "memory",
        Alarm(
            _NAMESPACE,
            "DatabaseMemoryUsagePercentage",
            "GreaterThanThreshold",
            MEMORY_PERCENT,
            f"Over {MEMORY_PERCENT} % of the memory is used: keys are about to be evicted, or writes refused",
        ),
    )
    if evicts:
        yield (
            "evictions",
            Alarm(
                _NAMESPACE,
                "Evictions",
                "GreaterThanThreshold",
                0,
                "Keys have been evicted before their time for 15 minutes: the memory is too small for what is used",
                statistic="Sum",
                missing_data="notBreaching",
            ),
        )
    yield (
        "authentication",
        Alarm(
            _NAMESPACE,
            "AuthenticationFailures",
            "GreaterThanThreshold",
            0,
            "Clients failed to authenticate: unauthorized access, an expired token, or no permission to connect",
            statistic="Sum",
            evaluation_periods=1,
            missing_data="notBreaching",
        ),
    )
    most = int(MAX_CONNECTIONS[is_burstable(node_type)] * CONNECTIONS_SHARE)
    yield (
        "connections",
        Alarm(
            _NAMESPACE,
            "CurrConnections",
            "GreaterThanThreshold",
            most,
            f"More than {most} connections, four fifths of what {node_type} takes: the next are refused",
        ),
    )
    if replicated:
        yield (
            "lag",
            Alarm(
                _NAMESPACE,
                "ReplicationLag",
                "GreaterThanThreshold",
                LAG_SECONDS,
                f"The node is more than {LAG_SECONDS} seconds behind its primary: what it answers is old",
                statistic="Maximum",
                period=60,
                evaluation_periods=5,
                # Only replicas publish the metric.
                missing_data="notBreaching",
            ),
        )
