"""Rules of apis/deployments: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

import pytest

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import found, good, resources
from tests.rules.catalogue.apis.documents import OF_API

DEPLOYMENT = "resource.aws_api_gateway_deployment.this"


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
def test_triggers_of_unknown_content_are_accepted(trigger: str) -> None:
    assert found("API-010", good("API-010", {f"{DEPLOYMENT}.triggers.redeployment": trigger})) == []


def test_an_api_with_an_openapi_body_is_triggered_by_the_body() -> None:
    api = {"name": "shop", "body": "${jsonencode(local.api)}"}
    deployment = OF_API | {"triggers": {"redeployment": "${sha1(aws_api_gateway_rest_api.shop.body)}"}}
    document = resources(aws_api_gateway_rest_api={"shop": api}, aws_api_gateway_deployment={"this": deployment})
    assert found("API-010", document) == []
    del document["resource"]["aws_api_gateway_deployment"]["this"]["triggers"]
    assert len(found("API-010", document)) == 1


def test_a_hash_in_the_variables_of_a_deployment_is_a_trigger() -> None:
    older = {f"{DEPLOYMENT}.triggers": REMOVED, f"{DEPLOYMENT}.variables": {"hash": '${md5(file("api.tf"))}'}}
    assert found("API-010", good("API-010", older)) == []


def test_a_deployment_may_depend_on_integrations_through_other_blocks() -> None:
    document = good("API-011", {f"{DEPLOYMENT}.triggers": REMOVED, f"{DEPLOYMENT}.depends_on": ["terraform_data.api"]})
    document["resource"]["terraform_data"] = {"api": {"depends_on": ["aws_api_gateway_integration.get"]}}
    assert found("API-011", document) == []


def test_a_dependency_on_a_module_may_include_the_integrations() -> None:
    document = good("API-011", {f"{DEPLOYMENT}.triggers": REMOVED, f"{DEPLOYMENT}.depends_on": ["module.routes"]})
    assert found("API-011", document) == []


def test_integrations_of_another_api_are_ignored() -> None:
    document = good("API-011", {})
    document["resource"]["aws_api_gateway_rest_api"]["other"] = {"name": "other"}
    document["resource"]["aws_api_gateway_integration"]["other"] = {
        "rest_api_id": "${aws_api_gateway_rest_api.other.id}"
    }
    assert found("API-010", document) == []
    assert found("API-011", document) == []
