"""What the payment validator accepts and how it refuses."""

import base64
import json
import re
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from lambda_src.payment_validator import handler
from tests.handlers.payment_requests import (
    AMOUNT_RANGE,
    AMOUNT_TYPE,
    BODY_ENCODING,
    BODY_MISSING,
    BODY_NOT_JSON,
    BODY_NOT_OBJECT,
    CARD,
    CARD_CHECKSUM,
    CARD_FORMAT,
    CURRENCY,
    DUPLICATE_KEY,
    FIELDS,
    KEY,
    KEY_FORMAT,
    KEY_MISMATCH,
    KEY_WITH_CARD,
    MEDIA_TYPE,
    REQUEST_ID,
    SECURITY_HEADERS,
    Reply,
    call,
    event_of,
    problem,
    refused,
    with_headers,
)

# What is accepted


def test_a_valid_request_is_answered_with_what_was_validated() -> None:
    reply = call(event_of(FIELDS))

    assert (reply.status, reply.headers) == (200, SECURITY_HEADERS)
    assert reply.body == {
        "valid": True,
        "validation_id": "5my53wnzjmi6gyg3f2otqqum2amfd677",
        "idempotency_key": KEY,
        "amount": 1234,
        "currency": "EUR",
        "amount_decimal": "12.34",
        "card": {"scheme": "visa", "last4": "1111"},
        "request_id": REQUEST_ID,
    }


def test_a_body_in_base64_is_decoded() -> None:
    body = base64.b64encode(json.dumps(FIELDS).encode()).decode()

    assert call(event_of(body, isBase64Encoded=True)).body == call(event_of(FIELDS)).body


def test_a_retry_gets_the_same_answer_however_it_is_written() -> None:
    rewritten = {"card_number": "4111 1111-1111 1111", "currency": "EUR", "amount": 1234, "idempotency_key": KEY}
    retry = event_of(rewritten, **with_headers(content_type="application/json"))

    assert call(retry).body == call(event_of(FIELDS)).body


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"amount": 1235}, KEY),
        ({"currency": "USD"}, KEY),
        ({"card_number": "4012888888881881"}, KEY),
        ({"card_number": "5555555500001111"}, KEY),
        ({}, KEY + "x"),
    ],
)
def test_another_request_gets_another_validation_id(fields: dict[str, Any], key: str) -> None:
    other = call(event_of(FIELDS | fields, **with_headers(content_type="application/json", idempotency_key=key)))

    assert other.status == 200
    assert other.body["validation_id"] != call(event_of(FIELDS)).body["validation_id"]


def test_the_validation_id_does_not_depend_on_the_digits_that_are_not_shown() -> None:
    """Or whoever sees it could find them by trying."""
    first, second = ("4000000000001000", "4100000000091000")

    replies = [call(event_of(FIELDS | {"card_number": number})).body for number in (first, second)]

    assert replies[0]["valid"]
    assert replies[0] == replies[1]


@pytest.mark.parametrize(
    ("amount", "currency", "decimal"),
    [
        (1, "USD", "0.01"),
        (1234, "JPY", "1234"),
        (1234, "KWD", "1.234"),
        (100, "EUR", "1.00"),
        (99_999_999_999, "BHD", "99999999.999"),
    ],
)
def test_an_amount_is_read_in_the_minor_units_of_its_currency(amount: int, currency: str, decimal: str) -> None:
    body = call(event_of(FIELDS | {"amount": amount, "currency": currency})).body

    assert (body["amount"], body["currency"], body["amount_decimal"]) == (amount, currency, decimal)


def test_the_currencies_are_alphabetic_codes_with_at_most_three_decimals() -> None:
    assert all(re.fullmatch("[A-Z]{3}", code) for code in handler.CURRENCY_DECIMALS)
    assert set(handler.CURRENCY_DECIMALS.values()) == {0, 2, 3}


@pytest.mark.parametrize(
    ("number", "scheme"),
    [
        ("4222222222222", "visa"),
        ("4111 1111 1111 1111", "visa"),
        ("4000-0000-0000-0000-006", "visa"),
        ("5555555555554444", "mastercard"),
        ("2223003122003222", "mastercard"),
        ("378282246310005", "amex"),
        ("341111111111111", "amex"),
        ("6011111111111117", "discover"),
        ("6500000000000002", "discover"),
        ("30569309025904", "diners"),
        ("30950000000000", "diners"),
        ("36227206271667", "diners"),
        ("38520000023237", "diners"),
        ("3530111333300000", "jcb"),
        ("6200000000000005", "unionpay"),
        ("9999999999999995", "unknown"),
        ("411111111111116", "unknown"),
        ("400000000002", "unknown"),
    ],
)
def test_the_card_scheme_follows_from_prefix_and_length(number: str, scheme: str) -> None:
    digits = number.replace(" ", "").replace("-", "")

    body = call(event_of(FIELDS | {"card_number": number})).body

    assert body["card"] == {"scheme": scheme, "last4": digits[-4:]}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        " application/json ; charset=utf-8 ",
    ],
)
def test_json_is_accepted_with_and_without_its_charset(content_type: str) -> None:
    assert call(event_of(FIELDS, **with_headers(CONTENT_TYPE=content_type, idempotency_KEY=KEY))).status == 200


def test_headers_are_read_from_either_of_the_events_maps() -> None:
    headers = {"content-type": ["application/json"], "idempotency-key": [KEY]}

    assert call(event_of(FIELDS, headers=None, multiValueHeaders=headers)).status == 200


@pytest.mark.parametrize("key", ["k" * 16, "K-9_" * 16])
def test_keys_at_the_limits_of_their_length_are_accepted(key: str) -> None:
    event = event_of(FIELDS, **with_headers(content_type="application/json", idempotency_key=key))

    assert call(event).body["idempotency_key"] == key


# How requests are refused


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"amount": "1234"}, AMOUNT_TYPE),
        ({"amount": 12.0}, AMOUNT_TYPE),
        ({"amount": True}, AMOUNT_TYPE),
        ({"amount": None}, AMOUNT_TYPE),
        ({"amount": 0}, AMOUNT_RANGE),
        ({"amount": -1}, AMOUNT_RANGE),
        ({"amount": 100_000_000_000}, AMOUNT_RANGE),
        ({"amount": 10**1000}, AMOUNT_RANGE),
        ({"currency": "eur"}, CURRENCY),
        ({"currency": "XXX"}, CURRENCY),
        ({"currency": "BGN"}, CURRENCY),
        ({"currency": 978}, CURRENCY),
        ({"currency": ["EUR"]}, CURRENCY),
        ({"card_number": int(CARD)}, CARD_FORMAT),
        ({"card_number": ""}, CARD_FORMAT),
        ({"card_number": "41111111116"}, CARD_FORMAT),
        ({"card_number": "41111111111111111116"}, CARD_FORMAT),
        ({"card_number": "4111  1111 1111 1111"}, CARD_FORMAT),
        ({"card_number": " 4111111111111111"}, CARD_FORMAT),
        ({"card_number": "4111111111111111\n"}, CARD_FORMAT),
        ({"card_number": "4111.1111.1111.1111"}, CARD_FORMAT),
        ({"card_number": "\uff14111111111111111"}, CARD_FORMAT),
        ({"card_number": "4111111111111112"}, CARD_CHECKSUM),
        ({"idempotency_key": "another-key-of-16"}, KEY_MISMATCH),
        ({"cvc": "123"}, problem("unknown_field", "this field is not known", "cvc")),
        ({"4111-1111-1111-1111": 1}, problem("unknown_field", "this field is not known")),
    ],
)
def test_a_field_that_is_wrong_is_named_with_its_reason(
    changes: dict[str, Any], expected: dict[str, str | None]
) -> None:
    reply = call(event_of(FIELDS | changes))

    assert (reply.status, reply.body) == refused(422, expected)


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_that_is_missing_is_named(name: str) -> None:
    reply = call(event_of({key: value for key, value in FIELDS.items() if key != name}))

    assert (reply.status, reply.body) == refused(422, problem("missing_field", f"{name} is required", name))


def test_an_idempotency_key_is_required() -> None:
    reply = call(event_of(FIELDS, **with_headers(content_type="application/json")))

    message = "idempotency_key is required"
    assert (reply.status, reply.body) == refused(422, problem("missing_field", message, "idempotency_key"))


@pytest.mark.parametrize("key", ["", "k" * 15, "k" * 65, "key with 16 chars", "schl\u00fcssel-sechzehn", 10**16])
def test_an_idempotency_key_of_another_form_is_refused(key: object) -> None:
    event = event_of(FIELDS | {"idempotency_key": key}, **with_headers(content_type="application/json"))

    reply = call(event)

    assert (reply.status, reply.body) == refused(422, KEY_FORMAT)


@pytest.mark.parametrize("key", [CARD, f"order-{CARD}", "4111-1111-1111-1111", "41111_11111-111111_x"])
def test_an_idempotency_key_that_holds_the_card_number_is_refused(key: str) -> None:
    """Keys are stored and logged by those who come after."""
    event = event_of(FIELDS, **with_headers(content_type="application/json", idempotency_key=key))

    reply = call(event)

    assert (reply.status, reply.body) == refused(422, KEY_WITH_CARD)


def test_all_wrong_fields_are_reported_together() -> None:
    fields = {"amount": 0, "card_number": "1", "idempotency_key": "short", "zip": "1", "cvc": "1", "1": 1, "2": 1}

    reply = call(event_of(fields))

    unknown = [problem("unknown_field", "this field is not known", name) for name in (None, "cvc", "zip")]
    missing = problem("missing_field", "currency is required", "currency")
    assert (reply.status, reply.body) == refused(
        422, *unknown, KEY_MISMATCH, AMOUNT_RANGE, missing, CARD_FORMAT, KEY_FORMAT
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", BODY_MISSING),
        ("{", BODY_NOT_JSON),
        ('\ufeff{"amount": 1}', BODY_NOT_JSON),
        ('{"amount": NaN}', BODY_NOT_JSON),
        ('{"amount": Infinity}', BODY_NOT_JSON),
        ('{"amount": -Infinity}', BODY_NOT_JSON),
        ("[" * 4000, BODY_NOT_JSON),
        ("\ud800", BODY_ENCODING),
        ("[]", BODY_NOT_OBJECT),
        ("null", BODY_NOT_OBJECT),
        ('"text"', BODY_NOT_OBJECT),
        ('{"amount": 1, "amount": 1}', DUPLICATE_KEY),
        ('{"amount": {"a": 1, "\\u0061": 2}}', DUPLICATE_KEY),
    ],
)
def test_a_body_that_is_not_a_strict_json_object_is_refused(body: str, expected: dict[str, str | None]) -> None:
    reply = call(event_of(body))

    assert (reply.status, reply.body) == refused(400, expected)


@pytest.mark.parametrize("body", ["e30", "e30=!", "\u00e9", base64.b64encode(b"\xff\xfe{}").decode()])
def test_a_body_that_is_not_base64_of_utf8_is_refused(body: str) -> None:
    reply = call(event_of(body, isBase64Encoded=True))

    assert (reply.status, reply.body) == refused(400, BODY_ENCODING)


@pytest.mark.parametrize("body", [None, 1, {}])
def test_an_event_without_a_body_is_refused(body: object) -> None:
    reply = call(event_of("", body=body))

    assert (reply.status, reply.body) == refused(400, BODY_MISSING)


@pytest.mark.parametrize("encoded", [False, True])
def test_a_body_may_be_as_large_as_the_limit_and_no_larger(encoded: bool) -> None:  # noqa: FBT001 - a parameter
    def reply_to(size: int) -> Reply:
        content = json.dumps(FIELDS).encode().ljust(size)
        body = base64.b64encode(content) if encoded else content
        return call(event_of(body.decode(), isBase64Encoded=encoded))

    too_large = reply_to(4097)

    assert reply_to(4096).status == 200
    message = "the body may have 4096 bytes at most"
    assert (too_large.status, too_large.body) == refused(413, problem("body_too_large", message))


def test_the_size_of_a_body_counts_bytes_and_not_characters() -> None:
    assert call(event_of("\u20ac" * 2000)).status == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS", "post"])
def test_another_method_than_post_is_refused_with_the_one_allowed(method: str) -> None:
    reply = call(event_of(FIELDS, httpMethod=method))

    expected = problem("method_not_allowed", "the method must be POST")
    assert (reply.status, reply.body) == refused(405, expected)
    assert reply.headers == SECURITY_HEADERS | {"Allow": "POST"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content_type": "text/plain"},
        {"content_type": "application/jsonp"},
        {"content_type": "application/json; charset=utf-16"},
        {"content_type": "application/json, text/plain"},
    ],
)
def test_another_media_type_than_json_is_refused(headers: dict[str, str]) -> None:
    reply = call(event_of(FIELDS, **with_headers(idempotency_key=KEY, **headers)))

    assert (reply.status, reply.body) == refused(415, MEDIA_TYPE)
    assert reply.headers == SECURITY_HEADERS


@pytest.mark.parametrize("header", ["content-type", "idempotency-key"])
def test_a_header_with_two_values_is_refused(header: str) -> None:
    event = event_of(FIELDS)
    event["multiValueHeaders"][header.upper()] = ["another"]

    reply = call(event)

    message = f"the header {header} has more than one value"
    assert (reply.status, reply.body) == refused(400, problem("ambiguous_header", message))


@pytest.mark.parametrize("event", [None, [], "event", {}, {"version": "2.0", "routeKey": "POST /"}])
def test_an_event_of_another_kind_is_refused(event: object) -> None:
    reply = call(event, SimpleNamespace(aws_request_id=REQUEST_ID))

    message = "not an event of an API Gateway REST API (payload format 1.0)"
    assert (reply.status, reply.body) == refused(400, problem("invalid_event", message))


def test_a_defect_is_answered_without_its_cause() -> None:
    with mock.patch.object(handler, "card_scheme", side_effect=RuntimeError(f"no scheme for {CARD}")):
        reply = call(event_of(FIELDS))

    expected = problem("internal_error", "the request could not be processed")
    assert (reply.status, reply.body) == refused(500, expected)
    assert reply.headers == SECURITY_HEADERS
