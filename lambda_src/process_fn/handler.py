"""Checks and enriches the events that a rule of the bus put into a queue, and hands them on to the next queue.

The function reads batches of an SQS queue whose messages are events of EventBridge, as a rule delivers them without an
input transformer: `{"source": ..., "detail-type": ..., "detail": {"event": {...}, "metadata": {...}}, ...}`. It sends
messages of the form `{"event": {...}, "metadata": {...}}` to `STORE_QUEUE`, with `category` (the first word of the
type) and `processed_at` added to the metadata.

A queue stands between this function and the next one, so that a table which takes nothing for a while holds nothing
up and loses nothing. What cannot be read, or sent, stays in the queue (see `events_shared.batch`). An event may be
handed on twice, when the function ends between sending it and answering; it is stored once.

Environment variables: `STORE_QUEUE` (URL), `LOG_LEVEL`, `AWS_REGION`.
IAM: `sqs:SendMessage` on that queue with `kms:GenerateDataKey` and `kms:Decrypt` on its key; for the event source
mapping `sqs:ReceiveMessage`, `sqs:DeleteMessage` and `sqs:GetQueueAttributes` on its own, with `kms:Decrypt`.
"""

import os

from botocore.exceptions import BotoCoreError, ClientError
from events_shared.batch import BatchAnswer, Record, answer, chunks, read_records, work_through
from events_shared.clients import client
from events_shared.logs import configure, correlate, error_code, logger
from events_shared.schema import Message, now, parse_message, read_json, size

# What SendMessageBatch takes at once; the size is what every region and queue takes.
# See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html.
MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 262_144


def handler(event: object, context: object) -> BatchAnswer:
    """Work through one batch."""
    configure("process_fn")
    correlate(getattr(context, "aws_request_id", None))
    records = read_records(event)
    processed: dict[str, Message] = {}

    def work(record: Record) -> None:
        processed[record.message_id] = process(record)
        logger.info("processed", extra={"facts": {"message_id": record.message_id}})

    failed = work_through(records, context, work)
    return answer(records, failed | send(processed))


def process(record: Record) -> Message:
    """Return the message in an event of the bus, with what is added to it."""
    envelope = read_json(record.body)
    message = parse_message(envelope.get("detail") if isinstance(envelope, dict) else None)
    correlate(message.metadata["correlation_id"])
    category, _, _ = message.event.type.partition(".")
    return Message(message.event, message.metadata | {"category": category, "processed_at": now()})


def send(messages: dict[str, Message]) -> set[str]:
    """Send messages, given by the id under which they came, and return the ids of those that could not be sent."""
    texts = [(id_, message.text()) for id_, message in messages.items()]
    failed: set[str] = set()
    for chunk in chunks(texts, lambda item: size(item[1]), MAX_ENTRIES, MAX_REQUEST_BYTES):
        failed |= send_chunk(chunk)
    return failed


def send_chunk(chunk: list[tuple[str, str]]) -> set[str]:
    """Send what fits into one request; return the ids of what could not be sent."""
    entries = [{"Id": str(number), "MessageBody": text} for number, (_, text) in enumerate(chunk)]
    try:
        result = client("sqs").send_message_batch(QueueUrl=os.environ["STORE_QUEUE"], Entries=entries)
        refused = {entry["Id"]: entry["Code"] for entry in result.get("Failed", [])}
    except (BotoCoreError, ClientError) as error:
        refused = {entry["Id"]: error_code(error) or type(error).__name__ for entry in entries}
    if refused:
        logger.warning("not sent", extra={"facts": {"events": len(refused), "codes": sorted(set(refused.values()))}})
    return {chunk[int(number)][0] for number in refused}
