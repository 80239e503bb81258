"""Gives a repeated request the answer of the first one: on a busy machine an answer may be lost on its way.

An SDK sends a request again under the same invocation id, and AWS knows it again where it matters. moto does not: it
says that what the first one made exists already, and the apply fails.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

KEPT: Final = 2000
"""Answers that are remembered."""

Answer = tuple[str, list[tuple[str, str]], bytes]


class Repeats:
    """A WSGI application around another one.

    Args:
        application: The one that answers.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._busy: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        """Answer a request, or repeat the answer when the same one was answered well before."""
        invocation = environ.get("HTTP_AMZ_SDK_INVOCATION_ID")
        if not invocation or environ.get("REQUEST_METHOD") in ("GET", "HEAD"):
            return self._application(environ, start_response)
        with self._guard:
            lock = self._busy.setdefault(invocation, threading.Lock())
        with lock:
            answer = self._answers.get(invocation) or self._ask(environ)
            with self._guard:
                self._busy.pop(invocation, None)
                # A failure is asked for again on purpose: the second time may go well.
                if answer[0].startswith("2"):
                    self._answers[invocation] = answer
                    while len(self._answers) > KEPT:
                        self._answers.popitem(last=False)
        status, headers, body = answer
        start_response(status, headers)
        return [body]

    def _ask(self, environ: dict[str, Any]) -> Answer:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
            started.append((status, headers))
            return written.append

        written: list[bytes] = []
        given = self._application(environ, start)
        try:
            written.extend(given)
        finally:
            close = getattr(given, "close", None)
            if close:
                close()
        status, headers = started[-1]
        return status, headers, b"".join(written)
