"""Requests to the payment validator, its answers, and the problems it names."""

import contextlib
import io
import json
from typing import Any, NamedTuple

from lambda_src.payment_validator import handler

CARD = "4111111111111111"
KEY = "order_7b0d6f3e-8f0a-4a53"
REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
LAMBDA_ID = "8e1bfc21-52a6-4d5c-a2f0-5d3a1bbbcafe"
FIELDS = {"amount": 1234, "currency": "EUR", "card_number": CARD}
SECURITY_HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
REFUSALS = {400, 405, 413, 415, 422}


class Reply(NamedTuple):
    """An answer, its body parsed, and everything the function wrote meanwhile."""

    status: int
    body: Any
    headers: dict[str, str]
    written: str

    @property
    def logs(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.written.splitlines()]


def call(event: object, context: object = None) -> Reply:
    written = io.StringIO()
    with contextlib.redirect_stdout(written), contextlib.redirect_stderr(written):
        response = handler.handler(event, context)
    assert sorted(response) == ["body", "headers", "isBase64Encoded", "statusCode"]
    assert response["isBase64Encoded"] is False
    return Reply(response["statusCode"], json.loads(response["body"]), response["headers"], written.getvalue())


def event_of(body: object, /, **changes: Any) -> dict[str, Any]:
    """Return an event as API Gateway sends it; a body that is not text is written as JSON."""
    event = {
        "resource": "/payments/validate",
        "path": "/payments/validate",
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json", "Idempotency-Key": KEY},
        "multiValueHeaders": {"Content-Type": ["application/json"], "Idempotency-Key": [KEY]},
        "requestContext": {"requestId": REQUEST_ID},
        "body": body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }
    return event | changes


def with_headers(**headers: str) -> dict[str, Any]:
    """Return the changes to an event that give it these headers only."""
    return {"headers": {name.replace("_", "-"): value for name, value in headers.items()}} | {"multiValueHeaders": None}


def problem(code: str, message: str, field: str | None = None) -> dict[str, str | None]:
    return {"code": code, "message": message, "field": field}


def refused(status: int, *details: dict[str, str | None]) -> tuple[int, dict[str, Any]]:
    return status, {"error": {**details[0], "details": list(details)}, "request_id": REQUEST_ID}


AMOUNT_TYPE = problem("invalid_type", "amount must be an integer number of minor units", "amount")
AMOUNT_RANGE = problem("out_of_range", "amount must be from 1 to 99999999999", "amount")
CURRENCY = problem(
    "unknown_currency", "currency must be the ISO 4217 code of a currency in use, such as EUR", "currency"
)
CARD_FORMAT = problem(
    "invalid_format",
    "card_number must be a string of 12 to 19 digits; a space or a hyphen may separate them",
    "card_number",
)
CARD_CHECKSUM = problem("invalid_checksum", "card_number has a wrong check digit", "card_number")
KEY_FORMAT = problem(
    "invalid_format",
    "idempotency_key must be a string of 16 to 64 letters, digits, hyphens and underscores",
    "idempotency_key",
)
KEY_MISMATCH = problem(
    "idempotency_key_mismatch",
    "the header Idempotency-Key and the field idempotency_key must agree",
    "idempotency_key",
)
KEY_WITH_CARD = problem("card_number_in_key", "idempotency_key must not contain the card number", "idempotency_key")
BODY_MISSING = problem("missing_body", "the body must be a JSON object")
BODY_ENCODING = problem("invalid_encoding", "the body must be UTF-8, in base64 where the event says so")
BODY_NOT_JSON = problem("invalid_json", "the body is not valid JSON")
BODY_NOT_OBJECT = problem("not_an_object", "the body must be a JSON object")
DUPLICATE_KEY = problem("duplicate_key", "a key of a JSON object occurs more than once")
MEDIA_TYPE = problem("unsupported_media_type", "Content-Type must be application/json, with no charset but utf-8")
