from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from constructs_lib import LambdaAuthorizer, MultiRegionKey, RestApi
from constructs_lib.core.iam import Statement
from tests.constructs.other_stacks import read_from_another_stack
from tests.constructs.rest_api.apis import API, ARN, ROOT, SAFE, SCHEMA, build, invoke_arn, make_api, make_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import HardenedStack
    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build)


def test_the_api_is_regional_and_created_before_its_predecessor_is_destroyed(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_api_gateway_rest_api").assert_config(
        {
            "description": "The REST API shop/api",
            "disable_execute_api_endpoint": False,
            "endpoint_configuration": {"types": ["REGIONAL"]},
            "lifecycle": {"create_before_destroy": True},
            "name": "shop-dev-api-eu-west-1",
        }
    )


def test_the_validator_checks_bodies_and_parameters(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_api_gateway_request_validator").assert_config(
        {
            "name": "body-and-parameters",
            "rest_api_id": API,
            "validate_request_body": True,
            "validate_request_parameters": True,
        }
    )


@pytest.mark.parametrize("kind", ["4XX", "5XX"])
def test_error_responses_contain_the_error_type_and_the_request_id_only(
    synthesized: SynthesizedStack, kind: str
) -> None:
    synthesized.resource("aws_api_gateway_gateway_response", f"*-{kind.lower()}").assert_config(
        {
            "response_templates": {
                "application/json": '{"message":"$context.error.responseType","requestId":"$context.requestId"}'
            },
            "response_type": f"DEFAULT_{kind}",
            "rest_api_id": API,
        }
    )


def test_each_part_of_a_path_is_one_resource_that_paths_share(synthesized: SynthesizedStack) -> None:
    assert {r.address: (r["parent_id"], r["path_part"]) for r in synthesized.resources("aws_api_gateway_resource")} == {
        "aws_api_gateway_resource.api_resource_files_eu_west_1": (ROOT, "files"),
        "aws_api_gateway_resource.api_resource_files_param_eu_west_1": (
            "${aws_api_gateway_resource.api_resource_files_eu_west_1.id}",
            "{proxy+}",
        ),
        "aws_api_gateway_resource.api_resource_payments_eu_west_1": (ROOT, "payments"),
        "aws_api_gateway_resource.api_resource_payments_param_eu_west_1": (
            "${aws_api_gateway_resource.api_resource_payments_eu_west_1.id}",
            "{id}",
        ),
    }


def test_a_method_requires_iam_authorization_and_validates_requests(synthesized: SynthesizedStack) -> None:
    model = "${aws_api_gateway_model.api_model_payments_post_eu_west_1.name}"
    synthesized.resource("aws_api_gateway_method", "*/method-payments-post").assert_config(
        {
            "authorization": "AWS_IAM",
            "http_method": "POST",
            # $default: bodies of other content types are validated too.
            "request_models": {"$default": model, "application/json": model},
            "request_parameters": {"method.request.header.Idempotency-Key": True},
            "request_validator_id": "${aws_api_gateway_request_validator.api_validator_eu_west_1.id}",
            "resource_id": "${aws_api_gateway_resource.api_resource_payments_eu_west_1.id}",
            "rest_api_id": API,
        }
    )
    validators = {m["request_validator_id"] for m in synthesized.resources("aws_api_gateway_method")}
    assert validators == {"${aws_api_gateway_request_validator.api_validator_eu_west_1.id}"}


def test_a_request_schema_becomes_a_model_of_draft_04(synthesized: SynthesizedStack) -> None:
    model = synthesized.resource("aws_api_gateway_model")
    model.assert_config(
        {
            "content_type": "application/json",
            "description": "Body of POST /payments",
            "name": "PaymentsPost",
            "rest_api_id": API,
            "schema": model["schema"],
        }
    )
    assert json.loads(model["schema"]) == {"$schema": "http://json-schema.org/draft-04/schema#", **SCHEMA}


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("payments-param-get", {"method.request.path.id": True}),
        ("files-param-any", {"method.request.path.proxy": True}),
    ],
)
def test_path_parameters_are_required(synthesized: SynthesizedStack, method: str, parameters: dict[str, bool]) -> None:
    block = synthesized.resource("aws_api_gateway_method", f"*/method-{method}")
    assert block["request_parameters"] == parameters


def test_public_access_applies_to_its_method_only(synthesized: SynthesizedStack) -> None:
    authorization = {m.path: m["authorization"] for m in synthesized.resources("aws_api_gateway_method")}
    assert authorization == {
        "shop/api/method-files-param-any": "AWS_IAM",
        "shop/api/method-payments-param-get": "AWS_IAM",
        "shop/api/method-payments-post": "AWS_IAM",
        "shop/api/method-root-get": "NONE",
    }


def test_a_method_invokes_its_functions_alias(synthesized: SynthesizedStack) -> None:
    method = "${aws_api_gateway_method.api_method_payments_param_get_eu_west_1.http_method}"
    synthesized.resource("aws_api_gateway_integration", "*/integration-payments-param-get").assert_config(
        {
            "http_method": method,
            "integration_http_method": "POST",
            "resource_id": "${aws_api_gateway_resource.api_resource_payments_param_eu_west_1.id}",
            "rest_api_id": API,
            "timeout_milliseconds": 5000,
            "type": "AWS_PROXY",
            "uri": invoke_arn("pay-fn"),
        }
    )
    waits = {i["timeout_milliseconds"] for i in synthesized.resources("aws_api_gateway_integration", "*-post")}
    assert waits == {29000}


def test_the_permission_is_limited_to_the_apis_methods(synthesized: SynthesizedStack) -> None:
    permissions = synthesized.resources("aws_lambda_permission")
    assert {permission["principal"] for permission in permissions} == {"apigateway.amazonaws.com"}
    assert {permission["source_arn"] for permission in permissions} == {
        f"{ARN}/live/*/files/*",
        f"{ARN}/live/GET/",
        f"{ARN}/live/GET/payments/*",
        f"{ARN}/live/POST/payments",
    }


def test_the_deployment_depends_on_everything_that_it_copies(synthesized: SynthesizedStack) -> None:
    deployment = synthesized.resource("aws_api_gateway_deployment")
    kinds = ("aws_api_gateway_method", "aws_api_gateway_integration", "aws_api_gateway_gateway_response")
    deployment.assert_config(
        {
            "depends_on": deployment["depends_on"],
            "lifecycle": {"create_before_destroy": True},
            "rest_api_id": API,
            "triggers": deployment["triggers"],
        }
    )
    assert set(deployment["depends_on"]) == {b.address for kind in kinds for b in synthesized.resources(kind)}


def test_the_outputs_are_the_url_and_the_id(synthesized: SynthesizedStack) -> None:
    assert synthesized.outputs["api_url_eu_west_1"] == f"https://{API}.execute-api.eu-west-1.amazonaws.com/live"
    assert synthesized.outputs["api_id_eu_west_1"] == API


def test_the_invoke_statement_allows_one_method_on_one_path(stack: HardenedStack) -> None:
    api, function = make_api(stack)
    api.add_method("GET", "/payments/{id}", function, shorter_timeout=SAFE)
    assert api.invoke_statement("GET", "/payments/{id}", sid="ReadPayments") == Statement(
        sid="ReadPayments", actions=("execute-api:Invoke",), resources=(f"{ARN}/live/GET/payments/*",)
    )


def test_references_work_in_another_stack(synthesize: Synthesize) -> None:
    def fill(stack: HardenedStack) -> dict[str, str]:
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        auth = LambdaAuthorizer(make_function(stack, key, "auth-fn"), shorter_timeout=SAFE)
        api = RestApi(stack, "api", region=region, key=key, authorizer=auth)
        api.add_method("GET", "/", make_function(stack, key), shorter_timeout=SAFE)
        assert api.authorizer is not None
        return {
            "id": api.id,
            "arn": api.arn,
            "url": api.url,
            "stage_arn": api.stage.arn,
            "authorizer_id": api.authorizer.id,
        }

    assert read_from_another_stack(synthesize, fill) == {
        "id": API,
        "arn": "${aws_api_gateway_rest_api.api_eu_west_1.arn}",
        "url": "${aws_api_gateway_stage.api_stage_eu_west_1.invoke_url}",
        "stage_arn": "${aws_api_gateway_stage.api_stage_eu_west_1.arn}",
        "authorizer_id": "${aws_api_gateway_authorizer.api_authorizer_eu_west_1.id}",
    }


def test_add_method_returns_the_method(stack: HardenedStack) -> None:
    api, function = make_api(stack)
    method = api.add_method("GET", "/", function, shorter_timeout=SAFE)
    assert api.resources["method-root-get"] is method
