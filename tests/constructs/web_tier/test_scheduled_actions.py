"""WebTier: scheduled actions, durations of the target group, headers, and notifications of failed launches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    AlarmTopic,
    App,
    ConfigurationError,
    HardenedStack,
    MultiRegionKey,
    NoAlarms,
    ScheduledAction,
)
from tests.constructs.web_tier.tiers import GROUP, TOPIC, build, make_tier

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.testing import SynthesizedStack

    Synth = Callable[..., SynthesizedStack]

MORNING = ScheduledAction("0 7 * * MON-FRI", 2, 8, "Europe/Berlin")
EVENING = ScheduledAction("30 19 * * MON-FRI", 1, 2, "Europe/Berlin")
FAILURES = ["autoscaling:EC2_INSTANCE_LAUNCH_ERROR", "autoscaling:EC2_INSTANCE_TERMINATE_ERROR"]
FIVE = (
    "must be five fields separated by single spaces, such as '0 7 * * MON-FRI': minute, hour, day of the month, month "
    "and day of the week"
)
ZONE = "must be the IANA name of a time zone, such as 'Europe/Berlin' or 'Etc/UTC'"
LONG = f"{','.join(map(str, range(60)))} {','.join(map(str, range(24)))} {','.join(map(str, range(1, 29)))} * *"
NAME = "a name must be up to 255 lower-case letters, digits and single hyphens, and start with a letter"
REST = "a range, a list, or a step such as */2"


def refused(stack: HardenedStack, **arguments: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        make_tier(stack, **arguments)
    assert error.value.path == "shop/web"
    return "\n".join(error.value.problems)


def sized(recurrence: Any = "0 7 * * *", minimum: Any = 1, maximum: Any = 2, time_zone: Any = "Etc/UTC") -> Any:
    return {"m": ScheduledAction(recurrence, minimum, maximum, time_zone)}


def test_a_scheduled_action_sets_the_sizes_and_not_the_desired_capacity(synth_stack: Synth) -> None:
    stack = synth_stack(lambda s: make_tier(s, scheduled_actions={"morning": MORNING, "evening": EVENING}))
    stack.at("aws_autoscaling_schedule.web_fleet_schedule_morning_eu_west_1").assert_config(
        {
            "autoscaling_group_name": GROUP,
            "desired_capacity": -1,
            "max_size": 8,
            "min_size": 2,
            "recurrence": "0 7 * * MON-FRI",
            "scheduled_action_name": "morning",
            "time_zone": "Europe/Berlin",
        }
    )
    evening = stack.at("aws_autoscaling_schedule.web_fleet_schedule_evening_eu_west_1")
    assert (evening["recurrence"], evening["min_size"], evening["max_size"]) == ("30 19 * * MON-FRI", 1, 2)


def test_terraform_ignores_changes_of_the_sizes_with_scheduled_actions(synth_stack: Synth) -> None:
    group = synth_stack(lambda s: make_tier(s, scheduled_actions={"morning": MORNING})).resource(
        "aws_autoscaling_group"
    )
    assert group["lifecycle"] == {"ignore_changes": ["min_size", "max_size"]}
    assert (group["min_size"], group["max_size"]) == (1, 2)
    without = synth_stack(make_tier)
    assert "lifecycle" not in without.resource("aws_autoscaling_group")
    assert without.find("aws_autoscaling_schedule") == []


def test_the_default_time_zone_is_utc(synth_stack: Synth) -> None:
    stack = synth_stack(lambda s: make_tier(s, scheduled_actions={"night": ScheduledAction("0 22 * * *", 1, 1)}))
    assert stack.resource("aws_autoscaling_schedule")["time_zone"] == "Etc/UTC"


@pytest.mark.parametrize(
    "recurrence",
    [
        "* * * * *",
        "59 23 31 12 6",
        "0 0 1 1 0",
        "*/15 7-19/2 1,15 JAN-MAR,SEP SUN,TUE-THU",
        "07 */24 */31 */12 */7",
    ],
)
def test_valid_recurrences_are_allowed(synth_stack: Synth, recurrence: str) -> None:
    stack = synth_stack(lambda s: make_tier(s, scheduled_actions=sized(recurrence)))
    assert stack.resource("aws_autoscaling_schedule")["recurrence"] == recurrence


@pytest.mark.parametrize(
    "recurrence", ["", "0 7 * *", "0 7 * * * *", "0  7 * * *", " 0 7 * * *", "@daily", "rate(1 day)", 7, None]
)
def test_a_recurrence_requires_five_fields(stack: HardenedStack, recurrence: object) -> None:
    assert (
        refused(stack, scheduled_actions=sized(recurrence))
        == f"scheduled_actions['m'].recurrence={recurrence!r}: {FIVE}"
    )


@pytest.mark.parametrize(
    ("recurrence", "field"),
    [
        ("60 7 * * *", "minute '60' must be *, 0 to 59"),
        ("*/0 7 * * *", "minute '*/0' must be *, 0 to 59"),
        ("*/61 7 * * *", "minute '*/61' must be *, 0 to 59"),
        ("5/2 7 * * *", "minute '5/2' must be *, 0 to 59"),
        ("1, 7 * * *", "minute '1,' must be *, 0 to 59"),
        ("-5 7 * * *", "minute '-5' must be *, 0 to 59"),
        ("MON 7 * * *", "minute 'MON' must be *, 0 to 59"),
        ("0 24 * * *", "hour '24' must be *, 0 to 23"),
        ("0 9-7 * * *", "hour '9-7' must be *, 0 to 23"),
        ("0 *-7 * * *", "hour '*-7' must be *, 0 to 23"),
        ("0 7-24 * * *", "hour '7-24' must be *, 0 to 23"),
        ("0 7 0 * *", "day of the month '0' must be *, 1 to 31"),
        ("0 7 32 * *", "day of the month '32' must be *, 1 to 31"),
        ("0 7 ? * *", "day of the month '?' must be *, 1 to 31"),
        ("0 7 L * *", "day of the month 'L' must be *, 1 to 31"),
        ("0 7 * 0 *", "month '0' must be *, 1 to 12 or JAN to DEC"),
        ("0 7 * 13 *", "month '13' must be *, 1 to 12 or JAN to DEC"),
        ("0 7 * MON *", "month 'MON' must be *, 1 to 12 or JAN to DEC"),
        ("0 7 * * 7", "day of the week '7' must be *, 0 to 6 or SUN to SAT"),
        ("0 7 * * mon", "day of the week 'mon' must be *, 0 to 6 or SUN to SAT"),
        ("0 7 * * FRI-MON", "day of the week 'FRI-MON' must be *, 0 to 6 or SUN to SAT"),
        ("0 7 * * MON-FRI${x.y}", "day of the week 'MON-FRI${x.y}' must be *, 0 to 6 or SUN to SAT"),
    ],
)
def test_an_invalid_field_of_a_recurrence_is_refused(stack: HardenedStack, recurrence: str, field: str) -> None:
    assert refused(stack, scheduled_actions=sized(recurrence)) == (
        f"scheduled_actions['m'].recurrence={recurrence!r}: the {field}, {REST}"
    )


@pytest.mark.parametrize("zone", ["Berlin", "Europe/Nowhere", "europe/berlin", "UTC", "CET", "", "../etc/UTC", 1, None])
def test_an_unknown_time_zone_is_refused(stack: HardenedStack, zone: object) -> None:
    assert (
        refused(stack, scheduled_actions=sized(time_zone=zone)) == f"scheduled_actions['m'].time_zone={zone!r}: {ZONE}"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"scheduled_actions": [MORNING]},
            f"scheduled_actions={[MORNING]!r}: must be a dict of ScheduledAction by name",
        ),
        ({"scheduled_actions": {"m": 7}}, "scheduled_actions['m']=7: must be a ScheduledAction"),
        ({"scheduled_actions": {"Mon_1": MORNING}}, f"scheduled_actions='Mon_1': {NAME}"),
        ({"scheduled_actions": {"a--b": MORNING}}, f"scheduled_actions='a--b': {NAME}"),
        ({"scheduled_actions": {7: MORNING}}, f"scheduled_actions=7: {NAME}"),
        ({"scheduled_actions": {"a" * 256: MORNING}}, f"scheduled_actions='{'a' * 256}': {NAME}"),
        (
            {"scheduled_actions": {"a": MORNING, "b": MORNING}},
            (
                "scheduled_actions['b'].recurrence='0 7 * * MON-FRI': is also the time of 'a'; AWS refuses two "
                "scheduled actions of a group at the same time"
            ),
        ),
        (
            {"scheduled_actions": sized(minimum=0)},
            "scheduled_actions['m'].minimum=0: must be a whole number from 1, the minimum in dev, to 500",
        ),
        (
            {"scheduled_actions": sized(minimum=3)},
            "scheduled_actions['m'].maximum=2: must be a whole number from 3 to 500",
        ),
        (
            {"scheduled_actions": sized(LONG)},
            (
                f"scheduled_actions['m'].recurrence={LONG!r}: must have at most 255 characters; use ranges and steps instead of "
                "lists"
            ),
        ),
        (
            {"scheduled_actions": sized(maximum=501)},
            "scheduled_actions['m'].maximum=501: must be a whole number from 1 to 500",
        ),
        ({"stickiness_seconds": 0}, "stickiness_seconds=0: must be a whole number from 1 to 604800"),
        ({"stickiness_seconds": 604801}, "stickiness_seconds=604801: must be a whole number from 1 to 604800"),
        ({"stickiness_seconds": True}, "stickiness_seconds=True: must be a whole number from 1 to 604800"),
        ({"slow_start_seconds": 29}, "slow_start_seconds=29: must be a whole number from 30 to 900"),
        ({"slow_start_seconds": 901}, "slow_start_seconds=901: must be a whole number from 30 to 900"),
        (
            {"xff_header_processing_mode": "preserve"},
            (
                "xff_header_processing_mode='preserve': must be append or remove; with preserve clients could forge "
                "their address"
            ),
        ),
        ({"preserve_host_header": "no"}, "preserve_host_header='no': must be True or False"),
    ],
)
def test_an_invalid_argument_is_refused(stack: HardenedStack, arguments: dict[str, Any], message: str) -> None:
    assert refused(stack, **arguments) == message


def test_more_than_125_scheduled_actions_are_refused(stack: HardenedStack) -> None:
    many = {f"s{number}": ScheduledAction(f"{number % 60} {number // 60} * * *", 1, 2) for number in range(126)}
    assert refused(stack, scheduled_actions=many) == "scheduled_actions='126 scheduled actions': must be at most 125"


def test_a_minimum_below_the_environments_is_refused(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path / "cdktf.out"))
    stack = HardenedStack(app, "shop", environment="prod", owner="team-shop", project="shop")
    assert refused(stack, scheduled_actions={"evening": EVENING}) == (
        "scheduled_actions['evening'].minimum=1: must be a whole number from 2, the minimum in prod, to 500"
    )


def test_failed_launches_and_terminations_are_notified_with_alarms(synth_stack: Synth) -> None:
    prod = synth_stack(build, "prod")
    prod.resource("aws_autoscaling_notification").assert_config(
        {"group_names": [GROUP], "notifications": FAILURES, "topic_arn": TOPIC}
    )
    assert synth_stack(build).find("aws_autoscaling_notification") == []


def test_failed_launches_are_not_notified_without_alarms(synth_stack: Synth) -> None:
    no = NoAlarms("A drill that nobody has to wake up for")
    stack = synth_stack(lambda s: make_tier(s, alarms=no, alarm_topics=[TOPIC]), "prod")
    assert stack.find("aws_autoscaling_notification") == []


def test_every_topic_has_one_notification_with_an_address_of_its_own(synth_stack: Synth) -> None:
    elsewhere = TOPIC.replace("123456789012", "210987654321")

    def several(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1")
        topic = AlarmTopic(stack, "alarms", region=region, key=MultiRegionKey(stack, "other", region=region))
        make_tier(stack, alarms=True, alarm_topics=[elsewhere, topic.arn, TOPIC, TOPIC])

    stack = synth_stack(several)
    notified = {block.address: block["topic_arn"] for block in stack.resources("aws_autoscaling_notification")}
    assert notified == {
        "aws_autoscaling_notification.web_fleet_failures_123456789012_on_call_eu_west_1": TOPIC,
        "aws_autoscaling_notification.web_fleet_failures_210987654321_on_call_eu_west_1": elsewhere,
        "aws_autoscaling_notification.web_fleet_failures_aws_sns_topic_alarms_eu_west_1_arn_eu_west_1": (
            "${aws_sns_topic.alarms_eu_west_1.arn}"
        ),
    }
