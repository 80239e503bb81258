from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    ConfigurationError,
    FunctionUrl,
    HardenedStack,
    InlineSource,
    MultiRegionKey,
    PaymentLambda,
    RegionalVpc,
)
from constructs_lib.core.iam import Statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import Block, SynthesizedStack

ACCOUNT = "${data.aws_caller_identity.current_eu_west_1.account_id}"
NAMED = {
    "function_name": "${aws_lambda_function.pay_fn_eu_west_1.function_name}",
    "qualifier": "${aws_lambda_alias.pay_fn_live_eu_west_1.name}",
}
RULE = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/nightly"


def functions(stack: HardenedStack) -> tuple[PaymentLambda, PaymentLambda]:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    vpc = RegionalVpc.from_attributes(
        stack,
        "vpc",
        region=region,
        vpc_id="vpc-0123456789abcdef0",
        cidr="10.10.0.0/16",
        subnets={"private": {"a": "subnet-0123456789abcdef0"}},
    )
    common: dict[str, Any] = {
        "region": region,
        "source": InlineSource("def handler(event, context): ..."),
        "handler": "index.handler",
        "key": key,
        "reserved_concurrency": 1,
    }
    pay = PaymentLambda(stack, "pay-fn", function_url=FunctionUrl(), **common)
    return pay, PaymentLambda(stack, "audit-fn", vpc=vpc, **common)


def build(stack: HardenedStack) -> None:
    pay, audit = functions(stack)
    pay.grant(Statement(sid="Table", actions=("dynamodb:PutItem",), resources=("arn:aws:dynamodb:::table/t",)))
    pay.grant_invoke(audit.role)
    pay.grant_invoke(audit.role)
    pay.grant_invoke_url(audit.role)
    pay.allow_invoke("rest-api", service="apigateway.amazonaws.com", source_arn="${aws_api_gateway.x.arn}/*/POST/pay")
    pay.allow_invoke("nightly/Rule 1", service="events.amazonaws.com", source_arn=RULE, source_account=ACCOUNT)
    pay.allow_invoke("uploads", service="s3.amazonaws.com", source_arn="arn:aws:s3:::uploads")
    pay.allow_invoke(
        "partner-uploads", service="s3.amazonaws.com", source_arn="arn:aws:s3:::theirs", source_account="123456789012"
    )
    pay.allow_invoke("partner", service="123456789012")


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build)


def statements(synthesized: SynthesizedStack, function: str) -> dict[str, dict[str, Any]]:
    document = synthesized.resource("data.aws_iam_policy_document", f"*/{function}/role/policy-document")
    return {statement.pop("sid"): statement for statement in map(dict, document["statement"])}


def test_the_role_trusts_lambda_only(synthesized: SynthesizedStack) -> None:
    trust = synthesized.at("data.aws_iam_policy_document.pay_fn_role_trust_eu_west_1")
    assert trust["statement"] == [
        {
            "sid": "AssumeRole",
            "effect": "Allow",
            "actions": ["sts:AssumeRole"],
            "principals": [{"type": "Service", "identifiers": ["lambda.amazonaws.com"]}],
        }
    ]


def test_the_role_may_log_trace_decrypt_and_send_to_the_dead_letter_queue(synthesized: SynthesizedStack) -> None:
    key = ["${aws_kms_key.key_eu_west_1.arn}"]
    assert statements(synthesized, "pay-fn") == {
        "Logs": {
            "effect": "Allow",
            "actions": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "resources": ["${aws_cloudwatch_log_group.pay_fn_log_group_eu_west_1.arn}:*"],
        },
        "Traces": {
            "effect": "Allow",
            "actions": [
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                "xray:PutTelemetryRecords",
                "xray:PutTraceSegments",
            ],
            "resources": ["*"],
        },
        "Variables": {"effect": "Allow", "actions": ["kms:Decrypt"], "resources": key},
        "DeadLetters": {
            "effect": "Allow",
            "actions": ["sqs:SendMessage"],
            "resources": ["${aws_sqs_queue.pay_fn_dead_letter_eu_west_1.arn}"],
        },
        "DeadLetterKey": {"effect": "Allow", "actions": ["kms:Decrypt", "kms:GenerateDataKey"], "resources": key},
        "Table": {
            "effect": "Allow",
            "actions": ["dynamodb:PutItem"],
            "resources": ["arn:aws:dynamodb:::table/t"],
        },
    }


def test_in_a_vpc_lambda_may_manage_network_interfaces_and_the_code_may_not(synthesized: SynthesizedStack) -> None:
    manage = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:UnassignPrivateIpAddresses",
    ]
    read = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
    found = statements(synthesized, "audit-fn")
    assert found["NetworkInterfaces"] == {
        "effect": "Allow",
        "actions": manage,
        "resources": [f"arn:aws:ec2:eu-west-1:{ACCOUNT}:*/*"],
    }
    assert found["NetworkLookups"] == {"effect": "Allow", "actions": read, "resources": ["*"]}
    function = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:shop-dev-audit-fn-eu-west-1"
    assert found["NotFromCode"] == {
        "effect": "Deny",
        "actions": [*manage, *read, "ec2:DetachNetworkInterface"],
        "resources": ["*"],
        "condition": [{"test": "ArnEquals", "variable": "lambda:SourceFunctionArn", "values": [function]}],
    }


def test_roles_may_be_granted_the_alias_and_the_url(synthesized: SynthesizedStack) -> None:
    alias = ["${aws_lambda_alias.pay_fn_live_eu_west_1.arn}"]
    found = statements(synthesized, "audit-fn")
    assert {sid: found[sid] for sid in found if "ShopPayFn" in sid} == {
        "InvokeShopPayFnEuWest1": {"effect": "Allow", "actions": ["lambda:InvokeFunction"], "resources": alias},
        "InvokeFunctionUrlByUrlShopPayFnEuWest1": {
            "effect": "Allow",
            "actions": ["lambda:InvokeFunctionUrl"],
            "resources": alias,
            "condition": [{"test": "StringEquals", "variable": "lambda:FunctionUrlAuthType", "values": ["AWS_IAM"]}],
        },
        "InvokeFunctionByUrlShopPayFnEuWest1": {
            "effect": "Allow",
            "actions": ["lambda:InvokeFunction"],
            "resources": alias,
            "condition": [{"test": "Bool", "variable": "lambda:InvokedViaFunctionUrl", "values": ["true"]}],
        },
    }


def test_a_grant_without_a_url_is_refused(stack: HardenedStack) -> None:
    pay, audit = functions(stack)
    with pytest.raises(ConfigurationError) as error:
        audit.grant_invoke_url(pay.role)
    assert str(error.value) == "shop/audit-fn: function_url=None: the function has no URL; give FunctionUrl()"


def permission(synthesized: SynthesizedStack, id_: str) -> Block:
    return synthesized.resource("aws_lambda_permission", f"shop/pay-fn/{id_}")


def test_an_api_may_invoke_the_alias_for_one_method(synthesized: SynthesizedStack) -> None:
    permission(synthesized, "rest-api").assert_config(
        {
            **NAMED,
            "action": "lambda:InvokeFunction",
            "principal": "apigateway.amazonaws.com",
            "source_arn": "${aws_api_gateway.x.arn}/*/POST/pay",
            "statement_id": "rest_api",
        }
    )


def test_the_account_of_the_source_is_checked_where_it_is_given(synthesized: SynthesizedStack) -> None:
    block = synthesized.at("aws_lambda_permission.pay_fn_nightly_rule_1_eu_west_1")
    block.assert_config(
        {
            **NAMED,
            "action": "lambda:InvokeFunction",
            "principal": "events.amazonaws.com",
            "source_account": ACCOUNT,
            "source_arn": RULE,
            "statement_id": "nightly_rule_1",
        }
    )


def test_a_bucket_must_belong_to_this_account_by_default(synthesized: SynthesizedStack) -> None:
    own, theirs = permission(synthesized, "uploads"), permission(synthesized, "partner-uploads")
    assert own["source_account"] == ACCOUNT
    assert theirs["source_account"] == "123456789012"


def test_another_account_may_invoke_the_alias(synthesized: SynthesizedStack) -> None:
    permission(synthesized, "partner").assert_config(
        {
            **NAMED,
            "action": "lambda:InvokeFunction",
            "principal": "arn:aws:iam::123456789012:root",
            "statement_id": "partner",
        }
    )


SERVICE = (
    "expected a service principal such as 'events.amazonaws.com' or an account id of 12 digits. For a role of this "
    "account use grant_invoke"
)
ANY_ACCOUNT = "matches resources of other accounts; expected an ARN with an account"
ANY_RESOURCE = "matches every resource of the account; expected an ARN of one resource"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"service": "*"}, f"service='*': {SERVICE}"),
        (
            {"service": "arn:aws:iam::123456789012:role/events"},
            f"service='arn:aws:iam::123456789012:role/events': {SERVICE}",
        ),
        ({"service": "events"}, f"service='events': {SERVICE}"),
        ({"service": None}, f"service=None: {SERVICE}"),
        (
            {"service": "events.amazonaws.com"},
            (
                "source_arn=None: without it events.amazonaws.com may invoke the function for resources of any account; "
                "expected the ARN of the resource that it invokes the function for"
            ),
        ),
        (
            {"service": "events.amazonaws.com", "source_arn": "*"},
            "source_arn='*': expected an ARN, arn:partition:service:region:account:resource",
        ),
        (
            {"service": "events.amazonaws.com", "source_arn": "arn:aws:events:eu-west-1::rule/nightly"},
            f"source_arn='arn:aws:events:eu-west-1::rule/nightly': {ANY_ACCOUNT}",
        ),
        (
            {"service": "sns.amazonaws.com", "source_arn": "arn:aws:sns:eu-west-1:*:topic"},
            f"source_arn='arn:aws:sns:eu-west-1:*:topic': {ANY_ACCOUNT}",
        ),
        (
            {"service": "s3.amazonaws.com", "source_arn": "arn:aws:s3:::*"},
            f"source_arn='arn:aws:s3:::*': {ANY_RESOURCE}",
        ),
        (
            {"service": "events.amazonaws.com", "source_arn": "arn:aws:events:eu-west-1:123456789012:*"},
            f"source_arn='arn:aws:events:eu-west-1:123456789012:*': {ANY_RESOURCE}",
        ),
        (
            {"service": "s3.amazonaws.com", "source_arn": "arn:aws:s3:::uploads", "source_account": "me"},
            "source_account='me': expected an account id of 12 digits, or a reference to one",
        ),
        (
            {"service": "123456789012", "source_arn": RULE},
            f"source_arn={RULE!r}: not available for an account as principal; leave it out",
        ),
        (
            {"service": "123456789012", "source_account": "210987654321"},
            "source_account='210987654321': not available for an account as principal; leave it out",
        ),
        (
            {"service": "123456789012", "source_account": "me"},
            "source_account='me': not available for an account as principal; leave it out",
        ),
        (
            {"service": "events.amazonaws.com", "source_arn": "arn:aws:events"},
            "source_arn='arn:aws:events': expected an ARN, arn:partition:service:region:account:resource",
        ),
        (
            {"service": "events.amazonaws.com", "source_arn": "urn:aws:events:eu-west-1:123456789012:rule/x"},
            (
                "source_arn='urn:aws:events:eu-west-1:123456789012:rule/x': expected an ARN, "
                "arn:partition:service:region:account:resource"
            ),
        ),
    ],
)
def test_a_permission_that_other_accounts_could_use_is_refused(
    stack: HardenedStack, arguments: dict[str, Any], problem: str
) -> None:
    pay, _ = functions(stack)
    with pytest.raises(ConfigurationError) as error:
        pay.allow_invoke("trigger", **arguments)
    assert str(error.value) == f"shop/pay-fn: {problem}"


def test_a_second_permission_of_the_same_id_is_refused(stack: HardenedStack) -> None:
    pay, _ = functions(stack)
    first = pay.allow_invoke("nightly", service="events.amazonaws.com", source_arn=RULE)
    assert pay.resources["nightly"] is first
    with pytest.raises(ConfigurationError) as error:
        pay.allow_invoke("nightly", service="events.amazonaws.com", source_arn=RULE)
    assert str(error.value) == ("shop/pay-fn/nightly: id_='nightly': already used in this scope; choose another id")
