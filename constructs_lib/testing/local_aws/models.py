"""Holds requests and answers against AWS's own service models, which botocore ships."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from botocore.awsrequest import HeadersDict
from botocore.parsers import ResponseParserError, create_parser
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.utils import get_service_model
from werkzeug.wrappers import Request

from constructs_lib.testing.local_aws.infidelities import Infidelity
from constructs_lib.testing.local_aws.operations import find_call
from constructs_lib.testing.local_aws.refusals import Asked, refusal_of
from constructs_lib.testing.local_aws.wire import error as error_answer
from constructs_lib.testing.local_aws.wsgi import answer_of, body_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from botocore.model import Shape

    from constructs_lib.testing.local_aws.operations import Call
    from constructs_lib.testing.local_aws.wsgi import Answer

_CBOR: Final = "smithy-rpc-v2-cbor"
_SIZED: Final = ("list", "map", "string", "blob")
_NUMBERS: Final = ("integer", "long", "float", "double")
_PARSER_ERRORS: Final = (
    RequestParserError,
    ResponseParserError,
    ValueError,
    KeyError,
    AttributeError,
    TypeError,
)


class UnreadableError(Exception):
    """A request cannot be parsed."""


def parameters_of(call: Call, environ: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """Return the parameters of a request, as the model of its operation names them; none of a streaming request.

    Raises:
        UnreadableError: The request cannot be parsed.
    """
    if call.model.input_shape is None or call.model.has_streaming_input:
        return {}
    try:
        parameters: dict[str, Any] = _request(call, environ, body)
    except _PARSER_ERRORS as error:
        raise UnreadableError(f"cannot be parsed: {error!r}") from error
    return parameters


def of_request(call: Call, parameters: Mapping[str, Any]) -> Iterator[Infidelity]:
    """Yield where a request is not as the model of its operation says."""
    if (shape := call.model.input_shape) is None or call.model.has_streaming_input:
        return
    for path, reason in violations(shape, parameters, "request"):
        yield Infidelity(call.name, path, reason)


def of_answer(call: Call, status_line: str, headers: Iterable[tuple[str, str]], body: bytes) -> Iterator[Infidelity]:
    """Yield where an answer is not as the model of its operation says; an error of AWS is no infidelity."""
    status = int(status_line.split(" ", 1)[0])
    if status >= 500:  # noqa: PLR2004  HTTP
        yield Infidelity(call.name, "answer", f"status {status}")
    shape = call.model.output_shape
    if status >= 300 or shape is None or call.model.has_event_stream_output:  # noqa: PLR2004  HTTP
        return
    try:
        parsed = create_parser(call.protocol).parse(
            {"status_code": status, "headers": HeadersDict(dict(headers)), "body": body}, shape
        )
    except _PARSER_ERRORS as error:
        yield Infidelity(call.name, "answer", f"cannot be parsed: {str(error).splitlines()[0]}")
        return
    for path, reason in violations(shape, parsed, "answer"):
        yield Infidelity(call.name, path, reason)


def violations(shape: Shape, value: Any, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401  any shape
    """Yield members that are missing, or outside of the enumeration, length or range of their shape."""
    type_ = shape.type_name
    if type_ == "structure" and isinstance(value, dict):
        for name in shape.required_members:
            if value.get(name) is None:
                yield f"{path}.{name}", "required member is missing"
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from violations(member, value[name], f"{path}.{name}")
    elif type_ == "list":
        for element in value:
            yield from violations(shape.member, element, f"{path}[]")
    elif type_ == "map":
        for key, element in value.items():
            yield from violations(shape.key, key, f"{path}{{key}}")
            yield from violations(shape.value, element, f"{path}{{}}")
    elif type_ == "string" and shape.enum and value not in shape.enum:
        yield path, f"{value!r} is not one of {', '.join(shape.enum[:12])}"
        return
    measure = len(value) if type_ in _SIZED and hasattr(value, "__len__") else value if type_ in _NUMBERS else None
    if measure is not None:
        yield from _outside(shape.metadata, measure, path, "length" if type_ in _SIZED else "value")


def _outside(limits: Mapping[str, Any], measure: float, path: str, what: str) -> Iterator[tuple[str, str]]:
    low, high = limits.get("min"), limits.get("max")
    if low is not None and measure < float(low):
        yield path, f"{what} {measure} is less than {low}"
    if high is not None and measure > float(high):
        yield path, f"{what} {measure} is greater than {high}"


def _request(call: Call, environ: Mapping[str, Any], body: bytes) -> Any:  # noqa: ANN401  any shape
    if call.protocol == _CBOR:
        # The same form in both directions; the body of a call without parameters is empty.
        wire = {"status_code": 200, "headers": HeadersDict({}), "body": body or b"\xa0"}
        return create_parser(_CBOR).parse(wire, call.model.input_shape)
    model = get_service_model(call.model.service_model.service_name).operation_model(call.model.name)
    request = Request({**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
    return PROTOCOL_PARSERS[call.protocol](model).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": body,
            "url_path": request.path,
            "url_params": dict(call.labels),
        }
    )


class Models:
    """WSGI middleware that holds requests and answers against the models, and refuses what AWS refuses.

    Args:
        application: The application to wrap.
        quotas: Quotas of the account that differ from AWS's defaults.
        report: Called with each infidelity, once.
        called: Called with each operation and the status of its answer.
    """

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        quotas: Mapping[str, int],
        report: Callable[[Infidelity], object],
        called: Callable[[Call, int], object],
    ) -> None:
        self._application = application
        self._quotas = quotas
        self._report = report
        self._called = called
        self._seen: set[Infidelity] = set()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        """Pass a request on, and check it and its answer."""
        body = body_of(environ)
        call = find_call(environ, body)
        if call is None:
            return self._application(environ, start_response)
        answer = self._refusal(call, environ, body)
        if answer is None:
            answer = answer_of(self._application, environ)
            self._note(of_answer(call, *answer))
        status, headers, content = answer
        self._called(call, int(status.split(" ", 1)[0]))
        start_response(status, headers)
        return [content]

    def _refusal(self, call: Call, environ: Mapping[str, Any], body: bytes) -> Answer | None:
        try:
            parameters = parameters_of(call, environ, body)
        except UnreadableError as error:
            self._note([Infidelity(call.name, "request", str(error))])
            return None
        self._note(of_request(call, parameters))
        try:
            refused = refusal_of(Asked(call, parameters, self._quotas))
        except Exception as error:  # noqa: BLE001  whatever it is, the request goes on
            self._note([Infidelity(call.name, "refusal", repr(error))])
            return None
        return error_answer(call, refused.code, refused.message, refused.status) if refused else None

    def _note(self, found: Iterable[Infidelity]) -> None:
        for infidelity in found:
            if infidelity not in self._seen:
                self._seen.add(infidelity)
                self._report(infidelity)
