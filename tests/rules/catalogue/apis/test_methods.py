"""Rules of apis/methods: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import doubted, found, good, resources
from tests.rules.catalogue.apis.documents import API, OF_API


@pytest.mark.parametrize(
    "method",
    [
        {"http_method": "OPTIONS", "authorization": "NONE"},
        {"http_method": "GET", "authorization": "NONE", "api_key_required": "true"},
        {"http_method": "GET", "authorization": "AWS_IAM"},
    ],
)
def test_methods_with_authorization_and_preflight_requests_pass(method: dict[str, Any]) -> None:
    document = resources(**API, aws_api_gateway_method={"m": OF_API | method})
    assert found("API-008", document) == []
    assert found("API-009", document) == []


def test_a_method_of_a_private_api_needs_no_authorization() -> None:
    document = good("API-008", {"resource.aws_api_gateway_method.post.authorization": "NONE"})
    document["resource"]["aws_api_gateway_rest_api"]["shop"]["endpoint_configuration"] = {"types": ["PRIVATE"]}
    assert found("API-008", document) == []


def test_responses_match_their_integrations_per_instance() -> None:
    keys = {
        "for_each": ["GET", "PUT"],
        "resource_id": "${aws_api_gateway_resource.orders.id}",
        "http_method": "${each.key}",
    }
    document = resources(
        **API,
        aws_api_gateway_resource={"orders": dict(OF_API)},
        aws_api_gateway_integration={"all": OF_API | keys},
        aws_api_gateway_integration_response={"all": OF_API | keys | {"status_code": "200"}},
    )
    messages = found("API-013", document)
    assert [message.split(": must", 1)[0] for message in messages] == [
        'aws_api_gateway_integration_response.all["GET"]: depends_on = null',
        'aws_api_gateway_integration_response.all["PUT"]: depends_on = null',
    ]
    response = document["resource"]["aws_api_gateway_integration_response"]["all"]
    response["depends_on"] = ["${aws_api_gateway_integration.all}"]
    assert found("API-013", document) == []


def test_a_response_does_not_depend_on_a_method_response_of_another_status() -> None:
    document = good("API-013", {"resource.aws_api_gateway_integration_response.ok.status_code": "404"})
    assert found("API-013", document) == []


def test_a_method_of_an_api_without_deployment_needs_no_integration() -> None:
    document = good("API-014", {"resource.aws_api_gateway_integration": {}, "resource.aws_api_gateway_deployment": {}})
    assert found("API-014", document) == []


def test_an_integration_of_unknown_method_leaves_methods_undecided() -> None:
    document = good("API-014", {"resource.aws_api_gateway_integration.post.http_method": "${var.method}"})
    document["variable"] = {"method": {}}
    assert doubted("API-014", document) == ["the method of aws_api_gateway_integration.post is known only in a plan"]


@pytest.mark.parametrize(
    ("protocol", "key", "required"),
    [
        ("HTTP", "OPTIONS /orders", False),
        ("HTTP", "$default", True),
        ("HTTP", "ANY /{proxy+}", True),
        ("WEBSOCKET", "$connect", True),
        ("WEBSOCKET", "$default", False),
        ("WEBSOCKET", "sendMessage", False),
    ],
)
def test_routes_require_authorization_where_their_protocol_supports_it(
    protocol: str, key: str, *, required: bool
) -> None:
    document = good("API-018", {"resource.aws_apigatewayv2_api.shop.protocol_type": protocol})
    document["resource"]["aws_apigatewayv2_route"]["orders"] = {
        "api_id": "${aws_apigatewayv2_api.shop.id}",
        "route_key": key,
    }
    assert bool(found("API-018", document)) is required
