"""What the functions of the events stack share: what an event is, the lines of the log, and that a layer holds it."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import subprocess
import sys
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.handlers.event_functions import (
    EVENT,
    LAMBDA_ID,
    LAYER,
    METADATA,
    READ_EVENT,
    REQUEST_ID,
    SECRET,
    aws,
    batch,
    clients,
    context,
    errors,
    logs,
    refused_by_aws,
    schema,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]

ID = "id must be a string of 8 to 64 letters, digits, hyphens and underscores"
TYPE = "type must be lower-case words with dots between them, such as order.created, of at most 64 characters"
TIME = "occurred_at must be a time with its offset, such as 2026-11-22T09:30:00Z (RFC 3339)"
UNSENDABLE = "data has a string or a number that other JSON parsers refuse, or more than 100 levels"


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


def problems(value: object) -> list[tuple[str, str, str | None]]:
    with pytest.raises(schema.InvalidError) as raised:
        schema.parse_event(value)
    return [(problem.code, problem.message, problem.field) for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": "short-1"}, ("invalid_format", ID, "id")),
        ({"id": "x" * 65}, ("invalid_format", ID, "id")),
        ({"id": "order 4711"}, ("invalid_format", ID, "id")),
        ({"id": 47110815}, ("invalid_format", ID, "id")),
        ({"type": "order"}, ("invalid_format", TYPE, "type")),
        ({"type": "Order.created"}, ("invalid_format", TYPE, "type")),
        ({"type": "order..created"}, ("invalid_format", TYPE, "type")),
        ({"type": "a." + "b" * 63}, ("invalid_format", TYPE, "type")),
        ({"type": "order.created\n"}, ("invalid_format", TYPE, "type")),
        ({"occurred_at": "2026-11-22T09:30:00"}, ("invalid_format", TIME, "occurred_at")),
        ({"occurred_at": "2026-02-30T09:30:00Z"}, ("invalid_format", TIME, "occurred_at")),
        ({"occurred_at": "0001-01-01T00:00:00+23:59"}, ("invalid_format", TIME, "occurred_at")),
        ({"occurred_at": "٢٠٢٦-11-22T09:30:00Z"}, ("invalid_format", TIME, "occurred_at")),
        ({"occurred_at": 1795339600}, ("invalid_format", TIME, "occurred_at")),
        ({"data": None}, ("invalid_type", "data must be a JSON object", "data")),
        ({"data": {"a": "\ud800"}}, ("invalid_value", UNSENDABLE, "data")),
        ({"data": {"a": float("inf")}}, ("invalid_value", UNSENDABLE, "data")),
        ({"data": {"a": Decimal("1e999")}}, ("invalid_value", UNSENDABLE, "data")),
        ({"data": nested(101)}, ("invalid_value", UNSENDABLE, "data")),
        ({"data": {"a": "x" * 65_536}}, ("event_too_large", "an event may have 65536 bytes at most", None)),
        (
            {"source": "mine"},
            ("unknown_field", "an event has the fields id, type, occurred_at, data and no others", None),
        ),
    ],
)
def test_what_is_wrong_with_an_event_is_said(changes: dict[str, Any], expected: tuple[str, str, str | None]) -> None:
    assert problems(EVENT | changes) == [expected]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert [(code, field) for code, _, field in problems({"id": 1, "data": [], "x": 1})] == [
        ("missing_field", "type"),
        ("missing_field", "occurred_at"),
        ("unknown_field", None),
        ("invalid_format", "id"),
        ("invalid_type", "data"),
    ]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-11-22T10:30:00+01:00", "2026-11-22T09:30:00.000Z"),
        ("2026-11-22t09:30:00.123456z", "2026-11-22T09:30:00.123Z"),
        ("2026-11-22T00:00:00-00:30", "2026-11-22T00:30:00.000Z"),
    ],
)
def test_a_time_is_kept_in_utc(given: str, kept: str) -> None:
    assert schema.parse_event(EVENT | {"occurred_at": given}).occurred_at == kept


@pytest.mark.parametrize(
    "changes",
    [{"id": "x" * 8}, {"id": "A-9_" * 16}, {"type": "a." + "b" * 62}, {"data": {}}, {"data": nested(100)}],
)
def test_events_at_the_limits_are_accepted(changes: dict[str, Any]) -> None:
    assert schema.Message(schema.parse_event(EVENT | changes), METADATA).text()


numbers = st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
json_like = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(data=st.dictionaries(st.text(max_size=8), json_like, max_size=3))
@settings(max_examples=50, deadline=None)
def test_a_message_is_read_as_it_was_written(data: dict[str, Any]) -> None:
    try:
        event = schema.parse_event(EVENT | {"data": data})
    except schema.InvalidError:
        shown = json.dumps(data, default=float)
        assert "Infinity" in shown or "\\ud" in shown
        return
    message = schema.Message(event, METADATA)

    assert schema.parse_message(schema.read_json(message.text())) == message


@given(value=json_like | st.fixed_dictionaries({}, optional=dict.fromkeys(EVENT, json_like)))
@settings(max_examples=50, deadline=None)
def test_whatever_comes_is_an_event_or_is_refused(value: object) -> None:
    with contextlib.suppress(schema.InvalidError):
        assert schema.parse_event(value).id


# Numbers


@pytest.mark.parametrize(
    "number", ["12345678901234567.89", "0.1", "12.50", "-0.0", "1E+2", "1E-7", "123456789012345678901234567890", "0"]
)
def test_a_number_keeps_all_its_digits(number: str) -> None:
    assert schema.compact(schema.read_json(f'{{"amount":{number}}}')) == f'{{"amount":{number}}}'


@given(number=st.decimals(allow_nan=False, allow_infinity=False).filter(lambda n: math.isfinite(float(n))))
def test_every_decimal_is_read_as_it_was_written(number: Decimal) -> None:
    read = schema.read_json(schema.compact([number]))

    assert isinstance(read, list)
    assert (read[0], schema.is_same(read, [number])) == (number, True)


@pytest.mark.parametrize("text", ["1e99999999999999999999", "NaN", "[1", '{"a":1,"a":2}'])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(schema.InvalidError):
        schema.read_json(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("12.50", "12.5", True),
        ("1", "1.0", True),
        ("1E+2", "100", True),
        ("12345678901234567.89", "12345678901234567.88", False),
        ("12345678901234567.89", "1.2345678901234568e+16", False),
        ("true", "1", False),
        ("0", "false", False),
        ("null", "false", False),
        ("true", "true", True),
        ('"1"', "1", False),
        ("[1,2]", "[1,2.0]", True),
        ("[1,2]", "[2,1]", False),
        ("[1,2]", "[1]", False),
        ('{"a":[{"b":1.10}]}', '{"a":[{"b":1.1}]}', True),
        ('{"a":1}', '{"b":1}', False),
        ('{"a":1}', '{"a":1,"b":null}', False),
        ("[]", "{}", False),
    ],
)
def test_json_values_are_the_same_if_their_numbers_are_equal(one: str, other: str, same: bool) -> None:  # noqa: FBT001
    assert schema.is_same(schema.read_json(one), schema.read_json(other)) is same
    assert schema.is_same(schema.read_json(other), schema.read_json(one)) is same


# Errors


def with_status(status: int) -> ClientError:
    return ClientError({"Error": {"Code": "Any"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Any")


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (refused_by_aws("ThrottlingException"), True),
        (refused_by_aws("RequestThrottled"), True),
        (refused_by_aws("InternalServerError"), True),
        (with_status(503), True),
        (with_status(400), False),
        (ReadTimeoutError(endpoint_url="https://any"), True),
        (ConnectTimeoutError(endpoint_url="https://any"), True),
        (EndpointConnectionError(endpoint_url="https://any"), True),
        (ConnectionClosedError(endpoint_url="https://any"), True),
        (refused_by_aws("AccessDeniedException"), False),
        (refused_by_aws("ResourceNotFoundException"), False),
        (NoCredentialsError(), False),
        (KeyError("TABLE_NAME"), False),
    ],
    ids=str,
)
def test_an_error_is_transient_or_a_fault(error: Exception, transient: bool) -> None:  # noqa: FBT001
    assert errors.is_transient(error) is transient


# Time


def test_a_call_that_always_times_out_ends_in_the_time_that_is_reserved_for_it(aws: Callable[[str], Any]) -> None:
    config = aws("sqs").meta.config
    attempts = config.retries["total_max_attempts"]
    pauses = sum(2**attempt for attempt in range(attempts - 1))  # at most, in the SDK's standard mode

    taken = attempts * (config.connect_timeout + config.read_timeout) + pauses
    assert (taken * 1000, clients.CALL_MILLISECONDS) == (9_000, 9_000)


@pytest.mark.parametrize(
    ("milliseconds", "pause", "enough"),
    [(11_000, 0, True), (10_999, 0, False), (11_500, 0.5, True), (11_499, 0.5, False)],
)
def test_a_call_is_started_if_it_and_the_answer_have_time(milliseconds: int, pause: float, enough: bool) -> None:  # noqa: FBT001
    assert clients.has_time(context(milliseconds), pause) is enough


def test_without_a_context_there_is_always_time() -> None:
    assert clients.has_time(None)


# Backoff


@given(receives=st.integers(1, 1000))
def test_the_backoff_doubles_up_to_15_minutes_with_jitter_of_a_half(receives: int) -> None:
    full = min(900, 30 * 2 ** min(receives - 1, 10))

    assert full / 2 - 1 <= batch.Record("m0", "", "", receives).backoff() <= full


def test_neither_events_nor_records_show_what_is_in_them() -> None:
    shown = f"{schema.parse_event(READ_EVENT)!r} {batch.Record('m0', SECRET)!r}"

    assert SECRET not in shown


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [([], []), ([4, 4, 4], [[4, 4], [4]]), ([1, 1, 1, 1], [[1, 1, 1], [1]]), ([99, 1], [[99], [1]])],
)
def test_chunks_keep_both_limits_and_the_order(sizes: list[int], expected: list[list[int]]) -> None:
    assert list(batch.chunks(sizes, int, 3, 10)) == expected


# What is logged


def line(log: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    logs.configure("any_fn")
    log()
    [written] = capsys.readouterr().out.splitlines()
    return dict(json.loads(written))


def test_an_error_of_aws_is_logged_by_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise refused_by_aws("ThrottlingException")

    def log() -> None:
        logs.correlate(REQUEST_ID)
        try:
            refuse()
        except ClientError:
            logs.logger.exception("failed")

    entry = line(log, capsys)

    assert (entry["exception"], entry["error_code"]) == ("ClientError", "ThrottlingException")
    assert (entry["service"], entry["correlation_id"]) == ("any_fn", REQUEST_ID)
    assert entry["stack"][0].startswith("test_events_layer.py:")
    assert SECRET not in json.dumps(entry)


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        ((REQUEST_ID, LAMBDA_ID), REQUEST_ID),
        (("test-invoke-request",), "test-invoke-request"),
        (("4111111111111111", LAMBDA_ID), LAMBDA_ID),
        ((None, 17), "unknown"),
        ((), "unknown"),
    ],
)
def test_the_correlation_id_is_the_first_that_looks_like_one(candidates: tuple[object, ...], expected: str) -> None:
    assert logs.correlate(*candidates) == expected


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        *((None, "INFO"), ("debug", "DEBUG"), ("loud", "INFO"), ("ERROR", "ERROR")),
        *(("TRACE", "DEBUG"), ("WARN", "WARNING"), ("FATAL", "CRITICAL")),
    ],
)
def test_the_level_comes_from_the_environment(
    level: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    if level:
        monkeypatch.setenv("LOG_LEVEL", level)
    logs.configure("any_fn")

    assert logging.getLevelName(logs.logger.level) == expected
    assert (len(logs.logger.handlers), logs.logger.propagate) == (1, False)


@pytest.mark.parametrize(("level", "name"), [(10, "DEBUG"), (20, "INFO"), (30, "WARN"), (40, "ERROR"), (50, "FATAL")])
def test_lines_have_the_levels_of_lambda(
    level: int, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "TRACE")

    assert line(lambda: logs.logger.log(level, "any"), capsys)["level"] == name


def test_a_line_with_metrics_is_in_the_embedded_metric_format(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "events-dev-store-fn")
    begun = int(time.time() * 1000)

    entry = line(lambda: logs.logger.error("failed", extra={"metrics": logs.FAULT}), capsys)

    assert begun <= entry["_aws"].pop("Timestamp") <= time.time() * 1000
    assert entry["_aws"] == {
        "CloudWatchMetrics": [
            {
                "Namespace": "Application",
                "Dimensions": [["FunctionName"]],
                "Metrics": [{"Name": "Faults", "Unit": "Count"}],
            }
        ]
    }
    assert (entry["FunctionName"], entry["Faults"], entry["level"]) == ("events-dev-store-fn", 1, "ERROR")


# As Lambda has it

IMPORT = """
import importlib, json, sys
layer, *packages = sys.argv[1:]
found = []
for package in packages:
    sys.path[:0] = [package]
    sys.path.append(layer)
    module = importlib.import_module("handler")
    found.append([callable(module.handler), module.__file__.startswith(package)])
    del sys.modules["handler"], sys.path[0]
print(json.dumps(found))
"""


@pytest.mark.slow
def test_each_package_runs_with_nothing_but_the_layer_beside_it() -> None:
    packages = [LAYER.parent.parent / name for name in ("auth_fn", "ingest_fn", "process_fn", "store_fn")]
    run = [sys.executable, "-I", "-c", IMPORT, str(LAYER), *map(str, packages)]

    done = subprocess.run(run, capture_output=True, text=True, check=True, cwd="/")

    assert json.loads(done.stdout) == [[True, True]] * 4
    assert {path.name for path in LAYER.iterdir()} == {"events_shared"}
