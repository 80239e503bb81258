"""What is stored, that it is stored once, and what stays in the queue."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.handlers.event_functions import (
    LAMBDA_ID,
    METADATA,
    REQUEST_ID,
    SECRET,
    Failing,
    aws,
    call,
    context,
    facts,
    failures,
    message,
    of_queue,
    refused_by_aws,
    store_fn,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]

TABLE = "events-dev"


@pytest.fixture
def table(aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    client = aws("dynamodb")
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    monkeypatch.setenv("TABLE_NAME", TABLE)
    monkeypatch.delenv("TTL_DAYS", raising=False)
    return client


def items(table: Any) -> list[dict[str, Any]]:
    return sorted(table.scan(TableName=TABLE)["Items"], key=lambda item: str(item["pk"]))


def processed(**changes: object) -> dict[str, Any]:
    more = {"category": "order", "processed_at": "2026-11-22T09:30:02.000Z"}
    return message(**changes) | {"metadata": METADATA | more}


def numbered(number: int) -> dict[str, Any]:
    return processed(id=f"order-{number:04}")


@pytest.mark.parametrize(("days", "expected"), [(None, 90), ("7", 7)])
def test_an_event_is_stored_with_its_end_of_life(
    days: str | None, expected: int, table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if days:
        monkeypatch.setenv("TTL_DAYS", days)

    begun = int(time.time())
    assert call(store_fn.handler, of_queue(processed())).value == failures()

    [item] = items(table)
    assert item.pop("stored_at")["S"].endswith("Z")
    assert begun <= int(item.pop("expires_at")["N"]) - expected * 86_400 <= time.time()
    assert {name: value["S"] for name, value in item.items()} == {
        "pk": "order-4711",
        "type": "order.created",
        "category": "order",
        "occurred_at": "2026-11-22T09:30:00.000Z",
        "data": f'{{"note":"{SECRET}","total":12.5}}',
        "correlation_id": REQUEST_ID,
        "received_at": "2026-11-22T09:30:01.000Z",
        "processed_at": "2026-11-22T09:30:02.000Z",
    }


def test_an_event_that_comes_again_is_stored_once(table: Any) -> None:
    later = processed() | {"metadata": METADATA | {"received_at": "2026-11-22T09:31:00.000Z"}}
    first = call(store_fn.handler, of_queue(processed(), processed()))
    again = call(store_fn.handler, of_queue(later))

    assert (first.value, again.value) == (failures(), failures())
    assert [entry["message"] for entry in first.logs + again.logs] == [
        "stored",
        "duplicate",
        "batch",
        "duplicate",
        "batch",
    ]
    [item] = items(table)
    assert item["received_at"] == {"S": METADATA["received_at"]}


@pytest.mark.parametrize(
    "changes", [{"data": {}}, {"type": "order.closed"}, {"occurred_at": "2026-11-22T09:30:00.001Z"}]
)
def test_another_event_with_the_same_id_is_not_lost(changes: dict[str, Any], table: Any) -> None:
    call(store_fn.handler, of_queue(processed()))

    reply = call(store_fn.handler, of_queue(processed(**changes)))

    assert reply.value == failures("m0")
    assert facts(reply.logs[0])["problems"] == ["id_in_use"]
    assert items(table)[0]["data"] == {"S": f'{{"note":"{SECRET}","total":12.5}}'}


def test_the_order_of_the_keys_makes_no_difference(table: Any) -> None:
    call(store_fn.handler, of_queue(processed()))

    assert call(store_fn.handler, of_queue(processed(data={"note": SECRET, "total": 12.5}))).value == failures()
    assert len(items(table)) == 1


@pytest.mark.parametrize("body", ["{", {"event": {}, "metadata": METADATA}, {"detail": message()}])
def test_a_poison_message_stays_in_the_queue_and_the_rest_is_stored(body: object, table: Any) -> None:
    assert call(store_fn.handler, of_queue(numbered(0), body, numbered(2))).value == failures("m1")
    assert [item["pk"]["S"] for item in items(table)] == ["order-0000", "order-0002"]


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ProvisionedThroughputExceededException", "InternalServerError"]
)
def test_a_throttled_table_loses_nothing(code: str, table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    throttled = {"order-0001", "order-0003"}

    def put_item(**arguments: Any) -> Any:
        if arguments["Item"]["pk"]["S"] in throttled:
            raise refused_by_aws(code)
        return table.put_item(**arguments)

    monkeypatch.setattr(store_fn, "client", lambda _: Failing(table, "put_item", put_item))
    batch = of_queue(*map(numbered, range(5)))

    reply = call(store_fn.handler, batch)
    assert reply.value == failures("m1", "m3")
    assert [item["pk"]["S"] for item in items(table)] == ["order-0000", "order-0002", "order-0004"]
    assert [facts(entry)["error_code"] for entry in reply.logs if entry["level"] == "ERROR"] == [code] * 2

    throttled.clear()
    again = {"Records": [record for record in batch["Records"] if record["messageId"] in ("m1", "m3")]}
    assert call(store_fn.handler, again).value == failures()
    assert len(items(table)) == 5


def test_what_there_is_no_time_for_stays_in_the_queue(table: Any) -> None:
    reply = call(store_fn.handler, of_queue(numbered(0), numbered(1)), context(milliseconds=100))

    assert reply.value == failures("m0", "m1")
    assert [entry["message"] for entry in reply.logs] == ["put back", "put back", "batch"]
    assert items(table) == []


def test_a_line_for_each_event_and_one_for_the_batch(table: Any) -> None:
    reply = call(store_fn.handler, of_queue(numbered(0), "{"))

    assert len(items(table)) == 1
    assert [facts(entry) for entry in reply.logs] == [
        {"level": "INFO", "message": "stored", "correlation_id": REQUEST_ID, "message_id": "m0"},
        {
            "level": "WARNING",
            "message": "refused",
            "correlation_id": LAMBDA_ID,
            "message_id": "m1",
            "problems": ["invalid_json"],
        },
        {"level": "INFO", "message": "batch", "correlation_id": LAMBDA_ID, "records": 2, "failed": 1},
    ]
    assert {entry["service"] for entry in reply.logs} == {"store_fn"}
    assert json.dumps(reply.logs).count("eu-central-1") == 3
