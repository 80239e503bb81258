from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    App,
    ConfigurationError,
    HardenedStack,
    MultiRegionKey,
    PaymentLambda,
    RestApi,
    TokenAuthorizer,
)
from constructs_lib.foundation.errors import ConfigurationWarning
from tests.constructs.rest_api.apis import API, OPEN, SAFE, make_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

AUTHORIZER = "${aws_api_gateway_authorizer.api_authorizer_eu_west_1.id}"
ALIAS = "aws_lambda_alias.auth_fn_live_eu_west_1"


def make_api(stack: HardenedStack, **option: Any) -> tuple[RestApi, PaymentLambda]:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    function = option.pop("function", None) or make_function(stack, key, "auth-fn")
    option = {"function": function, "late_finish": SAFE, **option}
    api = RestApi(stack, "api", region=region, key=key, authorizer=TokenAuthorizer(**option))
    return api, make_function(stack, key)


def build(stack: HardenedStack) -> None:
    api, function = make_api(stack, token_pattern="^Bearer .+$")
    api.add_method("POST", "/payments", function, late_finish=SAFE)
    api.add_method("GET", "/payments", function, late_finish=SAFE, authorization="AWS_IAM")
    api.add_method("GET", "/health", function, late_finish=SAFE, authorization=OPEN)


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build)


def test_the_function_is_asked_for_a_token_in_one_header(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_api_gateway_authorizer").assert_config(
        {
            "authorizer_credentials": "${aws_iam_role.api_authorizer_role_eu_west_1.arn}",
            "authorizer_result_ttl_in_seconds": 300,
            "authorizer_uri": f"${{{ALIAS}.invoke_arn}}",
            "identity_source": "method.request.header.Authorization",
            "identity_validation_expression": "^Bearer .+$",
            "name": "shop-dev-api-authorizer-eu-west-1",
            "rest_api_id": API,
            "type": "TOKEN",
        }
    )


def test_api_gateway_may_invoke_the_alias_of_that_function_and_nothing_else(synthesized: SynthesizedStack) -> None:
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


def test_methods_use_the_authorizer_unless_told_otherwise(synthesized: SynthesizedStack) -> None:
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


def test_a_request_authorizer_is_asked_about_everything_that_identifies_the_caller(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    def fill(stack: HardenedStack) -> None:
        sources = ("header.X-Client", "querystring.tenant", "context.httpMethod")
        api, function = make_api(stack, kind="REQUEST", sources=sources, ttl=0)
        api.add_method("GET", "/", function, late_finish=SAFE)

    authorizer = synth_stack(fill).resource("aws_api_gateway_authorizer")
    assert authorizer["type"] == "REQUEST"
    assert authorizer["authorizer_result_ttl_in_seconds"] == 0
    sources = "method.request.header.X-Client,method.request.querystring.tenant,context.httpMethod"
    assert authorizer["identity_source"] == sources
    assert "identity_validation_expression" not in authorizer


def digest(stack: HardenedStack, **option: Any) -> str:
    api, function = make_api(stack, **option)
    api.add_method("GET", "/", function, late_finish=SAFE)
    return api._declared.digest(api.region.stack.text)


@pytest.fixture(scope="module")
def base_digest(tmp_path_factory: pytest.TempPathFactory) -> str:
    app = App(outdir=str(tmp_path_factory.mktemp("base")))
    return digest(HardenedStack(app, "shop", environment="dev", owner="team-shop"))


@pytest.mark.parametrize(
    "change",
    [{"kind": "REQUEST"}, {"sources": ("header.X-Token",)}, {"ttl": 0}, {"token_pattern": "^.{8,}$"}],
    ids=str,
)
def test_a_change_of_the_authorizer_is_deployed(stack: HardenedStack, base_digest: str, change: dict[str, Any]) -> None:
    assert digest(stack, **change) != base_digest


def test_another_function_is_deployed(stack: HardenedStack, base_digest: str) -> None:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "other-key", region=region)
    assert digest(stack, function=make_function(stack, key, "other-fn")) != base_digest


def test_a_renamed_function_is_deployed_although_its_reference_stays(stack: HardenedStack, base_digest: str) -> None:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "other-key", region=region)
    function = make_function(stack, key, "auth-fn")
    function.name = "shop-dev-renamed-eu-west-1"
    assert digest(stack, function=function) != base_digest


def test_why_it_may_finish_late_is_no_part_of_the_api(stack: HardenedStack, base_digest: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfigurationWarning)
        assert digest(stack, late_finish=None) == base_digest


def test_a_method_without_the_authorizer_is_another_api(stack: HardenedStack, base_digest: str) -> None:
    api, function = make_api(stack)
    api.add_method("GET", "/", function, late_finish=SAFE, authorization="AWS_IAM")
    assert api._declared.digest(api.region.stack.text) != base_digest


def test_a_function_that_may_outlive_the_answer_is_warned_about(stack: HardenedStack) -> None:
    with pytest.warns(ConfigurationWarning) as warned:
        make_api(stack, late_finish=None)
    (warning,) = warned
    assert warning.filename == __file__
    assert str(warning.message) == (
        "shop/api: the authorizer shop/auth-fn may run for 30 s, and API Gateway answers 500 after 29 s while it goes on, "
        "so that a caller who tries again starts it twice; make it safe to run twice and give "
        "TokenAuthorizer(late_finish=LateFinish('why it is'))"
    )


def test_a_late_finish_with_a_reason_is_recorded(stack: HardenedStack) -> None:
    make_api(stack)
    assert stack.opt_outs == [("shop/api/authorizer", SAFE)]


def test_a_function_that_ends_in_time_is_not_warned_about(stack: HardenedStack) -> None:
    function = make_function(stack, MultiRegionKey(stack, "other-key", region=stack.region("eu-west-1")), "quick-fn")
    function.timeout = 29
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_api(stack, function=function, late_finish=None)
    assert stack.opt_outs == []


ONE = "must be one header such as 'header.Authorization'; kind='REQUEST' takes others too"
NAMES = "must be header.NAME, querystring.NAME or context.NAME"


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ({"kind": "COGNITO"}, "kind='COGNITO': must be one of TOKEN, REQUEST"),
        ({"ttl": -1}, "ttl=-1: must be a whole number of seconds from 0 to 3600"),
        ({"ttl": 3601}, "ttl=3601: must be a whole number of seconds from 0 to 3600"),
        ({"ttl": True}, "ttl=True: must be a whole number of seconds from 0 to 3600"),
        (
            {"sources": "header.Authorization"},
            "sources='header.Authorization': must be a tuple of names such as 'header.Authorization'",
        ),
        ({"sources": ()}, f"sources=(): {ONE}"),
        ({"sources": ("header.A", "header.B")}, f"sources=('header.A', 'header.B'): {ONE}"),
        ({"sources": ("querystring.token",)}, f"sources=('querystring.token',): {ONE}"),
        ({"sources": ("Authorization",)}, f"sources=('Authorization',): {ONE}"),
        (
            {"kind": "REQUEST", "sources": ()},
            "sources=(): must name at least one thing that identifies the caller",
        ),
        ({"kind": "REQUEST", "sources": ("path.id",)}, f"sources='path.id': {NAMES}"),
        ({"kind": "REQUEST", "sources": ("header.A,B",)}, f"sources='header.A,B': {NAMES}"),
        (
            {"kind": "REQUEST", "token_pattern": "^x$"},
            "token_pattern='^x$': is for kind='TOKEN' only; leave it out",
        ),
        ({"token_pattern": ""}, "token_pattern='': must be a plain regular expression"),
        ({"token_pattern": "${var.p}"}, "token_pattern='${var.p}': must be a plain regular expression"),
        (
            {"token_pattern": "("},
            "token_pattern='(': is no regular expression: missing ), unterminated subpattern at position 0",
        ),
    ],
    ids=str,
)
def test_an_option_that_cannot_be_deployed_is_refused(
    stack: HardenedStack, option: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        make_api(stack, **option)
    assert str(error.value) == f"shop/api: authorizer.{problem}"


@pytest.mark.parametrize("ttl", [0, 3600])
def test_a_time_at_its_limit_is_accepted(stack: HardenedStack, ttl: int) -> None:
    assert make_api(stack, ttl=ttl)


def test_a_function_of_another_region_is_refused(stack: HardenedStack) -> None:
    key = MultiRegionKey(stack, "far-key", region=stack.region("us-east-1"))
    with pytest.raises(ConfigurationError) as error:
        make_api(stack, function=make_function(stack, key, "far-fn"))
    assert str(error.value) == (
        "shop/api: authorizer.function='shop/far-fn': is in us-east-1 of the stack shop, and the API in eu-west-1 of "
        "shop; both must be the same"
    )


def test_what_is_no_authorizer_is_refused(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    with pytest.raises(ConfigurationError) as error:
        RestApi(stack, "api", region=region, key=key, authorizer="auth-fn")  # type: ignore[arg-type]
    assert str(error.value) == "shop/api: authorizer='auth-fn': must be TokenAuthorizer(function)"
