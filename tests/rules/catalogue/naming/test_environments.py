"""Rules about environments in names: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

import pytest

from tests.rules.asking import found, look
from tests.rules.catalogue.naming.documents import queues


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
