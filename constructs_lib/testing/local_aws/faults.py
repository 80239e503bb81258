"""Faults: calls that fail once, before AWS did the work or after it."""

from __future__ import annotations

import enum
import socket
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.testing.local_aws.wire import error
from constructs_lib.testing.local_aws.wsgi import answer_of, body_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from constructs_lib.testing.local_aws.operations import Call


class Failure(enum.Enum):
    """How a call fails."""

    THROTTLED = "throttled"
    """Before the work: the answer is a throttling error, and the SDK sends the request again."""

    DENIED = "denied"
    """Before the work: the answer is an access denied error, which SDKs do not retry."""

    LOST = "lost"
    """After the work: the connection is closed without an answer. A retry by the SDK returns the answer, as it does on
    AWS for operations that are idempotent."""


@dataclass(frozen=True)
class Fault:
    """One call of an operation that fails.

    Attributes:
        operation: Service as in boto3 and operation, such as `lambda:CreateFunction`; `*` for every operation that is
            not only a read.
        failure: How it fails; `Failure.DENIED` by default.
        call: Which call of this operation, over all Regions, counted from 1; retries by an SDK are not counted.
    """

    operation: str
    failure: Failure = Failure.DENIED
    call: int = 1


EVERY_CHANGE: Final = "*"

# Error code and HTTP status by failure: EC2, S3, and the services with models of their own errors.
_CODES: Final = {
    Failure.THROTTLED: {"ec2": "RequestLimitExceeded", "s3": "SlowDown", "": "ThrottlingException"},
    Failure.DENIED: {"ec2": "UnauthorizedOperation", "s3": "AccessDenied", "": "AccessDeniedException"},
}
_STATUS: Final = {Failure.THROTTLED: 429, Failure.DENIED: 403}


class FaultyCalls:
    """WSGI middleware that lets calls fail.

    Args:
        application: The application to wrap.
        faults: The faults.
        find: Returns the call of a request, None for requests to no known service.
    """

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        faults: Iterable[Fault],
        find: Callable[[Mapping[str, Any], bytes], Call | None],
    ) -> None:
        self._application = application
        self._faults = tuple(faults)
        self._find = find
        self._made: Counter[str] = Counter()
        self._invocations: set[str] = set()
        self._guard = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        """Pass a request on, or let it fail."""
        call = self._find(environ, body_of(environ)) if self._faults else None
        fault = self._due(call, environ.get("HTTP_AMZ_SDK_INVOCATION_ID")) if call else None
        if call is None or fault is None:
            return self._application(environ, start_response)
        if fault.failure is Failure.LOST:
            status, headers, body = answer_of(self._application, environ)
            if status.startswith("2"):
                _disconnect(environ)
        else:
            service = call.model.service_model.service_name
            code = _CODES[fault.failure].get(service, _CODES[fault.failure][""])
            message = f"{code}: a fault of the local AWS: {call.name}"
            status, headers, body = error(call, code, message, _STATUS[fault.failure])
        start_response(status, headers)
        return [body]

    def _due(self, call: Call, invocation: str | None) -> Fault | None:
        names = (call.name, EVERY_CHANGE) if call.changes else (call.name,)
        with self._guard:
            if invocation in self._invocations:
                return None
            if invocation:
                self._invocations.add(invocation)
            self._made[call.name] += 1
            due = (each for each in self._faults if each.operation in names and each.call == self._made[call.name])
            return next(due, None)


def _disconnect(environ: Mapping[str, Any]) -> None:
    """Close the connection of a request to werkzeug's server.

    Raises:
        ConnectionAbortedError: Always; the server does not log it.
    """
    connection: socket.socket = environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError
