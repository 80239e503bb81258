"""Bodies of WSGI requests, and whole answers of WSGI applications."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Answer = tuple[str, list[tuple[str, str]], bytes]
"""Status line, headers and body."""


def body_of(environ: dict[str, Any]) -> bytes:
    """Return the body of a request, which the application can still read."""
    stream = environ["wsgi.input"]
    length = None if environ.get("wsgi.input_terminated") else int(environ.get("CONTENT_LENGTH") or 0)
    body: bytes = stream.read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def answer_of(application: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> Answer:
    """Return the whole answer of an application to a request."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
        started.append((status, headers))
        return written.append

    written: list[bytes] = []
    given = application(environ, start)
    try:
        written.extend(given)
    finally:
        close = getattr(given, "close", None)
        if close:
            close()
    status, headers = started[-1]
    return status, headers, b"".join(written)
