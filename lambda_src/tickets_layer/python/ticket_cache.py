"""A client of a Redis OSS or Valkey cache that may be away; in the layer that the ticket functions share.

The client speaks the part of RESP2 that is needed, with the standard library: AUTH, GET, SET and DEL over one
connection, which is opened when first used, and reopened when the server has closed it. Every failure raises
`CacheAwayError`, and for the next 5 seconds every call raises it at once.

Time budgets: a command has `TIMEOUT_SECONDS`; opening a connection (TCP, TLS and AUTH, each with a round trip or more,
and with IAM authentication by ElastiCache) has `CONNECT_SECONDS`, once per execution environment. So a cache that is
away costs a request about a second, every 5 seconds at most. The metric `CacheConnectTime` is the time that opening
took; if its p99 comes near the budget, raise it. The metric `CacheAway` counts failures; an alarm watches it.

The server must be a single shard (cluster mode disabled); redirections of a cluster count as being away.

Environment variables: `CACHE_ENDPOINT` (host:port; empty for no cache), `CACHE_TLS` (`true` or `false`; `true` by
default), `CACHE_USER` (empty for no AUTH). A user authenticates with an IAM token: a presigned request, valid for 15
minutes, that names the replication group, which is read from the endpoint.
See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html.
"""

import logging
import os
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO
from urllib.parse import urlencode

import boto3
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError

CONNECT_SECONDS = 1.0
TIMEOUT_SECONDS = 0.2
AWAY_SECONDS = 5.0
TOKEN_SECONDS = 900
DEFAULT_PORT = 6379
ROLES = ("master", "replica", "clustercfg")
"""First labels of endpoints with TLS, before the name of the replication group."""

logger = logging.getLogger("tickets")


class CacheAwayError(Exception):
    """There is no cache, or it does not respond as it should."""


class ReplyError(Exception):
    """The server replied with an error, or not in RESP2."""


@dataclass(frozen=True)
class Connection:
    """A connection to the server."""

    socket: socket.socket
    stream: BinaryIO

    def exchange(self, *words: str) -> str | int | None:
        """Send a command and return its reply."""
        encoded = [word.encode() for word in words]
        parts = [b"*%d\r\n" % len(encoded), *(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)]
        self.socket.sendall(b"".join(parts))
        line = self._read(self.stream.readline())
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if kind == b"$":
            length = int(rest)
            return None if length < 0 else self._read(self.stream.read(length + 2))[:-2].decode()
        raise ReplyError

    def close(self) -> None:
        """Close the connection."""
        self.stream.close()
        self.socket.close()

    @staticmethod
    def _read(content: bytes) -> bytes:
        if not content.endswith(b"\r\n"):
            raise ConnectionResetError
        return content


class Cache:
    """A cache of strings."""

    def __init__(self, endpoint: str, *, tls: bool = True, user: str = "") -> None:
        host, _, port = endpoint.rpartition(":") if ":" in endpoint else (endpoint, "", "")
        self.host, self.port, self.tls, self.user = host, int(port or DEFAULT_PORT), tls, user
        self._connection: Connection | None = None
        self._away_until = 0.0
        self._lock = threading.Lock()

    def get(self, key: str) -> str | None:
        """Return the value of a key, or None."""
        reply = self._call("GET", key)
        return None if reply is None else str(reply)

    def put(self, key: str, text: str, milliseconds: int) -> None:
        """Set the value of a key, with a TTL."""
        self._call("SET", key, text, "PX", str(milliseconds))

    def add(self, key: str, text: str, milliseconds: int) -> bool:
        """Set the value of a key that does not exist, with a TTL; return whether it was set."""
        return self._call("SET", key, text, "NX", "PX", str(milliseconds)) is not None

    def delete(self, key: str) -> None:
        """Delete a key."""
        self._call("DEL", key)

    def _call(self, *words: str) -> str | int | None:
        with self._lock:
            if not self.host or time.monotonic() < self._away_until:
                raise CacheAwayError
            try:
                return self._exchange(*words)
            # ValueError: a reply that is not RESP2, or a token that cannot be signed.
            except (OSError, ReplyError, ValueError, BotoCoreError) as error:
                self._close()
                self._away_until = time.monotonic() + AWAY_SECONDS
                logger.exception("cache away", extra={"metrics": {"CacheAway": 1}})
                raise CacheAwayError from error

    def _exchange(self, *words: str) -> str | int | None:
        if self._connection is not None:
            try:
                return self._connection.exchange(*words)
            except (ConnectionError, ssl.SSLError):  # closed by the server; every command can be repeated
                self._close()
        self._connection = self._connect()
        return self._connection.exchange(*words)

    def _connect(self) -> Connection:
        started = time.monotonic()
        deadline = started + CONNECT_SECONDS
        connected = socket.create_connection((self.host, self.port), CONNECT_SECONDS)
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                connected.settimeout(_until(deadline))
                connected = ssl.create_default_context().wrap_socket(connected, server_hostname=self.host)
        except BaseException:
            connected.close()
            raise
        connection = Connection(connected, connected.makefile("rb"))
        try:
            if self.user:
                token = iam_token(self.host, self.user)
                connected.settimeout(_until(deadline))
                connection.exchange("AUTH", self.user, token)
            connected.settimeout(TIMEOUT_SECONDS)
        except BaseException:
            connection.close()
            raise
        milliseconds = round((time.monotonic() - started) * 1000)
        logger.info("cache connected", extra={"metrics": {"CacheConnectTime": milliseconds}})
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _until(deadline: float) -> float:
    """Return the seconds until a deadline.

    Raises:
        TimeoutError: It has passed.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@cache
def cache_of_environment() -> Cache:
    """Return the cache of the environment variables; created once per execution environment."""
    tls = os.environ.get("CACHE_TLS", "true").lower() != "false"
    return Cache(os.environ.get("CACHE_ENDPOINT", ""), tls=tls, user=os.environ.get("CACHE_USER", ""))


def iam_token(host: str, user: str) -> str:
    """Return the IAM authentication token of a user."""
    first, *others = host.split(".")
    group = others[0] if first in ROLES and others else first
    credentials = boto3.Session().get_credentials()
    if credentials is None:
        raise ValueError("there are no credentials to sign with")
    request = AWSRequest("GET", f"https://{group}/?{urlencode({'Action': 'connect', 'User': user})}")
    SigV4QueryAuth(credentials, "elasticache", os.environ["AWS_REGION"], expires=TOKEN_SECONDS).add_auth(request)
    url: str = request.url
    return url.removeprefix("https://")


def remaining_key(event_id: str) -> str:
    """Return the key of the number of tickets left."""
    return f"tickets:remaining:{event_id}"


def lock_key(event_id: str) -> str:
    """Return the key of the lock that the reader of the table holds."""
    return f"tickets:lock:{event_id}"
