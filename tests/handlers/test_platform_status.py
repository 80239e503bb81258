"""The platform's status function: what it checks, and what it keeps to itself."""

from __future__ import annotations

import importlib.util
import json
import logging
import socket
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).parent.parent.parent / "lambda_src" / "platform_status" / "handler.py"


@pytest.fixture
def status(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "made-up"),
        ("AWS_SECRET_ACCESS_KEY", "made-up"),
        ("AWS_REGION", "us-east-1"),
        ("DATABASE_USER", "platform_status"),
    ):
        monkeypatch.setenv(name, value)
    spec = importlib.util.spec_from_file_location("platform_status", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("DATABASE_HOST", "127.0.0.1")
        monkeypatch.setenv("DATABASE_PORT", str(server.getsockname()[1]))
        yield server


def ask(status: ModuleType, method: str = "GET", path: str = "/") -> tuple[int, dict[str, Any]]:
    event = {"rawPath": path, "requestContext": {"http": {"method": method}, "requestId": "url-1"}}
    answer = status.handler(event, SimpleNamespace(aws_request_id="call-1"))
    return answer["statusCode"], json.loads(answer["body"])


def test_a_database_that_answers_is_ok(status: ModuleType, database: socket.socket) -> None:
    assert database.fileno() > 0
    checks = {"address": "ok", "port": "ok", "token": "ok"}
    assert ask(status) == (200, {"status": "ok", "checks": checks, "request_id": "call-1"})


def test_a_database_that_is_gone_is_unavailable(status: ModuleType, database: socket.socket) -> None:
    database.close()
    checks = {"address": "ok", "port": "refused", "token": "ok"}
    assert ask(status) == (503, {"status": "unavailable", "checks": checks, "request_id": "call-1"})


def test_a_name_that_no_server_knows_is_said_so(
    status: ModuleType, database: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    assert database.fileno() > 0
    assert ask(status)[1]["checks"]["address"] == "unknown_host"


def test_a_check_that_fails_is_a_metric_of_the_function(
    status: ModuleType, database: socket.socket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "platform-dev-status")
    monkeypatch.delenv("DATABASE_USER")
    database.close()
    assert ask(status)[1]["checks"] == {"address": "ok", "port": "refused", "token": "failed"}

    [entry] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (entry["level"], entry["Faults"], entry["FunctionName"]) == ("ERROR", 2, "platform-dev-status")
    assert entry["exceptions"] == {"port": "ConnectionRefusedError", "token": "KeyError"}
    [directive] = entry["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "Application",
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": "Faults", "Unit": "Count"}],
    }


def test_a_check_without_an_answer_is_a_timeout(
    status: ModuleType, database: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: object) -> None:
        raise TimeoutError

    assert database.fileno() > 0
    monkeypatch.setattr(socket, "create_connection", late)
    assert ask(status)[1]["checks"]["port"] == "timeout"


def test_a_token_that_is_not_signed_has_failed(
    status: ModuleType, database: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database.fileno() > 0
    client = SimpleNamespace(generate_db_auth_token=lambda **_: "unsigned")
    monkeypatch.setattr(boto3, "client", lambda *_, **__: client)
    assert ask(status)[1]["checks"]["token"] == "failed"


@pytest.mark.parametrize(("level", "lines"), [("TRACE", 1), ("INFO", 1), ("loud", 1), ("WARN", 0), ("FATAL", 0)])
@pytest.mark.usefixtures("database")
def test_the_level_is_one_of_lambda(
    level: str, lines: int, status: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_LEVEL", level)
    assert ask(status)[0] == 200
    assert len(capsys.readouterr().out.splitlines()) == lines


@pytest.mark.parametrize(("level", "name"), [(10, "DEBUG"), (20, "INFO"), (30, "WARN"), (40, "ERROR"), (50, "FATAL")])
def test_lines_have_the_levels_of_lambda(status: ModuleType, level: int, name: str) -> None:
    record = logging.LogRecord("platform_status", level, "", 0, "any", (), None)
    assert json.loads(status.JsonFormatter().format(record))["level"] == name


def test_neither_address_nor_token_is_answered_or_logged(
    status: ModuleType, database: socket.socket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    _, body = ask(status)
    written = capsys.readouterr().out
    assert written
    for text in (json.dumps(body), written):
        assert "127.0.0.1" not in text
        assert "X-Amz" not in text
        assert str(database.getsockname()[1]) not in text


def test_only_get_on_the_root_is_answered(status: ModuleType) -> None:
    assert ask(status, method="POST")[0] == 405
    assert ask(status, path="/admin")[0] == 404
