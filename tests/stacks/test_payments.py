"""The payments stack: what each region has, in every environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from constructs_lib import Environment
from stacks.payments import PaymentsStack
from tests.stacks.pinned import check_addresses

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")

regions = pytest.mark.parametrize("region", REGIONS)


def alias(region: str) -> str:
    return region.replace("-", "_")


@pytest.mark.parametrize("environment", list(Environment))
def test_addresses_stay_where_they_are(
    payments_in: Callable[[str], SynthesizedStack], environment: Environment
) -> None:
    check_addresses(payments_in(environment), f"payments-{environment}")


def test_every_block_has_the_provider_of_the_region_in_its_name(payments: SynthesizedStack) -> None:
    for block in payments.blocks:
        if block.address.startswith("data.archive_file."):
            continue
        assert block["provider"] in {f"aws.{alias(region)}" for region in REGIONS}, block.address
        assert block.address.endswith(block["provider"].removeprefix("aws.")), block.address


def test_every_name_in_aws_starts_with_project_and_environment(
    payments_in: Callable[[str], SynthesizedStack], environment: Environment
) -> None:
    stack = payments_in(environment)
    named = {
        "aws_lambda_function": "function_name",
        "aws_iam_role": "name",
        "aws_sqs_queue": "name",
        "aws_security_group": "name",
        "aws_api_gateway_rest_api": "name",
    }
    for type_, attribute in named.items():
        for block in stack.resources(type_):
            assert block[attribute].startswith(f"payments-{environment}-"), block.address
            assert block[attribute].endswith(block["provider"].removeprefix("aws.").replace("_", "-")), block.address


@pytest.fixture(params=list(Environment))
def environment(request: pytest.FixtureRequest) -> Environment:
    value: Environment = request.param
    return value


@regions
def test_each_region_has_its_own_network_validator_and_api(payments: SynthesizedStack, region: str) -> None:
    vpc = payments.resource("aws_vpc", f"payments/vpc-{region}/*")
    assert vpc["cidr_block"] == f"10.{REGIONS.index(region)}.0.0/16"
    function = payments.resource("aws_lambda_function", f"payments/validator-{region}/*")
    assert function["handler"] == "handler.handler"
    dev = payments.outputs["deployment_summary"]["environment"] == "dev"
    assert function.config.get("reserved_concurrent_executions") == (None if dev else 100)
    api = payments.resource("aws_api_gateway_rest_api", f"payments/api-{region}/*")
    assert api["endpoint_configuration"]["types"] == ["REGIONAL"]
    for block in (vpc, function, api):
        assert block["provider"] == f"aws.{alias(region)}"


@regions
def test_the_validator_is_encrypted_with_the_key_of_its_region(payments: SynthesizedStack, region: str) -> None:
    key = "aws_kms_key.key_us_east_1" if region == "us-east-1" else f"aws_kms_replica_key.key_replica_{alias(region)}"
    function = payments.resource("aws_lambda_function", f"payments/validator-{region}/*")
    assert function["kms_key_arn"] == f"${{{key}.arn}}"
    for queue in payments.resources("aws_sqs_queue", f"payments/validator-{region}/*"):
        assert queue["kms_master_key_id"] == f"${{{key}.arn}}"
    for group in payments.resources("aws_cloudwatch_log_group", f"*-{region}/*"):
        assert group["kms_key_id"] == f"${{{key}.arn}}"


@regions
def test_the_validator_runs_in_the_private_tier_and_may_connect_nowhere(
    payments: SynthesizedStack, region: str
) -> None:
    function = payments.resource("aws_lambda_function", f"payments/validator-{region}/*")
    subnets = payments.resources("aws_subnet", f"payments/vpc-{region}/private-*")
    network = function["vpc_config"]
    assert network["subnet_ids"] == [f"${{{subnet.address}.id}}" for subnet in subnets]
    group = payments.resource("aws_security_group", f"payments/validator-{region}/*")
    assert network["security_group_ids"] == [f"${{{group.address}.id}}"]
    assert payments.find("aws_vpc_security_group_egress_rule", f"payments/validator-{region}/*") == []
    assert payments.find("aws_vpc_security_group_ingress_rule", f"payments/validator-{region}/*") == []


@regions
def test_requests_are_signed_validated_and_reach_the_live_alias(payments: SynthesizedStack, region: str) -> None:
    method = payments.resource("aws_api_gateway_method", f"payments/api-{region}/*")
    assert (method["http_method"], method["authorization"]) == ("POST", "AWS_IAM")
    schema = json.loads(payments.resource("aws_api_gateway_model", f"payments/api-{region}/*")["schema"])
    assert schema["required"] == ["amount", "currency", "card_number"]
    integration = payments.resource("aws_api_gateway_integration", f"payments/api-{region}/*")
    function = payments.resource("aws_lambda_function", f"payments/validator-{region}/*")["function_name"]
    assert integration["uri"].endswith(f":function:{function}:live/invocations")


def test_each_pair_of_regions_is_peered_and_routed_both_ways(payments: SynthesizedStack) -> None:
    requests = {
        frozenset({block["provider"], f"aws.{alias(block['peer_region'])}"})
        for block in payments.resources("aws_vpc_peering_connection")
    }
    pairs = {frozenset({f"aws.{alias(a)}", f"aws.{alias(b)}"}) for a in REGIONS for b in REGIONS if a != b}
    assert requests == pairs
    for region in REGIONS:
        tables = {
            f"${{{table.address}.id}}"
            for tier in ("private", "database")
            for table in payments.resources("aws_route_table", f"payments/vpc-{region}/{tier}-*")
        }
        for peer in set(REGIONS) - {region}:
            cidr = f"10.{REGIONS.index(peer)}.0.0/16"
            routed = {
                route["route_table_id"]
                for route in payments.resources("aws_route", "payments/mesh/*")
                if route["destination_cidr_block"] == cidr and route["provider"] == f"aws.{alias(region)}"
            }
            assert routed == tables, (region, peer)


def test_production_has_three_zones_and_a_web_acl_and_no_environment_has_a_nat_gateway(
    payments_in: Callable[[str], SynthesizedStack],
) -> None:
    counts = {
        environment: [
            len(payments_in(environment).find(type_))
            for type_ in ("aws_subnet", "aws_nat_gateway", "aws_wafv2_web_acl_association")
        ]
        for environment in Environment
    }
    assert counts == {"dev": [18, 0, 0], "staging": [18, 0, 0], "prod": [27, 0, 3]}


@regions
def test_outputs_of_each_region_are_flat_and_nested(payments: SynthesizedStack, region: str) -> None:
    name = alias(region)
    outputs = payments.outputs
    flat = {
        f"vpc_id_{name}": f"${{aws_vpc.vpc_{name}.id}}",
        f"validator_function_name_{name}": f"${{aws_lambda_function.validator_{name}.function_name}}",
        f"api_id_{name}": f"${{aws_api_gateway_rest_api.api_{name}.id}}",
    }
    assert {key: outputs[key] for key in flat} == flat
    nested = outputs["deployment_summary"]["regions"][region]
    assert nested["vpc"]["id"] == flat[f"vpc_id_{name}"]
    assert nested["validator"]["function_name"] == flat[f"validator_function_name_{name}"]


def test_a_region_at_the_end_moves_nothing_that_exists(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]],
    payments_in: Callable[[str], SynthesizedStack],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = payments_in("dev")
    monkeypatch.setattr("stacks.payments.REGIONS", (*REGIONS, "eu-central-1"))
    after = synthesize(lambda app: PaymentsStack(app, "payments", environment="dev"))["payments"]
    for block in before.blocks:
        after.at(block.address).assert_config(
            {key: value for key, value in block.config.items() if key not in ("provider", "tags")}
        )
    assert len(after.find("aws_vpc")) == 4


def test_the_stack_is_short_enough_to_copy() -> None:
    source = Path("stacks/payments.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) < 150
