"""Stores each event once, however often it is delivered.

The function consumes an SQS queue whose messages are `{"event": {...}, "metadata": {...}}`, and puts one item for each
event on the condition that its id is new:

    {"pk": "order-4711-created", "type": "order.created", "category": "order", "occurred_at": "...", "data": "{...}",
     "correlation_id": "...", "received_at": "...", "processed_at": "...", "stored_at": "...", "expires_at": 1803027600}

`pk` is the table's only key. `data` is JSON with sorted keys and exact numbers. `expires_at` is the TTL attribute.

- An event that is already stored is a duplicate, and done. Events are the same if type, time and data are equal.
- A different event with the same id is refused, and reaches the dead-letter queue.
- When DynamoDB throttles or fails, the message is retried with backoff; the others go on, because DynamoDB throttles
  single partitions too.
- A fault, such as a missing permission, is retried as well, and counted (see `events_shared.batch`).

Environment variables: `TABLE_NAME`, `TTL_DAYS` (90 by default), `SOURCE_QUEUE` (URL of the consumed queue),
`LOG_LEVEL`, `AWS_REGION`.
IAM: `dynamodb:PutItem` on the table, with the permissions on its key that the table's grant includes; on the queue
`sqs:ReceiveMessage`, `sqs:DeleteMessage`, `sqs:GetQueueAttributes` and `sqs:ChangeMessageVisibility`, with
`kms:Decrypt`.
"""

import os
import time
from typing import Any

from events_shared.batch import BatchAnswer, Record, answer, read_records, work_through
from events_shared.clients import client
from events_shared.logs import configure, correlate, logger
from events_shared.schema import InvalidError, Message, Problem, compact, is_same, now, parse_message, read_json

TTL_DAYS = 90
DAY_SECONDS = 86_400


def handler(event: object, context: object) -> BatchAnswer:
    """Handle a batch of messages."""
    configure("store_fn")
    correlate(getattr(context, "aws_request_id", None))
    records = read_records(event)
    return answer(records, work_through(records, context, work), context)


def work(record: Record) -> None:
    """Store the event of a message."""
    message = parse_message(read_json(record.body))
    correlate(message.metadata["correlation_id"])
    outcome = "stored" if store(item_of(message)) else "duplicate"
    logger.info(outcome, extra={"facts": {"message_id": record.message_id}})


def item_of(message: Message) -> dict[str, dict[str, str]]:
    """Return the item of an event, in DynamoDB JSON."""
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
    """Put an item whose id is new, and return whether it was.

    Raises:
        InvalidError: A different event with the same id is stored.
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
        if not is_same_event(error.response.get("Item", {}), item):
            raise InvalidError(Problem("id_in_use", "another event with this id is stored", "id")) from None
        return False
    return True


def is_same_event(stored: dict[str, Any], item: dict[str, Any]) -> bool:
    """Return whether a stored item is the same event."""
    if any(stored.get(name) != item[name] for name in ("type", "occurred_at")):
        return False
    # Numbers are compared by value: earlier versions of this function stored them as floats.
    return "data" in stored and is_same(read_json(stored["data"]["S"]), read_json(item["data"]["S"]))
