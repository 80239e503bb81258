"""docs/examples/resend.py, the way back from dead-letter queues whose source is not an SQS queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from docs.examples import resend

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENT = '{"source": "shop.orders"}'
ARN = "arn:aws:sqs:eu-west-1:123456789012:jobs"
LIVE = "arn:aws:lambda:eu-west-1:123456789012:function:worker:live"


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("sqs")


def bodies(sqs: Any, url: str) -> list[str]:
    return [message["Body"] for message in sqs.receive_message(QueueUrl=url).get("Messages", [])]


def test_events_return_to_the_target_that_the_message_names(sqs: Any) -> None:
    jobs, dead = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("jobs", "dead"))
    target = {"TARGET_ARN": {"DataType": "String", "StringValue": ARN}}
    sqs.send_message(QueueUrl=dead, MessageBody=EVENT, MessageAttributes=target)
    assert resend.resend(dead) == 1
    assert (bodies(sqs, jobs), bodies(sqs, dead)) == ([EVENT], [])


def test_failed_invocations_return_to_the_function(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    for _ in range(12):
        sqs.send_message(QueueUrl=dead, MessageBody=EVENT)
    invoked: list[dict[str, Any]] = []

    class Lambda:
        def invoke(self, **arguments: Any) -> None:
            invoked.append(arguments)

    monkeypatch.setattr(boto3, "client", lambda name: sqs if name == "sqs" else Lambda())
    assert resend.resend(dead, LIVE) == 12
    assert invoked == [{"FunctionName": LIVE, "InvocationType": "Event", "Payload": EVENT.encode()}] * 12


def test_a_message_that_cannot_be_delivered_stays(sqs: Any) -> None:
    dead = sqs.create_queue(QueueName="dead", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    sqs.send_message(QueueUrl=dead, MessageBody=EVENT)
    with pytest.raises(SystemExit, match="expected the ARN of a queue or function"):
        resend.resend(dead, "arn:aws:events:eu-west-1:123456789012:event-bus/theirs")
    assert bodies(sqs, dead) == [EVENT]
