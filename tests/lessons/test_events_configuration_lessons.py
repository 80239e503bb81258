"""Lessons of the events post-mortem about the Terraform configuration: variables, names, providers, data sources, outputs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from constructs_lib.rules.catalogue import rules
from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import load
from stacks.events import REGION
from tests.lessons.events_system import PLACE, events, every, found, key, raw, refusal, stack

if TYPE_CHECKING:
    from constructs_lib import (
        HardenedStack,
    )
    from constructs_lib.rules.engine import Finding
    from constructs_lib.testing import SynthesizedStack

__all__ = ["events", "every", "key", "raw", "stack"]


@pytest.mark.parametrize("number", [number for number in range(1, 21) if number != 14])
def test_no_rule_finds_the_mistake_in_the_stack(every: dict[str, SynthesizedStack], number: int) -> None:
    own = [rule for rule in rules() if f"EVT-{number}" in rule.lessons]
    assert own
    for made in every.values():
        assert [str(one) for one in run(load([made.directory]), own).findings] == []


# EVT-1: a variable for the region that nobody declares


def test_evt_1_an_undeclared_variable_is_found(raw: list[Finding]) -> None:
    assert found(raw, "STATE-001", "provider.aws") == [
        'region = "${var.aws_region}": var.aws_region is not defined; add a variable block'
    ]


def test_evt_1_the_region_is_a_plain_value_and_an_unknown_one_is_refused(
    events: SynthesizedStack, stack: HardenedStack
) -> None:
    assert events.provider(PLACE)["region"] == REGION
    assert "variable" not in events.document
    assert refusal(lambda: stack.region("${var.aws_region}")).startswith("shop: region='${var.aws_region}': ")


# EVT-3: an account id in the code


def test_evt_3_an_account_id_is_found(raw: list[Finding]) -> None:
    assert found(raw, "NAME-013", "aws_lambda_layer_version_permission.common_dependencies") == [
        (
            'principal = "123456789012": must not contain the hard-coded account ID 123456789012; use '
            "data.aws_caller_identity.current.account_id, or a variable for another account"
        )
    ]


def test_evt_3_no_account_id_is_in_what_is_synthesized(events: SynthesizedStack) -> None:
    assert re.findall(r"\b\d{12}\b", json.dumps(events.document)) == []


# EVT-4: names without the environment


def test_evt_4_a_name_without_the_environment_is_found(raw: list[Finding]) -> None:
    assert found(raw, "NAME-001", "aws_lambda_function.event_ingestion") == [
        'function_name = "${var.project_name}-event-ingestion": must contain the environment, such as dev, staging or prod'
    ]


def test_evt_4_no_environment_shares_a_name_with_another(every: dict[str, SynthesizedStack]) -> None:
    names = {
        environment: {
            block[attribute]
            for type_, attribute in (
                ("aws_lambda_function", "function_name"),
                ("aws_sqs_queue", "name"),
                ("aws_dynamodb_table", "name"),
                ("aws_cloudwatch_event_bus", "name"),
                ("aws_ssm_parameter", "name"),
                ("aws_iam_role", "name"),
            )
            for block in stack.resources(type_)
        }
        for environment, stack in every.items()
    }
    assert all(environment in name for environment, own in names.items() for name in own)


# EVT-13: data sources that nobody declares


def test_evt_13_an_undeclared_data_source_is_found(raw: list[Finding]) -> None:
    assert found(raw, "STATE-001", "output.integration_test_config") == [
        (
            'value.account = "${data.aws_caller_identity.current.account_id}": data.aws_caller_identity.current is not '
            "defined; add the data block"
        )
    ]


def test_evt_13_the_account_is_asked_for_once(events: SynthesizedStack) -> None:
    assert len(events.find("data.aws_caller_identity")) == 1
    used = {one for block in events.addresses for one in events.at(block).references if one.startswith("data.")}
    assert used <= set(events.addresses)


# EVT-15: the deprecated name of a region


def test_evt_15_the_deprecated_attribute_is_found(raw: list[Finding]) -> None:
    assert found(raw, "REG-011", "local.region") == [
        (
            'value = "${data.aws_region.current.name}": must not use data.aws_region.current.name, which is deprecated; use '
            "data.aws_region.current.id"
        )
    ]


def test_evt_15_no_region_is_asked_for(events: SynthesizedStack) -> None:
    assert "data.aws_region" not in json.dumps(events.document)
    assert events.find("data.aws_region") == []


# EVT-17: providers that nobody requires


def test_evt_17_a_provider_that_is_not_required_is_found(raw: list[Finding]) -> None:
    assert found(raw, "STATE-004", "random_id.suffix") == [
        "must have the provider random in required_providers; add it with source and version"
    ]


def test_evt_17_every_provider_has_bounds(events: SynthesizedStack) -> None:
    required = events.document["terraform"]["required_providers"]
    assert required.keys() >= {"aws", "archive", "random"}
    assert all(re.fullmatch(r">= \S+, < \S+", provider["version"]) for provider in required.values())


# EVT-19: long names and short ones


def test_evt_19_mixed_names_are_found(raw: list[Finding]) -> None:
    assert found(raw, "NAME-006", "aws_lambda_function.event_archive") == [
        'function_name = "${var.project_name}-archive-fn": must not end in -fn, to match the other names of its type'
    ]


def test_evt_19_functions_have_the_short_names(events: SynthesizedStack) -> None:
    environment = events.outputs["deployment_summary"]["environment"]
    names = {function["function_name"] for function in events.resources("aws_lambda_function")}
    short = ("auth-fn", "ingest-fn", "process-fn", "store-fn")
    assert names == {f"events-{environment}-{name}-{REGION}" for name in short}


# EVT-20: outputs that a pipeline cannot read


def test_evt_20_nested_outputs_alone_are_found(raw: list[Finding]) -> None:
    assert found(raw, "STATE-021", "output.integration_test_config") == [
        (
            'value = {"account": "${data.aws_caller_identity.current.account_id}"…: must not be an object like all other '
            "outputs; add outputs for its values"
        )
    ]


def test_evt_20_every_nested_value_is_a_flat_one_too(events: SynthesizedStack) -> None:
    nested = events.outputs["deployment_summary"]["regions"][REGION]
    flat = {f"{part}_{name}_{PLACE}": value for part, values in nested.items() for name, value in values.items()}
    assert flat
    assert flat.items() <= events.outputs.items()
    assert f"api_url_{PLACE}" in flat
