"""CloudWatch alarms of a table, in each of its regions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from constructs_lib.core.alarms import Alarm, Alarms

_NAMESPACE: Final = "AWS/DynamoDB"
OPERATIONS: Final = ("GetItem", "PutItem", "Query", "UpdateItem")
"""The metric SystemErrors exists per operation only; these four are representative."""
SYSTEM_ERRORS: Final = 5
LATENCY_MS: Final = 10_000


def add_alarms(watch: Alarms, table: str, *, indexes: Iterable[str], others: Iterable[str]) -> None:
    """Add the alarms of a table in one region.

    Args:
        watch: The alarms of the region.
        table: A reference to the table's name.
        indexes: The names of the global secondary indexes.
        others: The regions that items are replicated to.

    See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html.
    """
    for id_, alarm, dimensions in _alarms(indexes, others):
        watch.add(id_, alarm, {"TableName": table, **dimensions})


def _alarms(indexes: Iterable[str], others: Iterable[str]) -> Iterator[tuple[str, Alarm, dict[str, str]]]:
    for kind in ("read", "write"):
        alarm = Alarm(
            _NAMESPACE,
            f"{kind.title()}ThrottleEvents",
            "GreaterThanThreshold",
            0,
            f"DynamoDB has refused {kind}s for 15 minutes: a hot partition key, or the ceiling of the table is reached",
            statistic="Sum",
            missing_data="notBreaching",
        )
        yield f"{kind}-throttle-alarm", alarm, {}
        for index in indexes:
            yield f"{kind}-throttle-alarm-{index}", alarm, {"GlobalSecondaryIndexName": index}
    for operation in OPERATIONS:
        yield (
            f"system-errors-alarm-{operation}",
            Alarm(
                _NAMESPACE,
                "SystemErrors",
                "GreaterThanThreshold",
                SYSTEM_ERRORS,
                f"DynamoDB has answered {operation} with errors of its own for 15 minutes: see AWS Health",
                statistic="Sum",
                missing_data="notBreaching",
            ),
            {"Operation": operation},
        )
    for other in others:
        yield (
            f"latency-alarm-to-{other}",
            Alarm(
                _NAMESPACE,
                "ReplicationLatency",
                "GreaterThanThreshold",
                LATENCY_MS,
                f"Changes take more than {LATENCY_MS // 1000} seconds to {other}: what is read there is old",
                missing_data="notBreaching",
            ),
            {"ReceivingRegion": other},
        )
