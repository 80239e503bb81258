"""The function, without AWS."""

import json

from functions.process_order.handler import handler


def record(message_id, body):
    return {"messageId": message_id, "body": body}


def test_a_message_that_fails_is_reported_and_the_others_are_processed():
    order = json.dumps({"id": "42", "items": ["book"]})
    event = {"Records": [record("1", order), record("2", "not JSON")]}
    assert handler(event, None) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
