"""Validates and enriches the events that a rule sent to a queue, and sends them to the next queue.

The function consumes an SQS queue whose messages are EventBridge events, delivered without an input transformer:
`{"source": ..., "detail-type": ..., "detail": {"event": {...}, "metadata": {...}}, ...}`. It sends
`{"event": {...}, "metadata": {...}}` to `STORE_QUEUE`, with `category` (the first word of the type) and `processed_at`
added to the metadata.

The second queue decouples this function from the table: while the table is throttled, events wait there. Messages that
are invalid or could not be sent stay in this function's queue (see `events_shared.batch`). An event can be sent twice,
if the function ends before it returns; it is stored once.

Environment variables: `STORE_QUEUE` (URL), `SOURCE_QUEUE` (URL of the consumed queue), `LOG_LEVEL`, `AWS_REGION`.
IAM: `sqs:SendMessage` on the next queue, with `kms:GenerateDataKey` and `kms:Decrypt` on its key; on the consumed queue
`sqs:ReceiveMessage`, `sqs:DeleteMessage`, `sqs:GetQueueAttributes` and `sqs:ChangeMessageVisibility`, with
`kms:Decrypt`.
"""

import os

from botocore.exceptions import BotoCoreError, ClientError
from events_shared.batch import BatchAnswer, Failures, Record, answer, chunks, read_records, work_through
from events_shared.clients import client, has_time
from events_shared.errors import error_code, is_transient
from events_shared.logs import configure, correlate, logger
from events_shared.schema import Message, now, parse_message, read_json, size

# Limits of SendMessageBatch; the size is the default maximum message size of the queue.
# See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html.
MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 262_144


def handler(event: object, context: object) -> BatchAnswer:
    """Handle a batch of messages."""
    configure("process_fn")
    correlate(getattr(context, "aws_request_id", None))
    records = read_records(event)
    processed: list[tuple[Record, Message]] = []

    def work(record: Record) -> None:
        processed.append((record, process(record)))
        logger.info("processed", extra={"facts": {"message_id": record.message_id}})

    failures = work_through(records, context, work)
    send(processed, failures, context)
    return answer(records, failures, context)


def process(record: Record) -> Message:
    """Return the enriched message of an EventBridge event."""
    envelope = read_json(record.body)
    message = parse_message(envelope.get("detail") if isinstance(envelope, dict) else None)
    correlate(message.metadata["correlation_id"])
    category, _, _ = message.event.type.partition(".")
    return Message(message.event, message.metadata | {"category": category, "processed_at": now()})


def send(messages: list[tuple[Record, Message]], failures: Failures, context: object) -> None:
    """Send messages while there is time, and add those that could not be sent to the failures."""
    texts = [(record, message.text()) for record, message in messages]
    for chunk in chunks(texts, lambda item: size(item[1]), MAX_ENTRIES, MAX_REQUEST_BYTES):
        if has_time(context):
            send_chunk(chunk, failures)
        else:
            for record, _ in chunk:
                failures.postpone(record)


def send_chunk(chunk: list[tuple[Record, str]], failures: Failures) -> None:
    """Send the messages of one request."""
    entries = [{"Id": str(number), "MessageBody": text} for number, (_, text) in enumerate(chunk)]
    try:
        result = client("sqs").send_message_batch(QueueUrl=os.environ["STORE_QUEUE"], Entries=entries)
        # SenderFault: the message is refused each time.
        refused = {entry["Id"]: (entry["Code"], not entry["SenderFault"]) for entry in result.get("Failed", [])}
    except (BotoCoreError, ClientError, KeyError) as error:
        outcome = (error_code(error) or type(error).__name__, is_transient(error))
        refused = {entry["Id"]: outcome for entry in entries}
    for number, (code, transient) in refused.items():
        record = chunk[int(number)][0]
        if transient:
            failures.retry(record, code)
        else:
            failures.fault(record, code)
