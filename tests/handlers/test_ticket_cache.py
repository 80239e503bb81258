"""The cache's client: what it says to a server, how it logs in, and what it does while the server is away."""

from __future__ import annotations

import datetime as dt
import json
import logging
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.handlers.ticket_functions import Redis, aws, real_redis, redis, ticket_api, ticket_cache
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["aws", "redis"]

AWAY = ticket_cache.CacheAwayError


@pytest.fixture(params=["as it is written here", "as it is"])
def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "as it is written here":
        yield request.getfixturevalue("redis").endpoint
    else:
        with real_redis(tmp_path) as started:
            yield started


@pytest.fixture
def cache(redis: Redis) -> Iterator[Any]:
    cache = ticket_cache.Cache(redis.endpoint, tls=False)
    yield cache
    cache._close()


def test_a_server_keeps_and_forgets(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticket_cache, "CONNECT_SECONDS", 60.0)
    monkeypatch.setattr(ticket_cache, "TIMEOUT_SECONDS", 60.0)
    cache = ticket_cache.Cache(endpoint, tls=False)

    assert cache.get("a") is None
    cache.put("a", "übrig\r\n", 600_000)
    assert cache.get("a") == "übrig\r\n"
    assert not cache.add("a", "other", 600_000)
    assert cache.add("b", "", 600_000)
    assert cache.get("b") == ""
    cache.delete("a")
    cache.delete("a")
    assert cache.get("a") is None
    cache.put("b", "", 1)
    wait_for(lambda: cache.add("b", "again", 600_000), "the end of b")
    cache._close()


def test_one_connection_is_used_for_all(cache: Any, redis: Redis) -> None:
    for _ in range(3):
        cache.put("tickets:remaining:a", "1", 5_000)

    assert redis.commands == [["SET", "tickets:remaining:a", "1", "PX", "5000"]] * 3
    assert len(redis.sessions) == 1


def test_a_connection_that_the_server_closed_is_made_again(cache: Any, redis: Redis) -> None:
    cache.put("a", "1", 5_000)
    redis.drop()

    assert cache.get("a") == "1"


def test_nothing_is_asked_for_five_seconds_after_a_failure(
    cache: Any, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    redis.replies = [b"-LOADING Redis is loading the dataset in memory\r\n"]
    with pytest.raises(AWAY):
        cache.get("a")
    now[0] += 4.9
    with pytest.raises(AWAY):
        cache.get("a")
    assert len(redis.commands) == 1

    now[0] += 0.2
    monkeypatch.undo()
    cache._away_until = 0.0
    assert cache.get("a") is None
    assert len(redis.sessions) == 2


def test_a_server_that_does_not_answer_costs_one_timeout(
    cache: Any, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis.fall_silent(monkeypatch)
    for _ in range(20):
        with pytest.raises(AWAY):
            cache.get("a")

    wait_for(lambda: redis.commands, "the command's arrival")
    assert (redis.commands, len(redis.sessions)) == ([["GET", "a"]], 1)


def test_a_server_that_stops_answering_on_a_connection_costs_one_timeout(
    cache: Any, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_cache, "AWAY_SECONDS", 3600.0)
    assert cache.get("a") is None
    cache._connection.socket.settimeout(0.2)
    redis.silent = True
    for _ in range(2):
        with pytest.raises(AWAY) as raised:
            cache.get("a")
        assert raised.value.__cause__ is None or isinstance(raised.value.__cause__, TimeoutError)

    wait_for(lambda: len(redis.commands) > 1, "the command's arrival")
    assert (redis.commands, len(redis.sessions)) == ([["GET", "a"]] * 2, 1)


def test_opening_a_connection_has_a_second_and_a_command_a_fifth() -> None:
    assert (ticket_cache.CONNECT_SECONDS, ticket_cache.TIMEOUT_SECONDS, ticket_cache.AWAY_SECONDS) == (1.0, 0.2, 5.0)


def test_a_command_has_its_own_budget_once_the_connection_is_open(
    cache: Any, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert redis.endpoint
    monkeypatch.setattr(ticket_cache, "TIMEOUT_SECONDS", 17.0)
    cache.get("a")

    assert cache._connection.socket.gettimeout() == 17.0


@pytest.mark.usefixtures("aws")
def test_a_login_has_the_time_of_the_connection_and_not_of_a_command(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = redis.answer

    def slow(words: list[str]) -> bytes:
        if words[0] == "AUTH":
            time.sleep(0.3)
        return answer(words)

    monkeypatch.setattr(redis, "answer", slow)
    monkeypatch.setattr(ticket_cache, "TIMEOUT_SECONDS", 0.2)
    cache = ticket_cache.Cache(redis.endpoint, tls=False, user="tickets")
    monkeypatch.setattr(ticket_cache, "iam_token", lambda *_: "token")
    logged: list[dict[str, int]] = []
    monkeypatch.setattr(ticket_cache.logger, "info", lambda _, extra: logged.append(extra["metrics"]))

    connection = cache._connect()
    connection.close()

    assert [*logged[0]] == ["CacheConnectTime"]
    assert 300 <= logged[0]["CacheConnectTime"] < 60_000


@pytest.mark.usefixtures("aws")
def test_a_connection_that_takes_too_long_to_open_counts_as_being_away(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: str) -> str:
        monkeypatch.setattr(ticket_cache, "_until", lambda deadline: until(deadline - 60.0))
        return "token"

    until = ticket_cache._until
    monkeypatch.setattr(ticket_cache, "iam_token", late)

    with pytest.raises(AWAY) as raised:
        ticket_cache.Cache(redis.endpoint, tls=False, user="tickets").get("a")
    assert isinstance(raised.value.__cause__, TimeoutError)
    assert redis.commands == []


def test_a_cache_that_is_away_is_a_metric(cache: Any, redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    ticket_cache.logger.propagate = True
    redis.replies = [b"-LOADING\r\n"]
    for _ in range(3):
        with pytest.raises(AWAY):
            cache.get("a")

    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert (record.getMessage(), record.__dict__["metrics"]) == ("cache away", {"CacheAway": 1})


@pytest.mark.parametrize(("level", "name"), [(10, "DEBUG"), (20, "INFO"), (30, "WARN"), (40, "ERROR"), (50, "FATAL")])
def test_lines_have_the_levels_of_lambda(level: int, name: str) -> None:
    record = logging.LogRecord("tickets", level, "", 0, "any", (), None)

    assert json.loads(ticket_api.JsonFormatter("any").format(record))["level"] == name


@pytest.mark.parametrize(("level", "expected"), [("TRACE", 10), ("WARN", 30), ("FATAL", 50), ("loud", 20), (None, 20)])
def test_the_level_is_one_of_lambda(level: str | None, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    if level:
        monkeypatch.setenv("LOG_LEVEL", level)
    ticket_api.serve({}, None, "any", "GET", lambda _: ticket_api.Answer(200, {}, {}))

    assert ticket_api.logger.level == expected


def test_the_unit_of_a_connection_time_is_milliseconds() -> None:
    record = logging.LogRecord("tickets", logging.INFO, "", 0, "cache connected", (), None)
    record.metrics = {"CacheConnectTime": 17}

    entry = json.loads(ticket_api.JsonFormatter("any").format(record))

    assert entry["CacheConnectTime"] == 17
    [directive] = entry["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [{"Name": "CacheConnectTime", "Unit": "Milliseconds"}]


@pytest.mark.parametrize(
    "reply", [b"-MOVED 3999 127.0.0.1:6381\r\n", b"*0\r\n", b"$x\r\n", b"?\r\n", b"\r\n", b"$2\r\n\xff\xff\r\n"]
)
def test_an_answer_that_is_none_counts_as_being_away(reply: bytes, cache: Any, redis: Redis) -> None:
    redis.replies = [reply]

    with pytest.raises(AWAY):
        cache.get("a")


@pytest.mark.parametrize("endpoint", ["", "127.0.0.1:1", "no-such-host.invalid:6379"])
def test_no_server_is_away(endpoint: str) -> None:
    with pytest.raises(AWAY):
        ticket_cache.Cache(endpoint, tls=False).get("a")


# How it logs in


@pytest.mark.usefixtures("aws")
def test_a_user_of_iam_logs_in_on_each_connection(redis: Redis) -> None:
    cache = ticket_cache.Cache(redis.endpoint, tls=False, user="tickets")
    cache.get("a")
    cache.get("a")
    redis.drop()
    cache.get("a")
    cache._close()

    assert [words[0] for words in redis.commands] == ["AUTH", "GET", "GET", "AUTH", "GET"]
    assert [words[1] for words in redis.commands if words[0] == "AUTH"] == ["tickets"] * 2


@pytest.mark.parametrize(
    ("host", "group"),
    [
        ("master.tickets-dev.abc123.euc1.cache.amazonaws.com", "tickets-dev"),
        ("replica.tickets-dev.abc123.euc1.cache.amazonaws.com", "tickets-dev"),
        ("tickets-dev.abc123.ng.0001.euc1.cache.amazonaws.com", "tickets-dev"),
    ],
)
@pytest.mark.usefixtures("aws")
def test_the_token_is_a_signed_request_to_connect_to_the_replication_group(host: str, group: str) -> None:
    token = ticket_cache.iam_token(host, "tickets")

    assert not token.startswith("http")
    parts = urlsplit(f"https://{token}")
    query = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}
    assert (parts.netloc, parts.path) == (group, "/")
    assert (query["Action"], query["User"], query["X-Amz-Expires"]) == ("connect", "tickets", "900")
    assert query["X-Amz-Credential"].endswith("/eu-central-1/elasticache/aws4_request")
    assert query["X-Amz-SignedHeaders"] == "host"
    assert len(query["X-Amz-Signature"]) == 64


@pytest.mark.usefixtures("aws")
def test_a_login_that_is_refused_counts_as_being_away(redis: Redis) -> None:
    redis.replies = [b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"]

    with pytest.raises(AWAY):
        ticket_cache.Cache(redis.endpoint, tls=False, user="tickets").get("a")
    assert [words[0] for words in redis.commands] == ["AUTH"]


@pytest.mark.parametrize(
    ("endpoint", "tls", "expected"),
    [
        (
            "master.tickets.abc.euc1.cache.amazonaws.com:6380",
            "true",
            ("master.tickets.abc.euc1.cache.amazonaws.com", 6380, True),
        ),
        ("localhost:7000", "false", ("localhost", 7000, False)),
        ("localhost", None, ("localhost", 6379, True)),
        ("localhost", "no", ("localhost", 6379, True)),
    ],
)
@pytest.mark.usefixtures("aws")
def test_the_environment_names_the_server(
    endpoint: str, tls: str | None, expected: tuple[str, int, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CACHE_ENDPOINT", endpoint)
    monkeypatch.delenv("CACHE_TLS") if tls is None else monkeypatch.setenv("CACHE_TLS", tls)

    cache = ticket_cache.cache_of_environment()

    assert (cache.host, cache.port, cache.tls) == expected
    assert ticket_cache.cache_of_environment() is cache


# TLS


@pytest.fixture
def certified(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the endpoint of a server that answers one connection over TLS, and its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file, key_file = tmp_path / "certificate.pem", tmp_path / "key.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    formats = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, *formats))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(file, key_file)

    def answer(server: socket.socket) -> None:
        accepted, _ = server.accept()
        with accepted:
            try:
                with tls.wrap_socket(accepted, server_side=True) as secured:
                    secured.recv(1024)
                    secured.sendall(b"$2\r\n17\r\n")
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, args=(server,), daemon=True)
        thread.start()
        yield f"localhost:{server.getsockname()[1]}", file
        thread.join(2)


def test_a_server_with_a_trusted_certificate_is_asked_over_tls(
    certified: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, file = certified
    monkeypatch.setattr(ticket_cache, "CONNECT_SECONDS", 5.0)
    monkeypatch.setattr(ticket_cache, "TIMEOUT_SECONDS", 5.0)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    cache = ticket_cache.Cache(endpoint)

    assert cache.get("a") == "17"
    cache._close()


def test_a_server_that_nobody_vouches_for_is_not_asked(
    certified: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_cache, "CONNECT_SECONDS", 5.0)
    monkeypatch.setattr(ticket_cache, "TIMEOUT_SECONDS", 5.0)
    with pytest.raises(AWAY) as raised:
        ticket_cache.Cache(certified[0]).get("a")

    assert isinstance(raised.value.__cause__, ssl.SSLCertVerificationError)
