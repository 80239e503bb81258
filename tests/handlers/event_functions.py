"""The functions of the events stack, an AWS in this process for them, and what they write."""

from __future__ import annotations

import contextlib
import io
import json
import random
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

LAYER = Path(__file__).parent.parent.parent / "lambda_src" / "events_layer" / "python"
if str(LAYER) not in sys.path:
    sys.path.append(str(LAYER))  # where Lambda has it too: after the function's own folder

from events_shared import api, batch, clients, errors, logs, schema  # noqa: E402

from lambda_src.auth_fn import handler as auth_fn  # noqa: E402
from lambda_src.ingest_fn import handler as ingest_fn  # noqa: E402
from lambda_src.process_fn import handler as process_fn  # noqa: E402
from lambda_src.store_fn import handler as store_fn  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "api",
    "auth_fn",
    "aws",
    "batch",
    "clients",
    "errors",
    "ingest_fn",
    "logs",
    "process_fn",
    "schema",
    "store_fn",
    "visibility",
]

REGION = "eu-central-1"
REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
LAMBDA_ID = "8e1bfc21-52a6-4d5c-a2f0-5d3a1bbbcafe"
RECEIVED_AT = "2026-11-22T09:30:01.000Z"
SECRET = "9d1f-card-of-a-caller"
"""Stands in the data of every event and must never be logged."""
EVENT = {
    "id": "order-4711",
    "type": "order.created",
    "occurred_at": "2026-11-22T10:30:00+01:00",
    "data": {"total": 12.5, "note": SECRET},
}
READ_EVENT = EVENT | {"occurred_at": "2026-11-22T09:30:00.000Z"}
METADATA = {"correlation_id": REQUEST_ID, "received_at": RECEIVED_AT}


class Reply(NamedTuple):
    """What a function answered, and the lines it wrote."""

    value: Any
    logs: list[dict[str, Any]]


def context(milliseconds: int = 30_000) -> SimpleNamespace:
    return SimpleNamespace(aws_request_id=LAMBDA_ID, get_remaining_time_in_millis=lambda: milliseconds)


def call(handler: Callable[[object, object], Any], event: object, given: object = None) -> Reply:
    """Call a function; nothing of an event's data may appear in what it writes."""
    written = io.StringIO()
    with contextlib.redirect_stdout(written), contextlib.redirect_stderr(written):
        value = handler(event, context() if given is None else given)
    assert SECRET not in written.getvalue()
    return Reply(value, [json.loads(line) for line in written.getvalue().splitlines()])


def facts(entry: dict[str, Any]) -> dict[str, Any]:
    """Return what is particular to a line."""
    common = ("timestamp", "service", "region", "stack", "_aws", "FunctionName")
    return {name: value for name, value in entry.items() if name not in common}


def refused_by_aws(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"refused: {SECRET}"}}, "Any")


def post(body: object, /, **changes: Any) -> dict[str, Any]:
    """Return an event as API Gateway sends it; a body that is not text is written as JSON."""
    return {
        "httpMethod": "POST",
        "path": "/events",
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "requestContext": {"requestId": REQUEST_ID},
        "body": body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    } | changes


def of_queue(*bodies: object, receives: int = 1) -> dict[str, Any]:
    """Return a batch as Lambda reads it from a queue; the messages are named m0, m1 and so on."""
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return {
        "Records": [
            {
                "messageId": f"m{at}",
                "receiptHandle": f"handle-of-m{at}",
                "body": text,
                "attributes": {"ApproximateReceiveCount": str(receives)},
                "eventSource": "aws:sqs",
            }
            for at, text in enumerate(texts)
        ]
    }


def failures(*ids: str) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in ids]}


def message(**changes: object) -> dict[str, Any]:
    return {"event": READ_EVENT | changes, "metadata": METADATA}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Return what gives clients of an AWS in this process, which is empty; making each takes longer than a test."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "made-up"),
        ("AWS_SECRET_ACCESS_KEY", "made-up"),
        ("AWS_REGION", REGION),
    ):
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield clients.client


class Visibility:
    """SQS that records the visibility timeouts of failed messages, and refuses changes as it is told to."""

    def __init__(self) -> None:
        self.changes: dict[str, int] = {}
        self.answer: str | Exception | None = None

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == "https://source"
        assert 1 <= len(Entries) <= 10
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer:
            return {"Failed": [{"Id": entry["Id"], "Code": self.answer, "SenderFault": False} for entry in Entries]}
        self.changes |= {
            entry["ReceiptHandle"].removeprefix("handle-of-"): entry["VisibilityTimeout"] for entry in Entries
        }
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}


@pytest.fixture
def visibility(monkeypatch: pytest.MonkeyPatch) -> Visibility:
    """Return what records visibility timeouts; the backoff has no jitter."""
    visibility = Visibility()
    monkeypatch.setattr(batch, "client", {"sqs": visibility}.__getitem__)
    monkeypatch.setattr(random, "uniform", lambda _, high: high)
    monkeypatch.setenv("SOURCE_QUEUE", "https://source")
    return visibility


class Failing:
    """A client one of whose calls fails as it is told to, and whose other calls are real."""

    def __init__(self, client: Any, call: str, answers: Callable[..., Any]) -> None:
        self._client = client
        setattr(self, call, answers)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)
