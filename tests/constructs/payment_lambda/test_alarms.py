"""CloudWatch alarms of a function, and the topics that they notify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    Alarm,
    ConfigurationError,
    FunctionUrl,
    HardenedStack,
    InlineSource,
    MultiRegionKey,
    NoAlarms,
    PaymentLambda,
)

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


def test_a_function_url_has_an_alarm_on_its_own_errors(synth_stack: Callable[..., SynthesizedStack]) -> None:
    stack = synth_stack(lambda stack: build(stack, function_url=FunctionUrl(), alarm_topics=[TOPIC]), "prod")
    stack.resource("aws_cloudwatch_metric_alarm", "*/pay/url-errors-alarm").assert_config(
        {
            "actions_enabled": True,
            "alarm_actions": [TOPIC],
            "alarm_description": "The function URL responded with a 5xx status: the function failed, was throttled, or "
            "returned it itself",
            "alarm_name": "shop-prod-pay-url-errors-alarm-eu-west-1",
            "comparison_operator": "GreaterThanThreshold",
            "datapoints_to_alarm": 1,
            "dimensions": {"FunctionName": FUNCTION},
            "evaluation_periods": 1,
            "metric_name": "Url5xxCount",
            "namespace": "AWS/Lambda",
            "ok_actions": [TOPIC],
            "period": 300,
            "statistic": "Sum",
            "threshold": 0,
            "treat_missing_data": "notBreaching",
        }
    )


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


def test_an_alarm_on_a_metric_of_the_functions_own_notifies_its_topics(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    faults = Alarm("Application", "Faults", "GreaterThanThreshold", 0, "Faults", statistic="Sum")

    def fill(stack: HardenedStack) -> None:
        function = build(stack, alarm_topics=[TOPIC])
        function.add_alarm("faults", faults)
        with pytest.raises(ConfigurationError, match="'faults-alarm': duplicate alarm id"):
            function.add_alarm("faults", faults)

    def made(environment: str) -> list[tuple[Any, Any]]:
        found = synth_stack(fill, environment).find("aws_cloudwatch_metric_alarm")
        return [(one["dimensions"], one["alarm_actions"]) for one in found if one["metric_name"] == "Faults"]

    assert made("prod") == [({"FunctionName": FUNCTION}, [TOPIC])]
    assert made("dev") == []
