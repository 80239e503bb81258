from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from constructs_lib.core.iam import Statement
from tests.constructs.rest_api.apis import API, ARN, ROOT, SAFE, SCHEMA, build, make_api

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import HardenedStack
    from constructs_lib.testing import SynthesizedStack


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build)


def test_the_api_is_regional_and_its_successor_comes_before_it_goes(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_api_gateway_rest_api").assert_config(
        {
            "description": "The REST API shop/api",
            "disable_execute_api_endpoint": False,
            "endpoint_configuration": {"types": ["REGIONAL"]},
            "lifecycle": {"create_before_destroy": True},
            "name": "shop-dev-api-eu-west-1",
        }
    )


def test_the_validator_looks_at_bodies_and_parameters(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_api_gateway_request_validator").assert_config(
        {
            "name": "body-and-parameters",
            "rest_api_id": API,
            "validate_request_body": True,
            "validate_request_parameters": True,
        }
    )


@pytest.mark.parametrize("kind", ["4XX", "5XX"])
def test_errors_of_the_api_itself_say_what_and_which_request_and_no_more(
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


def test_a_method_asks_for_signed_requests_and_validates_them(synthesized: SynthesizedStack) -> None:
    model = "${aws_api_gateway_model.api_model_payments_post_eu_west_1.name}"
    synthesized.resource("aws_api_gateway_method", "*/method-payments-post").assert_config(
        {
            "authorization": "AWS_IAM",
            "http_method": "POST",
            # $default: a body of any other content type is checked too.
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
def test_parameters_of_the_path_are_required(
    synthesized: SynthesizedStack, method: str, parameters: dict[str, bool]
) -> None:
    block = synthesized.resource("aws_api_gateway_method", f"*/method-{method}")
    assert block["request_parameters"] == parameters


def test_public_access_is_open_on_its_method_only(synthesized: SynthesizedStack) -> None:
    authorization = {m.path: m["authorization"] for m in synthesized.resources("aws_api_gateway_method")}
    assert authorization == {
        "shop/api/method-files-param-any": "AWS_IAM",
        "shop/api/method-payments-param-get": "AWS_IAM",
        "shop/api/method-payments-post": "AWS_IAM",
        "shop/api/method-root-get": "NONE",
    }


def test_a_method_calls_the_alias_of_its_function(synthesized: SynthesizedStack) -> None:
    method = "${aws_api_gateway_method.api_method_payments_param_get_eu_west_1.http_method}"
    synthesized.resource("aws_api_gateway_integration", "*/integration-payments-param-get").assert_config(
        {
            "http_method": method,
            "integration_http_method": "POST",
            "resource_id": "${aws_api_gateway_resource.api_resource_payments_param_eu_west_1.id}",
            "rest_api_id": API,
            "timeout_milliseconds": 5000,
            "type": "AWS_PROXY",
            "uri": "${aws_lambda_alias.pay_fn_live_eu_west_1.invoke_arn}",
        }
    )
    waits = {i["timeout_milliseconds"] for i in synthesized.resources("aws_api_gateway_integration", "*-post")}
    assert waits == {29000}


def test_the_api_may_call_the_function_for_its_methods_only(synthesized: SynthesizedStack) -> None:
    permissions = synthesized.resources("aws_lambda_permission")
    assert {permission["principal"] for permission in permissions} == {"apigateway.amazonaws.com"}
    assert {permission["source_arn"] for permission in permissions} == {
        f"{ARN}/live/*/files/*",
        f"{ARN}/live/GET/",
        f"{ARN}/live/GET/payments/*",
        f"{ARN}/live/POST/payments",
    }


def test_the_deployment_waits_for_everything_that_it_copies(synthesized: SynthesizedStack) -> None:
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


def test_the_outputs_are_the_address_and_the_id(synthesized: SynthesizedStack) -> None:
    assert synthesized.outputs["api_url_eu_west_1"] == f"https://{API}.execute-api.eu-west-1.amazonaws.com/live"
    assert synthesized.outputs["api_id_eu_west_1"] == API


def test_a_caller_is_granted_one_method_on_one_path(stack: HardenedStack) -> None:
    api, function = make_api(stack)
    api.add_method("GET", "/payments/{id}", function, late_finish=SAFE)
    assert api.invoke_statement("GET", "/payments/{id}", sid="ReadPayments") == Statement(
        sid="ReadPayments", actions=("execute-api:Invoke",), resources=(f"{ARN}/live/GET/payments/*",)
    )


def test_other_stacks_can_refer_to_the_api(stack: HardenedStack) -> None:
    api, _ = make_api(stack)
    assert "${TfToken[" in api.id
    assert "${TfToken[" in api.arn
    assert api.id != api.arn


def test_a_method_is_returned_and_kept_under_its_role(stack: HardenedStack) -> None:
    api, function = make_api(stack)
    method = api.add_method("GET", "/", function, late_finish=SAFE)
    assert api.resources["method-root-get"] is method
