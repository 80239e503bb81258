"""The ticket functions, a table for them in this process, and a server that speaks Redis's protocol."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from moto import mock_aws

SOURCES = Path(__file__).parent.parent.parent / "lambda_src"
PACKAGES = [SOURCES / "ticket_purchase", SOURCES / "ticket_inventory"]
LAYER = SOURCES / "tickets_layer" / "python"
if str(LAYER) not in sys.path:
    sys.path.append(str(LAYER))  # where Lambda has it too: after the function's own folder

import ticket_api  # noqa: E402
import ticket_cache  # noqa: E402

from lambda_src.ticket_inventory import handler as inventory  # noqa: E402
from lambda_src.ticket_purchase import handler as purchase  # noqa: E402
from tests.waiting import wait_for  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["aws", "inventory", "purchase", "redis", "table", "ticket_api", "ticket_cache"]

REGION = "eu-central-1"
TABLE = "tickets-dev"
EVENT_ID = "concert-42"
REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
LAMBDA_ID = "8e1bfc21-52a6-4d5c-a2f0-5d3a1bbbcafe"
KEY = "7b0d6f3e-8f0a-4a53-9f0e-2a1c55d0c9be"
FIELDS = {"event_id": EVENT_ID, "quantity": 2}


class Reply(NamedTuple):
    """An answer, its body parsed, and the lines written meanwhile."""

    status: int
    body: Any
    headers: dict[str, str]
    logs: list[dict[str, Any]]


def call(handler: Callable[[object, object], Any], event: object, milliseconds: int = 30_000) -> Reply:
    context = SimpleNamespace(aws_request_id=LAMBDA_ID, get_remaining_time_in_millis=lambda: milliseconds)
    written = io.StringIO()
    with contextlib.redirect_stdout(written), contextlib.redirect_stderr(written):
        answer = handler(event, context)
    logs = [json.loads(line) for line in written.getvalue().splitlines()]
    return Reply(answer["statusCode"], json.loads(answer["body"]), answer["headers"], logs)


def facts(entry: dict[str, Any]) -> dict[str, Any]:
    """Return what is particular to a line."""
    common = ("timestamp", "service", "region", "stack", "_aws", "FunctionName")
    return {name: value for name, value in entry.items() if name not in common}


def post(body: object, /, key: str | None = KEY, **changes: Any) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key is not None else {})
    return {
        "httpMethod": "POST",
        "path": "/purchases",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "requestContext": {"requestId": REQUEST_ID},
        "body": body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    } | changes


def buy(body: object, /, key: str | None = KEY, **changes: Any) -> Reply:
    return call(purchase.handler, post(body, key, **changes))


def codes(reply: Reply) -> list[tuple[str, str | None]]:
    return [(detail["code"], detail["field"]) for detail in reply.body["error"]["details"]]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the functions an AWS in this process, which is empty, and no cache."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "made-up"),
        ("AWS_SECRET_ACCESS_KEY", "made-up"),
        ("AWS_REGION", REGION),
        ("TABLE_NAME", TABLE),
        ("CACHE_ENDPOINT", ""),
        ("CACHE_TLS", "false"),
        ("CACHE_USER", ""),
    ):
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    ticket_cache.cache_of_environment.cache_clear()
    with mock_aws():
        yield
    ticket_cache.cache_of_environment()._close()
    ticket_cache.cache_of_environment.cache_clear()


@pytest.fixture
def table(aws: None) -> Any:
    """Return the client of DynamoDB, in which the table holds one event with 100 tickets."""
    assert aws is None
    client = purchase.client()
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    set_remaining(client, 100)
    return client


def set_remaining(table: Any, remaining: int, event_id: str = EVENT_ID, **more: str) -> None:
    item = {"pk": {"S": f"EVENT#{event_id}"}, "remaining": {"N": str(remaining)}, "home_region": {"S": REGION}}
    table.put_item(TableName=TABLE, Item=item | {name: {"S": value} for name, value in more.items()})


def remaining_in(table: Any) -> int:
    return int(table.get_item(TableName=TABLE, Key={"pk": {"S": f"EVENT#{EVENT_ID}"}})["Item"]["remaining"]["N"])


def purchases_in(table: Any, prefix: str = "PURCHASE#") -> list[dict[str, Any]]:
    """Return the idempotency records, or the items with another prefix."""
    items = table.scan(TableName=TABLE)["Items"]
    return [item for item in items if item["pk"]["S"].startswith(prefix)]


def sales_in(table: Any) -> list[dict[str, Any]]:
    return purchases_in(table, "SALE#")


class Redis(socketserver.ThreadingTCPServer):
    """As much of a Redis server as the functions use, and a record of what it was asked."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.commands: list[list[str]] = []
        self.kept: dict[str, tuple[str, float]] = {}
        self.password = ""
        self.silent = False
        self.replies: list[bytes] = []
        self.sessions: list[Any] = []
        self.lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def answer(self, words: list[str]) -> bytes:
        with self.lock:
            self.commands.append(words)
            if self.silent:
                return b""
            return self.replies.pop(0) if self.replies else self._do(words[0], *words[1:])

    def _do(self, command: str, key: str, *more: str) -> bytes:
        now = time.monotonic()
        there = self.kept.get(key, ("", 0.0))
        alive = there[1] > now
        if command == "AUTH":
            return b"+OK\r\n" if more[0] else b"-WRONGPASS\r\n"
        if command == "GET":
            content = there[0].encode()
            return b"$%d\r\n%b\r\n" % (len(content), content) if alive else b"$-1\r\n"
        if command == "DEL":
            self.kept.pop(key, None)
            return b":%d\r\n" % alive
        assert command == "SET"
        assert more[-2] == "PX"
        if "NX" in more and alive:
            return b"$-1\r\n"
        self.kept[key] = (more[0], now + int(more[-1]) / 1000)
        return b"+OK\r\n"

    def fall_silent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stop answering, with a client that waits briefly and then does not ask again."""
        monkeypatch.setattr(ticket_cache, "TIMEOUT_SECONDS", 0.05)
        monkeypatch.setattr(ticket_cache, "CONNECT_SECONDS", 60.0)
        monkeypatch.setattr(ticket_cache, "AWAY_SECONDS", 3600.0)
        self.silent = True

    def drop(self) -> None:
        """Close all connections, as a server does after an idle time or a failover."""
        for session in self.sessions:
            with contextlib.suppress(OSError):
                session.shutdown(2)
        self.sessions.clear()


class _Session(socketserver.StreamRequestHandler):
    server: Redis

    def handle(self) -> None:
        self.server.sessions.append(self.request)
        with contextlib.suppress(OSError):
            while line := self.rfile.readline():
                assert line.startswith(b"*")
                words = []
                for _ in range(int(line[1:])):
                    length = int(self.rfile.readline()[1:])
                    words.append(self.rfile.read(length + 2)[:-2].decode())
                self.wfile.write(self.server.answer(words))


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    # A machine that is busy with other tests is not a server that is away.
    monkeypatch.setattr(ticket_cache, "CONNECT_SECONDS", 60.0)
    monkeypatch.setattr(ticket_cache, "TIMEOUT_SECONDS", 60.0)
    with Redis() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.drop()
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def real_redis(folder: Path) -> Iterator[str]:
    """Start a real server that listens on a socket of this machine, and yield its endpoint."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("neither redis-server nor valkey-server is on PATH")
    with socketserver.TCPServer(("127.0.0.1", 0), _Session) as free:
        port = free.server_address[1]
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            cache = ticket_cache.Cache(f"127.0.0.1:{port}", tls=False)

            def answers() -> bool:
                cache._away_until = 0.0
                with contextlib.suppress(ticket_cache.CacheAwayError):
                    cache.get("any")
                    return True
                return False

            wait_for(answers, "the cache server")
            cache._close()
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()
