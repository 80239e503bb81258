"""Lessons of the events post-mortem about the API: throttling, token, deployment, logs, domain, authorizer."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    CustomDomain,
    HardenedStack,
    HostedZone,
    MultiRegionKey,
    RestApi,
    SecretParameter,
)
from tests.lessons.events_system import PLACE, events, every, found, function, key, raw, refusal, stack

if TYPE_CHECKING:
    from constructs_lib.rules.engine import Finding
    from constructs_lib.testing import SynthesizedStack

__all__ = ["events", "every", "key", "raw", "stack"]


# EVT-6: throttling where the stage has none


def test_evt_6_throttle_settings_on_a_stage_are_found(raw: list[Finding]) -> None:
    assert found(raw, "API-002", "aws_api_gateway_stage.main") == [
        (
            'throttle_settings = {"rate_limit": 10000, "burst_limit": 5000}: must not be set, since '
            "aws_api_gateway_stage has no such argument; set the limits in aws_api_gateway_method_settings"
        )
    ]


def test_evt_6_production_takes_ten_thousand_requests_a_second(every: dict[str, SynthesizedStack]) -> None:
    settings = every["prod"].resource("aws_api_gateway_method_settings")["settings"]
    assert (settings["throttling_rate_limit"], settings["throttling_burst_limit"]) == (10_000, 5_000)
    assert "throttle_settings" not in every["prod"].resource("aws_api_gateway_stage")


# EVT-7: a placeholder for the token


def test_evt_7_a_placeholder_is_found(raw: list[Finding]) -> None:
    assert found(raw, "ENC-011", "aws_ssm_parameter.auth_token") == [
        (
            'value = "REPLACE_WITH_ACTUAL_TOKEN": must not be a placeholder; generate the secret, or take it from a sensitive '
            "variable"
        )
    ]


def test_evt_7_a_placeholder_is_refused(key: MultiRegionKey) -> None:
    value: Any = "REPLACE_WITH_ACTUAL_TOKEN"
    assert refusal(lambda: SecretParameter(key.region.stack, "token", region=key.region, key=key, value=value)) == (
        "shop/token: value='REPLACE_WITH_ACTUAL_TOKEN': is a placeholder; leave the argument out to generate "
        "a value, or use ExternalValue() and set the value outside of Terraform"
    )


def test_evt_7_the_token_is_generated_and_encrypted_with_the_customers_key(events: SynthesizedStack) -> None:
    token = events.resource("aws_ssm_parameter")
    assert token["type"] == "SecureString"
    assert token["key_id"] == f"${{aws_kms_key.key_{PLACE}.arn}}"
    assert token["value"] == f"${{random_password.token_value_{PLACE}.result}}"


# EVT-8: no order where AWS needs one


@pytest.mark.parametrize(
    ("rule", "address", "message"),
    [
        (
            "LAM-021",
            "aws_lambda_function.event_ingestion",
            (
                'depends_on = null: must contain "aws_cloudwatch_log_group.event_ingestion", its log group, or Lambda may '
                "create the log group first"
            ),
        ),
        (
            "LAM-022",
            "aws_lambda_function.event_ingestion",
            (
                'depends_on = null: must contain "aws_iam_role_policy_attachment.lambda_ingestion_basic": policies of '
                "its role aws_iam_role.event_ingestion"
            ),
        ),
        (
            "API-010",
            "aws_api_gateway_deployment.main",
            "triggers = null: must contain a hash of every method and integration of the API, such as sha1(jsonencode([...]))",
        ),
        (
            "API-011",
            "aws_api_gateway_deployment.main",
            "depends_on = null: must contain aws_api_gateway_integration.post_event, or triggers must reference it",
        ),
        (
            "API-013",
            "aws_api_gateway_integration_response.post_event",
            (
                'depends_on = null: must contain "aws_api_gateway_integration.post_event", '
                '"aws_api_gateway_method_response.post_event": AWS rejects an integration response that is created earlier'
            ),
        ),
    ],
)
def test_evt_8_a_missing_order_is_found(raw: list[Finding], rule: str, address: str, message: str) -> None:
    assert found(raw, rule, address) == [message]


def test_evt_8_the_deployment_waits_for_every_integration(events: SynthesizedStack) -> None:
    integrations = {one for one in events.addresses if one.startswith("aws_api_gateway_integration.")}
    assert integrations
    assert integrations <= set(events.resource("aws_api_gateway_deployment")["depends_on"])


# EVT-9: logs without a role for them


def test_evt_9_a_stage_that_logs_without_a_role_is_found(raw: list[Finding]) -> None:
    assert found(raw, "API-003", "aws_api_gateway_stage.main") == [
        (
            "must have an aws_api_gateway_account with cloudwatch_role_arn in its region, since it writes logs; the checked "
            "stacks have none"
        )
    ]


def test_evt_9_the_role_is_there_once_and_before_the_stage(events: SynthesizedStack) -> None:
    account = f"aws_api_gateway_account.api_gateway_account_{PLACE}"
    assert len(events.find("aws_api_gateway_account")) == 1
    assert account in events.resource("aws_api_gateway_stage")["depends_on"]


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


# EVT-14: a map in place of a block


def test_evt_14_settings_are_a_typed_block(events: SynthesizedStack) -> None:
    # tests/terraform/test_events.py lets the real provider validate the stack in each environment.
    settings = events.resource("aws_api_gateway_method_settings")["settings"]
    assert settings["metrics_enabled"] is True
    assert settings["logging_level"] == "ERROR"


# EVT-18: five seconds for the authorizer


def test_evt_18_five_seconds_are_found(raw: list[Finding]) -> None:
    assert found(raw, "LAM-008", "aws_lambda_function.authorizer") == [
        "timeout = 5: must be 10 to 300 seconds; the default is 3"
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
