"""The lessons of the events post-mortem, 11 to 20: each mistake refused, or found in the raw system, and not in the stack."""

from __future__ import annotations

import json
import re
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import CustomDomain, HardenedStack, HostedZone, LambdaLayer, MultiRegionKey, Queue, RestApi
from stacks.events import REGION
from tests.lessons.events_system import PLACE, events, every, found, function, key, raw, refusal, stack

if TYPE_CHECKING:
    from pathlib import Path

    from constructs_lib.rules.engine import Finding
    from constructs_lib.testing import SynthesizedStack

__all__ = ["events", "every", "key", "raw", "stack"]


# EVT-11: a queue without encryption


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            "MSG-001",
            (
                "sqs_managed_sse_enabled = false: must be true if kms_master_key_id is not set; prefer kms_master_key_id with "
                "a customer managed key"
            ),
        ),
        (
            "MSG-003",
            (
                'redrive_policy = null: must contain "deadLetterTargetArn" and "maxReceiveCount"; without a dead-letter '
                "queue, messages that always fail are lost"
            ),
        ),
        (
            "MSG-007",
            "policy = null: must deny sqs:* to * if aws:SecureTransport is false, here or in an aws_sqs_queue_policy",
        ),
    ],
)
def test_evt_11_an_open_queue_is_found(raw: list[Finding], rule: str, message: str) -> None:
    assert found(raw, rule, "aws_sqs_queue.event_queue") == [message]


def test_evt_11_a_queue_without_a_key_is_refused(key: MultiRegionKey) -> None:
    none: Any = None
    assert refusal(lambda: Queue(key.region.stack, "jobs", region=key.region, key=none)) == (
        "shop/jobs: key=None: expected a MultiRegionKey, or SqsManagedKey(reason)"
    )


def test_evt_11_every_queue_is_encrypted(events: SynthesizedStack) -> None:
    keys = {queue["kms_master_key_id"] for queue in events.resources("aws_sqs_queue")}
    assert keys == {f"${{aws_kms_key.key_{PLACE}.arn}}"}


# EVT-12: no domain, or half of one


def test_evt_12_half_a_domain_is_found(raw: list[Finding]) -> None:
    address = "aws_api_gateway_domain_name.api"
    assert found(raw, "API-039", address) == [
        (
            'regional_certificate_arn = "${aws_acm_certificate.api.arn}": must be the certificate_arn of an '
            "aws_acm_certificate_validation: AWS rejects a certificate that is pending validation"
        )
    ]
    assert found(raw, "API-044", address) == [
        'domain_name = "api.example.com": must have an aws_api_gateway_base_path_mapping to an API',
        'domain_name = "api.example.com": must have an aws_route53_record with an alias to it',
    ]


def test_evt_12_a_domain_is_made_when_it_is_asked_for_and_the_other_address_is_refused(
    stack: HardenedStack, key: MultiRegionKey, events: SynthesizedStack
) -> None:
    assert events.find("aws_api_gateway_domain_name") == []
    zone = HostedZone("Z0123456789ABCDEFGHIJ", "example.com")
    api = RestApi(stack, "api", region=key.region, key=key)
    assert refusal(
        lambda: CustomDomain(stack, "domain", region=key.region, domain="api.example.com", zone=zone, api=api)
    ) == (
        "shop/domain: api='shop/api': has an execute-api endpoint with another TLS policy; create the API with "
        "custom_domain=True"
    )


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


# EVT-14: a map in place of a block


def test_evt_14_settings_are_a_typed_block(events: SynthesizedStack) -> None:
    # tests/terraform/test_events.py lets the real provider validate the stack in each environment.
    settings = events.resource("aws_api_gateway_method_settings")["settings"]
    assert settings["metrics_enabled"] is True
    assert settings["logging_level"] == "ERROR"


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


# EVT-16: a layer's package that does not exist


def test_evt_16_a_layer_that_nothing_builds_is_found(raw: list[Finding]) -> None:
    assert found(raw, "LAM-003", "aws_lambda_layer_version.common_dependencies") == [
        (
            'filename = "common-dependencies-layer.zip": file not found, and nothing builds it; must be the '
            "output_path of a data.archive_file, which packages the code in the same plan"
        )
    ]


def test_evt_16_a_folder_that_is_not_there_is_refused(key: MultiRegionKey, tmp_path: Path) -> None:
    nothing = tmp_path / "common-dependencies"
    message = refusal(lambda: LambdaLayer(key.region.stack, "common", region=key.region, source=nothing))
    assert message.endswith(f"must be a directory, and there is none at {nothing}")


def test_evt_16_every_function_has_the_layer(events: SynthesizedStack) -> None:
    layer = events.resource("aws_lambda_layer_version")
    assert layer["filename"] == f"${{data.archive_file.shared_package_{PLACE}.output_path}}"
    layers = [function["layers"] for function in events.resources("aws_lambda_function")]
    assert layers == [[f"${{aws_lambda_layer_version.shared_{PLACE}.arn}}"]] * 4


# EVT-17: providers that nobody requires


def test_evt_17_a_provider_that_is_not_required_is_found(raw: list[Finding]) -> None:
    assert found(raw, "STATE-004", "random_id.suffix") == [
        "must have the provider random in required_providers; add it with source and version"
    ]


def test_evt_17_every_provider_has_bounds(events: SynthesizedStack) -> None:
    required = events.document["terraform"]["required_providers"]
    assert required.keys() >= {"aws", "archive", "random"}
    assert all(re.fullmatch(r">= \S+, < \S+", provider["version"]) for provider in required.values())


# EVT-18: five seconds for the authorizer


def test_evt_18_five_seconds_are_found(raw: list[Finding]) -> None:
    assert found(raw, "LAM-008", "aws_lambda_function.authorizer") == [
        "timeout = 5: must be 30 to 300 seconds; the default is 3"
    ]


def test_evt_18_five_seconds_are_refused(key: MultiRegionKey) -> None:
    assert refusal(lambda: function(key, timeout=5)) == (
        "shop/fn: timeout=5: must be a whole number of seconds from 30 to 300"
    )


def test_evt_18_a_function_that_outlives_the_answer_is_warned_about(stack: HardenedStack, key: MultiRegionKey) -> None:
    api, slow = RestApi(stack, "api", region=key.region, key=key), function(key)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        api.add_method("POST", "/events", slow)
    (warning,) = caught
    assert "shorter_timeout=ShorterTimeout(" in str(warning.message)


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
