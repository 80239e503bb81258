from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    Canary,
    ConfigurationError,
    Environment,
    FunctionUrl,
    HardenedStack,
    InlineSource,
    LambdaFunction,
    MultiRegionKey,
    PaymentLambda,
    RegionalVpc,
    Unreserved,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.core.stack import Region
    from constructs_lib.testing import SynthesizedStack

CODE = "def handler(event, context):\n    return event\n"
LAYER = "arn:aws:lambda:eu-west-1:123456789012:layer:tools:3"
ACCOUNT = "${data.aws_caller_identity.current_eu_west_1.account_id}"
REASON = "runs once a night and waits for nobody"


def function(region: Region, id_: str, key: MultiRegionKey, **arguments: Any) -> PaymentLambda:
    given: dict[str, Any] = {
        "region": region,
        "source": InlineSource(CODE),
        "handler": "index.handler",
        "key": key,
        "reserved_concurrency": Unreserved(REASON),
    }
    return PaymentLambda(region.stack, id_, **(given | arguments))


def build(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    vpc = RegionalVpc.from_attributes(
        stack,
        "vpc",
        region=region,
        vpc_id="vpc-0123456789abcdef0",
        cidr="10.10.0.0/16",
        subnets={"private": {"a": "subnet-0123456789abcdef0", "b": "subnet-0123456789abcdef1"}},
    )
    function(region, "pay-fn", key, reserved_concurrency=100)
    tuned = function(
        region,
        "tuned-fn",
        key,
        reserved_concurrency=7,
        timeout=300,
        memory=1024,
        ephemeral_storage=2048,
        runtime="python3.12",
        environment={"TABLE": "orders", "API_TOKEN_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:t"},
        vpc=vpc,
        layers=[LAYER],
        canary=Canary(version="7", weight=0.25),
        code_signing_config_arn="arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0",
        log_level="DEBUG",
        retries=0,
        description="Takes payments",
    )
    free = function(region, "free-fn", key, vpc=vpc)
    tuned.allow_to(free, 8443)
    tuned.allow_to_cidr("10.99.0.0/16", 443, "the card network")


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build)


def test_a_function_is_encrypted_traced_and_versioned(synthesized: SynthesizedStack) -> None:
    block = synthesized.resource("aws_lambda_function", "*/pay-fn/*")
    assert block.address == "aws_lambda_function.pay_fn_eu_west_1"
    assert block["provider"] == "aws.eu_west_1"
    block.assert_config(
        {
            "architectures": ["arm64"],
            "dead_letter_config": {"target_arn": "${aws_sqs_queue.pay_fn_dead_letter_eu_west_1.arn}"},
            "depends_on": [
                "aws_cloudwatch_log_group.pay_fn_log_group_eu_west_1",
                "aws_iam_role_policy.pay_fn_role_policy_eu_west_1",
            ],
            "environment": {"variables": {"LOG_LEVEL": "INFO"}},
            "ephemeral_storage": {"size": 512},
            "filename": "${data.archive_file.pay_fn_package_eu_west_1.output_path}",
            "function_name": "shop-dev-pay-fn-eu-west-1",
            "handler": "index.handler",
            "kms_key_arn": "${aws_kms_key.key_eu_west_1.arn}",
            "logging_config": {
                "application_log_level": "INFO",
                "log_format": "JSON",
                "log_group": "${aws_cloudwatch_log_group.pay_fn_log_group_eu_west_1.name}",
                "system_log_level": "INFO",
            },
            "memory_size": 512,
            "package_type": "Zip",
            "publish": True,
            "role": "${aws_iam_role.pay_fn_role_eu_west_1.arn}",
            "runtime": "python3.13",
            "source_code_hash": "${data.archive_file.pay_fn_package_eu_west_1.output_base64sha256}",
            "timeout": 30,
            "tracing_config": {"mode": "Active"},
        }
    )


def test_arguments_are_set_on_the_function(synthesized: SynthesizedStack) -> None:
    block = synthesized.resource("aws_lambda_function", "*/tuned-fn/*")
    expected = {
        "code_signing_config_arn": "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0",
        "description": "Takes payments",
        "environment": {
            "variables": {
                "API_TOKEN_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:t",
                "LOG_LEVEL": "DEBUG",
                "TABLE": "orders",
            }
        },
        "ephemeral_storage": {"size": 2048},
        "layers": [LAYER],
        "memory_size": 1024,
        "replace_security_groups_on_destroy": True,
        "runtime": "python3.12",
        "timeout": 300,
        "vpc_config": {
            "security_group_ids": ["${aws_security_group.tuned_fn_security_group_eu_west_1.id}"],
            "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        },
    }
    assert {key: block[key] for key in expected} == expected
    assert block["logging_config"]["application_log_level"] == "DEBUG"


def test_variables_are_sorted(synthesized: SynthesizedStack) -> None:
    variables = synthesized.resource("aws_lambda_function", "*/tuned-fn/*")["environment"]["variables"]
    assert list(variables) == ["API_TOKEN_ARN", "LOG_LEVEL", "TABLE"]


def test_the_log_group_is_encrypted_and_created_before_the_function(
    synth_stack: Callable[..., SynthesizedStack], environment: Environment
) -> None:
    def fill(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1")
        function(region, "pay-fn", MultiRegionKey(stack, "key", region=region))

    synthesized = synth_stack(fill, environment)
    name = f"/aws/lambda/shop-{environment}-pay-fn-eu-west-1"
    group = synthesized.resource("aws_cloudwatch_log_group")
    days = {"dev": 30, "staging": 90, "prod": 365}[environment]
    group.assert_config(
        {"kms_key_id": "${aws_kms_key.key_eu_west_1.arn}", "name": name, "retention_in_days": days},
    )
    assert group.address in synthesized.resource("aws_lambda_function")["depends_on"]
    assert f"log-group:*shop-{environment}-*" in synthesized.resource("aws_kms_key")["policy"]


def test_failed_asynchronous_invocations_go_to_an_encrypted_dead_letter_queue(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_sqs_queue", "*/pay-fn/*").assert_config(
        {
            "kms_data_key_reuse_period_seconds": 300,
            "kms_master_key_id": "${aws_kms_key.key_eu_west_1.arn}",
            "message_retention_seconds": 1209600,
            "name": "shop-dev-pay-fn-dead-letter-eu-west-1",
            "visibility_timeout_seconds": 1800,
        }
    )


def test_the_dead_letter_queue_denies_connections_without_tls(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_sqs_queue_policy", "*/pay-fn/*").assert_config(
        {
            "policy": "${data.aws_iam_policy_document.pay_fn_dead_letter_policy_document_eu_west_1.json}",
            "queue_url": "${aws_sqs_queue.pay_fn_dead_letter_eu_west_1.id}",
        }
    )
    document = synthesized.at("data.aws_iam_policy_document.pay_fn_dead_letter_policy_document_eu_west_1")
    assert document["statement"] == [
        {
            "sid": "TlsOnly",
            "effect": "Deny",
            "actions": ["sqs:*"],
            "resources": ["${aws_sqs_queue.pay_fn_dead_letter_eu_west_1.arn}"],
            "principals": [{"type": "AWS", "identifiers": ["*"]}],
            "condition": [{"test": "Bool", "variable": "aws:SecureTransport", "values": ["false"]}],
        }
    ]


def test_the_alias_is_of_the_published_version(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_lambda_alias", "*/pay-fn/*").assert_config(
        {
            "description": "What callers invoke",
            "function_name": "${aws_lambda_function.pay_fn_eu_west_1.function_name}",
            "function_version": "${aws_lambda_function.pay_fn_eu_west_1.version}",
            "name": "live",
        }
    )


def test_a_canary_receives_its_part_of_the_traffic(synthesized: SynthesizedStack) -> None:
    alias = synthesized.resource("aws_lambda_alias", "*/tuned-fn/*")
    assert alias["routing_config"] == {"additional_version_weights": {"7": 0.25}}


def test_retries_are_set_on_the_alias(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_lambda_function_event_invoke_config").assert_config(
        {
            "function_name": "${aws_lambda_function.tuned_fn_eu_west_1.function_name}",
            "maximum_retry_attempts": 0,
            "qualifier": "${aws_lambda_alias.tuned_fn_live_eu_west_1.name}",
        }
    )


def test_name_and_alias_are_outputs(synthesized: SynthesizedStack) -> None:
    expected = {
        "pay_fn_alias_arn_eu_west_1": "${aws_lambda_alias.pay_fn_live_eu_west_1.arn}",
        "pay_fn_function_name_eu_west_1": "${aws_lambda_function.pay_fn_eu_west_1.function_name}",
    }
    assert {name: value for name, value in synthesized.outputs.items() if name.startswith("pay_fn")} == expected
    assert synthesized.outputs["deployment_summary"]["regions"]["eu-west-1"]["pay_fn"] == {
        "alias_arn": expected["pay_fn_alias_arn_eu_west_1"],
        "function_name": expected["pay_fn_function_name_eu_west_1"],
    }


def test_a_function_outside_a_vpc_has_no_security_group(synthesized: SynthesizedStack) -> None:
    assert "vpc_config" not in synthesized.resource("aws_lambda_function", "*/pay-fn/*")
    assert synthesized.find("aws_security_group", "*/pay-fn/*") == []


def test_a_function_in_a_vpc_has_a_security_group(synthesized: SynthesizedStack) -> None:
    group = synthesized.resource("aws_security_group", "*/free-fn/*")
    group.assert_config(
        {
            "description": "Network interfaces of shop-dev-free-fn-eu-west-1",
            "name": "shop-dev-free-fn-security-group-eu-west-1",
            "revoke_rules_on_delete": True,
            "vpc_id": "vpc-0123456789abcdef0",
        }
    )
    assert synthesized.find("aws_vpc_security_group_egress_rule", "*/free-fn/*") == []


def test_the_security_group_allows_the_given_connections_only(synthesized: SynthesizedStack) -> None:
    cidr, peer = synthesized.resources("aws_vpc_security_group_egress_rule", "*/tuned-fn/*")
    cidr.assert_config(
        {
            "cidr_ipv4": "10.99.0.0/16",
            "description": "the card network",
            "from_port": 443,
            "ip_protocol": "tcp",
            "security_group_id": "${aws_security_group.tuned_fn_security_group_eu_west_1.id}",
            "to_port": 443,
        }
    )
    assert peer["referenced_security_group_id"] == "${aws_security_group.free_fn_security_group_eu_west_1.id}"
    assert (peer["from_port"], peer["to_port"]) == (8443, 8443)
    accepted = synthesized.resource("aws_vpc_security_group_ingress_rule")
    assert accepted["security_group_id"] == peer["referenced_security_group_id"]


def test_the_function_is_attached_to_the_private_subnets(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        function(region, "pay-fn", key, vpc=RegionalVpc(stack, "vpc", region=region, cidr="10.10.0.0/16", key=key))

    synthesized = synth_stack(fill)
    private = [subnet.address for subnet in synthesized.resources("aws_subnet", "*/private-*")]
    subnets = synthesized.resource("aws_lambda_function")["vpc_config"]["subnet_ids"]
    assert subnets == [f"${{{address}.id}}" for address in private]
    assert len(subnets) == 2


def test_attributes_are_plain_or_references(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    made = function(region, "pay-fn", MultiRegionKey(stack, "key", region=region), timeout=60)
    assert (made.name, made.timeout, made.path) == ("shop-dev-pay-fn-eu-west-1", 60, "shop/pay-fn")
    assert made.region is region
    assert stack.text(made.invoke_arn) == "${aws_lambda_alias.pay_fn_live_eu_west_1.invoke_arn}"
    assert made.resource.node.path == "shop/pay-fn/Resource"
    assert set(made.resources) == {"Resource", "live", "package"}


def test_attributes_work_in_other_stacks(
    synthesize: Callable[[Callable[[Any], object]], dict[str, SynthesizedStack]],
) -> None:
    def fill(app: Any) -> None:
        first = HardenedStack(app, "shop", environment="dev", owner="team-shop")
        region = first.region("eu-west-1")
        made = function(region, "pay-fn", MultiRegionKey(first, "key", region=region), function_url=FunctionUrl())
        second = HardenedStack(app, "desk", environment="dev", owner="team-desk")
        second.output("alias", made.live_arn, "The alias")
        second.output("function", made.arn, "The function")
        second.output("invoke", made.invoke_arn, "The invoke ARN")
        second.output("url", made.url, "The URL")

    stacks = synthesize(fill)
    exported = stacks["shop"].outputs
    found = {
        name: exported[value.rsplit(".", 1)[-1].rstrip("}")]
        for name, value in stacks["desk"].outputs.items()
        if name in ("alias", "function", "invoke", "url")
    }
    assert found == {
        "alias": "${aws_lambda_alias.pay_fn_live_eu_west_1.arn}",
        "function": "${aws_lambda_function.pay_fn_eu_west_1.arn}",
        "invoke": "${aws_lambda_alias.pay_fn_live_eu_west_1.invoke_arn}",
        "url": "${aws_lambda_function_url.pay_fn_url_eu_west_1.function_url}",
    }


@pytest.mark.parametrize(
    ("environment", "limit", "reserved"),
    [("dev", None, None), ("dev", 1000, 100), ("staging", None, 100), ("prod", None, 100)],
)
def test_dev_reserves_concurrency_only_where_the_quota_is_known(
    synth_stack: Callable[..., SynthesizedStack], environment: str, limit: int | None, reserved: int | None
) -> None:
    def fill(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1", concurrency_limit=limit)
        function(region, "pay-fn", MultiRegionKey(stack, "key", region=region), reserved_concurrency=100)

    block = synth_stack(fill, environment).resource("aws_lambda_function")
    assert block.config.get("reserved_concurrent_executions") == reserved


def test_the_security_group_of_a_function_that_leaves_its_vpc_can_stay(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    def fill(stack: HardenedStack, argument: str) -> None:
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        made = function(
            region, "pay-fn", key, **{argument: RegionalVpc(stack, "vpc", region=region, cidr="10.0.0.0/16", key=key)}
        )
        if argument == "former_vpc":
            with pytest.raises(
                ConfigurationError, match="the function has no security group because it is not in a VPC"
            ):
                made.allow_to_cidr("10.9.0.0/16", 443, "the card network")

    before, after = (synth_stack(partial(fill, argument=argument)) for argument in ("vpc", "former_vpc"))
    group = "aws_security_group.pay_fn_security_group_eu_west_1"
    assert after.at(group).config == before.at(group).config
    assert "vpc_config" in before.resource("aws_lambda_function")
    assert "vpc_config" not in after.resource("aws_lambda_function")
    policy = after.resource("data.aws_iam_policy_document", "*/pay-fn/role/policy-document")
    assert "NetworkInterfaces" in {statement["sid"] for statement in policy["statement"]}


def test_a_function_is_in_its_vpc_or_has_left_it(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    vpc = RegionalVpc(stack, "vpc", region=region, cidr="10.0.0.0/16", key=key)
    with pytest.raises(ConfigurationError) as error:
        function(region, "pay-fn", key, vpc=vpc, former_vpc=vpc)
    assert str(error.value) == (
        "shop/pay-fn: former_vpc='shop/vpc': cannot be combined with vpc; expected it for a function that is in no VPC any "
        "more"
    )


def test_unreserved_concurrency_is_recorded_with_its_reason(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    function(region, "pay-fn", MultiRegionKey(stack, "key", region=region))
    assert stack.opt_outs == [("shop/pay-fn", Unreserved(REASON))]


def test_connections_without_a_vpc_are_refused(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    made = function(region, "pay-fn", MultiRegionKey(stack, "key", region=region))
    message = "shop/pay-fn: vpc=None: the function has no security group because it is not in a VPC; give vpc"
    for connect in (
        lambda: made.security_group,
        lambda: made.allow_to(made, 443),
        lambda: made.allow_to_cidr("10.0.0.0/8", 443, "all of us"),
    ):
        with pytest.raises(ConfigurationError) as error:
            connect()
        assert str(error.value) == message


def test_old_names_work_and_warn(synth_stack: Callable[..., SynthesizedStack]) -> None:
    old_stream: dict[str, Any] = {"parallel": 2, "max_age_seconds": 60}
    old_url: dict[str, Any] = {"max_age": 60}

    def fill(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1")
        with pytest.deprecated_call(match="argument max_age is deprecated .* use max_age_seconds"):
            url = FunctionUrl(origins=("https://shop.example.com",), **old_url)
        made = function(region, "pay-fn", MultiRegionKey(stack, "key", region=region), function_url=url)
        old_grant: dict[str, Any] = {"role": made.role}
        with pytest.deprecated_call(match="PaymentLambda.qualified_arn is deprecated .* use live_arn"):
            assert made.qualified_arn == made.live_arn
        with pytest.deprecated_call(match="argument role is deprecated .* use grantee"):
            made.grant_invoke(**old_grant)
        with pytest.deprecated_call(match="use parallelization_factor|use maximum_record_age_seconds"):
            made.add_stream("orders", "${aws_dynamodb_table.orders.stream_arn}", **old_stream)

    synthesized = synth_stack(fill)
    mapping = synthesized.resource("aws_lambda_event_source_mapping")
    assert (mapping["parallelization_factor"], mapping["maximum_record_age_in_seconds"]) == (2, 60)
    assert synthesized.resource("aws_lambda_function_url")["cors"]["max_age"] == 60


def test_lambda_function_is_another_name_of_payment_lambda() -> None:
    assert LambdaFunction is PaymentLambda
