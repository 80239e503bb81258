"""What is sent to the next queue, with what metadata, and what stays in the queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import NoCredentialsError, ReadTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.handlers.event_functions import (
    EVENT,
    LAMBDA_ID,
    METADATA,
    READ_EVENT,
    REQUEST_ID,
    Visibility,
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
    visibility,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws", "visibility"]


class Queue:
    """Takes messages but those with these ids; a request with nothing but such an id fails as a whole."""

    def __init__(self) -> None:
        self.requests: list[list[str]] = []
        self.refused: dict[str, str | Exception] = {}
        self.sender_fault = False

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == "https://queue"
        ids = {entry["Id"]: json.loads(entry["MessageBody"])["event"]["id"] for entry in Entries}
        self.requests.append(list(ids.values()))
        codes = {number: self.refused[id_] for number, id_ in ids.items() if id_ in self.refused}
        for code in codes.values():
            if isinstance(code, Exception):
                raise code
        failed = [{"Id": number, "Code": code, "SenderFault": self.sender_fault} for number, code in codes.items()]
        return {"Successful": [{"Id": n} for n in ids if n not in codes]} | ({"Failed": failed} if failed else {})


@pytest.fixture
def queue(visibility: Visibility, monkeypatch: pytest.MonkeyPatch) -> Queue:
    assert visibility.changes == {}
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
def test_a_message_that_cannot_be_read_stays_in_the_queue_alone(
    body: object, code: str, queue: Queue, visibility: Visibility
) -> None:
    reply = call(process_fn.handler, of_queue(numbered(0), body, numbered(2)))

    assert reply.value == failures("m1")
    assert queue.requests == [["order-0000", "order-0002"]]
    [warning] = [facts(entry) for entry in reply.logs if entry["level"] == "WARN"]
    assert warning["message"] == "refused"
    assert (warning["message_id"], warning["problems"]) == ("m1", [code])
    assert visibility.changes == {"m1": 10}


def test_a_message_that_could_not_be_sent_is_retried_later_alone(queue: Queue, visibility: Visibility) -> None:
    queue.refused = {"order-0001": "InternalError"}

    reply = call(process_fn.handler, of_queue(*map(numbered, range(3)), receives=3))

    assert (reply.value, visibility.changes) == (failures("m1"), {"m1": 120})
    [warning] = [facts(entry) for entry in reply.logs if entry["level"] == "WARN"]
    assert warning == {
        "level": "WARN",
        "message": "retried later",
        "correlation_id": LAMBDA_ID,
        "message_id": "m1",
        "error_code": "InternalError",
        "receives": 3,
    }


def test_a_message_that_the_queue_refuses_is_a_fault(queue: Queue) -> None:
    queue.refused = {"order-0001": "InvalidMessageContents"}
    queue.sender_fault = True

    reply = call(process_fn.handler, of_queue(*map(numbered, range(3))))

    assert reply.value == failures("m1")
    [fault] = [facts(entry) for entry in reply.logs if entry["level"] == "ERROR"]
    assert (fault["message_id"], fault["error_code"], fault["Faults"]) == ("m1", "InvalidMessageContents", 1)


def test_a_request_that_fails_keeps_its_messages_in_the_queue_and_no_others(queue: Queue) -> None:
    queue.refused = {"order-0003": refused_by_aws("RequestThrottled")}

    reply = call(process_fn.handler, of_queue(*map(numbered, range(12))))

    assert reply.value == failures(*(f"m{number}" for number in range(10)))
    assert queue.requests[1] == ["order-0010", "order-0011"]


def test_a_connection_that_fails_is_retried_later(queue: Queue, visibility: Visibility) -> None:
    queue.refused = {"order-0000": ReadTimeoutError(endpoint_url="https://queue")}

    reply = call(process_fn.handler, of_queue(numbered(0)))

    assert (reply.value, visibility.changes) == (failures("m0"), {"m0": 30})
    assert [entry["level"] for entry in reply.logs] == ["INFO", "WARN", "INFO"]


@pytest.mark.parametrize(
    "error", [refused_by_aws("AccessDenied"), refused_by_aws("QueueDoesNotExist"), NoCredentialsError()], ids=str
)
def test_a_fault_of_every_message_is_an_error_of_the_function(
    error: Exception, queue: Queue, visibility: Visibility, capsys: pytest.CaptureFixture[str]
) -> None:
    queue.refused = {"order-0000": error, "order-0001": error}

    with pytest.raises(batch.BatchError, match=r"^no message of the batch could be processed$"):
        process_fn.handler(of_queue(numbered(0), numbered(1)), context())

    assert visibility.changes == {"m0": 30, "m1": 30}
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["Faults"] for entry in lines if entry["level"] == "ERROR"] == [1, 1]


def test_a_missing_variable_is_a_fault(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STORE_QUEUE")

    with pytest.raises(batch.BatchError):
        process_fn.handler(of_queue(numbered(0)), context())
    assert queue.requests == []


def test_what_there_is_no_time_for_stays_in_the_queue(queue: Queue, visibility: Visibility) -> None:
    reply = call(process_fn.handler, of_queue(numbered(0)), context(10_999))

    assert reply.value == failures("m0")
    assert (queue.requests, visibility.changes) == ([], {})


def test_messages_that_there_is_no_time_to_send_stay_in_the_queue(
    queue: Queue, visibility: Visibility, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter([30_000] * 12 + [11_000, 10_999])
    given = context()
    monkeypatch.setattr(given, "get_remaining_time_in_millis", lambda: next(left))

    reply = call(process_fn.handler, of_queue(*map(numbered, range(12))), given)

    assert reply.value == failures("m10", "m11")
    assert ([len(request) for request in queue.requests], visibility.changes) == ([10], {})


@pytest.mark.parametrize("answer", ["InternalError", refused_by_aws("AccessDenied"), None])
def test_a_backoff_that_fails_leaves_the_message_in_the_queue(
    answer: str | Exception | None, queue: Queue, visibility: Visibility, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.refused = {"order-0001": "InternalError"}
    visibility.answer = answer
    if answer is None:
        monkeypatch.delenv("SOURCE_QUEUE")

    reply = call(process_fn.handler, of_queue(*map(numbered, range(3))))

    assert reply.value == failures("m1")
    assert (reply.logs[-1]["message"], reply.logs[-1]["Faults"]) == ("no backoff", 1)


@given(data=st.data())
@settings(deadline=None, max_examples=50)
def test_every_event_is_sent_however_often_the_queue_fails_or_the_answer_is_lost(data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "client", {"sqs": Visibility()}.__getitem__)
        patch.setenv("SOURCE_QUEUE", "https://source")
        patch.setenv("STORE_QUEUE", "https://queue")
        queue = Queue()
        patch.setattr(process_fn, "client", {"sqs": queue}.__getitem__)
        waiting = {f"m{number}" for number in range(data.draw(st.integers(1, 25)))}
        wanted = {f"order-{int(name[1:]):04}" for name in waiting}
        for last in (False, False, True):
            names = data.draw(st.permutations(sorted(waiting)))
            refused = set() if last else data.draw(st.sets(st.sampled_from(sorted(wanted))))
            queue.refused = dict.fromkeys(refused, "InternalError")
            given_batch = of_queue(*(numbered(int(name[1:])) for name in names))
            for record, name in zip(given_batch["Records"], names, strict=True):
                record["messageId"] = name
            kept = {one["itemIdentifier"] for one in process_fn.handler(given_batch, context())["batchItemFailures"]}
            assert {f"order-{int(name[1:]):04}" for name in kept} == refused & {
                f"order-{int(name[1:]):04}" for name in waiting
            }
            if last or data.draw(st.booleans(), label="the answer arrives"):
                waiting = kept
            if not waiting:
                break

    assert {id_ for request in queue.requests for id_ in request} == wanted
    assert not waiting


@pytest.mark.parametrize("event", [None, {}, {"Records": {}}, {"Records": [{"messageId": "m0"}]}, {"Records": [1]}])
def test_what_is_no_batch_of_a_queue_fails_as_a_whole(event: object) -> None:
    with pytest.raises(TypeError, match=r"^(not an event of an SQS queue|a record is not an SQS message)$"):
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
