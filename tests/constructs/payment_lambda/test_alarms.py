"""What is watched of a function, and who is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import HardenedStack, InlineSource, MultiRegionKey, NoAlarms, PaymentLambda

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

TOPIC = "arn:aws:sns:eu-west-1:111122223333:calls"
FUNCTION = "${aws_lambda_function.pay_eu_west_1.function_name}"


def build(stack: HardenedStack, **arguments: Any) -> None:
    region = stack.region("eu-west-1")
    PaymentLambda(
        stack,
        "pay",
        region=region,
        source=InlineSource("def handler(event, context): ..."),
        handler="index.handler",
        key=MultiRegionKey(stack, "key", region=region),
        reserved_concurrency=1,
        **arguments,
    )


def test_errors_and_throttles_have_alarms_in_prod(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    stack = synth_stack(lambda stack: build(stack, alarm_topics=[TOPIC]), "prod")
    watched = {
        block["metric_name"]: (
            block["namespace"],
            block["statistic"],
            block["comparison_operator"],
            block["threshold"],
            block["evaluation_periods"],
            block["treat_missing_data"],
            block["dimensions"],
            block["alarm_actions"],
        )
        for block in stack.resources("aws_cloudwatch_metric_alarm", "*/pay/*-alarm")
    }
    first = ("AWS/Lambda", "Sum", "GreaterThanThreshold", 0, 1, "notBreaching", {"FunctionName": FUNCTION}, [TOPIC])
    assert watched == {"Errors": first, "Throttles": first}


@pytest.mark.parametrize("environment", ["dev", "staging"])
def test_other_environments_have_alarms_on_request(
    synth_stack: Callable[..., SynthesizedStack], environment: str
) -> None:
    assert synth_stack(build, environment).find("aws_cloudwatch_metric_alarm") == []
    asked = synth_stack(lambda stack: build(stack, alarms=True), environment)
    assert len(asked.resources("aws_cloudwatch_metric_alarm")) == 2


def test_prod_requires_a_reason_to_leave_alarms_out(synth_stack: Callable[..., SynthesizedStack]) -> None:
    none = NoAlarms("the platform team watches every function of the account")
    assert synth_stack(lambda stack: build(stack, alarms=none), "prod").find("aws_cloudwatch_metric_alarm") == []
