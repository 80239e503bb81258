"""Methods, routes and integrations of APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.apis import (
    DEPLOYMENT,
    GATEWAY,
    HTTP_API,
    INTEGRATION,
    METHOD,
    api_of,
    by_method,
    is_private,
    listed,
    method_key,
    parts_of,
)
from constructs_lib.rules.queries.common import PROVIDER, expect_set
from constructs_lib.rules.queries.links import has_module, is_given, predecessors, undecidable
from constructs_lib.rules.rule import ADVICE, PRODUCTION, REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_ROUTE: Final = "aws_apigatewayv2_route"
_HTTP_INTEGRATION: Final = "aws_apigatewayv2_integration"
_RESPONSE: Final = "aws_api_gateway_integration_response"
_METHOD_RESPONSE: Final = "aws_api_gateway_method_response"
_VALIDATOR: Final = "aws_api_gateway_request_validator"
_WITH_BODY: Final = ("POST", "PUT", "PATCH")
_REST_LIMIT: Final = 29_000
_HTTP_LIMIT: Final = 30_000
_OF_METHOD: Final = {
    "rest_api_id": "${aws_api_gateway_rest_api.shop.id}",
    "resource_id": "${aws_api_gateway_resource.orders.id}",
    "http_method": "${aws_api_gateway_method.post.http_method}",
}
_AT_METHOD: Final = "resource.aws_api_gateway_method.post"
_AT_RESPONSE: Final = f"resource.{_RESPONSE}.ok"
_AT_ROUTE: Final = "resource.aws_apigatewayv2_route.orders"

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_api_gateway_rest_api": {"shop": {"name": "shop-prod-api"}},
        "aws_api_gateway_resource": {
            "orders": {
                "rest_api_id": "${aws_api_gateway_rest_api.shop.id}",
                "parent_id": "${aws_api_gateway_rest_api.shop.root_resource_id}",
                "path_part": "orders",
            }
        },
        "aws_api_gateway_authorizer": {"token": {"rest_api_id": "${aws_api_gateway_rest_api.shop.id}"}},
        "aws_api_gateway_request_validator": {
            "body": {"rest_api_id": "${aws_api_gateway_rest_api.shop.id}", "validate_request_body": True}
        },
        "aws_api_gateway_method": {
            "post": {
                "rest_api_id": "${aws_api_gateway_rest_api.shop.id}",
                "resource_id": "${aws_api_gateway_resource.orders.id}",
                "http_method": "POST",
                "authorization": "CUSTOM",
                "authorizer_id": "${aws_api_gateway_authorizer.token.id}",
                "request_validator_id": "${aws_api_gateway_request_validator.body.id}",
            }
        },
        "aws_api_gateway_integration": {"post": _OF_METHOD | {"type": "AWS", "timeout_milliseconds": 29000}},
        "aws_api_gateway_method_response": {"ok": _OF_METHOD | {"status_code": "200"}},
        "aws_api_gateway_integration_response": {
            "ok": _OF_METHOD
            | {
                "status_code": "${aws_api_gateway_method_response.ok.status_code}",
                "depends_on": ["aws_api_gateway_integration.post"],
            }
        },
        "aws_api_gateway_deployment": {"this": {"rest_api_id": "${aws_api_gateway_rest_api.shop.id}"}},
        "aws_apigatewayv2_api": {"shop": {"name": "shop-prod-http", "protocol_type": "HTTP"}},
        "aws_apigatewayv2_authorizer": {"token": {"api_id": "${aws_apigatewayv2_api.shop.id}"}},
        "aws_apigatewayv2_integration": {
            "orders": {"api_id": "${aws_apigatewayv2_api.shop.id}", "timeout_milliseconds": 30000}
        },
        "aws_apigatewayv2_route": {
            "orders": {
                "api_id": "${aws_apigatewayv2_api.shop.id}",
                "route_key": "POST /orders",
                "authorization_type": "JWT",
                "authorizer_id": "${aws_apigatewayv2_authorizer.token.id}",
            }
        },
    }
}


@rule(
    "API-008",
    "API Gateway method requires authorization",
    why="Anyone on the internet can invoke the integration.",
    fix='Set authorization to "AWS_IAM", or to "COGNITO_USER_POOLS" or "CUSTOM" with an authorizer_id; or set '
    "api_key_required to true.",
    page=f"{GATEWAY}/apigateway-control-access-to-api.html",
    types=[METHOD],
    severity=PRODUCTION,
    frameworks=Frameworks(pci=("7.2.1",), checkov=("CKV_AWS_59", "CKV2_AWS_70")),
    good=_GOOD,
    breaks=[
        {f"{_AT_METHOD}.authorization": "NONE"},
        {f"{_AT_METHOD}.authorizer_id": REMOVED},
        {f"{_AT_METHOD}.http_method": "ANY", f"{_AT_METHOD}.authorization": "NONE"},
    ],
)
def method_requires_authorization(method: Block) -> Iterator[Outcome]:
    """Preflight requests (OPTIONS) carry no credentials; a policy and a VPC endpoint protect private APIs."""
    if method.get("http_method") == "OPTIONS":
        yield NotApplicable("preflight requests (OPTIONS) carry no credentials")
        return
    way, key = method.get("authorization"), method.flag("api_key_required")
    if isinstance(way, Unknown):
        yield method.undecided(way, "authorization")
    elif way in ("CUSTOM", "COGNITO_USER_POOLS"):
        yield from expect_set(method, "authorizer_id", f"must be the ID of an authorizer, since authorization is {way}")
    elif way in (None, "NONE") and key is not True and not is_private(api_of(method)):
        if isinstance(key, Unknown):
            yield method.undecided(key, "api_key_required")
        else:
            yield method.fail(
                'must be "AWS_IAM", "COGNITO_USER_POOLS" or "CUSTOM"; or set api_key_required to true', "authorization"
            )


@rule(
    "API-009",
    "API Gateway method validates its request body",
    why="Malformed requests invoke the integration, which costs money and must handle them itself.",
    fix="Set request_validator_id to an aws_api_gateway_request_validator that validates the body, and "
    "request_models to a model.",
    page=f"{GATEWAY}/api-gateway-method-request-validation.html",
    types=[METHOD],
    severity=ADVICE,
    frameworks=Frameworks(checkov=("CKV2_AWS_53",)),
    good=_GOOD,
    breaks=[
        {f"{_AT_METHOD}.request_validator_id": REMOVED},
        {f"resource.{_VALIDATOR}.body.validate_request_body": REMOVED},
    ],
)
def method_validates_its_body(method: Block) -> Iterator[Outcome]:
    """GET and DELETE have no body; ANY is a proxy whose code validates."""
    name = method.get("http_method")
    if isinstance(name, Unknown):
        yield method.undecided(name, "http_method")
        return
    if name not in _WITH_BODY:
        yield NotApplicable("requests have no body")
        return
    yield from expect_set(
        method, "request_validator_id", f"must be the ID of an {_VALIDATOR}, since {name} requests have a body"
    )
    for validator in method.targets("request_validator_id", _VALIDATOR):
        flags = [validator.flag(at) for at in ("validate_request_body", "validate_request_parameters")]
        if flags == [False, False]:
            yield method.fail(
                f"must be a validator that validates the body; set validate_request_body of {validator.address} to "
                "true",
                "request_validator_id",
            )


@rule(
    "API-013",
    "API Gateway integration response depends on its integration",
    why="Terraform creates both in parallel, and AWS rejects an integration response without its integration or "
    "method response.",
    fix="List the integration in depends_on, and reference the status_code of the method response.",
    page=f"{PROVIDER}/resources/api_gateway_integration_response",
    types=[_RESPONSE],
    lessons=["EVT-8"],
    good=_GOOD,
    breaks=[
        {f"{_AT_RESPONSE}.depends_on": REMOVED},
        {f"{_AT_RESPONSE}.status_code": "200"},
        {f"{_AT_RESPONSE}.depends_on": ["aws_api_gateway_method.post"]},
    ],
    unknown_passes="depends_on takes addresses only, and the status code does not affect the order",
)
def response_depends_on_its_integration(response: Block) -> Iterator[Outcome]:
    """Match both by resource, method and, for the method response, status code."""
    key = method_key(response)
    if key is None:
        yield NotApplicable("its method is known only in a plan")
        return
    integrations = by_method(response.estate, INTEGRATION).get(key, [])
    status = response.text("status_code")
    answers = [
        each
        for each in by_method(response.estate, _METHOD_RESPONSE).get(key, [])
        if isinstance(status, str) and each.text("status_code") == status
    ]
    earlier = predecessors(response)
    late = [
        each
        for each in (*integrations, *answers)
        if each.stack is response.stack and each.base not in earlier and response.base not in predecessors(each)
    ]
    if late and not has_module(earlier):
        named = ", ".join(f'"{each.base}"' for each in dict.fromkeys(late))
        yield response.fail(
            f"must contain {named}: AWS rejects an integration response that is created earlier", "depends_on"
        )


@rule(
    "API-014",
    "API Gateway method has an integration",
    why="AWS rejects the deployment at apply; terraform validate and plan do not report it.",
    fix="Declare an aws_api_gateway_integration for the same resource and method.",
    page=f"{GATEWAY}/how-to-deploy-api.html",
    types=[METHOD],
    good=_GOOD,
    breaks=[
        {"resource.aws_api_gateway_integration": {}, f"{_AT_RESPONSE}.depends_on": REMOVED},
        {"resource.aws_api_gateway_integration.post.http_method": "GET"},
        {"resource.aws_api_gateway_integration.post.resource_id": "${aws_api_gateway_rest_api.shop.root_resource_id}"},
    ],
)
def method_has_an_integration(method: Block) -> Iterator[Outcome]:
    """An integration whose method is unknown may be for any method."""
    api, key = api_of(method), method_key(method)
    if api is None or key is None or not parts_of(method.estate, DEPLOYMENT).get(api):
        yield NotApplicable("its API is not deployed in the checked stacks, or its method is known only in a plan")
        return
    known = by_method(method.estate, INTEGRATION)
    if known.get(key):
        return
    if known.get(None):
        yield method.undecided(Unknown(f"the method of {listed(known[None], 1)} is known only in a plan"))
    elif not any(block.type == "module" for block in api.referrers("module")):
        yield method.fail(f"must have an {INTEGRATION} for {key[1]} with the same resource_id")


@rule(
    "API-018",
    "API Gateway route requires authorization",
    why="Anyone on the internet can invoke the integration.",
    fix='Set authorization_type to "AWS_IAM", or to "JWT" or "CUSTOM" with an authorizer_id.',
    page=f"{GATEWAY}/http-api-access-control.html",
    types=[_ROUTE, HTTP_API],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("APIGateway.8",), pci=("7.2.1",), checkov=("CKV_AWS_309",)),
    good=_GOOD,
    breaks=[
        {f"{_AT_ROUTE}.authorization_type": REMOVED},
        {f"{_AT_ROUTE}.authorization_type": "NONE"},
        {f"{_AT_ROUTE}.authorizer_id": REMOVED},
        {f"{_AT_ROUTE}.route_key": "$default", f"{_AT_ROUTE}.authorization_type": "NONE"},
        {"resource.aws_apigatewayv2_api.shop.target": "arn:aws:lambda:eu-west-1:111122223333:function:shop"},
    ],
)
def route_requires_authorization(block: Block) -> Iterator[Outcome]:
    """A WebSocket API authorizes at $connect only; preflight requests (OPTIONS) carry no credentials."""
    if block.type == HTTP_API:
        target = block.get("target")
        if unknown := undecidable(target):
            yield block.undecided(unknown, "target")
        elif is_given(target):
            yield block.fail(
                "must not be set, since it creates a default route without authorization; declare an "
                "aws_apigatewayv2_route",
                "target",
            )
        return
    key = block.get("route_key")
    way = block.get("authorization_type")
    if isinstance(way, Unknown):
        yield block.undecided(way, "authorization_type")
    elif way in ("JWT", "CUSTOM"):
        yield from expect_set(
            block, "authorizer_id", f"must be the ID of an authorizer, since authorization_type is {way}"
        )
    elif way in (None, "NONE"):
        if isinstance(key, Unknown):
            yield block.undecided(key, "route_key")
        elif _needs_authorization(block, str(key)):
            yield block.fail('must be "JWT", "CUSTOM" or "AWS_IAM"', "authorization_type")
        else:
            yield NotApplicable("this route needs no authorization")


def _needs_authorization(route: Block, key: str) -> bool:
    api = route.target("api_id", HTTP_API)
    if api is not None and api.get("protocol_type") == "WEBSOCKET":
        return key == "$connect"
    return key in ("$connect", "$default") or (" " in key and not key.startswith("OPTIONS "))


@rule(
    "API-019",
    "API Gateway integration timeout is within the quota",
    why="AWS rejects more than 29 seconds (30 for HTTP APIs) without a higher quota, which only regional and "
    "private REST APIs can get.",
    fix="Set timeout_milliseconds to at most 29000, and process longer work asynchronously, such as with an SQS queue.",
    page=f"{GATEWAY}/limits.html",
    types=[INTEGRATION, _HTTP_INTEGRATION],
    severity=WARNING,
    good=_GOOD,
    breaks=[
        {"resource.aws_api_gateway_integration.post.timeout_milliseconds": 60000},
        {"resource.aws_apigatewayv2_integration.orders.timeout_milliseconds": "31000"},
        {"resource.aws_apigatewayv2_api.shop.protocol_type": "WEBSOCKET"},
        {"resource.aws_api_gateway_integration.post.timeout_milliseconds": 20},
    ],
)
def integration_timeout_is_within_quota(integration: Block) -> Iterator[Outcome]:
    """The default is the maximum."""
    limit = _REST_LIMIT
    api = integration.target("api_id", HTTP_API)
    if integration.type == _HTTP_INTEGRATION:
        protocol = api.get("protocol_type") if api is not None else None
        unsure = undecidable(protocol)
        if unsure and api is not None:
            yield api.undecided(unsure, "protocol_type")
        limit = _REST_LIMIT if protocol == "WEBSOCKET" else _HTTP_LIMIT
    value = integration.number("timeout_milliseconds")
    if isinstance(value, Unknown):
        yield integration.undecided(value, "timeout_milliseconds")
    elif value is not None and not 50 <= value <= limit:  # noqa: PLR2004  milliseconds
        raised = "; more requires a higher quota" if integration.type == INTEGRATION else ""
        yield integration.fail(f"must be 50 to {limit} milliseconds{raised}", "timeout_milliseconds")
