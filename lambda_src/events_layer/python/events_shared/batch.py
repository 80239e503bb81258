"""Batches of SQS messages with partial batch failures, backoff and faults.

The event source mapping must have the function response type ReportBatchItemFailures. A message that failed stays in
the queue and becomes visible again

- after 10 seconds if it is refused: it will always be, so that it soon reaches the dead-letter queue;
- after 30 seconds, doubled with each receive up to 15 minutes, if the call for it failed: a table or queue that is
  unavailable for hours must not use up the receives of a valid message. See `BACKOFF_SECONDS`.

The visibility timeouts of failed messages are set in one call at the end. If that call fails, the queue's own
visibility timeout applies.

A fault, such as a missing permission, is counted in the metric `Faults`. If a batch has faults and no message
succeeded, `BatchError` is raised, so that Lambda's metric Errors counts the invocation too.

See https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html.
"""

import os
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypedDict, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from events_shared.clients import client, has_time
from events_shared.errors import error_code, is_transient
from events_shared.logs import FAULT, correlate, logger
from events_shared.schema import InvalidError

REFUSED_SECONDS = 10
BACKOFF_SECONDS = 30
MAX_BACKOFF_SECONDS = 900
MAX_CHANGES = 10
"""Entries of one ChangeMessageVisibilityBatch call."""

_Item = TypeVar("_Item")


class BatchError(Exception):
    """No message of a batch succeeded, because of a fault."""

    def __init__(self) -> None:
        super().__init__("no message of the batch could be processed")


@dataclass(frozen=True)
class Record:
    """A message of a batch."""

    message_id: str
    body: str = field(repr=False)
    receipt_handle: str = field(default="", repr=False)
    receives: int = 1

    def backoff(self) -> int:
        """Return the seconds until a message whose call failed is received again, with jitter of up to a half."""
        doubled: int = BACKOFF_SECONDS << min(self.receives - 1, 16)
        seconds = min(MAX_BACKOFF_SECONDS, doubled)
        return round(seconds * random.uniform(0.5, 1))


class Failure(TypedDict):
    """A message that stays in the queue."""

    itemIdentifier: str


class BatchAnswer(TypedDict):
    """The response to Lambda with the function response type ReportBatchItemFailures."""

    batchItemFailures: list[Failure]


@dataclass
class Failures:
    """The failed messages of a batch: the seconds until each is received again, or None for the queue's own."""

    waits: dict[str, int | None] = field(default_factory=dict)
    faults: int = 0

    def postpone(self, record: Record) -> None:
        """Leave an untouched message in the queue, because there is no time for it."""
        self.waits[record.message_id] = None
        logger.warning("put back", extra={"facts": {"message_id": record.message_id}})

    def refuse(self, record: Record, error: InvalidError) -> None:
        """Leave a message in the queue that is refused each time."""
        self.waits[record.message_id] = REFUSED_SECONDS
        logger.warning("refused", extra={"facts": {"message_id": record.message_id, "problems": error.codes}})

    def retry(self, record: Record, code: str) -> None:
        """Leave a message in the queue whose call may succeed later."""
        self.waits[record.message_id] = record.backoff()
        facts = {"message_id": record.message_id, "error_code": code, "receives": record.receives}
        logger.warning("retried later", extra={"facts": facts})

    def fault(self, record: Record, code: str | None = None) -> None:
        """Leave a message in the queue after a fault; logs the current exception, or else the code."""
        self.waits[record.message_id] = record.backoff()
        self.faults += 1
        facts = {"message_id": record.message_id} | ({"error_code": code} if code else {})
        logger.error("failed", exc_info=code is None, extra={"facts": facts, "metrics": FAULT})


def read_records(event: object) -> list[Record]:
    """Return the messages of a batch.

    Raises:
        TypeError: Not a batch of SQS messages; Lambda returns the whole batch to the queue.
    """
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list):
        raise TypeError("not an event of an SQS queue")
    read = [record for record in map(_read_record, records) if record]
    if len(read) < len(records):
        raise TypeError("a record is not an SQS message")
    return read


def _read_record(item: object) -> Record | None:
    if not isinstance(item, dict):
        return None
    id_, body, handle, attributes = (item.get(k) for k in ("messageId", "body", "receiptHandle", "attributes"))
    if not isinstance(id_, str) or not isinstance(body, str):
        return None
    receives = attributes.get("ApproximateReceiveCount", "1") if isinstance(attributes, dict) else "1"
    return Record(id_, body, handle if isinstance(handle, str) else "", max(1, int(receives)))


def work_through(records: list[Record], context: object, work: Callable[[Record], object]) -> Failures:
    """Do the work, of at most one AWS call, for each message that there is time for."""
    own_id = getattr(context, "aws_request_id", None)
    failures = Failures()
    for record in records:
        correlate(own_id)
        if not has_time(context):
            failures.postpone(record)
            continue
        try:
            work(record)
        except InvalidError as error:
            failures.refuse(record, error)
        except Exception as error:  # noqa: BLE001  logged, by a logger that ruff does not know
            if is_transient(error):
                failures.retry(record, error_code(error) or type(error).__name__)
            else:
                failures.fault(record)
    correlate(own_id)
    return failures


def answer(records: list[Record], failures: Failures, context: object) -> BatchAnswer:
    """Set the visibility timeouts of the failed messages, and return them in the order of the batch.

    Raises:
        BatchError: No message succeeded, because of a fault.
    """
    facts = {"records": len(records), "failed": len(failures.waits), "faults": failures.faults}
    logger.info("batch", extra={"facts": facts})
    waits = ((record, failures.waits.get(record.message_id)) for record in records)
    changes = [(record, wait) for record, wait in waits if wait is not None and record.receipt_handle]
    for chunk in chunks(changes, lambda _: 0, MAX_CHANGES, 0):
        if not has_time(context):
            break
        _change_visibility(chunk)
    if failures.faults and len(failures.waits) == len(records):
        raise BatchError
    return {"batchItemFailures": [{"itemIdentifier": r.message_id} for r in records if r.message_id in failures.waits]}


def _change_visibility(changes: list[tuple[Record, int]]) -> None:
    entries = [
        {"Id": str(number), "ReceiptHandle": record.receipt_handle, "VisibilityTimeout": seconds}
        for number, (record, seconds) in enumerate(changes)
    ]
    try:
        result = client("sqs").change_message_visibility_batch(QueueUrl=os.environ["SOURCE_QUEUE"], Entries=entries)
        codes = {entry["Code"] for entry in result.get("Failed", [])}
    except (BotoCoreError, ClientError, KeyError) as error:
        codes = {error_code(error) or type(error).__name__}
    if codes:
        # The messages stay in the queue all the same, but use up their receives faster.
        logger.error("no backoff", extra={"facts": {"codes": sorted(codes)}, "metrics": FAULT})


def chunks(
    items: Iterable[_Item], size_of: Callable[[_Item], int], max_items: int, max_bytes: int
) -> Iterator[list[_Item]]:
    """Yield the items in order, in as few lists as the maximum number of items and of bytes allow."""
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
