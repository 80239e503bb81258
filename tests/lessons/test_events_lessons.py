"""The lessons of the events post-mortem, 1 to 10: each mistake refused, or found in the raw system, and not in the stack."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import EventBus, HardenedStack, MultiRegionKey, SecretParameter
from constructs_lib.rules.catalogue import rules
from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import load
from stacks.events import REGION
from tests.lessons.events_system import PLACE, events, every, found, function, key, raw, refusal, stack

if TYPE_CHECKING:
    from pathlib import Path

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


# EVT-2: four packages that do not exist


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("authorizer", "authorizer.zip"),
        ("event_ingestion", "event_ingestion.zip"),
        ("event_processing", "event_processing.zip"),
        ("event_storage", "event_storage.zip"),
    ],
)
def test_evt_2_a_package_that_nothing_builds_is_found(raw: list[Finding], name: str, package: str) -> None:
    assert found(raw, "LAM-001", f"aws_lambda_function.{name}") == [
        (
            f'filename = "{package}": file not found, and nothing builds it; must be the output_path of a '
            "data.archive_file, which packages the code in the same plan"
        )
    ]


def test_evt_2_a_source_that_is_not_there_is_refused(key: MultiRegionKey, tmp_path: Path) -> None:
    message = refusal(lambda: function(key, source=tmp_path / "authorizer.zip"))
    assert message.endswith(f"must be a directory, and there is none at {tmp_path / 'authorizer.zip'}")


def test_evt_2_each_function_is_packed_in_the_same_plan(events: SynthesizedStack) -> None:
    for name in ("auth_fn", "ingest_fn", "process_fn", "store_fn"):
        archive = f"data.archive_file.{name}_package_{PLACE}"
        assert events.at(archive)["type"] == "zip"
        assert events.at(f"aws_lambda_function.{name}_{PLACE}")["filename"] == f"${{{archive}.output_path}}"


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


# EVT-5: reserved concurrency eats the account's pool


def test_evt_5_more_than_the_account_has_is_found_with_who_reserves_what(raw: list[Finding]) -> None:
    assert found(raw, "LAM-023", "aws_lambda_function.event_archive") == [
        (
            "reserved_concurrent_executions = 700: the functions of this account and region must reserve at most 900 of "
            "1000 concurrent executions; they reserve 925: aws_lambda_function.event_archive 700, "
            "aws_lambda_function.event_ingestion 100, aws_lambda_function.event_storage 75, "
            "aws_lambda_function.event_processing 50"
        )
    ]


def test_evt_5_more_than_is_left_is_refused_with_who_reserves_what(key: MultiRegionKey) -> None:
    key.region.concurrency.reserve("shop/ingest-fn", 225, key.region.name)
    assert refusal(lambda: function(key, reserved_concurrency=700)) == (
        "shop/fn: reserved_concurrency=700: only 675 of the 1000 concurrent executions in eu-west-1 are left (100 stay "
        "unreserved; reserved by shop/ingest-fn 225): reserve less, or raise the account's quota and give "
        "region(..., concurrency_limit=)"
    )


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


# EVT-10: a role as principal of the bus


def test_evt_10_a_role_as_principal_is_found(raw: list[Finding]) -> None:
    assert found(raw, "MSG-011", "aws_cloudwatch_event_permission.organization_access") == [
        (
            'principal = "${aws_iam_role.event_ingestion.arn}": must be a 12-digit account ID, or * with a condition on '
            "aws:PrincipalOrgID; EventBridge rejects ARNs"
        )
    ]


def test_evt_10_a_role_as_principal_is_refused(key: MultiRegionKey) -> None:
    role = "arn:aws:iam::123456789012:role/ingest"
    assert refusal(lambda: EventBus(key.region.stack, "bus", region=key.region, key=key, accounts=[role])) == (
        f"shop/bus: accounts={role!r}: is an ARN; expected an account id of 12 digits. When a role in a policy is "
        "deleted, AWS replaces its ARN with an id and refuses later changes of the policy. Allow the account; its IAM "
        "policies decide which roles may put events"
    )
