"""Finds the AWS operation of an HTTP request, with the service models of botocore."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote

from botocore.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.model import OperationModel, ServiceModel

# Signing names that are not the name of the service in botocore, or that several services share.
BY_SIGNING_NAME: Final = {
    "apigateway": ("apigateway", "apigatewayv2"),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "elasticloadbalancing": ("elbv2", "elb"),
    "eventbridge": ("events",),
    "monitoring": ("cloudwatch",),
    "s3": ("s3", "s3control"),
    "states": ("stepfunctions",),
    "tagging": ("resourcegroupstaggingapi",),
}
_SCOPE: Final = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]*)/(?P<name>[^/]+)/aws4_request")
_RPC_PATH: Final = re.compile(r"/service/[^/]+/operation/(?P<operation>\w+)$")
_LABEL: Final = re.compile(r"\{(\w+)(\+?)\}")
_READS: Final = ("Describe", "Get", "Head", "List", "Search", "Validate")
_QUERY_PROTOCOLS: Final = frozenset({"query", "ec2"})


@dataclass(frozen=True)
class Call:
    """A request to AWS.

    Attributes:
        model: The operation, as AWS's own model describes it.
        protocol: The wire protocol of request and answer.
        region: The Region in the signature.
        labels: The parameters in the path.
    """

    model: OperationModel
    protocol: str
    region: str
    labels: Mapping[str, str]

    @property
    def name(self) -> str:
        """Service and operation, such as `lambda:CreateFunction`; the service as in boto3."""
        return f"{self.model.service_model.service_name}:{self.model.name}"

    @property
    def changes(self) -> bool:
        """Whether the operation is not only a read."""
        return not self.model.name.startswith(_READS)


@functools.cache
def service_model(name: str) -> ServiceModel:
    """Return the model of a service by its name in boto3."""
    return Session().get_service_model(name)


def find_call(environ: Mapping[str, Any], body: bytes) -> Call | None:
    """Return the operation that a request calls; None if it is not signed, or its service is not known to botocore."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        return None
    for service in _services(scope["name"].lower()):
        if (found := _operation(service, environ, body)) is not None:
            operation, protocol, labels = found
            return Call(service.operation_model(operation), protocol, scope["region"], labels)
    return None


def _services(signing_name: str) -> Iterator[ServiceModel]:
    known = _known_services()
    for name in BY_SIGNING_NAME.get(signing_name, (signing_name,)):
        if name in known:
            yield service_model(name)


@functools.cache
def _known_services() -> frozenset[str]:
    return frozenset(Session().get_available_services())


def _operation(
    service: ServiceModel, environ: Mapping[str, Any], body: bytes
) -> tuple[str, str, Mapping[str, str]] | None:
    protocols = frozenset(service.metadata.get("protocols") or [service.protocol])
    content_type = environ.get("CONTENT_TYPE") or ""
    if "smithy-rpc-v2-cbor" in protocols and (called := _RPC_PATH.search(environ["PATH_INFO"])):
        return _known(service, called["operation"], "smithy-rpc-v2-cbor")
    if "json" in protocols and (target := environ.get("HTTP_X_AMZ_TARGET")):
        prefix, _, operation = target.rpartition(".")
        return _known(service, operation, "json") if prefix == service.metadata["targetPrefix"] else None
    if protocols & _QUERY_PROTOCOLS and content_type.startswith("application/x-www-form-urlencoded"):
        asked = parse_qs(body.decode())
        if asked.get("Version", [""])[0] != service.api_version:
            return None
        return _known(service, asked.get("Action", [""])[0], "ec2" if "ec2" in protocols else "query")
    if service.protocol.startswith("rest-"):
        return _rest_operation(service, environ)
    return None


def _known(service: ServiceModel, operation: str, protocol: str) -> tuple[str, str, Mapping[str, str]] | None:
    return (operation, protocol, {}) if operation in service.operation_names else None


@dataclass(frozen=True)
class _Route:
    operation: str
    method: str
    path: re.Pattern[str]
    query: Mapping[str, str]
    required: frozenset[str]
    headers: frozenset[str]
    deprecated: bool


@functools.cache
def _routes(name: str) -> tuple[_Route, ...]:
    service = service_model(name)
    return tuple(_route(service.operation_model(operation)) for operation in service.operation_names)


def _route(operation: OperationModel) -> _Route:
    path, _, query = operation.http["requestUri"].partition("?")
    pattern = _LABEL.sub(lambda label: f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})", path.rstrip("/"))
    at: dict[str, set[str]] = {"querystring": set(), "header": set()}
    shape = operation.input_shape
    for member in shape.required_members if shape else ():
        place = shape.members[member].serialization
        if place.get("location") in at:
            at[place["location"]].add(place.get("name", member))
    return _Route(
        operation=operation.name,
        method=operation.http["method"],
        path=re.compile(f"{pattern}/?"),
        query={key: values[0] for key, values in parse_qs(query, keep_blank_values=True).items()},
        required=frozenset(at["querystring"]),
        deprecated=bool(operation.deprecated),
        headers=frozenset(f"HTTP_{header.upper().replace('-', '_')}" for header in at["header"]),
    )


def _rest_operation(service: ServiceModel, environ: Mapping[str, Any]) -> tuple[str, str, Mapping[str, str]] | None:
    # As it was sent: an ARN in a path has encoded slashes.
    path = (environ.get("RAW_URI") or environ["PATH_INFO"]).split("?", 1)[0]
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    found: list[tuple[int, _Route, dict[str, str]]] = []
    for route in _routes(service.service_name):
        matched = route.path.fullmatch(path) if route.method == environ["REQUEST_METHOD"] else None
        if (
            matched
            and all(query.get(name, [None])[0] == value for name, value in route.query.items())
            and route.required <= query.keys()
            and all(header in environ for header in route.headers - {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"})
        ):
            # A path without labels is more specific than one with labels that also match it.
            rank = 10 * (len(route.query) + len(route.required) + len(route.headers)) - len(matched.groupdict())
            rank -= route.deprecated
            found.append((rank, route, {name: unquote(value) for name, value in matched.groupdict().items()}))
    if not found:
        return None
    _, best, labels = max(found, key=lambda each: each[0])
    return best.operation, service.protocol, labels
