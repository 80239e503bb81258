"""How many tickets are left: from the cache, from the table, and by how many reads of it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.handlers.ticket_functions import (
    EVENT_ID,
    LAMBDA_ID,
    LAYER,
    PACKAGES,
    REQUEST_ID,
    Redis,
    Reply,
    aws,
    call,
    facts,
    inventory,
    purchase,
    real_redis,
    redis,
    set_remaining,
    table,
    ticket_cache,
)
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["aws", "redis", "table"]

NUMBER = f"tickets:remaining:{EVENT_ID}"
LOCK = f"tickets:lock:{EVENT_ID}"


def get(event_id: object = EVENT_ID, **changes: Any) -> dict[str, Any]:
    return {
        "httpMethod": "GET",
        "path": f"/events/{event_id}/tickets",
        "pathParameters": {"event_id": event_id},
        "headers": {},
        "requestContext": {"requestId": REQUEST_ID},
        "body": None,
    } | changes


def ask(event_id: str = EVENT_ID) -> Reply:
    return call(inventory.handler, get(event_id))


class Reads:
    """A table that counts how often it is read."""

    def __init__(self, table: Any) -> None:
        self.table = table
        self.count = 0

    def get_item(self, **arguments: Any) -> Any:
        assert arguments["ConsistentRead"]
        self.count += 1
        return self.table.get_item(**arguments)


@pytest.fixture
def reads(table: Any, monkeypatch: pytest.MonkeyPatch) -> Reads:
    reads = Reads(table)
    monkeypatch.setattr(inventory, "client", lambda: reads)
    return reads


@pytest.fixture
def cached(reads: Reads, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Redis:
    assert reads.count == 0
    monkeypatch.setenv("CACHE_ENDPOINT", redis.endpoint)
    return redis


def test_the_number_comes_from_the_table_first_and_then_from_the_cache(cached: Redis, reads: Reads) -> None:
    replies = [ask() for _ in range(5)]

    expected = {"event_id": EVENT_ID, "remaining": 100, "request_id": REQUEST_ID}
    assert [(reply.status, reply.body) for reply in replies] == [(200, expected)] * 5
    assert [reply.logs[-1]["origin"] for reply in replies] == ["table", "cache", "cache", "cache", "cache"]
    assert reads.count == 1
    assert set(cached.kept) == {NUMBER}


def test_a_number_is_kept_for_four_to_six_seconds(cached: Redis) -> None:
    times = set()
    for number in range(10):
        cached.kept.clear()
        ask()
        [kept] = [words for words in cached.commands[-5:] if words[:2] == ["SET", NUMBER]]
        assert kept[2:4] == ["100", "PX"], number
        times.add(int(kept[4]))

    assert all(4_000 <= milliseconds <= 6_000 for milliseconds in times)
    assert len(times) > 1


def test_a_purchase_shows_at_once(cached: Redis, reads: Reads) -> None:
    assert ask().body["remaining"] == 100
    body = json.dumps({"event_id": EVENT_ID, "quantity": 2})
    headers = {"Content-Type": "application/json", "Idempotency-Key": "buyer-0000000001"}
    assert purchase.handler({"httpMethod": "POST", "headers": headers, "body": body}, None)["statusCode"] == 201

    assert ask().body["remaining"] == 98
    assert reads.count == 2
    assert set(cached.kept) == {NUMBER}


def together(number: int, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ask from several functions at the same time, each with its connection, on a machine that may be busy."""
    start = threading.Barrier(number)
    monkeypatch.setattr(inventory, "WAIT_SECONDS", 300.0)
    monkeypatch.setattr(inventory, "LOCK_MILLISECONDS", 300_000)
    monkeypatch.setattr(inventory, "FRESH_MILLISECONDS", (300_000, 300_000))
    monkeypatch.setattr(ticket_cache, "CONNECT_SECONDS", 60.0)
    monkeypatch.setattr(ticket_cache, "TIMEOUT_SECONDS", 60.0)

    def one(_: int) -> int:
        cache = ticket_cache.Cache(endpoint, tls=False)
        start.wait()
        found = inventory.through_cache(cast("Any", cache), EVENT_ID)[0]  # the other package's, to the type checker
        cache._close()
        return found

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(one, range(number)))


def test_many_who_ask_at_once_read_the_table_once(cached: Redis, reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    assert together(12, cached.endpoint, monkeypatch) == [100] * 12
    assert reads.count == 1
    assert set(cached.kept) == {NUMBER}


def test_many_who_ask_a_real_server_at_once_read_the_table_once(
    reads: Reads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with real_redis(tmp_path) as endpoint:
        assert together(12, endpoint, monkeypatch) == [100] * 12
        monkeypatch.setenv("CACHE_ENDPOINT", endpoint)
        assert (ask().logs[-1]["origin"], reads.count) == ("cache", 1)


def test_whoever_waits_too_long_reads_the_table(cached: Redis, reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    cached.kept[LOCK] = ("1", time.monotonic() + 3600)
    pauses: list[float] = []
    monkeypatch.setattr(inventory, "time", SimpleNamespace(monotonic=lambda: sum(pauses), sleep=pauses.append))

    assert (ask().body["remaining"], reads.count) == (100, 1)
    assert 0.3 <= sum(pauses) < 0.33
    assert all(0.01 <= pause <= 0.03 for pause in pauses)
    assert NUMBER not in cached.kept


def test_a_number_that_came_while_waiting_for_the_lock_is_used(cached: Redis, reads: Reads) -> None:
    cached.replies = [b"$-1\r\n", b"+OK\r\n", b"$2\r\n42\r\n"]

    assert (ask().body["remaining"], reads.count) == (42, 0)
    assert cached.commands[-1] == ["DEL", LOCK]


@pytest.mark.parametrize("text", ["many", "-2", "", "1.5"])
def test_what_is_no_number_is_replaced(text: str, cached: Redis, reads: Reads) -> None:
    cached.kept[NUMBER] = (text, time.monotonic() + 3600)

    assert (ask().body["remaining"], reads.count) == (100, 1)
    assert cached.kept[NUMBER][0] == "100"


def test_the_number_is_answered_while_the_cache_is_away(
    cached: Redis, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached.fall_silent(monkeypatch)

    replies = [ask() for _ in range(20)]

    assert [reply.body["remaining"] for reply in replies] == [100] * 20
    assert [entry["message"] for entry in replies[0].logs] == ["cache connected", "cache away", "answered"]
    assert {reply.logs[-1]["origin"] for reply in replies} == {"table"}
    wait_for(lambda: cached.commands, "the command's arrival")
    assert (reads.count, cached.commands) == (20, [["GET", NUMBER]])


def test_a_cache_that_goes_away_after_the_read_changes_nothing(cached: Redis, reads: Reads) -> None:
    cached.replies = [
        b"$-1\r\n",
        b"+OK\r\n",
        b"$-1\r\n",
        b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    ]

    assert (ask().body["remaining"], reads.count) == (100, 1)
    assert cached.commands[-1][:2] == ["SET", NUMBER]


def test_without_a_cache_every_request_reads_the_table(reads: Reads) -> None:
    assert [ask().body["remaining"] for _ in range(3)] == [100] * 3
    assert reads.count == 3


def test_many_who_ask_for_an_event_that_does_not_exist_read_the_table_once(cached: Redis, reads: Reads) -> None:
    for reply in [ask("other") for _ in range(5)]:
        assert (reply.status, reply.body["error"]["code"]) == (404, "unknown_event")

    assert (reads.count, set(cached.kept)) == (1, {"tickets:remaining:other"})


def test_an_event_is_not_found_while_the_cache_is_away(reads: Reads) -> None:
    assert (ask("other").status, reads.count) == (404, 1)


def test_nothing_left_is_a_number_too(cached: Redis, reads: Reads, table: Any) -> None:
    set_remaining(table, 0)

    assert [ask().body["remaining"], ask().body["remaining"]] == [0, 0]
    assert (reads.count, cached.kept[NUMBER][0]) == (1, "0")


@pytest.mark.parametrize(
    ("event", "status", "code"),
    [
        (None, 400, "invalid_event"),
        (get(httpMethod="POST"), 405, "method_not_allowed"),
        (get(pathParameters=None), 400, "invalid_format"),
        (get(""), 400, "invalid_format"),
        (get("a b"), 400, "invalid_format"),
        (get("x" * 65), 400, "invalid_format"),
        (get(42), 400, "invalid_format"),
    ],
)
def test_a_request_that_is_wrong_is_refused(event: object, status: int, code: str, reads: Reads) -> None:
    reply = call(inventory.handler, event)

    assert (reply.status, reply.body["error"]["code"], reads.count) == (status, code, 0)
    assert reply.headers.get("Allow") == ("GET" if status == 405 else None)
    id_ = REQUEST_ID if isinstance(event, dict) else LAMBDA_ID
    expected = {"level": "WARN", "message": "refused", "status": status, "problems": [code], "request_id": id_}
    assert facts(reply.logs[0]) == expected


def test_a_table_that_fails_is_an_error_without_its_cause(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_NAME", "gone")

    reply = ask()

    assert (reply.status, reply.body["error"]["code"], reads.count) == (500, "internal_error", 1)
    assert facts(reply.logs[0]) == {
        "level": "ERROR",
        "message": "failed",
        "request_id": REQUEST_ID,
        "status": 500,
        "exception": "ResourceNotFoundException",
        "Faults": 1,
    }
    [directive] = reply.logs[0]["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "Application",
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": "Faults", "Unit": "Count"}],
    }
    assert reply.logs[0]["FunctionName"] == "unknown"
    assert "gone" not in json.dumps(reply.logs)


def imported(file: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(str(node.module).partition(".")[0])
    return modules


@pytest.mark.parametrize("folder", [*PACKAGES, LAYER], ids=lambda folder: folder.name)
def test_a_package_needs_what_the_runtime_and_the_layer_have(folder: Path) -> None:
    layer = {file.stem for file in LAYER.glob("*.py")}
    needed = set().union(*(imported(file) for file in folder.rglob("*.py")))

    assert "os" in needed
    assert needed <= sys.stdlib_module_names | layer | {"boto3", "botocore"}


IMPORT = """
import importlib, sys
sys.path[:0] = sys.argv[1:]
module = importlib.import_module("handler")
print(module.handler({}, None)["statusCode"], "lambda_src" in sys.modules)
"""


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_package_runs_with_its_layer_and_nothing_else(package: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", IMPORT, str(package), str(LAYER)],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )

    assert done.stdout.splitlines()[-1] == "400 False"
