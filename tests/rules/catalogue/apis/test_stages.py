"""Rules of apis/stages: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

import copy

import pytest

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, resources
from tests.rules.catalogue.apis.documents import API, OF_API

STAGE = "resource.aws_api_gateway_stage.main"
SETTINGS = "resource.aws_api_gateway_method_settings"


def test_settings_may_name_their_stage_literally() -> None:
    assert found("API-001", good("API-001", {f"{SETTINGS}.all.stage_name": "prod"})) == []


def test_settings_of_another_stage_do_not_count() -> None:
    (message,) = found("API-001", good("API-001", {f"{SETTINGS}.all.stage_name": "staging"}))
    assert 'with method_path "*/*"' in message


def test_settings_of_an_unknown_stage_leave_the_stage_undecided() -> None:
    document = good("API-001", {f"{SETTINGS}.all.stage_name": "${var.stage}", "variable": {"stage": {}}})
    assert doubted("API-001", document) == ["var.stage has no default"]


def test_limits_for_every_single_method_count() -> None:
    document = good("API-001", {f"{SETTINGS}.all.method_path": "orders/POST"})
    document["resource"]["aws_api_gateway_method"] = {"post": dict(OF_API)}
    assert found("API-001", document) == []
    document["resource"]["aws_api_gateway_method"]["get"] = dict(OF_API)
    assert len(found("API-001", document)) == 1


def test_limits_may_be_strings() -> None:
    assert found("API-001", good("API-001", {f"{SETTINGS}.all.settings.throttling_rate_limit": "100"})) == []
    assert len(found("API-001", good("API-001", {f"{SETTINGS}.all.settings.throttling_rate_limit": "-1"}))) == 1


def test_each_stage_of_a_for_each_needs_its_own_settings() -> None:
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


def test_the_account_role_may_be_in_another_stack_of_the_region() -> None:
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


def test_a_stage_may_depend_on_the_role_through_other_blocks() -> None:
    document = good("API-003", {f"{STAGE}.depends_on": ["terraform_data.ready"]})
    document["resource"]["terraform_data"] = {"ready": {"input": "${aws_api_gateway_account.this.id}"}}
    assert found("API-003", document) == []


def test_logs_to_a_delivery_stream_need_no_role() -> None:
    document = good("API-003", {SETTINGS: {}, "resource.aws_api_gateway_account": {}, f"{STAGE}.depends_on": REMOVED})
    document["resource"]["aws_kinesis_firehose_delivery_stream"] = {"api": {"name": "amazon-apigateway-shop"}}
    stage = document["resource"]["aws_api_gateway_stage"]["main"]
    stage["access_log_settings"]["destination_arn"] = "${aws_kinesis_firehose_delivery_stream.api.arn}"
    assert found("API-003", document) == []


def test_a_log_destination_from_a_variable_is_undecided() -> None:
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
def test_a_web_acl_association_may_name_a_stage_by_arn_or_local(arn: str) -> None:
    document = good("API-015", {"resource.aws_wafv2_web_acl_association.api.resource_arn": arn})
    document["locals"] = {"stage": "${aws_api_gateway_stage.main.arn}"}
    assert found("API-015", document) == []


def test_a_web_acl_for_an_unknown_resource_leaves_the_stage_undecided() -> None:
    document = good("API-015", {"resource.aws_wafv2_web_acl_association.api.resource_arn": "${var.it}"})
    document["variable"] = {"it": {}}
    assert doubted("API-015", document) == ["var.it has no default"]


def test_a_distribution_with_a_web_acl_protects_its_origin() -> None:
    document = good("API-015", {"resource.aws_wafv2_web_acl_association": {}})
    front = {
        "web_acl_id": "${aws_wafv2_web_acl.cdn.arn}",
        "origin": {"domain_name": "${aws_api_gateway_rest_api.shop.id}.x"},
    }
    document["resource"] |= {"aws_cloudfront_distribution": {"cdn": front}, "aws_wafv2_web_acl": {"cdn": {}}}
    assert found("API-015", document) == []
    del document["resource"]["aws_cloudfront_distribution"]["cdn"]["web_acl_id"]
    assert len(found("API-015", document)) == 1


def test_settings_without_caching_need_no_encryption() -> None:
    assert found("API-017", good("API-017", {f"{SETTINGS}.all.settings": {"caching_enabled": "false"}})) == []
