from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import ConfigurationError, Environment, HardenedStack, LogGroup, MultiRegionKey
from tests.constructs.other_stacks import read_from_another_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize


def make(stack: HardenedStack, region: str = "eu-west-1", **arguments: Any) -> LogGroup:
    us, eu = stack.region("us-east-1"), stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=us, replicas=[eu])
    return LogGroup(stack, "audit", region=stack.region(region), key=key, **arguments)


def test_a_log_group_is_encrypted_with_the_key_of_its_own_region(
    synth_stack: Callable[..., SynthesizedStack], environment: Environment
) -> None:
    synth_stack(make, environment).resource("aws_cloudwatch_log_group").assert_config(
        {
            "kms_key_id": "${aws_kms_replica_key.key_replica_eu_west_1.arn}",
            "name": f"shop-{environment.value}-audit-eu-west-1",
            "retention_in_days": {"dev": 30, "staging": 90, "prod": 365}[environment],
        }
    )


def test_name_and_retention_period_can_be_given(synth_stack: Callable[..., SynthesizedStack]) -> None:
    stack = synth_stack(lambda stack: make(stack, "us-east-1", name="aws-waf-logs-shop", retention_days=400))
    stack.resource("aws_cloudwatch_log_group").assert_config(
        {
            "kms_key_id": "${aws_kms_key.key_us_east_1.arn}",
            "name": "aws-waf-logs-shop",
            "retention_in_days": 400,
        }
    )


def test_the_key_policy_names_a_log_group_whose_name_is_not_of_the_project(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    stack = synth_stack(lambda stack: make(stack, name="/audit"))
    _, statement, _ = json.loads(stack.resource("aws_kms_replica_key")["policy"])["Statement"]
    groups = "arn:aws:logs:eu-west-1:${data.aws_caller_identity.current_eu_west_1.account_id}:log-group:"
    assert statement["Principal"] == {"Service": ["logs.eu-west-1.amazonaws.com"]}
    assert statement["Condition"] == {
        "ArnLike": {
            "kms:EncryptionContext:aws:logs:arn": [
                f"{groups}*shop-dev-*",
                f"{groups}/audit",
                f"{groups}API-Gateway-Execution-Logs_*",
            ]
        }
    }


def test_the_arn_works_in_other_stacks(synthesize: Synthesize) -> None:
    assert read_from_another_stack(synthesize, lambda stack: {"arn": make(stack).arn}) == {
        "arn": "${aws_cloudwatch_log_group.audit_eu_west_1.arn}"
    }


@pytest.mark.parametrize(
    ("days", "problem"),
    [
        (
            364,
            (
                "must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, "
                "3288, 3653"
            ),
        ),
        (14, "must be at least 30 in dev"),
    ],
)
def test_a_retention_period_that_is_unsupported_or_below_the_minimum_is_refused(
    stack: HardenedStack, days: int, problem: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        make(stack, retention_days=days)
    assert str(error.value) == f"shop/audit: retention_days={days}: {problem}"
