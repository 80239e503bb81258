"""What the payment validator logs, and that no card number leaves it."""

import ast
import json
import logging
import re
import runpy
import string
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_src.payment_validator import handler
from tests.handlers.payment_requests import (
    CARD,
    FIELDS,
    KEY,
    LAMBDA_ID,
    REFUSALS,
    REQUEST_ID,
    call,
    event_of,
)

# What is logged


def without(entry: dict[str, Any], *names: str) -> dict[str, Any]:
    assert set(names) <= set(entry)
    return {name: value for name, value in entry.items() if name not in names}


def test_an_accepted_request_is_one_line_of_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")

    reply = call(event_of(FIELDS))

    [entry] = reply.logs
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", entry["timestamp"])
    assert without(entry, "timestamp") == {
        "level": "INFO",
        "message": "accepted",
        "service": "payment_validator",
        "region": "eu-central-1",
        "request_id": REQUEST_ID,
        "status": 200,
        "validation_id": reply.body["validation_id"],
    }


def test_a_refused_request_is_logged_with_the_codes_of_its_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)

    [entry] = call(event_of({"amount": 0, "a": 1, "b": 2})).logs

    assert without(entry, "timestamp") == {
        "level": "WARN",
        "message": "refused",
        "service": "payment_validator",
        "region": "unknown",
        "request_id": REQUEST_ID,
        "status": 422,
        "problems": ["missing_field", "out_of_range", "unknown_field"],
    }


def test_a_defect_is_logged_by_type_and_place_and_not_by_its_text() -> None:
    with mock.patch.object(handler, "passes_luhn", side_effect=LookupError(f"no scheme for {CARD}")):
        reply = call(event_of(FIELDS))

    [entry] = reply.logs
    assert without(entry, "timestamp", "region", "stack", "_aws") == {
        "level": "ERROR",
        "message": "failed",
        "service": "payment_validator",
        "request_id": REQUEST_ID,
        "status": 500,
        "exception": "LookupError",
        "FunctionName": "unknown",
        "Faults": 1,
    }
    assert entry["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Application",
            "Dimensions": [["FunctionName"]],
            "Metrics": [{"Name": "Faults", "Unit": "Count"}],
        }
    ]
    assert abs(entry["_aws"]["Timestamp"] / 1000 - time.time()) < 600
    assert re.fullmatch(r"handler\.py:\d+ handler", entry["stack"][0])
    assert "no scheme" not in reply.written


@pytest.mark.parametrize(
    "text", [CARD, "4111 1111 1111 1111", "4111-1111.1111_1111", "4111\n1111 - 1111/1111", "411111111116"]
)
def test_a_message_that_holds_a_card_number_is_masked(text: str) -> None:
    record = logging.LogRecord("any", logging.INFO, "", 0, "card %s refused", (text,), None)

    assert json.loads(handler.JsonFormatter().format(record))["message"] == "card [masked] refused"


def test_a_payment_does_not_show_its_card_number() -> None:
    shown = repr(handler.Payment(1234, "EUR", CARD, KEY))

    assert shown == f"Payment(amount=1234, currency='EUR', idempotency_key='{KEY}')"


@pytest.mark.parametrize(("level", "name"), [(10, "DEBUG"), (20, "INFO"), (30, "WARN"), (40, "ERROR"), (50, "FATAL")])
def test_lines_have_the_levels_of_lambda(level: int, name: str) -> None:
    record = logging.LogRecord("any", level, "", 0, "any", (), None)

    assert json.loads(handler.JsonFormatter().format(record))["level"] == name


@pytest.mark.parametrize(
    ("level", "logged"),
    [
        *((None, 1), ("info", 1), ("DEBUG", 1), ("WARN", 0), ("error", 0), ("FATAL", 0)),
        *(("loud", 1), ("NOTSET", 1), ("TRACE", 1)),
    ],
)
def test_the_log_level_comes_from_the_environment_and_is_info_otherwise(
    level: str | None, logged: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    if level is not None:
        monkeypatch.setenv("LOG_LEVEL", level)

    # The root logger must not decide, as it would for a level of NOTSET.
    assert len(call(event_of(FIELDS)).logs) == logged


def test_a_request_is_logged_once_and_not_through_the_root_logger(caplog: pytest.LogCaptureFixture) -> None:
    replies = [call(event_of(FIELDS)) for _ in range(2)]

    assert [len(reply.logs) for reply in replies] == [1, 1]
    assert caplog.records == []


@pytest.mark.parametrize(
    ("of_gateway", "of_lambda", "expected"),
    [
        (REQUEST_ID, LAMBDA_ID, REQUEST_ID),
        ("test-invoke-request", LAMBDA_ID, "test-invoke-request"),
        (None, LAMBDA_ID, LAMBDA_ID),
        (CARD, LAMBDA_ID, LAMBDA_ID),
        (f"{REQUEST_ID}-{CARD}", LAMBDA_ID, LAMBDA_ID),
        (17, LAMBDA_ID, LAMBDA_ID),
        (None, CARD, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_the_request_id_is_api_gateways_or_else_lambdas(of_gateway: object, of_lambda: object, expected: str) -> None:
    event = event_of(FIELDS, requestContext={"requestId": of_gateway})

    reply = call(event, SimpleNamespace(aws_request_id=of_lambda))

    assert (reply.body["request_id"], reply.logs[0]["request_id"]) == (expected, expected)


# What holds for every request


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    """Return digits with their check digit, found with the table of Luhn's patent."""
    head = draw(st.sampled_from("123456789")) + draw(st.text(string.digits, min_size=10, max_size=17))
    doubled = dict(zip(string.digits, (0, 2, 4, 6, 8, 1, 3, 5, 7, 9), strict=True))
    total = sum(doubled[d] if i % 2 == 0 else int(d) for i, d in enumerate(reversed(head)))
    [check] = [d for d in range(10) if (total + d) % 10 == 0]
    return f"{head}{check}"


@st.composite
def spelled(draw: st.DrawFn, number: str) -> str:
    """Return a number with separators as people write them."""
    separator = draw(st.sampled_from(["", " ", "-"]))
    size = draw(st.sampled_from([1, 4, 6]))
    return separator.join(number[i : i + size] for i in range(0, len(number), size))


@given(number=card_numbers(), data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_change_of_any_single_digit_is_detected(number: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(number) - 1))
    digit = data.draw(st.sampled_from(string.digits.replace(number[place], "")))

    assert handler.passes_luhn(number)
    assert not handler.passes_luhn(number[:place] + digit + number[place + 1 :])


@given(number=card_numbers(), data=st.data())
@settings(max_examples=50, deadline=None)
def test_separators_between_the_digits_make_no_difference(number: str, data: st.DataObject) -> None:
    written = data.draw(spelled(number))

    assert handler.parse_card_number(written) == number


JSON = {"Content-Type": "application/json"}
HIDING_PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "the card number": lambda pan: event_of(FIELDS | {"card_number": pan}),
    "the card number beside wrong fields": lambda pan: event_of({"card_number": pan}),
    "a card number with a wrong check digit": lambda pan: event_of(FIELDS | {"card_number": pan + "0"}),
    "the amount": lambda pan: event_of(FIELDS | {"amount": int(re.sub("[ -]", "", pan))}),
    "a float": lambda pan: event_of('{"amount": ' + re.sub("[ -]", "", pan) + ".5}"),
    "the currency": lambda pan: event_of(FIELDS | {"currency": pan}),
    "the value of an unknown field": lambda pan: event_of(FIELDS | {"pan": [{"pan": pan}]}),
    "the name of an unknown field": lambda pan: event_of(FIELDS | {pan: 1}),
    "part of the name of an unknown field": lambda pan: event_of(FIELDS | {f"card_{pan}_x": 1}),
    "a key that occurs twice": lambda pan: event_of(f'{{"{pan}": 1, "{pan}": 2}}'),
    "the key in the header": lambda pan: event_of(
        FIELDS | {"card_number": pan}, headers=JSON | {"Idempotency-Key": f"k-{pan}-of-16"}, multiValueHeaders={}
    ),
    "the key in the body": lambda pan: event_of(
        FIELDS | {"card_number": pan, "idempotency_key": f"k-{pan}-of-16"}, headers=JSON, multiValueHeaders={}
    ),
    "two keys that differ": lambda pan: event_of(FIELDS | {"idempotency_key": f"k-{pan}-of-16"}),
    "a header's name": lambda pan: event_of(FIELDS, headers=JSON | {pan: "1"}),
    "the media type": lambda pan: event_of(FIELDS, headers={"Content-Type": f"text/{pan}"}, multiValueHeaders={}),
    "two media types": lambda pan: event_of(FIELDS, headers={"Content-Type": f"text/{pan}"}),
    "the method": lambda pan: event_of(FIELDS, httpMethod=pan),
    "the path": lambda pan: event_of(FIELDS, path=f"/payments/{pan}", queryStringParameters={"card": pan}),
    "the request id": lambda pan: event_of(FIELDS, requestContext={"requestId": pan}),
    "a body that is not JSON": lambda pan: event_of(f"card={pan}"),
    "a body that is a string": lambda pan: event_of(f'"{pan}"'),
    "a body that is not base64": lambda pan: event_of(f"card={pan}", isBase64Encoded=True),
    "a body that is too large": lambda pan: event_of(FIELDS | {"card_number": pan * 500}),
    "an event of another kind": lambda pan: {"version": "2.0", "body": pan},
}


@pytest.mark.parametrize("place", HIDING_PLACES)
@given(number=card_numbers(), data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_card_number_appears_in_no_log_and_no_answer(place: str, number: str, data: st.DataObject) -> None:
    event = HIDING_PLACES[place](data.draw(spelled(number)))

    with mock.patch.dict("os.environ", LOG_LEVEL="DEBUG"):
        reply = call(event, SimpleNamespace(aws_request_id=number))

    assert reply.logs
    assert number not in re.sub("[ -]", "", reply.written + json.dumps(reply.body))


@pytest.mark.parametrize("function", ["passes_luhn", "card_scheme", "parse_payment", "read_fields", "header"])
@given(number=card_numbers())
@settings(max_examples=5, deadline=None)
def test_a_card_number_in_an_exception_appears_in_no_log_and_no_answer(function: str, number: str) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError(number, *arguments) from ValueError(number)

    with mock.patch.object(handler, function, fail):
        reply = call(event_of(FIELDS | {"card_number": number}))

    assert reply.status == 500
    assert reply.logs
    assert number not in reply.written + json.dumps(reply.body)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
bodies = st.one_of(
    json_like,
    json_like.map(json.dumps),
    st.text(st.characters(exclude_categories=()), max_size=40),
    st.fixed_dictionaries({}, optional={name: json_like | st.just(FIELDS[name]) for name in FIELDS}).map(json.dumps),
    st.just(json.dumps(FIELDS)),
)
headers = st.fixed_dictionaries(
    {}, optional={"Content-Type": st.just("application/json") | json_like, "idempotency-key": st.just(KEY) | json_like}
)
events = st.one_of(
    json_like,
    st.fixed_dictionaries(
        {"httpMethod": st.just("POST") | json_like},
        optional={
            "headers": headers | json_like,
            "multiValueHeaders": headers | json_like,
            "body": bodies,
            "isBase64Encoded": st.booleans() | json_like,
            "requestContext": json_like,
        },
    ),
    bodies.map(lambda body: event_of("", body=body)),
)


@given(event=events)
@settings(max_examples=300, deadline=None)
def test_every_event_gets_an_answer_of_the_documented_shape(event: object) -> None:
    reply = call(event)

    if reply.status == 200:
        assert reply.body["valid"] is True
        return
    assert reply.status in REFUSALS
    assert sorted(reply.body) == ["error", "request_id"]
    details = reply.body["error"].pop("details")
    assert reply.body["error"] == details[0]
    assert all(sorted(detail) == ["code", "field", "message"] for detail in details)


payments = st.fixed_dictionaries(
    {
        "amount": st.integers(1, 99_999_999_999),
        "currency": st.sampled_from(sorted(handler.CURRENCY_DECIMALS)),
        "card_number": card_numbers(),
        "idempotency_key": st.text(string.ascii_letters + "-_", min_size=16, max_size=64),
    }
)


@given(requests=st.lists(payments, min_size=1, max_size=4), data=st.data())
@settings(max_examples=50, deadline=None)
def test_a_repeat_gets_the_same_answer_in_whatever_order_requests_come(
    requests: list[dict[str, Any]], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(requests * 2))
    answers: dict[str, Any] = {}
    for fields in order:
        reply = call(event_of(fields, headers=JSON, multiValueHeaders=None))
        assert reply.status == 200
        amount = Decimal(reply.body["amount_decimal"])
        assert amount.scaleb(handler.CURRENCY_DECIMALS[fields["currency"]]) == fields["amount"]
        assert answers.setdefault(json.dumps(fields), reply.body) == reply.body
    shown = {
        json.dumps([f["idempotency_key"], f["amount"], f["currency"], answers[json.dumps(f)]["card"]]) for f in requests
    }
    assert len({answer["validation_id"] for answer in answers.values()}) == len(shown)


# What the package needs


def test_the_handler_needs_the_standard_library_alone() -> None:
    tree = ast.parse(Path(handler.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {str(node.module) for node in imports if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}

    assert "json" in modules
    assert {module.partition(".")[0] for module in modules} <= sys.stdlib_module_names


def test_importing_the_handler_sets_up_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler.logger, "handlers", [])

    runpy.run_path(handler.__file__)

    assert handler.logger.handlers == []
    assert capsys.readouterr() == ("", "")
