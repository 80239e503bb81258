"""What is stored, that it is stored once, and what stays in the queue."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.handlers.event_functions import (
    LAMBDA_ID,
    METADATA,
    REQUEST_ID,
    SECRET,
    Failing,
    Visibility,
    aws,
    batch,
    call,
    context,
    facts,
    failures,
    message,
    of_queue,
    refused_by_aws,
    schema,
    store_fn,
    visibility,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws", "visibility"]

TABLE = "events-dev"


@pytest.fixture
def table(aws: Callable[[str], Any], visibility: Visibility, monkeypatch: pytest.MonkeyPatch) -> Any:
    assert visibility.changes == {}
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


def with_amount(amount: str) -> str:
    """Return a message whose data is an amount, as text: a float would not have its digits."""
    return json.dumps(processed(data={"amount": 0})).replace('"amount": 0', f'"amount": {amount}')


def test_an_amount_keeps_all_its_digits(table: Any) -> None:
    assert call(store_fn.handler, of_queue(with_amount("12345678901234567.89"))).value == failures()
    assert items(table)[0]["data"] == {"S": '{"amount":12345678901234567.89}'}


@pytest.mark.parametrize(
    ("amount", "same"),
    [
        ("12345678901234567.89", True),
        ("12345678901234567.890", True),
        ("12345678901234567.88", False),
        ("1.2345678901234568e+16", False),
        ('"12345678901234567.89"', False),
    ],
)
def test_amounts_are_compared_exactly(amount: str, same: bool, table: Any) -> None:  # noqa: FBT001
    call(store_fn.handler, of_queue(with_amount("12345678901234567.89")))

    reply = call(store_fn.handler, of_queue(with_amount(amount)))

    assert reply.value == (failures() if same else failures("m0"))
    assert items(table)[0]["data"] == {"S": '{"amount":12345678901234567.89}'}


def test_an_event_that_was_stored_with_a_float_is_still_a_duplicate(table: Any) -> None:
    call(store_fn.handler, of_queue(with_amount("12.5")))

    assert call(store_fn.handler, of_queue(with_amount("12.50"))).value == failures()
    assert len(items(table)) == 1


def test_an_item_without_data_is_another_event(table: Any) -> None:
    item = {"pk": "order-4711", "type": "order.created", "occurred_at": "2026-11-22T09:30:00.000Z"}
    table.put_item(TableName=TABLE, Item={name: {"S": text} for name, text in item.items()})

    assert call(store_fn.handler, of_queue(processed())).value == failures("m0")


def test_the_order_of_the_keys_makes_no_difference(table: Any) -> None:
    call(store_fn.handler, of_queue(processed()))

    assert call(store_fn.handler, of_queue(processed(data={"note": SECRET, "total": 12.5}))).value == failures()
    assert len(items(table)) == 1


@pytest.mark.parametrize("body", ["{", {"event": {}, "metadata": METADATA}, {"detail": message()}])
def test_a_poison_message_is_received_again_soon_and_the_rest_is_stored(
    body: object, table: Any, visibility: Visibility
) -> None:
    assert call(store_fn.handler, of_queue(numbered(0), body, numbered(2), receives=30)).value == failures("m1")
    assert visibility.changes == {"m1": 10}
    assert [item["pk"]["S"] for item in items(table)] == ["order-0000", "order-0002"]


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ProvisionedThroughputExceededException", "InternalServerError"]
)
def test_a_throttled_table_loses_nothing(
    code: str, table: Any, visibility: Visibility, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    assert visibility.changes == {"m1": 30, "m3": 30}
    assert [entry["error_code"] for entry in reply.logs if entry["level"] == "WARN"] == [code] * 2
    assert not [entry for entry in reply.logs if "_aws" in entry]

    throttled.clear()
    again = {"Records": [record for record in batch["Records"] if record["messageId"] in ("m1", "m3")]}
    assert call(store_fn.handler, again).value == failures()
    assert len(items(table)) == 5


@pytest.mark.parametrize(("receives", "seconds"), [(1, 30), (2, 60), (5, 480), (6, 900), (49, 900)])
def test_the_backoff_grows_with_the_receives(
    receives: int, seconds: int, table: Any, visibility: Visibility, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put_item(**_: Any) -> Any:
        raise refused_by_aws("ThrottlingException")

    monkeypatch.setattr(store_fn, "client", lambda _: Failing(table, "put_item", put_item))

    call(store_fn.handler, of_queue(processed(), receives=receives))
    assert visibility.changes == {"m0": seconds}


def refused(table: Any, monkeypatch: pytest.MonkeyPatch, code: str, *ids: str) -> None:
    """Refuse items with these ids, or all items."""

    def put_item(**arguments: Any) -> Any:
        if not ids or arguments["Item"]["pk"]["S"] in ids:
            raise refused_by_aws(code)
        return table.put_item(**arguments)

    monkeypatch.setattr(store_fn, "client", lambda _: Failing(table, "put_item", put_item))


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"])
def test_a_fault_of_every_message_is_an_error_of_the_function(
    code: str, table: Any, visibility: Visibility, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(table, monkeypatch, code)

    with pytest.raises(batch.BatchError):
        store_fn.handler(of_queue(numbered(0), "{", numbered(1)), context())

    assert visibility.changes == {"m0": 30, "m1": 10, "m2": 30}
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(entry["error_code"], entry["Faults"]) for entry in lines if entry["level"] == "ERROR"] == [(code, 1)] * 2
    assert (lines[-1]["records"], lines[-1]["failed"], lines[-1]["faults"]) == (3, 3, 2)


def test_a_table_that_does_not_exist_is_an_error_of_the_function(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert items(table) == []
    monkeypatch.setenv("TABLE_NAME", "gone")

    with pytest.raises(batch.BatchError):
        store_fn.handler(of_queue(numbered(0)), context())


def test_a_fault_of_some_messages_is_counted_and_the_rest_is_done(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(table, monkeypatch, "ValidationException", "order-0001")

    reply = call(store_fn.handler, of_queue(*map(numbered, range(3))))

    assert reply.value == failures("m1")
    [fault] = [facts(entry) for entry in reply.logs if entry["level"] == "ERROR"]
    assert (fault["message_id"], fault["Faults"], fault["exception"]) == ("m1", 1, "ClientError")


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError"])
def test_a_batch_without_faults_is_not_an_error(code: str, table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(table, monkeypatch, code)

    assert call(store_fn.handler, of_queue(numbered(0), "{")).value == failures("m0", "m1")


def test_what_there_is_no_time_for_stays_in_the_queue(table: Any, visibility: Visibility) -> None:
    reply = call(store_fn.handler, of_queue(numbered(0), numbered(1)), context(milliseconds=10_999))

    assert reply.value == failures("m0", "m1")
    assert [entry["message"] for entry in reply.logs] == ["put back", "put back", "batch"]
    assert (items(table), visibility.changes) == ([], {})


@given(durations=st.lists(st.floats(0, 9), min_size=10, max_size=10))
@settings(deadline=None, max_examples=50)
def test_however_slow_the_table_is_the_function_answers_in_time(durations: list[float]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        table = Table(patch)
        left = [30.0]

        def put_item(**arguments: Any) -> None:
            left[0] -= durations[len(table.items)]
            table.put_item(**arguments)

        patch.setattr(store_fn, "client", lambda _: Failing(table, "put_item", put_item))
        given_context = SimpleNamespace(get_remaining_time_in_millis=lambda: int(left[0] * 1000))
        answer = store_fn.handler(of_queue(*map(numbered, range(10))), given_context)

    assert left[0] >= 2
    assert len(table.items) + len(answer["batchItemFailures"]) == 10


# However it is delivered


class ConflictError(Exception):
    """An item with the key exists."""

    def __init__(self, item: dict[str, Any]) -> None:
        super().__init__()
        self.response = {"Item": item}


class Table:
    """As much of DynamoDB as is called, and the queue's visibility."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.exceptions = SimpleNamespace(ConditionalCheckFailedException=ConflictError)
        patch.setenv("TABLE_NAME", TABLE)
        patch.setenv("SOURCE_QUEUE", "https://source")
        patch.setattr(store_fn, "client", lambda _: self)
        patch.setattr(batch, "client", {"sqs": Visibility()}.__getitem__)

    def put_item(self, *, Item: dict[str, Any], **_: Any) -> None:  # noqa: N803  AWS's name
        key = Item["pk"]["S"]
        if key in self.items:
            raise ConflictError(self.items[key])
        self.items[key] = Item


@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_each_event_is_stored_once_whatever_is_repeated_lost_or_reordered(data: st.DataObject) -> None:
    amounts = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**25), max_value=10**25)
    versions = st.lists(st.tuples(st.integers(0, 3), amounts), min_size=1, max_size=8)
    sent = {
        f"m{at}": (f"order-{number:04}", schema.compact(processed(id=f"order-{number:04}", data={"amount": amount})))
        for at, (number, amount) in enumerate(data.draw(versions))
    }
    first: dict[str, str] = {}
    with pytest.MonkeyPatch.context() as patch:
        table = Table(patch)
        waiting = set(sent)
        for _ in range(4):
            names = data.draw(st.permutations(sorted(waiting)))
            given_batch = of_queue(*(sent[name][1] for name in names))
            for record, name in zip(given_batch["Records"], names, strict=True):
                record["messageId"] = name
            lost = data.draw(st.sets(st.sampled_from(sorted(sent))), label="writes whose answer is lost")

            def put_item(table: Table = table, lost: set[str] = lost, **arguments: Any) -> None:
                table.put_item(**arguments)
                if arguments["Item"]["pk"]["S"] in {sent[name][0] for name in lost}:
                    raise refused_by_aws("InternalServerError")

            patch.setattr(store_fn, "client", lambda _, put=put_item: Failing(table, "put_item", put))
            kept = {one["itemIdentifier"] for one in store_fn.handler(given_batch, context())["batchItemFailures"]}
            for id_, item in table.items.items():
                assert first.setdefault(id_, item["data"]["S"]) == item["data"]["S"]
            for name in waiting - kept:
                # Whatever leaves the queue is what is stored.
                stored = schema.read_json(table.items[sent[name][0]]["data"]["S"])
                given_data = schema.read_json(sent[name][1])["event"]["data"]  # type: ignore[index]
                assert schema.is_same(stored, given_data)
            waiting = kept | data.draw(st.sets(st.sampled_from(sorted(sent))), label="delivered again")
            if not waiting:
                break

    assert table.items.keys() == {id_ for id_, _ in sent.values()}


def test_a_line_for_each_event_and_one_for_the_batch(table: Any) -> None:
    reply = call(store_fn.handler, of_queue(numbered(0), "{"))

    assert len(items(table)) == 1
    assert [facts(entry) for entry in reply.logs] == [
        {"level": "INFO", "message": "stored", "correlation_id": REQUEST_ID, "message_id": "m0"},
        {
            "level": "WARN",
            "message": "refused",
            "correlation_id": LAMBDA_ID,
            "message_id": "m1",
            "problems": ["invalid_json"],
        },
        {"level": "INFO", "message": "batch", "correlation_id": LAMBDA_ID, "records": 2, "failed": 1, "faults": 0},
    ]
    assert {entry["service"] for entry in reply.logs} == {"store_fn"}
    assert json.dumps(reply.logs).count("eu-central-1") == 3
