from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import App, ConfigurationError, Environment, HardenedStack, MultiRegionKey, NoAlarms, RestApi
from constructs_lib.constructs.web_acl import WebAcl
from tests.constructs.rest_api.apis import API, ARN, SAFE, build, make_function, with_one_method

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from constructs_lib.testing import SynthesizedStack


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build)


def test_the_stage_has_logs_and_tracing_and_depends_on_what_it_needs(synthesized: SynthesizedStack) -> None:
    stage = synthesized.resource("aws_api_gateway_stage")
    stage.assert_config(
        {
            "access_log_settings": {
                "destination_arn": "${aws_cloudwatch_log_group.api_stage_access_log_eu_west_1.arn}",
                "format": stage["access_log_settings"]["format"],
            },
            "deployment_id": "${aws_api_gateway_deployment.api_deployment_eu_west_1.id}",
            "depends_on": [
                "aws_cloudwatch_log_group.api_stage_execution_log_eu_west_1",
                "aws_api_gateway_account.api_gateway_account_eu_west_1",
                "aws_lambda_permission.pay_fn_api_payments_post_eu_west_1",
                "aws_lambda_permission.pay_fn_api_payments_param_get_eu_west_1",
                "aws_lambda_permission.pay_fn_api_root_get_eu_west_1",
                "aws_lambda_permission.pay_fn_api_files_param_any_eu_west_1",
            ],
            "rest_api_id": API,
            "stage_name": "live",
            "xray_tracing_enabled": True,
        }
    )


def test_the_access_log_has_no_headers_bodies_and_path_values(
    synthesized: SynthesizedStack,
) -> None:
    stage = synthesized.resource("aws_api_gateway_stage")
    assert json.loads(stage["access_log_settings"]["format"]) == {
        "requestId": "$context.requestId",
        "extendedRequestId": "$context.extendedRequestId",
        "ip": "$context.identity.sourceIp",
        "caller": "$context.identity.caller",
        "user": "$context.identity.user",
        "requestTime": "$context.requestTime",
        "httpMethod": "$context.httpMethod",
        "resourcePath": "$context.resourcePath",
        "status": "$context.status",
        "protocol": "$context.protocol",
        "responseLength": "$context.responseLength",
        "responseLatency": "$context.responseLatency",
        "errorType": "$context.error.responseType",
        "integrationStatus": "$context.integrationStatus",
        "integrationError": "$context.integrationErrorMessage",
    }


def test_both_log_groups_are_encrypted_with_the_key(synthesized: SynthesizedStack) -> None:
    names = {
        "shop/api/stage/access-log/Resource": "shop-dev-api-stage-access-log-eu-west-1",
        # The name of the log group that API Gateway would create without encryption.
        "shop/api/stage/execution-log/Resource": f"API-Gateway-Execution-Logs_{API}/live",
    }
    policy = synthesized.resource("aws_kms_key")["policy"]
    for pattern in ("*shop-dev-*", "API-Gateway-Execution-Logs_*"):
        assert f"log-group:{pattern}" in policy
    for path, name in names.items():
        synthesized.resource("aws_cloudwatch_log_group", path).assert_config(
            {"kms_key_id": "${aws_kms_key.key_eu_west_1.arn}", "name": name, "retention_in_days": 30}
        )


@pytest.fixture(scope="module")
def by_environment(synth_stack: Callable[..., SynthesizedStack]) -> dict[Environment, SynthesizedStack]:
    return {environment: synth_stack(with_one_method, environment) for environment in Environment}


def test_every_method_has_throttling_and_metrics_and_no_data_tracing(
    by_environment: Mapping[Environment, SynthesizedStack], environment: Environment
) -> None:
    rate, burst = {"dev": (50, 25), "staging": (100, 50), "prod": (1000, 500)}[environment]
    by_environment[environment].resource("aws_api_gateway_method_settings").assert_config(
        {
            "method_path": "*/*",
            "rest_api_id": API,
            "settings": {
                "cache_data_encrypted": True,
                "caching_enabled": False,
                "data_trace_enabled": False,
                "logging_level": "ERROR",
                "metrics_enabled": True,
                "throttling_burst_limit": burst,
                "throttling_rate_limit": rate,
            },
            "stage_name": "${aws_api_gateway_stage.api_stage_eu_west_1.stage_name}",
        }
    )


@pytest.mark.parametrize(
    ("id_", "method_path", "rate", "burst", "before"),
    [
        ("settings-payments-param-get", "~1payments~1{id}/GET", 7, 25, "settings"),
        ("settings-root-get", "~1/GET", 50, 3, "settings-payments-param-get"),
    ],
)
def test_settings_of_one_method_are_complete_and_created_in_sequence(  # noqa: PLR0917  a table
    synthesized: SynthesizedStack, id_: str, method_path: str, rate: int, burst: int, before: str
) -> None:
    earlier = before.replace("-", "_")
    synthesized.resource("aws_api_gateway_method_settings", f"*/{id_}").assert_config(
        {
            "depends_on": [f"aws_api_gateway_method_settings.api_stage_{earlier}_eu_west_1"],
            "method_path": method_path,
            "rest_api_id": API,
            "settings": {
                "cache_data_encrypted": True,
                "caching_enabled": False,
                "data_trace_enabled": False,
                "logging_level": "ERROR",
                "metrics_enabled": True,
                "throttling_burst_limit": burst,
                "throttling_rate_limit": rate,
            },
            "stage_name": "${aws_api_gateway_stage.api_stage_eu_west_1.stage_name}",
        }
    )


def test_the_cloudwatch_role_may_write_the_log_groups_of_the_account_and_region(
    synthesized: SynthesizedStack,
) -> None:
    account = "${data.aws_caller_identity.current_eu_west_1.account_id}"
    synthesized.resource("aws_api_gateway_account").assert_config(
        {
            "cloudwatch_role_arn": "${aws_iam_role.api_gateway_account_log_role_eu_west_1.arn}",
            "depends_on": ["aws_iam_role_policy.api_gateway_account_log_role_policy_eu_west_1"],
        }
    )
    documents = "data.aws_iam_policy_document"
    trust = synthesized.resource(documents, "*/api-gateway-account-*/log-role/trust")
    assert trust["statement"][0]["principals"] == [{"type": "Service", "identifiers": ["apigateway.amazonaws.com"]}]
    policy = synthesized.resource(documents, "*/api-gateway-account-*/log-role/policy-document")
    assert policy["statement"] == [
        {
            "sid": "WriteLogs",
            "effect": "Allow",
            "actions": [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogGroups",
                "logs:DescribeLogStreams",
                "logs:FilterLogEvents",
                "logs:GetLogEvents",
                "logs:PutLogEvents",
            ],
            "resources": [f"arn:aws:logs:eu-west-1:{account}:log-group:*"],
        }
    ]


def test_an_api_has_a_web_acl_in_prod(
    by_environment: Mapping[Environment, SynthesizedStack], environment: Environment
) -> None:
    associations = by_environment[environment].find("aws_wafv2_web_acl_association")
    if environment is not Environment.PROD:
        assert associations == []
        return
    (association,) = associations
    association.assert_config(
        {
            "resource_arn": "${aws_api_gateway_stage.api_stage_eu_west_1.arn}",
            "web_acl_arn": "${aws_wafv2_web_acl.api_web_acl_eu_west_1.arn}",
        }
    )


@pytest.fixture(scope="module")
def two_apis(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    """Two APIs of one region with one web ACL, the second behind a custom domain, in prod."""

    def fill(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        function = make_function(stack, key)
        acl = WebAcl(stack, "acl", region=region, key=key)
        for id_ in ("api", "partner-api"):
            api = RestApi(
                stack,
                id_,
                region=region,
                key=key,
                stage="v1",
                rate_limit=8,
                burst_limit=4,
                web_acl=acl,
                custom_domain=id_ == "partner-api",
                description="For partners",
            )
            api.add_method("GET", "/", function, shorter_timeout=SAFE)

    return synth_stack(fill, "prod")


def test_the_cloudwatch_role_is_set_once_for_all_apis_of_a_region(two_apis: SynthesizedStack) -> None:
    account = two_apis.resource("aws_api_gateway_account").address
    stages = two_apis.resources("aws_api_gateway_stage")
    assert [account in stage["depends_on"] for stage in stages] == [True, True]


def test_apis_can_share_a_web_acl(two_apis: SynthesizedStack) -> None:
    assert len(two_apis.resources("aws_wafv2_web_acl")) == 1
    assert {a["resource_arn"] for a in two_apis.resources("aws_wafv2_web_acl_association")} == {
        "${aws_api_gateway_stage.api_stage_eu_west_1.arn}",
        "${aws_api_gateway_stage.partner_api_stage_eu_west_1.arn}",
    }


def test_a_custom_domain_disables_the_execute_api_endpoint(two_apis: SynthesizedStack) -> None:
    closed = {a.path: a["disable_execute_api_endpoint"] for a in two_apis.resources("aws_api_gateway_rest_api")}
    assert closed == {"shop/api/Resource": False, "shop/partner-api/Resource": True}
    assert "api_url_eu_west_1" in two_apis.outputs
    assert "partner_api_url_eu_west_1" not in two_apis.outputs


def test_stage_limits_and_description_are_arguments(two_apis: SynthesizedStack) -> None:
    assert two_apis.resource("aws_api_gateway_rest_api", "shop/api/*")["description"] == "For partners"
    assert two_apis.outputs["api_url_eu_west_1"].endswith("/v1")
    assert two_apis.resource("aws_api_gateway_stage", "shop/api/*")["stage_name"] == "v1"
    settings = two_apis.resource("aws_api_gateway_method_settings", "shop/api/*")["settings"]
    assert (settings["throttling_rate_limit"], settings["throttling_burst_limit"]) == (8, 4)
    assert two_apis.resource("aws_lambda_permission", "*/api-root-get")["source_arn"] == f"{ARN}/v1/GET/"


def test_the_cloudwatch_role_is_not_set_if_the_account_has_one(synth_stack: Callable[..., SynthesizedStack]) -> None:
    stack = synth_stack(lambda s: with_one_method(s, account_has_log_role=True, web_acl=True))
    assert stack.find("aws_api_gateway_account") == []
    assert stack.find("aws_iam_role", "*api-gateway-account*") == []
    assert stack.resource("aws_api_gateway_stage")["depends_on"] == [
        "aws_cloudwatch_log_group.api_stage_execution_log_eu_west_1",
        "aws_lambda_permission.pay_fn_api_root_get_eu_west_1",
    ]
    assert len(stack.resources("aws_wafv2_web_acl_association")) == 1


def test_the_log_role_has_one_owner_in_an_app(synthesize: Callable[..., dict[str, SynthesizedStack]]) -> None:
    def two(app: App, *, second: str = "eu-west-1", account: str | None = None, **arguments: Any) -> None:
        for name, place in (("shop", "eu-west-1"), ("store", second)):
            accounts = [account or "111122223333"] if name == "store" else ["111122223333"]
            accounts = accounts if account else []
            stack = HardenedStack(app, name, environment="dev", owner="team-shop", allowed_account_ids=accounts)
            region = stack.region(place)
            key = MultiRegionKey(stack, "key", region=region)
            given = arguments if name == "store" else {}
            api = RestApi(stack, "api", region=region, key=key, **given)
            api.add_method("GET", "/", make_function(stack, key), shorter_timeout=SAFE)

    with pytest.raises(ConfigurationError) as refused:
        synthesize(two)
    assert str(refused.value) == (
        "store/api-gateway-account-eu-west-1: region='eu-west-1': the stack shop sets API Gateway's CloudWatch log role of "
        "this account and region too, and each apply would overwrite the other's; expected one owner. Give the APIs of "
        "store account_has_log_role=True, or both stacks the allowed_account_ids of their accounts"
    )
    with pytest.raises(ConfigurationError):
        synthesize(lambda app: two(app, account="111122223333"))
    for arguments in ({"account_has_log_role": True}, {"second": "us-east-1"}, {"account": "444455556666"}):
        synthesize(lambda app, given=arguments: two(app, **given))


def test_errors_and_latency_have_alarms_in_prod(synth_stack: Callable[..., SynthesizedStack]) -> None:
    topic = "arn:aws:sns:eu-west-1:111122223333:calls"
    stack = synth_stack(
        lambda stack: with_one_method(stack, alarm_topics=[topic], latency_alarm_milliseconds=2000), "prod"
    )
    common = {
        "actions_enabled": True,
        "alarm_actions": [topic],
        "comparison_operator": "GreaterThanThreshold",
        "dimensions": {"ApiName": "${aws_api_gateway_rest_api.api_eu_west_1.name}", "Stage": "live"},
        "namespace": "AWS/ApiGateway",
        "ok_actions": [topic],
        "period": 60,
        "treat_missing_data": "notBreaching",
    }
    stack.resource("aws_cloudwatch_metric_alarm", "*/api/server-errors-alarm").assert_config(
        {
            **common,
            "alarm_description": "More than 5% of the API's requests fail with a 5xx status: the access log says which "
            "and why",
            "alarm_name": "shop-prod-api-server-errors-alarm-eu-west-1",
            "datapoints_to_alarm": 3,
            "evaluation_periods": 3,
            "metric_name": "5XXError",
            "statistic": "Average",
            "threshold": 0.05,
        }
    )
    assert stack.resource("aws_cloudwatch_metric_alarm", "*/api/web-acl/blocked-alarm")["alarm_actions"] == [topic]
    stack.resource("aws_cloudwatch_metric_alarm", "*/api/latency-alarm").assert_config(
        {
            **common,
            "alarm_description": "The slowest 1% of the responses take more than 2000 ms; API Gateway waits 29 s "
            "for a function",
            "alarm_name": "shop-prod-api-latency-alarm-eu-west-1",
            "datapoints_to_alarm": 5,
            "evaluation_periods": 5,
            "extended_statistic": "p99",
            "metric_name": "Latency",
            "threshold": 2000,
        }
    )


def test_an_api_that_nobody_watches_is_an_opt_out_in_prod(tmp_path_factory: pytest.TempPathFactory) -> None:
    reason = NoAlarms("the gateway in front of it has alarms of its own")
    app = App(outdir=str(tmp_path_factory.mktemp("prod")))
    stack = HardenedStack(app, "shop", environment="prod", owner="team-shop")
    with pytest.raises(ConfigurationError, match="prod requires alarms; pass NoAlarms"):
        with_one_method(stack, alarms=False)
    other = HardenedStack(app, "store", environment="prod", owner="team-shop")
    with_one_method(other, alarms=reason)
    assert ("store/api", reason) in other.opt_outs


@pytest.mark.parametrize("environment", ["dev", "staging"])
def test_other_environments_have_alarms_on_request(
    synth_stack: Callable[..., SynthesizedStack], environment: str
) -> None:
    assert synth_stack(with_one_method, environment).find("aws_cloudwatch_metric_alarm") == []
    asked = synth_stack(lambda stack: with_one_method(stack, alarms=True), environment)
    assert len(asked.resources("aws_cloudwatch_metric_alarm")) == 2


@pytest.mark.parametrize("milliseconds", [0, 29_001, 2.5])
def test_a_latency_that_cannot_be_exceeded_is_refused(stack: HardenedStack, milliseconds: float) -> None:
    with pytest.raises(ConfigurationError) as refused:
        with_one_method(stack, latency_alarm_milliseconds=milliseconds)
    assert str(refused.value) == (
        f"shop/api: latency_alarm_milliseconds={milliseconds}: must be a whole number of milliseconds from 1 to 29000"
    )
