"""Rules about names and tags: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.rules.catalogue.naming import (
    accounts,
    environments,
    labels,
    limits,
    styles,
    tags,
)
from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import Source, load
from constructs_lib.rules.estate.model import Estate
from constructs_lib.rules.facts.names import NAMES
from constructs_lib.rules.rule import Rule

MODULES = (accounts, environments, labels, limits, styles, tags)
RULES = {value.id: value for module in MODULES for value in vars(module).values() if isinstance(value, Rule)}
TWO = {"aws": [{"region": "us-east-1"}, {"alias": "eu", "region": "eu-west-1"}]}


def look(id_: str, document: dict[str, Any]) -> tuple[list[str], list[str]]:
    result = run(Estate([Source("shop", Path(), copy.deepcopy(document))]), [RULES[id_]])
    return [finding.message for finding in result.findings], [doubt.reason for doubt in result.doubts]


def found(id_: str, document: dict[str, Any]) -> list[str]:
    messages, doubts = look(id_, document)
    assert doubts == []
    return messages


def queues(*names: str, **more: Any) -> dict[str, Any]:
    return {"resource": {"aws_sqs_queue": {f"q{number}": {"name": name} for number, name in enumerate(names)}}, **more}


# NAME-001, NAME-014


@pytest.mark.parametrize(
    "name",
    [
        "shop-jobs-dev",
        "shopProdJobs",
        "SHOP-UAT-JOBS",
        "shop-jobs-${var.environment_suffix}",
        "${local.prefix}-jobs",
        "shop-jobs-${terraform.workspace}",
        "shop-shared-jobs",
        "shop-pr17-jobs",
        "${aws_sqs_queue.other.name}-dlq",
        "jobs-${random_id.suffix.hex}",
    ],
)
def test_every_way_to_say_the_environment_is_right(name: str) -> None:
    document = {
        "variable": {"environment_suffix": {}, "project": {"default": "shop"}},
        "locals": {"prefix": "${var.project}-${var.environment_suffix}"},
        "provider": {"aws": {"default_tags": {"tags": {"Environment": "PR17"}}}},
        "resource": {
            "random_id": {"suffix": {}},
            "aws_sqs_queue": {"jobs": {"name": name}, "other": {"name": "shop-prod-other"}},
        },
    }
    assert found("NAME-001", document) == []


def test_a_variable_that_names_the_environment_counts_whatever_its_default() -> None:
    document = queues("shop-${var.env}-jobs", variable={"env": {"default": "pr17"}})
    assert found("NAME-001", document) == []


def test_words_that_only_contain_an_environment_are_none() -> None:
    assert len(found("NAME-001", queues("shop-products", "shop-device-jobs", "latest-jobs"))) == 3


def test_names_that_belong_to_another_thing_need_none() -> None:
    document = {
        "resource": {
            "aws_lambda_alias": {"live": {"name": "live", "function_name": "shop-prod-worker"}},
            "aws_sqs_queue": {"generated": {}, "prefixed": {"name_prefix": "jobs-"}},
        }
    }
    assert found("NAME-001", document) == []


def test_a_prefix_that_a_variable_gives_may_hold_the_environment() -> None:
    assert look("NAME-001", queues("${var.prefix}-jobs", variable={"prefix": {}})) == (
        [],
        ["var.prefix has no default"],
    )


@pytest.mark.parametrize("name", ["dev-portal", "shop-developers", "shop-prod-dev-tools", "stage-lights", "shop"])
def test_words_that_mean_something_else_contradict_no_tag(name: str) -> None:
    document = queues(name, provider={"aws": {"default_tags": {"tags": {"Environment": "prod"}}}})
    assert found("NAME-014", document) == []


def test_nothing_contradicts_where_no_tag_speaks() -> None:
    assert found("NAME-014", queues("shop-dev-jobs", provider={"aws": {"region": "us-east-1"}})) == []


# NAME-002, NAME-003


def test_labels_of_cdktf_with_a_hash_are_in_snake_case() -> None:
    document: dict[str, Any] = {"resource": {"aws_sqs_queue": {"jobs_queue_7C2F9D1E": {}, "_1st": {}}}}
    assert found("NAME-002", document) == []


def test_a_label_with_many_instances_is_found_once() -> None:
    document = {"resource": {"aws_sqs_queue": {"jobQueue": {"count": 3}}}}
    assert found("NAME-002", document) == [
        "aws_sqs_queue.jobQueue[0]: must be written in snake_case, such as job_queue"
    ]


@pytest.mark.parametrize(
    "resources",
    [
        {"aws_vpc": {"main": {}}, "aws_acm_certificate": {"cdn": {"provider": "aws.eu"}}},
        {"aws_vpc": {"primary": {}, "replica": {"provider": "aws.eu"}}},
        {"aws_iam_role": {"worker": {}, "other": {"provider": "aws.eu"}}},
        {"aws_vpc": {"use1": {}, "euw1": {"provider": "aws.eu"}}},
        {"aws_vpc": {"us": {}, "main_eu": {"provider": "aws.eu"}}},
        {
            "aws_vpc_peering_connection": {
                "us_east_1_to_eu_west_1": {},
                "eu_west_1_to_us_east_1": {"provider": "aws.eu"},
            }
        },
        {"aws_vpc": {"all": {"for_each": {"us-east-1": 1, "eu-west-1": 2}, "region": "${each.key}"}}},
    ],
)
def test_labels_that_leave_no_doubt_are_right(resources: dict[str, Any]) -> None:
    assert found("NAME-003", {"provider": TWO, "resource": resources}) == []


def test_an_area_says_nothing_where_two_regions_are_in_it() -> None:
    providers = [{"region": "eu-central-1"}, {"alias": "eu", "region": "eu-west-1"}]
    document = {"provider": {"aws": providers}, "resource": {"aws_vpc": {"eu": {}, "eu_2": {"provider": "aws.eu"}}}}
    assert len(found("NAME-003", document)) == 2


def test_the_alias_stands_for_a_region_that_a_variable_gives() -> None:
    document = {
        "variable": {"region": {}},
        "provider": {"aws": [{"alias": "eu_west_1", "region": "${var.region}"}]},
        "resource": {"aws_vpc": {"us_east_1": {"provider": "aws.eu_west_1"}}},
    }
    assert found("NAME-003", document) == [
        "aws_vpc.us_east_1: says us-east-1, and stands in eu-west-1; correct one of both"
    ]


# NAME-004 to NAME-006


def test_paths_fifo_ends_regions_and_single_words_have_no_style_of_their_own() -> None:
    document = queues("shop-prod-jobs.fifo", "shop-prod-mails", "jobs", "shop_${var.x}", "Shop-prod-Carts")
    document["variable"] = {"x": {}}
    document["resource"]["aws_ssm_parameter"] = {"p": {"name": "/shop/prod_token"}}
    document["resource"]["aws_kms_alias"] = {"k": {"name": "alias/shop-prod-us-east-1"}}
    assert found("NAME-004", document) == []


def test_two_styles_of_equal_weight_are_a_question_of_taste() -> None:
    assert found("NAME-004", queues("shop-jobs", "shop_mails")) == []


def test_a_beginning_that_fewer_than_half_have_is_nobodys() -> None:
    assert found("NAME-005", queues("a-1", "a-2", "a-3", "b-1", "c-1", "d-1")) == []


def test_names_that_a_service_begins_are_compared_after_that() -> None:
    document = queues("shop-prod-a", "shop-prod-b", "shop-prod-c")
    document["resource"]["aws_kms_alias"] = {"k": {"name": "alias/shop-prod-data"}}
    document["resource"]["aws_wafv2_web_acl"] = {"w": {"name": "${var.p}-web"}}
    document["variable"] = {"p": {}}
    assert found("NAME-005", document) == []


def test_an_end_may_stand_before_environment_and_region() -> None:
    names = ("auth-fn-dev", "ingest-fn-dev-us-east-1", "process-fn-${var.env}")
    functions = {f"f{number}": {"function_name": name} for number, name in enumerate(names)}
    assert found("NAME-006", {"variable": {"env": {}}, "resource": {"aws_lambda_function": functions}}) == []


# NAME-007 to NAME-009


def test_the_longest_legal_name_of_each_type_is_right() -> None:
    for type_, fact in NAMES.items():
        if fact.longest:
            start = "alias/" if type_ == "aws_kms_alias" else "x"
            name = start + "x" * (fact.longest - len(start))
            assert found("NAME-007", {"resource": {type_: {"x": {fact.at: name}}}}) == [], type_
            assert found("NAME-008", {"resource": {type_: {"x": {fact.at: name}}}}) == [], type_
            assert len(found("NAME-007", {"resource": {type_: {"x": {fact.at: f"{name}x"}}}})) == 1, type_


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        ("aws_cloudwatch_log_group", "/aws/lambda/shop-prod-worker"),
        ("aws_cloudwatch_log_group", "API-Gateway-Execution-Logs_${aws_api_gateway_rest_api.a.id}/live"),
        ("aws_lb_target_group", "shop-${var.env}"),
        ("aws_s3_bucket", "Checked elsewhere"),
        ("aws_lb", "shop-${var.env}-web"),
        ("aws_sqs_queue", "shop-prod-jobs.fifo"),
        ("aws_lambda_function", "arn:aws:lambda:us-east-1:123456789012:function:worker"),
        ("aws_security_group", "web (public)"),
        ("aws_iam_role", "AWSServiceRole@shop"),
        ("aws_ssm_parameter", "/shop/aws/token"),
        ("aws_api_gateway_rest_api", "Shop API, v1"),
    ],
)
def test_legal_names_with_unusual_characters_are_right(type_: str, name: str) -> None:
    document: dict[str, Any] = {"variable": {"env": {}}, "resource": {"aws_api_gateway_rest_api": {"a": {"name": "a"}}}}
    document["resource"].setdefault(type_, {})["x"] = {NAMES[type_].at: name}
    assert found("NAME-007", document) == []
    assert found("NAME-008", document) == []


def test_letters_of_other_alphabets_are_refused() -> None:
    assert len(found("NAME-008", queues("größe"))) == 1


def test_a_whole_name_from_a_variable_is_unknown() -> None:
    document = queues("${var.name}", variable={"name": {}})
    assert look("NAME-007", document) == ([], ["var.name has no default"])
    assert look("NAME-008", document) == ([], ["var.name has no default"])


# NAME-010 to NAME-012


def test_other_words_for_the_required_tags_are_right() -> None:
    tags = {"acme:team": "shop", "application": "shop", "env": "prod"}
    document = {"resource": {"aws_sqs_queue": {"jobs": {"tags": tags}}}}
    assert found("NAME-010", document) == []


def test_tags_from_a_local_value_and_merge_count() -> None:
    document = {
        "locals": {"tags": {"Project": "shop", "Environment": "prod"}},
        "resource": {"aws_sqs_queue": {"jobs": {"tags": '${merge(local.tags, {Owner = "me"})}'}}},
    }
    assert found("NAME-010", document) == []


def test_tags_that_are_not_known_are_unknown() -> None:
    document = {"variable": {"tags": {}}, "resource": {"aws_sqs_queue": {"jobs": {"tags": "${var.tags}"}}}}
    assert look("NAME-010", document) == ([], ["var.tags has no default"])


def test_providers_without_resources_need_no_tags() -> None:
    assert found("NAME-011", {"provider": TWO}) == []


def test_tags_of_services_that_take_more_signs_are_right() -> None:
    document = {"resource": {"aws_instance": {"web": {"tags": {"Note": "a, b & c", "größe": "1"}}}}}
    assert found("NAME-012", document) == []


# NAME-013


@pytest.mark.parametrize(
    "document",
    [
        {"variable": {"partner": {"default": "123456789012"}}},
        {"locals": {"accounts": {"prod": "123456789012"}, "trusted": {"principal": "123456789012"}}},
        {"resource": {"aws_lambda_permission": {"p": {"principal": "o-123456789012"}}}},
        {"provider": {"aws": {"assume_role": {"role_arn": "arn:aws:iam::123456789012:role/deploy"}}}},
        {"provider": {"aws": {"allowed_account_ids": ["123456789012"]}}},
        {"resource": {"aws_lambda_function": {"f": {"layers": ["arn:aws:lambda:us-east-1:580247275435:layer:x:1"]}}}},
        {"data": {"aws_ami": {"a": {"owners": ["099720109477"]}}}},
        {"resource": {"aws_sqs_queue": {"q": {"name": "jobs-123456789012"}}}},
        {
            "resource": {
                "aws_iam_role": {
                    "r": {"path": "/x/", "managed_policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}
                }
            }
        },
        {"resource": {"aws_cloudwatch_metric_alarm": {"a": {"threshold": 123456789012}}}},
        {"resource": {"aws_s3_bucket_policy": {"p": {"policy": '{"Statement": [{"Sid": "x202511221200"}]}'}}}},
    ],
)
def test_numbers_that_are_no_account_or_must_be_written_are_right(document: dict[str, Any]) -> None:
    assert found("NAME-013", document) == []


@pytest.mark.parametrize(
    "resource",
    [
        {"aws_cloudwatch_event_permission": {"p": {"principal": "123456789012"}}},
        {"aws_lambda_permission": {"p": {"source_account": "123456789012"}}},
        {"aws_vpc_peering_connection": {"p": {"peer_owner_id": "123456789012"}}},
        {
            "aws_sqs_queue_policy": {
                "p": {"policy": '${jsonencode({Statement = [{Principal = {AWS = "123456789012"}}]})}'}
            }
        },
        {
            "aws_iam_role": {
                "p": {
                    "assume_role_policy": '{"Statement":[{"Principal":{"AWS":["arn:aws-cn:iam::123456789012:root"]}}]}'
                }
            }
        },
    ],
)
def test_account_numbers_in_every_field_are_found_once(resource: dict[str, Any]) -> None:
    assert len(found("NAME-013", {"resource": resource})) == 1


def test_an_own_account_s_number_belongs_into_a_file_of_values(tmp_path: Path) -> None:
    document = {"variable": {"account_id": {"type": "string", "default": "123456789012"}}}
    (tmp_path / "main.tf.json").write_text(json.dumps(document), encoding="utf-8")
    (finding,) = run(load([tmp_path]), [RULES["NAME-013"]]).findings
    assert finding.message == (
        'var.account_id: default = "123456789012": is this account\'s number; use '
        "data.aws_caller_identity.current.account_id"
    )
    (tmp_path / "prod.auto.tfvars.json").write_text('{"account_id": "123456789012"}', encoding="utf-8")
    assert run(load([tmp_path]), [RULES["NAME-013"]]).findings == []


def test_an_account_number_in_an_output_s_arn_is_found() -> None:
    document = {"output": {"q": {"value": {"arn": "arn:aws:sqs:us-east-1:123456789012:jobs"}}}}
    assert [message.split(":")[0] for message in found("NAME-013", document)] == ["output.q"]
