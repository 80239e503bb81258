"""The way of an event through all functions, over the bus and the queues of an AWS in this process."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.handlers.event_functions import (
    EVENT,
    METADATA,
    REQUEST_ID,
    Failing,
    Reply,
    aws,
    batch,
    call,
    ingest_fn,
    message,
    post,
    process_fn,
    refused_by_aws,
    store_fn,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]

SOURCE = "events.ingest"
MAX_RECEIVE_COUNT = 3


class Pipeline:
    """Bus, rule, two queues with one dead-letter queue each, table; and Lambda's part for the queues."""

    def __init__(self, aws: Callable[[str], Any]) -> None:
        self.sqs, self.events, self.table = aws("sqs"), aws("events"), aws("dynamodb")
        self.urls = {name: self._queue(name) for name in ("process-dlq", "store-dlq")}
        self.urls |= {name: self._queue(name, f"{name}-dlq") for name in ("process", "store")}
        self.events.create_event_bus(Name="events-dev")
        pattern = json.dumps({"source": [SOURCE]})
        self.events.put_rule(Name="to-process", EventBusName="events-dev", EventPattern=pattern)
        target = {"Id": "process", "Arn": self._arn("process")}
        self.events.put_targets(Rule="to-process", EventBusName="events-dev", Targets=[target])
        self.table.create_table(
            TableName="events-dev",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def _queue(self, name: str, dead_letters: str | None = None) -> str:
        attributes = {"VisibilityTimeout": "0"}
        if dead_letters:
            policy = {"deadLetterTargetArn": self._arn(dead_letters), "maxReceiveCount": MAX_RECEIVE_COUNT}
            attributes["RedrivePolicy"] = json.dumps(policy)
        return str(self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def _arn(self, name: str) -> str:
        url = self.urls[name]
        return str(self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])

    def receive(self, name: str) -> list[dict[str, Any]]:
        names = ["ApproximateReceiveCount"]
        found = self.sqs.receive_message(QueueUrl=self.urls[name], MaxNumberOfMessages=10, AttributeNames=names)
        return list(found.get("Messages", []))

    def deliver(self, name: str, handler: Callable[[object, object], Any]) -> Reply | None:
        """Give one batch of a queue to a function and delete what it has done, as an event source mapping does."""
        received = self.receive(name)
        if not received:
            return None
        records = [
            {
                "messageId": found["MessageId"],
                "receiptHandle": found["ReceiptHandle"],
                "body": found["Body"],
                "attributes": found["Attributes"],
            }
            for found in received
        ]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SOURCE_QUEUE", self.urls[name])
            reply = call(handler, {"Records": records})
        kept = {failure["itemIdentifier"] for failure in reply.value["batchItemFailures"]}
        for found in received:
            if found["MessageId"] not in kept:
                self.sqs.delete_message(QueueUrl=self.urls[name], ReceiptHandle=found["ReceiptHandle"])
        return reply

    def run(self) -> list[dict[str, Any]]:
        """Deliver until both queues are empty; return what was logged."""
        logs: list[dict[str, Any]] = []
        for name, handler in (("process", process_fn.handler), ("store", store_fn.handler)):
            while reply := self.deliver(name, handler):
                logs += reply.logs
        return logs

    def stored(self) -> list[str]:
        return sorted(item["pk"]["S"] for item in self.table.scan(TableName="events-dev")["Items"])


@pytest.fixture
def pipeline(aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    pipeline = Pipeline(aws)
    monkeypatch.setattr(batch, "REFUSED_SECONDS", 0)
    monkeypatch.setattr(batch, "BACKOFF_SECONDS", 0)
    for name, value in (
        ("EVENT_BUS", "events-dev"),
        ("SOURCE", SOURCE),
        ("STORE_QUEUE", pipeline.urls["store"]),
        ("TABLE_NAME", "events-dev"),
    ):
        monkeypatch.setenv(name, value)
    return pipeline


def numbered(number: int) -> dict[str, Any]:
    return EVENT | {"id": f"order-{number:04}"}


def test_an_event_goes_all_the_way_under_one_correlation_id(pipeline: Pipeline) -> None:
    reply = call(ingest_fn.handler, post(EVENT))

    logs = reply.logs + pipeline.run()

    assert reply.value["statusCode"] == 202
    assert pipeline.stored() == ["order-4711"]
    way = [entry["service"] for entry in logs if entry["correlation_id"] == REQUEST_ID]
    assert way == ["ingest_fn", "process_fn", "store_fn"]


def test_a_duplicate_is_stored_once(pipeline: Pipeline) -> None:
    for _ in range(2):
        assert call(ingest_fn.handler, post([numbered(1), numbered(2)])).value["statusCode"] == 202

    logs = pipeline.run()

    assert pipeline.stored() == ["order-0001", "order-0002"]
    assert [entry["message"] for entry in logs if entry["service"] == "store_fn"].count("duplicate") == 2


@pytest.mark.parametrize(
    "detail",
    [{"card": "unreadable"}, message(id="short"), {"event": EVENT | {"data": 17}, "metadata": METADATA}],
)
def test_a_poison_message_ends_in_the_dead_letter_queue_and_holds_nothing_up(
    detail: dict[str, Any], pipeline: Pipeline
) -> None:
    poison = {"EventBusName": "events-dev", "Source": SOURCE, "DetailType": "x.y", "Detail": json.dumps(detail)}
    pipeline.events.put_events(Entries=[poison])
    call(ingest_fn.handler, post(numbered(1)))

    logs = pipeline.run()

    assert pipeline.stored() == ["order-0001"]
    assert [entry["message"] for entry in logs].count("refused") == MAX_RECEIVE_COUNT
    [dead] = pipeline.receive("process-dlq")
    assert json.loads(dead["Body"])["detail"] == detail
    assert pipeline.receive("store-dlq") == []


def test_another_event_with_a_stored_id_ends_in_the_dead_letter_queue(pipeline: Pipeline) -> None:
    call(ingest_fn.handler, post(EVENT))
    call(ingest_fn.handler, post(EVENT | {"data": {"total": 13}}))

    pipeline.run()

    assert pipeline.stored() == ["order-4711"]
    [dead] = pipeline.receive("store-dlq")
    assert json.loads(dead["Body"])["event"]["data"] == {"total": 13}


def test_a_message_is_hidden_while_it_backs_off(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    def put_item(**_: Any) -> Any:
        raise refused_by_aws("ThrottlingException")

    monkeypatch.setattr(batch, "BACKOFF_SECONDS", 30)
    monkeypatch.setattr(store_fn, "client", lambda _: Failing(pipeline.table, "put_item", put_item))
    call(ingest_fn.handler, post(numbered(1)))

    logs = pipeline.run()

    assert [entry["message"] for entry in logs].count("retried later") == 1
    names = ["ApproximateNumberOfMessagesNotVisible"]
    found = pipeline.sqs.get_queue_attributes(QueueUrl=pipeline.urls["store"], AttributeNames=names)
    assert found["Attributes"] == {names[0]: "1"}


def test_a_throttled_table_loses_nothing(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[str] = Counter()

    def put_item(**arguments: Any) -> Any:
        id_ = arguments["Item"]["pk"]["S"]
        calls[id_] += 1
        if calls[id_] < MAX_RECEIVE_COUNT:
            raise refused_by_aws("ThrottlingException")
        return pipeline.table.put_item(**arguments)

    monkeypatch.setattr(store_fn, "client", lambda _: Failing(pipeline.table, "put_item", put_item))
    events = [numbered(number) for number in range(25)]
    assert call(ingest_fn.handler, post(events)).value["statusCode"] == 202

    pipeline.run()

    assert set(calls.values()) == {MAX_RECEIVE_COUNT}
    assert pipeline.stored() == [event["id"] for event in events]
    assert pipeline.receive("store-dlq") == []
