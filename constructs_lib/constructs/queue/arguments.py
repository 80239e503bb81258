"""What the arguments of a Queue may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from constructs_lib.foundation.errors import Problems

SIZES: Final = {
    "retention_days": (1, 14, "days"),
    "delay_seconds": (0, 900, "seconds"),
    "max_message_bytes": (1024, 262_144, "bytes"),
    "max_receive_count": (1, 1000, "receives"),
    "max_age_seconds": (60, 14 * 24 * 60 * 60, "seconds"),
    "max_depth": (1, 1_000_000_000, "messages"),
}
"""Least, greatest and unit."""
MAX_VISIBILITY: Final = 43_200
VISIBILITY_FACTOR: Final = 6
"""Times the consumer's timeout that a message stays hidden, so that retries of a throttled batch come in time.

See https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html.
"""
_DAY: Final = 24 * 60 * 60


@dataclass(frozen=True)
class Fifo:
    """How a queue keeps the order of its messages, and what it takes for a duplicate.

    Attributes:
        content_based_deduplication: Whether messages with one body within five minutes are one; off by default, so that
            senders give an id.
        deduplication_scope: `queue` (default), or `messageGroup`.
        throughput_limit: `perQueue` (default), or `perMessageGroupId`, which needs the scope `messageGroup`.

    See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/high-throughput-fifo.html.
    """

    content_based_deduplication: bool = False
    deduplication_scope: Literal["queue", "messageGroup"] = "queue"
    throughput_limit: Literal["perQueue", "perMessageGroupId"] = "perQueue"


def check_sizes(problems: Problems, **sizes: int) -> None:
    """Note the sizes that are no whole number in the range of `SIZES`."""
    for argument, value in sizes.items():
        problems.check_whole(argument, value, *SIZES[argument])


def check_times(problems: Problems, *, visibility_timeout: int | None, retention_days: int, max_age: int) -> None:
    """Note a visibility that SQS does not know, and an age that no message reaches."""
    problems.check(
        visibility_timeout is None or (type(visibility_timeout) is int and 0 <= visibility_timeout <= MAX_VISIBILITY),
        "visibility_timeout",
        visibility_timeout,
        f"must be a whole number of seconds from 0 to {MAX_VISIBILITY}, or None to follow the consumers",
    )
    if not problems.found:
        problems.check(
            max_age < retention_days * _DAY,
            "max_age_seconds",
            max_age,
            f"must be below retention_days={retention_days}, {retention_days * _DAY} seconds, after which messages are "
            "gone",
        )


def check_fifo(problems: Problems, fifo: object) -> None:
    """Note what SQS does not know about FIFO queues."""
    if fifo is None or not problems.check(isinstance(fifo, Fifo), "fifo", fifo, "must be Fifo(...) or None"):
        return
    assert isinstance(fifo, Fifo)  # noqa: S101  checked above
    problems.check(
        fifo.deduplication_scope in ("queue", "messageGroup"),
        "fifo.deduplication_scope",
        fifo.deduplication_scope,
        "must be queue or messageGroup",
    )
    problems.check(
        fifo.throughput_limit in ("perQueue", "perMessageGroupId"),
        "fifo.throughput_limit",
        fifo.throughput_limit,
        "must be perQueue or perMessageGroupId",
    )
    problems.check(
        fifo.throughput_limit != "perMessageGroupId" or fifo.deduplication_scope == "messageGroup",
        "fifo.throughput_limit",
        fifo.throughput_limit,
        "needs deduplication_scope='messageGroup'",
    )
