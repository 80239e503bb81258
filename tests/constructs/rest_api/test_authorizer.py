from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest

import constructs_lib
from constructs_lib import (
    App,
    ConfigurationError,
    HardenedStack,
    LambdaAuthorizer,
    MultiRegionKey,
    PaymentLambda,
    RestApi,
)
from constructs_lib.foundation.errors import ConfigurationWarning
from tests.constructs.rest_api.apis import ACCOUNT, API, OPEN, SAFE, invoke_arn, make_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

AUTHORIZER = "${aws_api_gateway_authorizer.api_authorizer_eu_west_1.id}"
ALIAS = "aws_lambda_alias.auth_fn_live_eu_west_1"


def make_api(stack: HardenedStack, **option: Any) -> tuple[RestApi, PaymentLambda]:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    function = option.pop("function", None) or make_function(stack, key, "auth-fn")
    option = {"function": function, "shorter_timeout": SAFE, **option}
    api = RestApi(stack, "api", region=region, key=key, authorizer=LambdaAuthorizer(**option))
    return api, make_function(stack, key)


def build(stack: HardenedStack) -> None:
    api, function = make_api(stack, token_pattern="^Bearer .+$")
    api.add_method("POST", "/payments", function, shorter_timeout=SAFE)
    api.add_method("GET", "/payments", function, shorter_timeout=SAFE, authorization="AWS_IAM")
    api.add_method("GET", "/health", function, shorter_timeout=SAFE, authorization=OPEN)


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build)


def test_a_token_authorizer_receives_one_header(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_api_gateway_authorizer").assert_config(
        {
            "authorizer_credentials": f"arn:aws:iam::{ACCOUNT}:role/shop-dev-api-authorizer-role-eu-west-1",
            "authorizer_result_ttl_in_seconds": 300,
            "authorizer_uri": invoke_arn("auth-fn"),
            "identity_source": "method.request.header.Authorization",
            "identity_validation_expression": "^Bearer .+$",
            "name": "shop-dev-api-authorizer-eu-west-1",
            "rest_api_id": API,
            "type": "TOKEN",
        }
    )


def test_the_role_may_invoke_the_functions_alias_only(synthesized: SynthesizedStack) -> None:
    document = synthesized.resource("data.aws_iam_policy_document", "*/authorizer/role/policy-document")
    assert document["statement"] == [
        {
            "actions": ["lambda:InvokeFunction"],
            "effect": "Allow",
            "resources": [f"${{{ALIAS}.arn}}"],
            "sid": "InvokeShopAuthFnEuWest1",
        }
    ]
    trust = synthesized.resource("data.aws_iam_policy_document", "*/authorizer/role/trust")
    assert trust["statement"] == [
        {
            "actions": ["sts:AssumeRole"],
            "effect": "Allow",
            "principals": [{"identifiers": ["apigateway.amazonaws.com"], "type": "Service"}],
            "sid": "AssumeRole",
        }
    ]


def test_methods_use_the_authorizer_by_default(synthesized: SynthesizedStack) -> None:
    methods = {
        method.path.rsplit("/", 1)[1]: (method["authorization"], method.config.get("authorizer_id"))
        for method in synthesized.resources("aws_api_gateway_method")
    }
    assert methods == {
        "method-payments-post": ("CUSTOM", AUTHORIZER),
        "method-payments-get": ("AWS_IAM", None),
        "method-health-get": ("NONE", None),
    }


def test_the_deployment_waits_for_the_authorizer_and_the_stage_for_its_roles_policy(
    synthesized: SynthesizedStack,
) -> None:
    deployment = synthesized.resource("aws_api_gateway_deployment")
    assert "aws_api_gateway_authorizer.api_authorizer_eu_west_1" in deployment["depends_on"]
    stage = synthesized.resource("aws_api_gateway_stage")
    assert "aws_iam_role_policy.api_authorizer_role_policy_eu_west_1" in stage["depends_on"]
    assert "aws_api_gateway_account.api_gateway_account_eu_west_1" in stage["depends_on"]


def test_a_request_authorizer_has_several_identity_sources(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    def fill(stack: HardenedStack) -> None:
        sources = ("header.X-Client", "querystring.tenant", "context.httpMethod")
        api, function = make_api(stack, type="REQUEST", identity_sources=sources, result_ttl_seconds=0)
        api.add_method("GET", "/", function, shorter_timeout=SAFE)

    authorizer = synth_stack(fill).resource("aws_api_gateway_authorizer")
    assert authorizer["type"] == "REQUEST"
    assert authorizer["authorizer_result_ttl_in_seconds"] == 0
    sources = "method.request.header.X-Client,method.request.querystring.tenant,context.httpMethod"
    assert authorizer["identity_source"] == sources
    assert "identity_validation_expression" not in authorizer


def digest(stack: HardenedStack, **option: Any) -> str:
    api, function = make_api(stack, **option)
    api.add_method("GET", "/", function, shorter_timeout=SAFE)
    return api._declared.digest(api.region.stack.text)


@pytest.fixture(scope="module")
def base_digest(tmp_path_factory: pytest.TempPathFactory) -> str:
    app = App(outdir=str(tmp_path_factory.mktemp("base")))
    return digest(HardenedStack(app, "shop", environment="dev", owner="team-shop"))


@pytest.mark.parametrize(
    "change",
    [
        {"type": "REQUEST"},
        {"identity_sources": ("header.X-Token",)},
        {"result_ttl_seconds": 0},
        {"token_pattern": "^.{8,}$"},
    ],
    ids=str,
)
def test_a_change_of_the_authorizer_is_deployed(stack: HardenedStack, base_digest: str, change: dict[str, Any]) -> None:
    assert digest(stack, **change) != base_digest


def test_a_change_of_the_authorizers_function_is_deployed(stack: HardenedStack, base_digest: str) -> None:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "other-key", region=region)
    assert digest(stack, function=make_function(stack, key, "other-fn")) != base_digest


def test_a_change_of_the_functions_name_is_deployed(stack: HardenedStack, base_digest: str) -> None:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "other-key", region=region)
    function = make_function(stack, key, "auth-fn")
    function.name = "shop-dev-renamed-eu-west-1"
    assert digest(stack, function=function) != base_digest


def test_an_acknowledged_timeout_is_not_part_of_the_digest(stack: HardenedStack, base_digest: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigurationWarning)
        assert digest(stack, shorter_timeout=None) == base_digest


def test_a_change_of_a_methods_authorization_is_deployed(stack: HardenedStack, base_digest: str) -> None:
    api, function = make_api(stack)
    api.add_method("GET", "/", function, shorter_timeout=SAFE, authorization="AWS_IAM")
    assert api._declared.digest(api.region.stack.text) != base_digest


def test_a_function_with_a_longer_timeout_causes_a_warning(stack: HardenedStack) -> None:
    with pytest.warns(ConfigurationWarning) as warned:
        make_api(stack, shorter_timeout=None)
    (warning,) = warned
    assert warning.filename == __file__
    assert str(warning.message) == (
        "shop/api: the authorizer shop/auth-fn has a timeout of 30 seconds, and API Gateway waits 29 seconds: it responds "
        "with 500 while the function still runs, and a client that retries invokes it again. Set the function's timeout "
        "to at most 29 seconds, or make the function idempotent and give "
        "LambdaAuthorizer(shorter_timeout=ShorterTimeout(reason))"
    )


def test_an_acknowledged_timeout_is_recorded(stack: HardenedStack) -> None:
    make_api(stack)
    assert stack.opt_outs == [("shop/api/authorizer", SAFE)]


def test_a_function_with_a_timeout_of_29_seconds_causes_no_warning(stack: HardenedStack) -> None:
    function = make_function(stack, MultiRegionKey(stack, "other-key", region=stack.region("eu-west-1")), "quick-fn")
    function.timeout = 29
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_api(stack, function=function, shorter_timeout=None)
    assert stack.opt_outs == []


ONE = "must be one header such as ('header.Authorization',); type='REQUEST' allows other identity sources"
NAMES = "must be header.NAME, querystring.NAME or context.NAME"


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ({"type": "COGNITO"}, "type='COGNITO': must be one of TOKEN, REQUEST"),
        ({"result_ttl_seconds": -1}, "result_ttl_seconds=-1: must be a whole number of seconds from 0 to 3600"),
        ({"result_ttl_seconds": 3601}, "result_ttl_seconds=3601: must be a whole number of seconds from 0 to 3600"),
        ({"result_ttl_seconds": True}, "result_ttl_seconds=True: must be a whole number of seconds from 0 to 3600"),
        (
            {"identity_sources": "header.Authorization"},
            "identity_sources='header.Authorization': must be a tuple such as ('header.Authorization',)",
        ),
        ({"identity_sources": ()}, f"identity_sources=(): {ONE}"),
        ({"identity_sources": ("header.A", "header.B")}, f"identity_sources=('header.A', 'header.B'): {ONE}"),
        ({"identity_sources": ("querystring.token",)}, f"identity_sources=('querystring.token',): {ONE}"),
        ({"identity_sources": ("Authorization",)}, f"identity_sources=('Authorization',): {ONE}"),
        (
            {"type": "REQUEST", "identity_sources": ()},
            "identity_sources=(): must have at least one identity source",
        ),
        ({"type": "REQUEST", "identity_sources": ("path.id",)}, f"identity_sources='path.id': {NAMES}"),
        ({"type": "REQUEST", "identity_sources": ("header.A,B",)}, f"identity_sources='header.A,B': {NAMES}"),
        (
            {"type": "REQUEST", "token_pattern": "^x$"},
            "token_pattern='^x$': is allowed with type='TOKEN' only; remove it",
        ),
        ({"token_pattern": ""}, "token_pattern='': must be a regular expression without references"),
        ({"token_pattern": "${var.p}"}, "token_pattern='${var.p}': must be a regular expression without references"),
        (
            {"token_pattern": "("},
            "token_pattern='(': is not a valid regular expression: missing ), unterminated subpattern at position 0",
        ),
    ],
    ids=str,
)
def test_an_invalid_authorizer_is_refused(stack: HardenedStack, option: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        make_api(stack, **option)
    assert str(error.value) == f"shop/api: authorizer.{problem}"


@pytest.mark.parametrize("ttl", [0, 3600])
def test_the_limits_of_the_ttl_are_allowed(stack: HardenedStack, ttl: int) -> None:
    assert make_api(stack, result_ttl_seconds=ttl)


def test_a_function_of_another_region_is_refused(stack: HardenedStack) -> None:
    key = MultiRegionKey(stack, "far-key", region=stack.region("us-east-1"))
    with pytest.raises(ConfigurationError) as error:
        make_api(stack, function=make_function(stack, key, "far-fn"))
    assert str(error.value) == (
        "shop/api: authorizer.function='shop/far-fn': is in us-east-1 of the stack shop; expected a function in eu-west-1 "
        "of the stack shop"
    )


def test_an_authorizer_of_another_type_is_refused(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    with pytest.raises(ConfigurationError) as error:
        RestApi(stack, "api", region=region, key=key, authorizer="auth-fn")  # type: ignore[arg-type]
    assert str(error.value) == "shop/api: authorizer='auth-fn': must be a LambdaAuthorizer"


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("kind", "type", "REQUEST"),
        ("sources", "identity_sources", ("header.X-Token",)),
        ("ttl", "result_ttl_seconds", 60),
        ("late_finish", "shorter_timeout", SAFE),
    ],
)
def test_the_old_names_of_fields_are_deprecated(stack: HardenedStack, old: str, new: str, value: object) -> None:
    function = make_function(stack, MultiRegionKey(stack, "key", region=stack.region("eu-west-1")))
    with pytest.deprecated_call(match=f"argument {old} is deprecated .* use {new}"):
        authorizer = LambdaAuthorizer(function, **{old: value})  # type: ignore[arg-type]
    assert getattr(authorizer, new) == value


def test_the_old_name_of_the_class_is_deprecated() -> None:
    with pytest.deprecated_call(match="constructs_lib.TokenAuthorizer is deprecated .* use LambdaAuthorizer"):
        assert constructs_lib.TokenAuthorizer is LambdaAuthorizer  # type: ignore[attr-defined]
