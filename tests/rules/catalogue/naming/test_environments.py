"""Rules about environments in names: unusual but valid configurations pass, and other forms of each mistake are reported."""

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
def test_the_environment_passes_in_every_notation(name: str) -> None:
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


def test_a_variable_for_the_environment_counts_with_any_default() -> None:
    document = queues("shop-${var.env}-jobs", variable={"env": {"default": "pr17"}})
    assert found("NAME-001", document) == []


def test_words_that_merely_contain_an_environment_do_not_count() -> None:
    assert len(found("NAME-001", queues("shop-products", "shop-device-jobs", "latest-jobs"))) == 3


def test_names_within_a_parent_and_generated_names_need_no_environment() -> None:
    document = {
        "resource": {
            "aws_lambda_alias": {"live": {"name": "live", "function_name": "shop-prod-worker"}},
            "aws_sqs_queue": {"generated": {}, "prefixed": {"name_prefix": "jobs-"}},
        }
    }
    assert found("NAME-001", document) == []


def test_a_prefix_in_a_variable_is_undecided() -> None:
    assert look("NAME-001", queues("${var.prefix}-jobs", variable={"prefix": {}})) == (
        [],
        ["var.prefix has no default"],
    )


@pytest.mark.parametrize("name", ["dev-portal", "shop-developers", "shop-prod-dev-tools", "stage-lights", "shop"])
def test_words_that_resemble_an_environment_do_not_contradict_the_tag(name: str) -> None:
    document = queues(name, provider={"aws": {"default_tags": {"tags": {"Environment": "prod"}}}})
    assert found("NAME-014", document) == []


def test_a_name_without_environment_tag_passes() -> None:
    assert found("NAME-014", queues("shop-dev-jobs", provider={"aws": {"region": "us-east-1"}})) == []
