"""CloudWatch alarms of a cluster and its instances."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from constructs_lib.constructs.aurora_provisioned.classes import GIB, max_connections, memory_bytes
from constructs_lib.constructs.aurora_provisioned.engines import EngineName
from constructs_lib.core.alarms import Alarm

_NAMESPACE: Final = "AWS/RDS"
CPU_PERCENT: Final = 80
FREE_MEMORY_SHARE: Final = 0.1
CONNECTIONS_SHARE: Final = 0.8
LOCAL_STORAGE_SHARE: Final = 0.2
"""Of the memory; the local storage of a class is about twice its memory."""
REPLICA_LAG_MS: Final = 1000


def instance_alarms(engine: EngineName, instance_class: str) -> Iterator[tuple[str, Alarm]]:
    """Yield the alarms of one instance with their names.

    See https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html.
    """
    yield (
        "cpu",
        Alarm(
            _NAMESPACE,
            "CPUUtilization",
            "GreaterThanThreshold",
            CPU_PERCENT,
            f"The CPU is over {CPU_PERCENT} % for 15 minutes: look at Performance Insights for the statements",
        ),
    )
    memory = int(memory_bytes(instance_class) * FREE_MEMORY_SHARE)
    yield (
        "memory",
        Alarm(
            _NAMESPACE,
            "FreeableMemory",
            "LessThanThreshold",
            memory,
            f"Less than a tenth of the memory of {instance_class} is left: the engine may be restarted",
        ),
    )
    storage = int(memory_bytes(instance_class) * LOCAL_STORAGE_SHARE)
    yield (
        "local-storage",
        Alarm(
            _NAMESPACE,
            "FreeLocalStorage",
            "LessThanThreshold",
            storage,
            f"Less than {storage / GIB:.1f} GiB of local storage is left for temporary tables, sorts and logs: without "
            "it statements fail",
        ),
    )
    yield (
        "deadlocks",
        Alarm(
            _NAMESPACE,
            "Deadlocks",
            "GreaterThanThreshold",
            0,
            "Deadlocks for 15 minutes: transactions lock the same rows in different orders; look at the engine's log",
            missing_data="notBreaching",
        ),
    )
    connections = int(max_connections(engine, instance_class) * CONNECTIONS_SHARE)
    yield (
        "connections",
        Alarm(
            _NAMESPACE,
            "DatabaseConnections",
            "GreaterThanThreshold",
            connections,
            f"More than {connections} connections, four fifths of what {instance_class} allows: the next are refused",
        ),
    )


LAG_ALARM: Final = Alarm(
    _NAMESPACE,
    "AuroraReplicaLagMaximum",
    "GreaterThanThreshold",
    REPLICA_LAG_MS,
    "A reader is more than a second behind the writer: what it answers is old, and it may be restarted",
    statistic="Maximum",
    period=60,
    evaluation_periods=5,
    missing_data="notBreaching",
)
"""For the cluster: a failover changes which instances are readers."""
