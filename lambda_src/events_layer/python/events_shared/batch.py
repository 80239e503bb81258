"""Batches of SQS messages: each is worked on by itself, and those that failed go back to the queue.

The event source mapping must have the function response type ReportBatchItemFailures, or a batch in which one message
failed counts as done. A message that fails for good is reported as well: the queue moves it to its dead-letter queue.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypedDict, TypeVar

from events_shared.logs import correlate, logger
from events_shared.schema import InvalidError

RESERVE_MILLISECONDS = 5_000
"""Time that must be left to begin with a message; the rest of the batch goes back to the queue untouched."""

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Record:
    """One message of a batch."""

    message_id: str
    body: str = field(repr=False)


class Failure(TypedDict):
    """Names a message that stays in the queue."""

    itemIdentifier: str


class BatchAnswer(TypedDict):
    """What Lambda expects of a function that reports failures one by one."""

    batchItemFailures: list[Failure]


def read_records(event: object) -> list[Record]:
    """Return the messages of a batch.

    Raises:
        TypeError: It is no batch of SQS messages; Lambda then gives the whole batch again.
    """
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list):
        raise TypeError("not an event of an SQS queue")
    found = [(item.get("messageId"), item.get("body")) for item in records if isinstance(item, dict)]
    read = [Record(id_, body) for id_, body in found if isinstance(id_, str) and isinstance(body, str)]
    if len(read) < len(records):
        raise TypeError("a record is no SQS message")
    return read


def work_through(records: list[Record], context: object, work: Callable[[Record], object]) -> set[str]:
    """Do the work for each message, and return the ids of those for which it failed."""
    own_id = getattr(context, "aws_request_id", None)
    failed: set[str] = set()
    for record in records:
        correlate(own_id)
        facts: dict[str, object] = {"message_id": record.message_id}
        if milliseconds_left(context) < RESERVE_MILLISECONDS:
            failed.add(record.message_id)
            logger.warning("put back", extra={"facts": facts})
            continue
        try:
            work(record)
        except InvalidError as error:
            failed.add(record.message_id)
            logger.warning("refused", extra={"facts": facts | {"problems": error.codes}})
        except Exception:  # noqa: BLE001  ruff does not see that it is logged, by a logger from elsewhere
            failed.add(record.message_id)
            logger.exception("failed", extra={"facts": facts})
    correlate(own_id)
    return failed


def answer(records: list[Record], failed: set[str]) -> BatchAnswer:
    """Return the messages that stay in the queue, in the order of the batch."""
    logger.info("batch", extra={"facts": {"records": len(records), "failed": len(failed)}})
    return {"batchItemFailures": [{"itemIdentifier": r.message_id} for r in records if r.message_id in failed]}


def milliseconds_left(context: object) -> float:
    """Return the time until Lambda ends the function, if the context knows it."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return float(remaining()) if callable(remaining) else float("inf")


def chunks(
    items: Iterable[_Item], size_of: Callable[[_Item], int], max_items: int, max_bytes: int
) -> Iterator[list[_Item]]:
    """Yield the items in order, in as few lists as a limit of items and one of bytes allow."""
    chunk: list[_Item] = []
    total = 0
    for item in items:
        length = size_of(item)
        if chunk and (len(chunk) == max_items or total + length > max_bytes):
            yield chunk
            chunk, total = [], 0
        chunk.append(item)
        total += length
    if chunk:
        yield chunk
