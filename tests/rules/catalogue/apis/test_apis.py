"""Rules about APIs, load balancers and domains: legal unusual code that stays clean, other forms of each mistake."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, resources

API = {"aws_api_gateway_rest_api": {"shop": {"name": "shop-prod-api"}}}


OF_API = {"rest_api_id": "${aws_api_gateway_rest_api.shop.id}"}


STAGE = "resource.aws_api_gateway_stage.main"


SETTINGS = "resource.aws_api_gateway_method_settings"


DEPLOYMENT = "resource.aws_api_gateway_deployment.this"


def test_settings_may_name_their_stage_by_a_text() -> None:
    assert found("API-001", good("API-001", {f"{SETTINGS}.all.stage_name": "prod"})) == []


def test_settings_of_another_stage_limit_nothing_here() -> None:
    (message,) = found("API-001", good("API-001", {f"{SETTINGS}.all.stage_name": "staging"}))
    assert 'with method_path "*/*"' in message


def test_settings_whose_stage_only_a_plan_can_tell_may_be_for_this_one() -> None:
    document = good("API-001", {f"{SETTINGS}.all.stage_name": "${var.stage}", "variable": {"stage": {}}})
    assert doubted("API-001", document) == ["var.stage has no default"]


def test_limits_of_every_single_method_are_limits() -> None:
    document = good("API-001", {f"{SETTINGS}.all.method_path": "orders/POST"})
    document["resource"]["aws_api_gateway_method"] = {"post": dict(OF_API)}
    assert found("API-001", document) == []
    document["resource"]["aws_api_gateway_method"]["get"] = dict(OF_API)
    assert len(found("API-001", document)) == 1


def test_limits_given_as_text_are_limits_and_minus_one_as_text_is_none() -> None:
    assert found("API-001", good("API-001", {f"{SETTINGS}.all.settings.throttling_rate_limit": "100"})) == []
    assert len(found("API-001", good("API-001", {f"{SETTINGS}.all.settings.throttling_rate_limit": "-1"}))) == 1


def test_each_stage_of_a_for_each_needs_the_settings_of_its_own() -> None:
    stage = OF_API | {"for_each": {"blue": 1, "green": 2}, "stage_name": "${each.key}"}
    settings = OF_API | {
        "for_each": {"blue": 1},
        "stage_name": "${aws_api_gateway_stage.main[each.key].stage_name}",
        "method_path": "*/*",
        "settings": {"throttling_rate_limit": 1, "throttling_burst_limit": 1},
    }
    document = resources(
        **API, aws_api_gateway_stage={"main": stage}, aws_api_gateway_method_settings={"all": settings}
    )
    (message,) = found("API-001", document)
    assert message.startswith('aws_api_gateway_stage.main["green"]: stage_name')


def test_the_account_role_may_stand_in_another_stack_of_the_region() -> None:
    account = good("API-003", {})
    stage = copy.deepcopy(account)
    del stage["resource"]["aws_api_gateway_account"]
    del stage["resource"]["aws_api_gateway_stage"]["main"]["depends_on"]
    other = {
        "provider": account["provider"],
        "resource": {"aws_api_gateway_account": {"this": {"cloudwatch_role_arn": "r"}}},
    }
    assert found("API-003", stage, other) == []
    other["provider"] = {"aws": {"region": "us-east-1"}}
    (message,) = found("API-003", stage, other)
    assert "in eu-west-1, since it writes logs; the checked stacks have none" in message


def test_a_stage_waits_for_the_role_through_other_blocks() -> None:
    document = good("API-003", {f"{STAGE}.depends_on": ["terraform_data.ready"]})
    document["resource"]["terraform_data"] = {"ready": {"input": "${aws_api_gateway_account.this.id}"}}
    assert found("API-003", document) == []


def test_logs_to_a_delivery_stream_and_of_http_apis_need_no_role() -> None:
    document = good("API-003", {SETTINGS: {}, "resource.aws_api_gateway_account": {}, f"{STAGE}.depends_on": REMOVED})
    document["resource"]["aws_kinesis_firehose_delivery_stream"] = {"api": {"name": "amazon-apigateway-shop"}}
    stage = document["resource"]["aws_api_gateway_stage"]["main"]
    stage["access_log_settings"]["destination_arn"] = "${aws_kinesis_firehose_delivery_stream.api.arn}"
    assert found("API-003", document) == []


def test_a_log_destination_that_a_variable_names_is_not_decided() -> None:
    document = good(
        "API-004", {f"{STAGE}.access_log_settings.destination_arn": "${var.logs}", "variable": {"logs": {}}}
    )
    assert doubted("API-004", document) == ["var.logs has no default"]


def test_a_stage_of_a_private_api_needs_no_web_acl() -> None:
    document = good(
        "API-015",
        {
            "resource.aws_wafv2_web_acl_association": {},
            "resource.aws_api_gateway_rest_api.shop.endpoint_configuration": [{"types": ["PRIVATE"]}],
        },
    )
    assert found("API-015", document) == []


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:apigateway:eu-west-1::/restapis/${aws_api_gateway_rest_api.shop.id}/stages/prod",
        "${local.stage}",
    ],
)
def test_a_web_acl_may_name_a_stage_in_other_ways(arn: str) -> None:
    document = good("API-015", {"resource.aws_wafv2_web_acl_association.api.resource_arn": arn})
    document["locals"] = {"stage": "${aws_api_gateway_stage.main.arn}"}
    assert found("API-015", document) == []


def test_a_web_acl_for_an_unknown_resource_may_be_for_this_one() -> None:
    document = good("API-015", {"resource.aws_wafv2_web_acl_association.api.resource_arn": "${var.it}"})
    document["variable"] = {"it": {}}
    assert doubted("API-015", document) == ["var.it has no default"]


def test_a_distribution_with_a_web_acl_stands_before_the_api() -> None:
    document = good("API-015", {"resource.aws_wafv2_web_acl_association": {}})
    front = {
        "web_acl_id": "${aws_wafv2_web_acl.cdn.arn}",
        "origin": {"domain_name": "${aws_api_gateway_rest_api.shop.id}.x"},
    }
    document["resource"] |= {"aws_cloudfront_distribution": {"cdn": front}, "aws_wafv2_web_acl": {"cdn": {}}}
    assert found("API-015", document) == []
    del document["resource"]["aws_cloudfront_distribution"]["cdn"]["web_acl_id"]
    assert len(found("API-015", document)) == 1


def test_what_is_not_cached_needs_no_encryption() -> None:
    assert found("API-017", good("API-017", {f"{SETTINGS}.all.settings": {"caching_enabled": "false"}})) == []


@pytest.mark.parametrize(
    "method",
    [
        {"http_method": "OPTIONS", "authorization": "NONE"},
        {"http_method": "GET", "authorization": "NONE", "api_key_required": "true"},
        {"http_method": "GET", "authorization": "AWS_IAM"},
    ],
)
def test_methods_that_ask_or_need_not_are_clean(method: dict[str, Any]) -> None:
    document = resources(**API, aws_api_gateway_method={"m": OF_API | method})
    assert found("API-008", document) == []
    assert found("API-009", document) == []


def test_a_method_of_a_private_api_is_closed_by_its_policy() -> None:
    document = good("API-008", {"resource.aws_api_gateway_method.post.authorization": "NONE"})
    document["resource"]["aws_api_gateway_rest_api"]["shop"]["endpoint_configuration"] = {"types": ["PRIVATE"]}
    assert found("API-008", document) == []


def test_responses_are_matched_by_texts_and_instances_too() -> None:
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


def test_a_response_to_another_status_need_not_wait() -> None:
    document = good("API-013", {"resource.aws_api_gateway_integration_response.ok.status_code": "404"})
    assert found("API-013", document) == []


def test_a_method_whose_api_is_not_deployed_here_may_have_its_integration_elsewhere() -> None:
    document = good("API-014", {"resource.aws_api_gateway_integration": {}, "resource.aws_api_gateway_deployment": {}})
    assert found("API-014", document) == []


def test_an_integration_of_an_unknown_method_may_be_for_any() -> None:
    document = good("API-014", {"resource.aws_api_gateway_integration.post.http_method": "${var.method}"})
    document["variable"] = {"method": {}}
    assert doubted("API-014", document) == ["the method of aws_api_gateway_integration.post is known only in a plan"]


@pytest.mark.parametrize(
    ("protocol", "key", "asked"),
    [
        ("HTTP", "OPTIONS /orders", False),
        ("HTTP", "$default", True),
        ("HTTP", "ANY /{proxy+}", True),
        ("WEBSOCKET", "$connect", True),
        ("WEBSOCKET", "$default", False),
        ("WEBSOCKET", "sendMessage", False),
    ],
)
def test_routes_ask_where_their_protocol_can(protocol: str, key: str, *, asked: bool) -> None:
    document = good("API-018", {"resource.aws_apigatewayv2_api.shop.protocol_type": protocol})
    document["resource"]["aws_apigatewayv2_route"]["orders"] = {
        "api_id": "${aws_apigatewayv2_api.shop.id}",
        "route_key": key,
    }
    assert bool(found("API-018", document)) is asked


@pytest.mark.parametrize(
    "trigger",
    [
        '${sha1(file("api.tf"))}',
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "${timestamp()}",
        "${sha1(jsonencode([aws_api_gateway_method.get.id, aws_api_gateway_integration.get.uri]))}",
        "${module.api.hash}",
        "${var.revision}",
    ],
)
def test_other_triggers_are_taken_at_their_word(trigger: str) -> None:
    assert found("API-010", good("API-010", {f"{DEPLOYMENT}.triggers.redeployment": trigger})) == []


def test_an_api_made_of_a_document_is_deployed_again_with_it() -> None:
    api = {"name": "shop", "body": "${jsonencode(local.api)}"}
    deployment = OF_API | {"triggers": {"redeployment": "${sha1(aws_api_gateway_rest_api.shop.body)}"}}
    document = resources(aws_api_gateway_rest_api={"shop": api}, aws_api_gateway_deployment={"this": deployment})
    assert found("API-010", document) == []
    del document["resource"]["aws_api_gateway_deployment"]["this"]["triggers"]
    assert len(found("API-010", document)) == 1


def test_the_older_way_to_deploy_again_is_seen() -> None:
    older = {f"{DEPLOYMENT}.triggers": REMOVED, f"{DEPLOYMENT}.variables": {"hash": '${md5(file("api.tf"))}'}}
    assert found("API-010", good("API-010", older)) == []


def test_a_deployment_waits_for_integrations_through_other_blocks() -> None:
    document = good("API-011", {f"{DEPLOYMENT}.triggers": REMOVED, f"{DEPLOYMENT}.depends_on": ["terraform_data.api"]})
    document["resource"]["terraform_data"] = {"api": {"depends_on": ["aws_api_gateway_integration.get"]}}
    assert found("API-011", document) == []


def test_a_module_may_hold_the_integrations() -> None:
    document = good("API-011", {f"{DEPLOYMENT}.triggers": REMOVED, f"{DEPLOYMENT}.depends_on": ["module.routes"]})
    assert found("API-011", document) == []


def test_integrations_of_another_api_do_not_matter() -> None:
    document = good("API-011", {})
    document["resource"]["aws_api_gateway_rest_api"]["other"] = {"name": "other"}
    document["resource"]["aws_api_gateway_integration"]["other"] = {
        "rest_api_id": "${aws_api_gateway_rest_api.other.id}"
    }
    assert found("API-010", document) == []
    assert found("API-011", document) == []


def test_priorities_of_a_dynamic_block_with_keys_differ() -> None:
    content = {"name": "${rule.value}", "priority": "${rule.key}"}
    acl = {"dynamic": {"rule": [{"for_each": ["a", "b"], "content": [content]}]}}
    assert found("API-020", resources(aws_wafv2_web_acl={"shop": acl})) == []


def test_priorities_of_two_acls_may_be_the_same() -> None:
    acl = {"rule": {"name": "a", "priority": 1}}
    assert found("API-020", resources(aws_wafv2_web_acl={"a": acl, "b": acl})) == []


@pytest.mark.parametrize("name", ["aws-waf-logs-${var.name}", "${local.prefix}shop"])
def test_a_log_destination_counts_by_the_beginning_of_its_name(name: str) -> None:
    document = good("API-022", {"resource.aws_cloudwatch_log_group.waf.name": name})
    assert found("API-022", document | {"variable": {"name": {}}, "locals": {"prefix": "aws-waf-logs-"}}) == []


def test_a_log_destination_of_an_unknown_name_is_not_decided() -> None:
    document = good("API-022", {"resource.aws_cloudwatch_log_group.waf.name": "${var.name}"})
    assert doubted("API-022", document | {"variable": {"name": {}}}) == ["var.name has no default"]
