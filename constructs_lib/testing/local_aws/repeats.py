"""Returns the response of the first attempt to a request that an SDK retries, for example after a timeout.

SDKs retry with the same invocation id, and many AWS APIs are idempotent. moto is not: on the retry it reports that the
resource exists already, and the apply fails.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.testing.local_aws.wsgi import answer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from constructs_lib.testing.local_aws.wsgi import Answer

KEPT: Final = 2000
"""Maximum number of stored responses."""


class Repeats:
    """WSGI middleware.

    Args:
        application: The application to wrap.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._busy: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        """Pass a request on, or return the stored response if the same request has succeeded before."""
        invocation = environ.get("HTTP_AMZ_SDK_INVOCATION_ID")
        if not invocation or environ.get("REQUEST_METHOD") in ("GET", "HEAD"):
            return self._application(environ, start_response)
        with self._guard:
            lock = self._busy.setdefault(invocation, threading.Lock())
        with lock:
            answer = self._answers.get(invocation) or answer_of(self._application, environ)
            with self._guard:
                self._busy.pop(invocation, None)
                # A failed request is retried on purpose.
                if answer[0].startswith("2"):
                    self._answers[invocation] = answer
                    while len(self._answers) > KEPT:
                        self._answers.popitem(last=False)
        status, headers, body = answer
        start_response(status, headers)
        return [body]
