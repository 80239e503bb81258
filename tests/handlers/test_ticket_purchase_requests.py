"""How requests for tickets are refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.handlers.ticket_functions import (
    EVENT_ID,
    FIELDS,
    LAMBDA_ID,
    REQUEST_ID,
    aws,
    buy,
    call,
    codes,
    facts,
    post,
    purchase,
    remaining_in,
    table,
)

__all__ = ["aws", "table"]


@pytest.mark.parametrize(
    ("event", "status", "code", "field"),
    [
        (None, 400, "invalid_event", None),
        ({"version": "2.0"}, 400, "invalid_event", None),
        (post(FIELDS, httpMethod="GET"), 405, "method_not_allowed", None),
        (
            post(FIELDS, headers={"Content-Type": "text/plain"}, multiValueHeaders=None),
            415,
            "unsupported_media_type",
            None,
        ),
        (post(FIELDS, multiValueHeaders={"idempotency-key": ["another-key-of-16"]}), 400, "ambiguous_header", None),
        (post(FIELDS, body=None), 400, "missing_body", None),
        (post("no base64", isBase64Encoded=True), 400, "invalid_encoding", None),
        (post("e30=*", isBase64Encoded=True), 400, "invalid_encoding", None),
        (post("{"), 400, "invalid_json", None),
        (post('{"quantity": NaN}'), 400, "invalid_json", None),
        (post('{"quantity": 1, "quantity": 2}'), 400, "duplicate_key", None),
        (post([]), 400, "not_an_object", None),
        (post('"' + "x" * 4_095 + '"'), 413, "body_too_large", None),
        (post(FIELDS, None), 422, "invalid_format", "idempotency_key"),
        (post(FIELDS, "short"), 422, "invalid_format", "idempotency_key"),
        (post(FIELDS, "key#of-16-letters"), 422, "invalid_format", "idempotency_key"),
        (post({"event_id": EVENT_ID}), 422, "missing_field", "quantity"),
        (post({"quantity": 1}), 422, "missing_field", "event_id"),
        (post(FIELDS | {"price": 0}), 422, "unknown_field", None),
        (post(FIELDS | {"event_id": "a b"}), 422, "invalid_format", "event_id"),
        (post(FIELDS | {"event_id": 42}), 422, "invalid_format", "event_id"),
        (post(FIELDS | {"quantity": 0}), 422, "out_of_range", "quantity"),
        (post(FIELDS | {"quantity": -1}), 422, "out_of_range", "quantity"),
        (post(FIELDS | {"quantity": 11}), 422, "out_of_range", "quantity"),
        (post(FIELDS | {"quantity": 1.0}), 422, "out_of_range", "quantity"),
        (post(FIELDS | {"quantity": True}), 422, "out_of_range", "quantity"),
        (post(FIELDS | {"quantity": "1"}), 422, "out_of_range", "quantity"),
    ],
)
@pytest.mark.usefixtures("aws")
def test_a_request_that_is_wrong_is_refused(event: object, status: int, code: str, field: str | None) -> None:
    reply = call(purchase.handler, event)

    assert (reply.status, codes(reply)) == (status, [(code, field)])
    assert reply.headers.get("Allow") == ("POST" if status == 405 else None)
    assert (reply.headers["Cache-Control"], reply.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    id_ = REQUEST_ID if isinstance(event, dict) and "requestContext" in event else LAMBDA_ID
    expected = {"level": "WARN", "message": "refused", "status": status, "problems": [code], "request_id": id_}
    assert facts(reply.logs[0]) == expected


@pytest.mark.usefixtures("aws")
def test_all_problems_are_named_at_once() -> None:
    reply = buy({"event_id": "", "quantity": 0, "price": 1}, None)

    assert (reply.status, codes(reply)) == (
        422,
        [
            ("unknown_field", None),
            ("invalid_format", "idempotency_key"),
            ("invalid_format", "event_id"),
            ("out_of_range", "quantity"),
        ],
    )


def test_a_body_in_base64_is_decoded(table: Any) -> None:
    body = base64.b64encode(json.dumps(FIELDS).encode()).decode()

    assert (buy(body, isBase64Encoded=True).status, remaining_in(table)) == (201, 98)
