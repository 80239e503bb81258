from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import Alarm, ConfigurationError, Environment, HardenedStack, NoAlarms
from constructs_lib.core.alarms import Alarms
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.foundation.errors import Problems
from tests.constructs.aurora_provisioned.clusters import make_cluster

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

    Synth = Callable[..., SynthesizedStack]

TOPIC = "arn:aws:sns:eu-west-1:123456789012:on-call"
GIVEN: dict[str, Any] = {
    "namespace": "AWS/SQS",
    "metric": "ApproximateAgeOfOldestMessage",
    "comparison": "GreaterThanThreshold",
    "threshold": 600,
    "description": "Messages wait for ten minutes",
}
AGE = Alarm(**GIVEN)


class Watched(HardenedConstruct):
    """A construct with nothing but alarms."""

    def __init__(self, stack: HardenedStack, **arguments: Any) -> None:
        super().__init__(stack, "queue", region=stack.region("eu-west-1"))
        problems = Problems(self.path)
        alarms = Alarms(self, problems, **{"alarms": None, "alarm_topics": (), **arguments})
        problems.raise_if_any()
        self.made = alarms.add("age-alarm", AGE, {"QueueName": "orders"})


@pytest.mark.parametrize(("given", "expected"), [(None, [False, False, True]), (True, [True, True, True])])
def test_whether_there_are_alarms_follows_the_environment_and_may_be_tightened(
    synth_stack: Synth, environment: Environment, given: Any, expected: list[bool]
) -> None:
    stack = synth_stack(lambda stack: Watched(stack, alarms=given), environment)
    assert len(stack.find("aws_cloudwatch_metric_alarm")) == expected[list(Environment).index(environment)]


def test_an_alarm_says_everything_and_tells_its_topics_of_its_begin_and_end(synth_stack: Synth) -> None:
    stack = synth_stack(lambda stack: Watched(stack, alarms=True, alarm_topics=[TOPIC]))
    alarm = stack.resource("aws_cloudwatch_metric_alarm")
    assert (alarm.address, alarm.path) == (
        "aws_cloudwatch_metric_alarm.queue_age_alarm_eu_west_1",
        "shop/queue/age-alarm",
    )
    alarm.assert_config(
        {
            "actions_enabled": True,
            "alarm_actions": [TOPIC],
            "alarm_description": "Messages wait for ten minutes",
            "alarm_name": "shop-dev-queue-age-alarm-eu-west-1",
            "comparison_operator": "GreaterThanThreshold",
            "datapoints_to_alarm": 3,
            "dimensions": {"QueueName": "orders"},
            "evaluation_periods": 3,
            "metric_name": "ApproximateAgeOfOldestMessage",
            "namespace": "AWS/SQS",
            "ok_actions": [TOPIC],
            "period": 300,
            "statistic": "Average",
            "threshold": 600,
            "treat_missing_data": "missing",
        }
    )


def test_a_percentile_takes_the_place_of_the_statistic(synth_stack: Synth) -> None:
    def build(stack: HardenedStack) -> None:
        watched = Watched(stack, alarms=False)
        alarms = Alarms(watched, Problems("x"), alarms=True, alarm_topics=())
        slow = Alarm(**{**GIVEN, "statistic": None, "percentile": "p99.9"}, datapoints=2)
        made = alarms.add("slow-alarm", slow, {"QueueName": "orders"})
        assert watched.resources["slow-alarm"] is made

    alarm = synth_stack(build).resource("aws_cloudwatch_metric_alarm")
    assert (alarm["extended_statistic"], "statistic" in alarm, alarm["datapoints_to_alarm"]) == ("p99.9", False, 2)
    assert not {"alarm_actions", "ok_actions"} & alarm.config.keys()


def test_going_without_is_a_choice_with_a_reason_where_alarms_are_asked_for(synth_stack: Synth) -> None:
    seen: list[Any] = []
    choice = NoAlarms("another team watches the queue")

    def build(stack: HardenedStack) -> None:
        assert Watched(stack, alarms=choice).made is None
        seen.append(stack.opt_outs)

    assert synth_stack(build, "prod").find("aws_cloudwatch_metric_alarm") == []
    synth_stack(build, "dev")
    assert seen == [[("shop/queue", choice)], []]


@pytest.mark.parametrize(
    ("environment", "arguments", "lines"),
    [
        ("prod", {"alarms": False}, ["alarms=False: prod requires alarms; pass NoAlarms(reason) to leave them out"]),
        ("dev", {"alarms": "yes"}, ["alarms='yes': expected True, False or NoAlarms(reason)"]),
        ("dev", {"alarm_topics": TOPIC}, [f"alarm_topics={TOPIC!r}: expected a list of ARNs"]),
        ("dev", {"alarm_topics": ["on-call"]}, ["alarm_topics='on-call': expected the ARN of an SNS topic"]),
        ("dev", {"alarm_topics": [7]}, ["alarm_topics=7: expected the ARN of an SNS topic"]),
        (
            "dev",
            {"alarm_topics": [TOPIC.replace("eu-west-1", "us-east-1"), "${aws_sns_topic.x.arn}"]},
            ["alarm_topics='arn:aws:sns:us-east-1:123456789012:on-call': is in us-east-1; an alarm notifies topics of its own region only, eu-west-1"],
        ),
    ],
)  # fmt: skip
def test_bad_choices_are_refused(
    synth_stack: Synth, environment: str, arguments: dict[str, Any], lines: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as error:
        synth_stack(lambda stack: Watched(stack, **arguments), environment)
    assert str(error.value).splitlines() == [f"shop/queue: {line}" for line in lines]


def test_a_choice_that_is_refused_leaves_development_without_alarms(synth_stack: Synth) -> None:
    assert synth_stack(lambda stack: Watched(stack, alarms=False)).find("aws_cloudwatch_metric_alarm") == []


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"metric": ""}, ["metric='': expected a non-empty string"]),
        ({"namespace": None}, ["namespace=None: expected a non-empty string"]),
        ({"description": " "}, ["description=' ': expected a non-empty string"]),
        (
            {"comparison": ">"},
            ["comparison='>': expected one of GreaterThanOrEqualToThreshold, GreaterThanThreshold, LessThanOrEqualToThreshold, LessThanThreshold"],
        ),
        ({"missing_data": "ok"}, ["missing_data='ok': expected one of breaching, ignore, missing, notBreaching"]),
        ({"statistic": None}, ["statistic=None: expected one of Average, Maximum, Minimum, SampleCount, Sum"]),
        ({"statistic": "p99"}, ["statistic='p99': expected one of Average, Maximum, Minimum, SampleCount, Sum"]),
        ({"percentile": "p99"}, ["percentile='p99': cannot be combined with statistic; pass statistic=None"]),
        ({"statistic": None, "percentile": "99"}, ["percentile='99': expected a percentile such as 'p99' or 'p99.9'"]),
        ({"period": 45}, ["period=45: expected 10, 20, 30 or a multiple of 60 seconds"]),
        ({"period": 0}, ["period=0: expected 10, 20, 30 or a multiple of 60 seconds"]),
        ({"evaluation_periods": 0}, ["evaluation_periods=0: expected a whole number of at least 1"]),
        ({"datapoints": 4}, ["datapoints=4: expected a whole number from 1 to evaluation_periods=3"]),
        ({"datapoints": 0}, ["datapoints=0: expected a whole number from 1 to evaluation_periods=3"]),
        ({"evaluation_periods": 289}, ["evaluation_periods=289: evaluates more than 1 day, the most that CloudWatch allows with period=300"]),
        (
            {"period": 3600, "evaluation_periods": 169},
            ["evaluation_periods=169: evaluates more than 7 days, the most that CloudWatch allows with period=3600"],
        ),
    ],
)  # fmt: skip
def test_what_cloudwatch_refuses_is_refused_here(changes: dict[str, Any], lines: list[str]) -> None:
    with pytest.raises(ConfigurationError) as error:
        Alarm(**{**GIVEN, **changes})
    assert str(error.value).splitlines() == [f"Alarm: {line}" for line in lines]


@pytest.mark.parametrize(
    "changes", [{"period": 10}, {"evaluation_periods": 288}, {"period": 3600, "evaluation_periods": 168}]
)
def test_what_cloudwatch_takes_is_taken(changes: dict[str, Any]) -> None:
    assert Alarm(**{**GIVEN, **changes}).needed == changes.get("evaluation_periods", 3)


def test_a_production_database_is_watched_instance_by_instance(synth_stack: Synth) -> None:
    stack = synth_stack(lambda stack: make_cluster(stack, alarm_topics=[TOPIC]), "prod")
    seen = {
        block.path.removeprefix("shop/db/"): (
            block["metric_name"],
            block["statistic"],
            block["comparison_operator"].removesuffix("Threshold"),
            block["threshold"],
            block["period"] * block["evaluation_periods"],
            block["treat_missing_data"],
            block["dimensions"],
        )
        for block in stack.resources("aws_cloudwatch_metric_alarm")
    }
    expected: dict[str, Any] = {
        "lag-alarm": (
            "AuroraReplicaLagMaximum",
            "Maximum",
            "GreaterThan",
            1000,
            300,
            "notBreaching",
            {"DBClusterIdentifier": "${aws_rds_cluster.db_eu_west_1.cluster_identifier}"},
        )
    }
    for name in ("1", "2"):
        of = {"DBInstanceIdentifier": f"${{aws_rds_cluster_instance.db_instance_{name}_eu_west_1.identifier}}"}
        expected |= {
            f"cpu-alarm-{name}": ("CPUUtilization", "Average", "GreaterThan", 80, 900, "missing", of),
            f"memory-alarm-{name}": ("FreeableMemory", "Average", "LessThan", 1717986918, 900, "missing", of),
            f"local-storage-alarm-{name}": ("FreeLocalStorage", "Average", "LessThan", 3435973836, 900, "missing", of),
            f"deadlocks-alarm-{name}": ("Deadlocks", "Average", "GreaterThan", 0, 900, "notBreaching", of),
            f"connections-alarm-{name}": ("DatabaseConnections", "Average", "GreaterThan", 1441, 900, "missing", of),
        }
    assert seen == expected
    assert {block["namespace"] for block in stack.resources("aws_cloudwatch_metric_alarm")} == {"AWS/RDS"}


def test_a_single_instance_has_nobody_to_lag_behind(synth_stack: Synth) -> None:
    stack = synth_stack(lambda stack: make_cluster(stack, alarms=True))
    assert stack.find("aws_cloudwatch_metric_alarm", "*/lag-alarm") == []
