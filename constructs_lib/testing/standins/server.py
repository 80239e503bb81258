"""The program that Terraform starts: the handshake of go-plugin, the gRPC server, and its end with Terraform.

https://github.com/hashicorp/go-plugin/blob/main/docs/internals.md
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import logging
import os
import signal
import sys
import tempfile
import threading
from concurrent import futures
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.testing.errors import UnavailableError
from constructs_lib.testing.standins.dependencies import check_installed, require
from constructs_lib.testing.standins.providers import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from constructs_lib.testing.standins.providers import Provider

_LOG: Final = logging.getLogger(__name__)
_COOKIE: Final = ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
_PROTOCOL: Final = "5"
_PARENT_CHECK_SECONDS: Final = 0.5
_GRACE_SECONDS: Final = 0.2
_SERVING: Final = 1  # of gRPC's health service


class LabelFormatter(logging.Formatter):
    """Prefixes each line with a label, including the lines of a traceback."""

    def __init__(self, label: str) -> None:
        super().__init__("%(message)s")
        self._label = label

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's lines with the label."""
        return "\n".join(f"{self._label} {line}" for line in super().format(record).splitlines())


def main(arguments: list[str]) -> int:
    """Serve the stand-in named by the argument until Terraform ends it; return the exit code."""
    provider = PROVIDERS.get(arguments[0]) if len(arguments) == 1 else None
    if provider is None:
        sys.stderr.write(f"expected one argument, the provider: {' or '.join(PROVIDERS)}\n")
        return 2
    _log_with(provider.label)
    if os.environ.get(_COOKIE[0]) != _COOKIE[1]:
        _LOG.error("this is a Terraform provider and must be started by Terraform")
        return 1
    if _PROTOCOL not in os.environ.get("PLUGIN_PROTOCOL_VERSIONS", _PROTOCOL).split(","):
        _LOG.error("Terraform does not support plugin protocol %s", _PROTOCOL)
        return 1
    _LOG.warning("stand-in of constructs_lib, not the real provider: archive bytes and random values differ")
    try:
        check_installed()
        serve(provider)
    except (UnavailableError, OSError, RuntimeError) as error:
        # Terraform hides the logs of a provider, but shows what it writes instead of the handshake.
        sys.stdout.write(f"{provider.label} {error}\n")
        return 1
    return 0


def serve(provider: Provider) -> None:
    """Serve until Terraform calls Shutdown, ends, or sends SIGTERM."""
    ended = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of the terminal; Terraform handles it
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    parent = os.getppid()
    with _socket_folder() as folder:
        address = str(folder / "s")
        server, certificate = start(provider, address, ended, encrypted=bool(os.environ.get("PLUGIN_CLIENT_CERT")))
        sys.stdout.write(f"1|{_PROTOCOL}|unix|{address}|grpc|{certificate}\n")
        sys.stdout.flush()
        while not ended.wait(_PARENT_CHECK_SECONDS) and os.getppid() == parent:
            pass
        server.stop(_GRACE_SECONDS).wait()


def start(provider: Provider, address: str, ended: threading.Event, *, encrypted: bool) -> tuple[Any, str]:
    """Start the gRPC server on a Unix socket.

    With AutoMTLS the server has a certificate for this run, which the handshake sends. Terraform's client certificate
    has a P-521 key, which gRPC's TLS library cannot verify; the permissions of the socket's folder allow only
    Terraform's user to connect.

    Returns:
        The server, and its certificate for the handshake; empty without encryption.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC's own log lines have no label
    grpc = require("grpc")
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(futures.ThreadPoolExecutor(), options=unlimited)
    server.add_generic_rpc_handlers(_handlers(provider, ended))
    if encrypted:
        key, certificate, encoded = _certificate()
        server.add_secure_port(f"unix:{address}", grpc.ssl_server_credentials([(key, certificate)]))
    else:
        encoded = ""
        server.add_insecure_port(f"unix:{address}")
    server.start()
    return server, encoded


def _handlers(provider: Provider, ended: threading.Event) -> list[Any]:
    grpc = require("grpc")
    from constructs_lib.testing.standins.service import Service  # noqa: PLC0415  needs protobuf and msgpack
    from constructs_lib.testing.standins.wire import MESSAGES, Message  # noqa: PLC0415

    def shut_down(_request: Message, _context: object) -> Message:
        ended.set()
        return MESSAGES["Empty"]()

    def check_health(_request: Message, _context: object) -> Message:
        return MESSAGES["HealthResponse"](status=_SERVING)

    services: Mapping[str, Mapping[str, Any]] = {
        "tfplugin5.Provider": Service(provider).methods(),
        "plugin.GRPCController": {"Shutdown": (MESSAGES["Empty"], shut_down)},
        "grpc.health.v1.Health": {"Check": (MESSAGES["Empty"], check_health)},
    }
    return [
        grpc.method_handlers_generic_handler(
            service,
            {
                name: grpc.unary_unary_rpc_method_handler(
                    answer,
                    request_deserializer=request.FromString,
                    response_serializer=lambda message: message.SerializeToString(),
                )
                for name, (request, answer) in methods.items()
            },
        )
        for service, methods in services.items()
    ]


def _certificate() -> tuple[bytes, bytes, str]:
    """Create a key and a self-signed certificate for localhost: both as PEM, and the certificate for the handshake."""
    x509 = require("cryptography.x509")
    hashes = require("cryptography.hazmat.primitives.hashes")
    serialization = require("cryptography.hazmat.primitives.serialization")
    ec = require("cryptography.hazmat.primitives.asymmetric.ec")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    encoded = base64.b64encode(certificate.public_bytes(der)).rstrip(b"=").decode()
    return private, certificate.public_bytes(pem), encoded


@contextlib.contextmanager
def _socket_folder() -> Iterator[Path]:
    """Create a folder that only this user can enter, in the place that go-plugin requests; remove it at the end."""
    place = os.environ.get("PLUGIN_UNIX_SOCKET_DIR") or None
    with tempfile.TemporaryDirectory(prefix="standin-", dir=place, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _log_with(label: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LabelFormatter(label))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.captureWarnings(capture=True)
    sys.excepthook = lambda kind, error, trace: _LOG.critical("ended by an exception", exc_info=(kind, error, trace))
