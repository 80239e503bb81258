"""Methods and routes of APIs, and what stands behind them."""

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

    from constructs_lib.rules.estate.blocks import Block
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
    "A method asks who calls",
    why="Everybody on the internet runs what stands behind the method.",
    fix='Set authorization to "AWS_IAM", "COGNITO_USER_POOLS" or "CUSTOM" with an authorizer_id, or api_key_required '
    "to true.",
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
def method_asks_who_calls(method: Block) -> Iterator[Outcome]:
    """Browsers ask for OPTIONS without credentials; a private API is closed by its policy and its VPC endpoint."""
    if method.get("http_method") == "OPTIONS":
        yield NotApplicable("browsers send OPTIONS without credentials")
        return
    way, key = method.get("authorization"), method.flag("api_key_required")
    if isinstance(way, Unknown):
        yield method.undecided(way, "authorization")
    elif way in ("CUSTOM", "COGNITO_USER_POOLS"):
        yield from expect_set(method, "authorizer_id", f"must be the id of an authorizer, since authorization is {way}")
    elif way in (None, "NONE") and key is not True and not is_private(api_of(method)):
        if isinstance(key, Unknown):
            yield method.undecided(key, "api_key_required")
        else:
            yield method.fail(
                'must be "AWS_IAM", "COGNITO_USER_POOLS" or "CUSTOM"; or set api_key_required to true', "authorization"
            )


@rule(
    "API-009",
    "A method that takes a body has it validated",
    why="Malformed requests are paid for and answered by the code behind the API, with whatever it makes of them.",
    fix="Give request_validator_id with an aws_api_gateway_request_validator that validates the body, and a model.",
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
    """GET and DELETE have no body; ANY stands for a proxy whose code knows the paths."""
    name = method.get("http_method")
    if isinstance(name, Unknown):
        yield method.undecided(name, "http_method")
        return
    if name not in _WITH_BODY:
        yield NotApplicable("takes no body")
        return
    yield from expect_set(
        method, "request_validator_id", f"must be the id of an {_VALIDATOR}, since {name} takes a body"
    )
    for validator in method.targets("request_validator_id", _VALIDATOR):
        flags = [validator.flag(at) for at in ("validate_request_body", "validate_request_parameters")]
        if flags == [False, False]:
            yield method.fail(
                f"{validator.address} validates nothing; set its validate_request_body to true", "request_validator_id"
            )


@rule(
    "API-013",
    "An integration's response comes after the integration",
    why="Terraform makes both at the same time, and AWS refuses a response while its integration or method response is "
    "not there.",
    fix="Name the integration in the response's depends_on, and take status_code from the method response.",
    page=f"{PROVIDER}/resources/api_gateway_integration_response",
    types=[_RESPONSE],
    lessons=["EVT-8"],
    good=_GOOD,
    breaks=[
        {f"{_AT_RESPONSE}.depends_on": REMOVED},
        {f"{_AT_RESPONSE}.status_code": "200"},
        {f"{_AT_RESPONSE}.depends_on": ["aws_api_gateway_method.post"]},
    ],
    unknown_passes="depends_on takes addresses, and which status it is does not matter to the order",
)
def response_comes_after_its_integration(response: Block) -> Iterator[Outcome]:
    """Find both by resource, method and, for the method response, status."""
    key = method_key(response)
    if key is None:
        yield NotApplicable("only a plan can tell which method it is for")
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
        yield response.fail(f"must hold {named}: AWS refuses the response while that is not there", "depends_on")


@rule(
    "API-014",
    "Every method of a deployed API has an integration",
    why="AWS refuses the deployment; neither validate nor plan says so.",
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
    """Where only a plan can tell what an integration is for, it may be for any method."""
    api, key = api_of(method), method_key(method)
    if api is None or key is None or not parts_of(method.estate, DEPLOYMENT).get(api):
        yield NotApplicable("its API is not deployed here, or only a plan can tell which method it is")
        return
    known = by_method(method.estate, INTEGRATION)
    if known.get(key):
        return
    if known.get(None):
        yield method.undecided(Unknown(f"only a plan can tell which method {listed(known[None], 1)} is for"))
    elif not any(block.type == "module" for block in api.referrers("module")):
        yield method.fail(f"needs an {INTEGRATION} for {key[1]} of the same resource_id")


@rule(
    "API-018",
    "A route of an HTTP API asks who calls",
    why="Everybody on the internet runs what stands behind the route.",
    fix='Set authorization_type to "JWT", "CUSTOM" (both with an authorizer_id) or "AWS_IAM".',
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
def route_asks_who_calls(block: Block) -> Iterator[Outcome]:
    """A WebSocket API asks once, at $connect; browsers ask for OPTIONS without credentials."""
    if block.type == HTTP_API:
        target = block.get("target")
        if unknown := undecidable(target):
            yield block.undecided(unknown, "target")
        elif is_given(target):
            yield block.fail(
                "makes a route for everything that asks nobody; declare aws_apigatewayv2_route instead", "target"
            )
        return
    key = block.get("route_key")
    way = block.get("authorization_type")
    if isinstance(way, Unknown):
        yield block.undecided(way, "authorization_type")
    elif way in ("JWT", "CUSTOM"):
        yield from expect_set(
            block, "authorizer_id", f"must be the id of an authorizer, since authorization_type is {way}"
        )
    elif way in (None, "NONE"):
        if isinstance(key, Unknown):
            yield block.undecided(key, "route_key")
        elif _asks(block, str(key)):
            yield block.fail('must be "JWT", "CUSTOM" or "AWS_IAM"', "authorization_type")
        else:
            yield NotApplicable("nobody is asked at this route")


def _asks(route: Block, key: str) -> bool:
    api = route.target("api_id", HTTP_API)
    if api is not None and api.get("protocol_type") == "WEBSOCKET":
        return key == "$connect"
    return key in ("$connect", "$default") or (" " in key and not key.startswith("OPTIONS "))


@rule(
    "API-019",
    "An integration's timeout is one that API Gateway keeps",
    why="AWS refuses more than 29 seconds (30 for HTTP APIs) unless the account's quota was raised, which it is only "
    "for regional and private REST APIs.",
    fix="Set timeout_milliseconds to at most 29000, and work that takes longer behind a queue.",
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
def integration_ends_in_time(integration: Block) -> Iterator[Outcome]:
    """Missing is the longest that is allowed."""
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
        raised = "; more takes a raised quota" if integration.type == INTEGRATION else ""
        yield integration.fail(f"must be 50 to {limit} milliseconds{raised}", "timeout_milliseconds")
