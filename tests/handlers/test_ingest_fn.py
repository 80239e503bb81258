"""What the ingestion accepts, what it puts on the bus, and what becomes of what the bus does not take."""

from __future__ import annotations

import base64
import json
import random
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.handlers.event_functions import (
    EVENT,
    LAMBDA_ID,
    READ_EVENT,
    REQUEST_ID,
    SECRET,
    aws,
    call,
    context,
    facts,
    ingest_fn,
    post,
    refused_by_aws,
    schema,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["aws"]


class Bus:
    """Takes events, or not: one code for each entry in the order they come, or an exception for a request."""

    def __init__(self) -> None:
        self.requests: list[list[dict[str, str]]] = []
        self.refusals: Iterable[str | Exception | None] = ()
        self.takes: Callable[[], object] = lambda: None

    def put_events(self, *, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803  AWS's name
        self.takes()
        self.requests.append(Entries)
        codes = iter(self.refusals)
        results = []
        for _ in Entries:
            code = next(codes, None)
            if isinstance(code, Exception):
                self.refusals = codes
                raise code
            results.append({"ErrorCode": code, "ErrorMessage": SECRET} if code else {"EventId": "some"})
        self.refusals = codes
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    @property
    def ids(self) -> list[list[str]]:
        return [[json.loads(entry["Detail"])["event"]["id"] for entry in request] for request in self.requests]


class Clock:
    """The time that an invocation has left."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self.context = SimpleNamespace(
            aws_request_id=LAMBDA_ID, get_remaining_time_in_millis=lambda: int(self.left * 1000)
        )

    def pass_(self, seconds: float) -> None:
        self.left -= seconds


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Bus:
    return bus_for(monkeypatch)


def bus_for(monkeypatch: pytest.MonkeyPatch) -> Bus:
    bus = Bus()
    monkeypatch.setattr(ingest_fn, "client", {"events": bus}.__getitem__)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setenv("EVENT_BUS", "events-dev")
    monkeypatch.setenv("SOURCE", "events.ingest")
    return bus


def ask(event: object, given: object = None) -> tuple[int, Any]:
    answer = call(ingest_fn.handler, event, given).value
    return answer["statusCode"], json.loads(answer["body"])


def event(number: int, **changes: object) -> dict[str, Any]:
    return EVENT | {"id": f"order-{number:04}"} | changes


def result(number: int, status: str = "accepted") -> dict[str, Any]:
    return {"index": number, "status": status, "id": f"order-{number:04}"}


def test_an_event_is_put_on_the_bus_with_its_correlation_id(bus: Bus) -> None:
    status, body = ask(post(EVENT))

    assert (status, body) == (
        202,
        {
            "accepted": 1,
            "results": [{"index": 0, "status": "accepted", "id": "order-4711"}],
            "request_id": REQUEST_ID,
        },
    )
    [[entry]] = bus.requests
    detail = json.loads(entry.pop("Detail"))
    assert entry == {"EventBusName": "events-dev", "Source": "events.ingest", "DetailType": "order.created"}
    assert detail["event"] == READ_EVENT
    assert detail["metadata"].pop("received_at").endswith("Z")
    assert detail["metadata"] == {"correlation_id": REQUEST_ID}


def test_the_bus_of_aws_takes_it(aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    aws("events").create_event_bus(Name="events-dev")
    monkeypatch.setenv("EVENT_BUS", "events-dev")
    monkeypatch.setenv("SOURCE", "events.ingest")

    assert ask(post([event(number) for number in range(11)]))[0] == 202


def test_a_hundred_events_are_put_ten_at_a_time_in_their_order(bus: Bus) -> None:
    status, body = ask(post([event(number) for number in range(100)]))

    assert (status, body["accepted"], body["results"]) == (202, 100, [result(number) for number in range(100)])
    assert bus.ids == [[f"order-{ten * 10 + one:04}" for one in range(10)] for ten in range(10)]


def test_large_events_are_put_in_requests_that_the_bus_takes(bus: Bus) -> None:
    large = [event(number, data={"text": "x" * 60_000}) for number in range(10)]

    assert ask(post(large))[0] == 202
    assert [len(request) for request in bus.requests] == [4, 4, 2]


def test_what_is_wrong_is_rejected_and_the_rest_accepted(bus: Bus) -> None:
    status, body = ask(post([event(0), {"id": "order-0001"}, event(2, data=[]), event(0), 17, event(5)]))

    assert (status, body["accepted"]) == (207, 2)
    rejected = {
        r["index"]: [(p["code"], p["field"]) for p in r["problems"]] for r in body["results"] if "problems" in r
    }
    assert rejected == {
        1: [("missing_field", "type"), ("missing_field", "occurred_at"), ("missing_field", "data")],
        2: [("invalid_type", "data")],
        3: [("duplicate_id", "id")],
        4: [("not_an_object", None)],
    }
    assert [r for r in body["results"] if r["status"] == "accepted"] == [result(0), result(5)]
    assert bus.ids == [["order-0000", "order-0005"]]


def test_nothing_right_is_422_and_nothing_is_put(bus: Bus) -> None:
    status, body = ask(post({}))

    assert (status, body["accepted"], [r["status"] for r in body["results"]]) == (422, 0, ["rejected"])
    assert bus.requests == []


def test_what_the_bus_does_not_take_for_the_moment_is_put_again_alone(bus: Bus) -> None:
    bus.refusals = [None, "ThrottlingException", None, "InternalFailure"]

    assert ask(post([event(number) for number in range(4)]))[0] == 202
    assert bus.ids == [[f"order-000{n}" for n in range(4)], ["order-0001", "order-0003"]]


def test_it_is_put_three_times_and_then_given_up(bus: Bus) -> None:
    bus.refusals = [None, "ThrottlingException", "ThrottlingException", "ThrottlingException"]

    status, body = ask(post([event(0), event(1)]))

    assert (status, body["results"]) == (207, [result(0), result(1, "failed")])
    assert bus.ids == [["order-0000", "order-0001"], ["order-0001"], ["order-0001"]]


def test_the_pauses_grow(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(random, "random", lambda: 0.5)
    bus.refusals = ["InternalException"] * 3

    ask(post(event(0)))

    assert pauses == [0.1, 0.2]


def test_what_the_bus_will_never_take_is_not_put_again(bus: Bus) -> None:
    bus.refusals = ["MalformedDetail"]

    status, body = ask(post([event(0), event(1)]))

    assert (status, body["results"]) == (207, [result(0, "failed"), result(1)])
    assert len(bus.requests) == 1


def test_what_it_will_never_take_stays_failed_while_the_rest_is_put_again(bus: Bus) -> None:
    bus.refusals = ["MalformedDetail", "ThrottlingException"]

    status, body = ask(post([event(0), event(1)]))

    assert (status, body["results"]) == (207, [result(0, "failed"), result(1)])
    assert bus.ids == [["order-0000", "order-0001"], ["order-0001"]]


def test_nothing_is_put_when_there_is_no_time(bus: Bus) -> None:
    reply = call(ingest_fn.handler, post(event(0)), context(milliseconds=10_999))

    assert (reply.value["statusCode"], bus.requests) == (503, [])
    assert (reply.logs[0]["level"], reply.logs[0]["codes"]) == ("WARN", ["no_time"])


@pytest.mark.parametrize("seconds", [4, 9])
def test_a_slow_bus_is_left_before_the_function_ends(bus: Bus, seconds: int) -> None:
    clock = Clock(30)
    bus.takes = lambda: clock.pass_(seconds)

    status, body = ask(post([event(number) for number in range(100)]), clock.context)

    accepted = sum(result["status"] == "accepted" for result in body["results"])
    assert (status, accepted) == (207, 10 * len(bus.requests))
    assert {result["status"] for result in body["results"]} == {"accepted", "failed"}
    assert clock.left >= 2


@given(durations=st.lists(st.floats(0, 9), min_size=40, max_size=40), refused=st.sets(st.integers(0, 99)))
@settings(deadline=None, max_examples=30)
def test_whatever_the_bus_takes_the_function_answers_in_time(durations: list[float], refused: set[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        bus = bus_for(patch)
        clock = Clock(30)
        patch.setattr(time, "sleep", clock.pass_)
        bus.takes = lambda: clock.pass_(durations[len(bus.requests)])
        bus.refusals = ["ThrottlingException" if number in refused else None for number in range(100)]

        _, body = ask(post([event(number) for number in range(100)]), clock.context)

    assert clock.left >= 2
    put = [id_ for request in bus.ids for id_ in request]
    for result in body["results"]:
        assert result["status"] == "failed" or result["id"] in put


@pytest.mark.parametrize(
    "error", [ReadTimeoutError(endpoint_url="https://events"), EndpointConnectionError(endpoint_url="https://events")]
)
def test_a_connection_that_fails_is_tried_again(error: Exception, bus: Bus) -> None:
    bus.refusals = [error]

    reply = call(ingest_fn.handler, post([event(0), event(1)]))

    assert (reply.value["statusCode"], bus.ids) == (202, [["order-0000", "order-0001"]] * 2)
    assert (reply.logs[0]["level"], reply.logs[0]["codes"]) == ("WARN", ["ServiceUnavailable"])


def test_a_request_that_fails_as_a_whole_fails_its_events_only(bus: Bus) -> None:
    bus.refusals = [*[None] * 10, refused_by_aws("AccessDeniedException")]

    reply = call(ingest_fn.handler, post([event(number) for number in range(12)]))

    body = json.loads(reply.value["body"])
    assert reply.value["statusCode"] == 207
    assert [r["status"] for r in body["results"]] == ["accepted"] * 10 + ["failed"] * 2
    assert facts(reply.logs[0]) == {
        "level": "ERROR",
        "message": "not put",
        "correlation_id": REQUEST_ID,
        "events": 2,
        "codes": ["AccessDeniedException"],
        "attempt": 1,
        "Faults": 1,
    }


def test_throttling_is_not_a_fault(bus: Bus) -> None:
    bus.refusals = ["ThrottlingException"] * 3

    reply = call(ingest_fn.handler, post(event(0)))

    assert [entry["level"] for entry in reply.logs] == ["WARN"] * 3 + ["INFO"]
    assert not [entry for entry in reply.logs if "_aws" in entry]


def test_a_bus_that_takes_nothing_is_503_with_a_time_to_come_back(bus: Bus) -> None:
    bus.refusals = ["ThrottlingException"] * 3

    answer = call(ingest_fn.handler, post(event(0))).value

    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "1")


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"version": "2.0"}, 400, "invalid_event"),
        (post(EVENT, httpMethod="GET"), 405, "method_not_allowed"),
        (post(EVENT, headers={"Content-Type": "text/plain"}, multiValueHeaders=None), 415, "unsupported_media_type"),
        (post(EVENT, body=None), 400, "missing_body"),
        (post("not base64", isBase64Encoded=True), 400, "invalid_encoding"),
        (post("e30=*", isBase64Encoded=True), 400, "invalid_encoding"),
        (post("{"), 400, "invalid_json"),
        (post('{"id": 1, "id": 2}'), 400, "invalid_json"),
        (post('{"id": NaN}'), 400, "invalid_json"),
        (post("[" * 100_000), 400, "invalid_json"),
        (post('"' + "x" * 1_048_575 + '"'), 413, "body_too_large"),
        (post([]), 422, "invalid_count"),
        (post([EVENT] * 101), 422, "invalid_count"),
    ],
)
def test_a_request_that_is_wrong_as_a_whole_is_refused(given: object, status: int, code: str, bus: Bus) -> None:
    reply = call(ingest_fn.handler, given)

    body = json.loads(reply.value["body"])
    assert (reply.value["statusCode"], body["error"]["code"], len(body["error"]["details"])) == (status, code, 1)
    assert reply.value["headers"].get("Allow") == ("POST" if status == 405 else None)
    assert (reply.logs[0]["status"], reply.logs[0]["problems"]) == (status, [code])
    assert bus.requests == []


def test_a_body_in_base64_is_decoded(bus: Bus) -> None:
    body = base64.b64encode(json.dumps(EVENT).encode()).decode()

    assert ask(post(body, isBase64Encoded=True))[0] == 202
    assert bus.ids == [["order-4711"]]


def test_a_defect_is_logged_by_type_and_place(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bus.requests == []
    monkeypatch.delenv("SOURCE")

    reply = call(ingest_fn.handler, post(EVENT))

    assert reply.value["statusCode"] == 500
    assert json.loads(reply.value["body"])["error"]["code"] == "internal_error"
    assert facts(reply.logs[0]) == {
        "level": "ERROR",
        "message": "failed",
        "correlation_id": REQUEST_ID,
        "status": 500,
        "exception": "KeyError",
        "Faults": 1,
    }


@pytest.mark.parametrize(
    ("of_gateway", "expected"), [(REQUEST_ID, REQUEST_ID), ("4111111111111111", LAMBDA_ID), (None, LAMBDA_ID)]
)
def test_the_outcome_is_logged_in_figures(of_gateway: object, expected: str, bus: Bus) -> None:
    [entry] = call(ingest_fn.handler, post([EVENT, {}], requestContext={"requestId": of_gateway})).logs

    assert len(bus.requests) == 1
    assert facts(entry) == {
        "level": "INFO",
        "message": "ingested",
        "correlation_id": expected,
        "status": 207,
        "accepted": 1,
        "rejected": 1,
        "failed": 0,
    }


def test_the_limit_of_an_event_fits_into_a_request() -> None:
    assert schema.MAX_EVENT_BYTES + 1_024 < ingest_fn.MAX_REQUEST_BYTES
