"""Stores each event once, however often it comes.

The function reads batches of an SQS queue with messages of the form `{"event": {...}, "metadata": {...}}` and writes
one item for each event, on the condition that there is none with its id:

    {"pk": "order-4711-created", "type": "order.created", "category": "order", "occurred_at": "...", "data": "{...}",
     "correlation_id": "...", "received_at": "...", "processed_at": "...", "stored_at": "...", "expires_at": 1803027600}

The table's only key is `pk`. `data` is JSON text with its keys sorted: numbers stay as they came. `expires_at` is the
attribute for DynamoDB's time to live.

An event that is stored already is done. Another event with the same id is refused and not lost: it stays in the queue,
which moves it to the dead-letter queue. When the table is throttled, or fails otherwise, the message stays in the queue
as well; the rest of the batch goes on, because DynamoDB throttles single keys and partitions too.

Environment variables: `TABLE_NAME`, `TTL_DAYS` (90 where missing), `LOG_LEVEL`, `AWS_REGION`.
IAM: `dynamodb:PutItem` on the table, the permissions on its key that the table's grant gives; for the event source
mapping `sqs:ReceiveMessage`, `sqs:DeleteMessage` and `sqs:GetQueueAttributes` on the queue, with `kms:Decrypt`.
"""

import os
import time
from typing import Any

from events_shared.batch import BatchAnswer, Record, answer, read_records, work_through
from events_shared.clients import client
from events_shared.logs import configure, correlate, logger
from events_shared.schema import InvalidError, Message, Problem, compact, now, parse_message, read_json

TTL_DAYS = 90
DAY_SECONDS = 86_400
SAME = ("type", "occurred_at", "data")
"""The attributes in which an event that comes again is the same."""


def handler(event: object, context: object) -> BatchAnswer:
    """Work through one batch."""
    configure("store_fn")
    correlate(getattr(context, "aws_request_id", None))
    records = read_records(event)
    return answer(records, work_through(records, context, work))


def work(record: Record) -> None:
    """Store the event in one message."""
    message = parse_message(read_json(record.body))
    correlate(message.metadata["correlation_id"])
    outcome = "stored" if store(item_of(message)) else "duplicate"
    logger.info(outcome, extra={"facts": {"message_id": record.message_id}})


def item_of(message: Message) -> dict[str, dict[str, str]]:
    """Return the item of an event, as DynamoDB's own JSON."""
    event, metadata = message.event, message.metadata
    texts = {
        "pk": event.id,
        "type": event.type,
        "category": metadata.get("category", ""),
        "occurred_at": event.occurred_at,
        "data": compact(event.data),
        "correlation_id": metadata["correlation_id"],
        "received_at": metadata["received_at"],
        "processed_at": metadata.get("processed_at", ""),
        "stored_at": now(),
    }
    expires_at = int(time.time()) + int(os.environ.get("TTL_DAYS", TTL_DAYS)) * DAY_SECONDS
    return {name: {"S": text} for name, text in texts.items()} | {"expires_at": {"N": str(expires_at)}}


def store(item: dict[str, Any]) -> bool:
    """Write an item unless it is there; return whether it was written.

    Raises:
        InvalidError: Another event has the same id.
    """
    dynamodb = client("dynamodb")
    try:
        dynamodb.put_item(
            TableName=os.environ["TABLE_NAME"],
            Item=item,
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        there = error.response.get("Item", {})
        if any(there.get(name) != item[name] for name in SAME):
            raise InvalidError(Problem("id_in_use", "another event with this id is stored", "id")) from None
        return False
    return True
