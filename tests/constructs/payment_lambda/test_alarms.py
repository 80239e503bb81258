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


def build(stack: HardenedStack, **arguments: Any) -> PaymentLambda:
    region = stack.region("eu-west-1")
    return PaymentLambda(
        stack,
        "pay",
        region=region,
        source=InlineSource("def handler(event, context): ..."),
        handler="index.handler",
        key=MultiRegionKey(stack, "key", region=region),
        reserved_concurrency=1,
        **arguments,
    )


def test_errors_throttles_lost_events_duration_and_the_dead_letter_queue_have_alarms_in_prod(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    stack = synth_stack(lambda stack: build(stack, alarm_topics=[TOPIC]), "prod")
    watched = {
        block["metric_name"]: (
            block["namespace"],
            block.config.get("statistic") or block["extended_statistic"],
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
    slow = (*first[:1], "p99", *first[2:3], 27_000, 3, *first[5:])
    failed = (
        "AWS/SQS",
        "Maximum",
        *first[2:6],
        {"QueueName": "${aws_sqs_queue.pay_dead_letter_eu_west_1.name}"},
        [TOPIC],
    )
    assert watched == {
        "Errors": first,
        "Throttles": first,
        "DeadLetterErrors": first,
        "Duration": slow,
        "ApproximateNumberOfMessagesVisible": failed,
    }


def test_streams_have_alarms_on_the_age_of_records_and_on_lost_ones(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    def fill(stack: HardenedStack) -> None:
        pay = build(stack)
        for name, age in (("a", 3600), ("b", 600), ("c", 7200)):
            arn = f"arn:aws:dynamodb:eu-west-1:111122223333:table/{name}/stream/2026-01-01T00:00:00.000"
            pay.add_stream(name, arn, maximum_record_age_seconds=age)

    stack = synth_stack(fill, "prod")
    found = {
        name: stack.resource("aws_cloudwatch_metric_alarm", f"*/pay/{name}-alarm")
        for name in ("iterator-age", "lost-records")
    }
    assert {name: (one["metric_name"], one["statistic"], one["threshold"]) for name, one in found.items()} == {
        "iterator-age": ("IteratorAge", "Maximum", 300_000),
        "lost-records": ("DestinationDeliveryFailures", "Sum", 0),
    }
    assert all(one["dimensions"] == {"FunctionName": FUNCTION} for one in found.values())
    assert not synth_stack(fill, "dev").find("aws_cloudwatch_metric_alarm")


@pytest.mark.parametrize("environment", ["dev", "staging"])
def test_other_environments_have_alarms_on_request(
    synth_stack: Callable[..., SynthesizedStack], environment: str
) -> None:
    assert synth_stack(build, environment).find("aws_cloudwatch_metric_alarm") == []
    asked = synth_stack(lambda stack: build(stack, alarms=True), environment)
    assert len(asked.resources("aws_cloudwatch_metric_alarm")) == 5


def test_prod_requires_a_reason_to_leave_alarms_out(synth_stack: Callable[..., SynthesizedStack]) -> None:
    none = NoAlarms("the platform team watches every function of the account")
    assert synth_stack(lambda stack: build(stack, alarms=none), "prod").find("aws_cloudwatch_metric_alarm") == []
