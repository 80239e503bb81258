"""Checks of a queue's arguments, and the options of a FIFO queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from constructs_lib.foundation.errors import Problems

SIZES: Final = {
    "retention_days": (1, 14, "days"),
    "delay_seconds": (0, 900, "seconds"),
    "max_message_bytes": (1024, 262_144, "bytes"),
    "max_receive_count": (1, 1000, "receives"),
    "age_alarm_seconds": (60, 14 * 24 * 60 * 60, "seconds"),
    "depth_alarm_messages": (1, 1_000_000_000, "messages"),
}
"""Minimum, maximum and unit."""
MAX_VISIBILITY: Final = 43_200
VISIBILITY_FACTOR: Final = 6
"""The visibility timeout is this many times the function's timeout, so that throttled batches can be retried.

See https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html.
"""
_DAY: Final = 24 * 60 * 60


@dataclass(frozen=True)
class Fifo:
    """Ordering, deduplication and throughput of a FIFO queue.

    Attributes:
        content_based_deduplication: Whether SQS uses a hash of the body as deduplication ID; off by default, so that
            senders must give an ID.
        deduplication_scope: Whether duplicates are detected in the whole `queue` (default) or in each `messageGroup`.
        throughput_limit: Whether the throughput quota applies `perQueue` (default) or `perMessageGroupId`, which
            requires the scope `messageGroup`.

    See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/high-throughput-fifo.html.
    """

    content_based_deduplication: bool = False
    deduplication_scope: Literal["queue", "messageGroup"] = "queue"
    throughput_limit: Literal["perQueue", "perMessageGroupId"] = "perQueue"


def check_sizes(problems: Problems, **sizes: int) -> None:
    """Report sizes that are not whole numbers in the range of `SIZES`."""
    for argument, value in sizes.items():
        problems.check_whole(argument, value, *SIZES[argument])


def check_times(problems: Problems, *, visibility_timeout: int | None, retention_days: int, age_alarm: int) -> None:
    """Report a visibility timeout that SQS refuses, and an alarm threshold above the retention period."""
    problems.check(
        visibility_timeout is None or (type(visibility_timeout) is int and 0 <= visibility_timeout <= MAX_VISIBILITY),
        "visibility_timeout",
        visibility_timeout,
        f"must be a whole number of seconds from 0 to {MAX_VISIBILITY}, or None to follow the consumers",
    )
    if not problems.found:
        problems.check(
            age_alarm < retention_days * _DAY,
            "age_alarm_seconds",
            age_alarm,
            f"SQS deletes messages before they are that old; expected less than retention_days={retention_days}, which "
            f"is {retention_days * _DAY} seconds",
        )


def check_fifo(problems: Problems, fifo: object) -> None:
    """Report options that SQS refuses for FIFO queues."""
    if fifo is None or not problems.check(isinstance(fifo, Fifo), "fifo", fifo, "expected Fifo(...) or None"):
        return
    assert isinstance(fifo, Fifo)  # noqa: S101  checked above
    problems.check(
        fifo.deduplication_scope in ("queue", "messageGroup"),
        "fifo.deduplication_scope",
        fifo.deduplication_scope,
        "expected queue or messageGroup",
    )
    problems.check(
        fifo.throughput_limit in ("perQueue", "perMessageGroupId"),
        "fifo.throughput_limit",
        fifo.throughput_limit,
        "expected perQueue or perMessageGroupId",
    )
    problems.check(
        fifo.throughput_limit != "perMessageGroupId" or fifo.deduplication_scope == "messageGroup",
        "fifo.throughput_limit",
        fifo.throughput_limit,
        "requires deduplication_scope='messageGroup'",
    )
