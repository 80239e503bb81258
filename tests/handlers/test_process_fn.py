"""What the processing hands on, with what it adds, and what it leaves in the queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import BotoCoreError

from tests.handlers.event_functions import (
    EVENT,
    LAMBDA_ID,
    METADATA,
    READ_EVENT,
    REQUEST_ID,
    Failing,
    aws,
    batch,
    call,
    context,
    facts,
    failures,
    message,
    of_queue,
    process_fn,
    refused_by_aws,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]


class Queue:
    """Takes messages but those with these ids; a request with nothing but such an id fails as a whole."""

    def __init__(self) -> None:
        self.requests: list[list[str]] = []
        self.refused: dict[str, str | Exception] = {}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == "https://queue"
        ids = {entry["Id"]: json.loads(entry["MessageBody"])["event"]["id"] for entry in Entries}
        self.requests.append(list(ids.values()))
        codes = {number: self.refused[id_] for number, id_ in ids.items() if id_ in self.refused}
        for code in codes.values():
            if isinstance(code, Exception):
                raise code
        failed = [{"Id": number, "Code": code, "SenderFault": False} for number, code in codes.items()]
        return {"Successful": [{"Id": n} for n in ids if n not in codes]} | ({"Failed": failed} if failed else {})


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    queue = Queue()
    monkeypatch.setattr(process_fn, "client", {"sqs": queue}.__getitem__)
    monkeypatch.setenv("STORE_QUEUE", "https://queue")
    return queue


def of_bus(detail: object) -> dict[str, Any]:
    """Return what a rule of EventBridge puts into a queue."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "order.created",
        "source": "events.ingest",
        "account": "123456789012",
        "time": "2026-11-22T09:30:01Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": detail,
    }


def numbered(number: int, **changes: object) -> dict[str, Any]:
    return of_bus(message(id=f"order-{number:04}", **changes))


def test_an_event_is_handed_on_with_what_is_added(aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="store")["QueueUrl"]
    monkeypatch.setenv("STORE_QUEUE", url)

    reply = call(process_fn.handler, of_queue(of_bus(message())))

    assert reply.value == failures()
    [sent] = sqs.receive_message(QueueUrl=url)["Messages"]
    body = json.loads(sent["Body"])
    assert body["metadata"].pop("processed_at").endswith("Z")
    assert body == {"event": READ_EVENT, "metadata": METADATA | {"category": "order"}}


def test_messages_are_sent_ten_at_a_time(queue: Queue) -> None:
    assert call(process_fn.handler, of_queue(*map(numbered, range(25)))).value == failures()
    assert [len(request) for request in queue.requests] == [10, 10, 5]


def test_large_messages_are_sent_in_requests_that_the_queue_takes(queue: Queue) -> None:
    large = [numbered(number, data={"text": "x" * 60_000}) for number in range(10)]

    assert call(process_fn.handler, of_queue(*large)).value == failures()
    assert [len(request) for request in queue.requests] == [4, 4, 2]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "invalid_json"),
        ([], "invalid_message"),
        (of_bus(None), "invalid_message"),
        (of_bus({"event": EVENT}), "invalid_message"),
        (of_bus({"event": EVENT, "metadata": {"correlation_id": REQUEST_ID}}), "invalid_message"),
        (of_bus({"event": EVENT, "metadata": METADATA | {"correlation_id": 17}}), "invalid_message"),
        (of_bus({"event": EVENT | {"more": 1}, "metadata": METADATA}), "unknown_field"),
        (message(), "invalid_message"),
    ],
)
def test_a_message_that_cannot_be_read_stays_in_the_queue_alone(body: object, code: str, queue: Queue) -> None:
    reply = call(process_fn.handler, of_queue(numbered(0), body, numbered(2)))

    assert reply.value == failures("m1")
    assert queue.requests == [["order-0000", "order-0002"]]
    [warning] = [facts(entry) for entry in reply.logs if entry["level"] == "WARNING"]
    assert warning["message"] == "refused"
    assert (warning["message_id"], warning["problems"]) == ("m1", [code])


def test_a_message_that_could_not_be_sent_stays_in_the_queue_alone(queue: Queue) -> None:
    queue.refused = {"order-0001": "InternalError"}

    reply = call(process_fn.handler, of_queue(*map(numbered, range(3))))

    assert reply.value == failures("m1")
    [warning] = [facts(entry) for entry in reply.logs if entry["level"] == "WARNING"]
    assert warning == {
        "level": "WARNING",
        "message": "not sent",
        "correlation_id": LAMBDA_ID,
        "events": 1,
        "codes": ["InternalError"],
    }


def test_a_request_that_fails_keeps_its_messages_in_the_queue_and_no_others(queue: Queue) -> None:
    queue.refused = {"order-0003": refused_by_aws("RequestThrottled")}

    reply = call(process_fn.handler, of_queue(*map(numbered, range(12))))

    assert reply.value == failures(*(f"m{number}" for number in range(10)))
    assert queue.requests[1] == ["order-0010", "order-0011"]


def test_a_connection_that_fails_is_no_different(aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**_: Any) -> None:
        raise BotoCoreError

    failing = Failing(aws("sqs"), "send_message_batch", unreachable)
    monkeypatch.setattr(process_fn, "client", lambda _: failing)
    monkeypatch.setenv("STORE_QUEUE", "https://queue")

    assert call(process_fn.handler, of_queue(numbered(0))).value == failures("m0")


def test_what_there_is_no_time_for_stays_in_the_queue(queue: Queue) -> None:
    reply = call(process_fn.handler, of_queue(numbered(0)), context(batch.RESERVE_MILLISECONDS - 1))

    assert reply.value == failures("m0")
    assert queue.requests == []


@pytest.mark.parametrize("event", [None, {}, {"Records": {}}, {"Records": [{"messageId": "m0"}]}, {"Records": [1]}])
def test_what_is_no_batch_of_a_queue_fails_as_a_whole(event: object) -> None:
    with pytest.raises(TypeError, match=r"^(not an event of an SQS queue|a record is no SQS message)$"):
        process_fn.handler(event, context())


def test_each_line_has_the_correlation_id_of_its_message(queue: Queue) -> None:
    other = "3f0d3b54-2f64-4a9f-9d37-0a1a3a3a3a3a"
    second = of_bus({"event": EVENT | {"id": "order-0002"}, "metadata": METADATA | {"correlation_id": other}})

    reply = call(process_fn.handler, of_queue(numbered(1), second, "{"))

    assert len(queue.requests) == 1
    assert [(entry["message"], entry["correlation_id"]) for entry in reply.logs] == [
        ("processed", REQUEST_ID),
        ("processed", other),
        ("refused", LAMBDA_ID),
        ("batch", LAMBDA_ID),
    ]
    assert facts(reply.logs[-1])["records"] == 3
