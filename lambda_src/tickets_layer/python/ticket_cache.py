"""A Redis or Valkey server as a cache that may be away; in the layer that the ticket functions share.

The client speaks as much of RESP2 as is needed, on the standard library: AUTH, GET, SET and DEL over one connection,
which is made when it is first used and made again when the server has closed it. Whatever goes wrong raises
`CacheAwayError`, and for five seconds after that every call does so at once: a cache that is away costs a request one
timeout at most, and most requests nothing.

The server must be one node group (cluster mode disabled): a cluster's redirections count as being away.

Environment variables: `CACHE_ENDPOINT` (host:port; empty for no cache), `CACHE_TLS` (`true` or `false`; `true` where
missing), `CACHE_USER` (empty for no login). A user logs in with an IAM token: a request to connect, signed with the
function's role, that is good for 15 minutes. It names the replication group, which is read from the endpoint.
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

TIMEOUT_SECONDS = 0.2
AWAY_SECONDS = 5.0
TOKEN_SECONDS = 900
DEFAULT_PORT = 6379
ROLES = ("master", "replica", "clustercfg")
"""What an endpoint with TLS begins with, before the name of the replication group."""

logger = logging.getLogger("tickets")


class CacheAwayError(Exception):
    """There is no cache, or it does not answer as it should."""


class ReplyError(Exception):
    """The server answered with an error, or with something that is no answer."""


@dataclass(frozen=True)
class Connection:
    """A connection to the server."""

    socket: socket.socket
    stream: BinaryIO

    def exchange(self, *words: str) -> str | int | None:
        """Send a command and return the reply to it."""
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
        """Close it."""
        self.stream.close()
        self.socket.close()

    @staticmethod
    def _read(content: bytes) -> bytes:
        if not content.endswith(b"\r\n"):
            raise ConnectionResetError
        return content


class Cache:
    """A cache of texts."""

    def __init__(self, endpoint: str, *, tls: bool = True, user: str = "") -> None:
        host, _, port = endpoint.rpartition(":") if ":" in endpoint else (endpoint, "", "")
        self.host, self.port, self.tls, self.user = host, int(port or DEFAULT_PORT), tls, user
        self._connection: Connection | None = None
        self._away_until = 0.0
        self._lock = threading.Lock()

    def get(self, key: str) -> str | None:
        """Return the text under a key, or None where there is none."""
        reply = self._call("GET", key)
        return None if reply is None else str(reply)

    def put(self, key: str, text: str, milliseconds: int) -> None:
        """Keep a text under a key for a time."""
        self._call("SET", key, text, "PX", str(milliseconds))

    def add(self, key: str, text: str, milliseconds: int) -> bool:
        """Keep a text under a key for a time, unless there is one; return whether it is kept."""
        return self._call("SET", key, text, "NX", "PX", str(milliseconds)) is not None

    def delete(self, key: str) -> None:
        """Forget what is under a key."""
        self._call("DEL", key)

    def _call(self, *words: str) -> str | int | None:
        with self._lock:
            if not self.host or time.monotonic() < self._away_until:
                raise CacheAwayError
            try:
                return self._exchange(*words)
            # ValueError: a reply that is no RESP, a token that cannot be signed.
            except (OSError, ReplyError, ValueError, BotoCoreError) as error:
                self._close()
                self._away_until = time.monotonic() + AWAY_SECONDS
                logger.warning("cache away", extra={"facts": {"cause": type(error).__name__}})
                raise CacheAwayError from error

    def _exchange(self, *words: str) -> str | int | None:
        if self._connection is not None:
            try:
                return self._connection.exchange(*words)
            except (ConnectionError, ssl.SSLError):  # closed meanwhile; every command may be repeated
                self._close()
        self._connection = self._connect()
        if self.user:
            self._connection.exchange("AUTH", self.user, iam_token(self.host, self.user))
        return self._connection.exchange(*words)

    def _connect(self) -> Connection:
        connected = socket.create_connection((self.host, self.port), TIMEOUT_SECONDS)
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                connected = ssl.create_default_context().wrap_socket(connected, server_hostname=self.host)
        except BaseException:
            connected.close()
            raise
        return Connection(connected, connected.makefile("rb"))

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@cache
def cache_of_environment() -> Cache:
    """Return the cache that the environment variables name; it lives as long as the function's environment."""
    tls = os.environ.get("CACHE_TLS", "true").lower() != "false"
    return Cache(os.environ.get("CACHE_ENDPOINT", ""), tls=tls, user=os.environ.get("CACHE_USER", ""))


def iam_token(host: str, user: str) -> str:
    """Return the password with which a user of IAM logs in."""
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
    """Return the key under which the number of tickets that are left is kept."""
    return f"tickets:remaining:{event_id}"


def lock_key(event_id: str) -> str:
    """Return the key that whoever fetches that number holds meanwhile."""
    return f"tickets:lock:{event_id}"
