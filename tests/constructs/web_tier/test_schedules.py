"""WebTier: sizes by time of day, times of the target group, headers, and who is told of failed launches."""

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
    ScheduledSize,
)
from tests.constructs.web_tier.tiers import GROUP, TOPIC, build, make_tier

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.testing import SynthesizedStack

    Synth = Callable[..., SynthesizedStack]

MORNING = ScheduledSize("0 7 * * MON-FRI", 2, 8, "Europe/Berlin")
EVENING = ScheduledSize("30 19 * * MON-FRI", 1, 2, "Europe/Berlin")
FAILURES = ["autoscaling:EC2_INSTANCE_LAUNCH_ERROR", "autoscaling:EC2_INSTANCE_TERMINATE_ERROR"]
FIVE = (
    "must be five fields with one space between them, such as '0 7 * * MON-FRI': minute, hour, day of the month, month "
    "and day of the week"
)
ZONE = "must be the IANA name of a time zone with its area, such as 'Europe/Berlin' or 'Etc/UTC'"
LONG = f"{','.join(map(str, range(60)))} {','.join(map(str, range(24)))} {','.join(map(str, range(1, 29)))} * *"
NAME = "a name is lower-case letters, digits and single hyphens, a letter first, up to 255"
REST = "a range, a list of these, or */2 for every second one"


def refused(stack: HardenedStack, **arguments: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        make_tier(stack, **arguments)
    assert error.value.path == "shop/web"
    return "\n".join(error.value.problems)


def sized(recurrence: Any = "0 7 * * *", minimum: Any = 1, maximum: Any = 2, time_zone: Any = "Etc/UTC") -> Any:
    return {"m": ScheduledSize(recurrence, minimum, maximum, time_zone)}


def test_a_schedule_changes_the_sizes_and_not_how_many_run_within_them(synth_stack: Synth) -> None:
    stack = synth_stack(lambda s: make_tier(s, schedules={"morning": MORNING, "evening": EVENING}))
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


def test_terraform_leaves_the_sizes_to_the_schedules_where_there_are_any(synth_stack: Synth) -> None:
    group = synth_stack(lambda s: make_tier(s, schedules={"morning": MORNING})).resource("aws_autoscaling_group")
    assert group["lifecycle"] == {"ignore_changes": ["min_size", "max_size"]}
    assert (group["min_size"], group["max_size"]) == (1, 2)
    without = synth_stack(make_tier)
    assert "lifecycle" not in without.resource("aws_autoscaling_group")
    assert without.find("aws_autoscaling_schedule") == []


def test_a_schedule_is_in_utc_unless_it_says_otherwise(synth_stack: Synth) -> None:
    stack = synth_stack(lambda s: make_tier(s, schedules={"night": ScheduledSize("0 22 * * *", 1, 1)}))
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
def test_what_cron_takes_is_taken(synth_stack: Synth, recurrence: str) -> None:
    stack = synth_stack(lambda s: make_tier(s, schedules=sized(recurrence)))
    assert stack.resource("aws_autoscaling_schedule")["recurrence"] == recurrence


@pytest.mark.parametrize(
    "recurrence", ["", "0 7 * *", "0 7 * * * *", "0  7 * * *", " 0 7 * * *", "@daily", "rate(1 day)", 7, None]
)
def test_a_recurrence_has_five_fields(stack: HardenedStack, recurrence: object) -> None:
    assert refused(stack, schedules=sized(recurrence)) == f"schedules['m'].recurrence={recurrence!r}: {FIVE}"


@pytest.mark.parametrize(
    ("recurrence", "field"),
    [
        ("60 7 * * *", "minute '60' must be *, of 0 to 59"),
        ("*/0 7 * * *", "minute '*/0' must be *, of 0 to 59"),
        ("*/61 7 * * *", "minute '*/61' must be *, of 0 to 59"),
        ("5/2 7 * * *", "minute '5/2' must be *, of 0 to 59"),
        ("1, 7 * * *", "minute '1,' must be *, of 0 to 59"),
        ("-5 7 * * *", "minute '-5' must be *, of 0 to 59"),
        ("MON 7 * * *", "minute 'MON' must be *, of 0 to 59"),
        ("0 24 * * *", "hour '24' must be *, of 0 to 23"),
        ("0 9-7 * * *", "hour '9-7' must be *, of 0 to 23"),
        ("0 *-7 * * *", "hour '*-7' must be *, of 0 to 23"),
        ("0 7-24 * * *", "hour '7-24' must be *, of 0 to 23"),
        ("0 7 0 * *", "day of the month '0' must be *, of 1 to 31"),
        ("0 7 32 * *", "day of the month '32' must be *, of 1 to 31"),
        ("0 7 ? * *", "day of the month '?' must be *, of 1 to 31"),
        ("0 7 L * *", "day of the month 'L' must be *, of 1 to 31"),
        ("0 7 * 0 *", "month '0' must be *, of 1 to 12 or JAN to DEC"),
        ("0 7 * 13 *", "month '13' must be *, of 1 to 12 or JAN to DEC"),
        ("0 7 * MON *", "month 'MON' must be *, of 1 to 12 or JAN to DEC"),
        ("0 7 * * 7", "day of the week '7' must be *, of 0 to 6 or SUN to SAT"),
        ("0 7 * * mon", "day of the week 'mon' must be *, of 0 to 6 or SUN to SAT"),
        ("0 7 * * FRI-MON", "day of the week 'FRI-MON' must be *, of 0 to 6 or SUN to SAT"),
        ("0 7 * * MON-FRI${x.y}", "day of the week 'MON-FRI${x.y}' must be *, of 0 to 6 or SUN to SAT"),
    ],
)
def test_a_field_that_cron_does_not_take_is_named(stack: HardenedStack, recurrence: str, field: str) -> None:
    assert refused(stack, schedules=sized(recurrence)) == (
        f"schedules['m'].recurrence={recurrence!r}: the {field}, {REST}"
    )


@pytest.mark.parametrize("zone", ["Berlin", "Europe/Nowhere", "europe/berlin", "UTC", "CET", "", "../etc/UTC", 1, None])
def test_a_time_zone_that_nobody_knows_is_refused(stack: HardenedStack, zone: object) -> None:
    assert refused(stack, schedules=sized(time_zone=zone)) == f"schedules['m'].time_zone={zone!r}: {ZONE}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"schedules": [MORNING]}, f"schedules={[MORNING]!r}: must be a mapping of names to ScheduledSize(...)"),
        ({"schedules": {"m": 7}}, "schedules['m']=7: must be ScheduledSize(...)"),
        ({"schedules": {"Mon_1": MORNING}}, f"schedules='Mon_1': {NAME}"),
        ({"schedules": {"a--b": MORNING}}, f"schedules='a--b': {NAME}"),
        ({"schedules": {7: MORNING}}, f"schedules=7: {NAME}"),
        ({"schedules": {"a" * 256: MORNING}}, f"schedules='{'a' * 256}': {NAME}"),
        (
            {"schedules": {"a": MORNING, "b": MORNING}},
            (
                "schedules['b'].recurrence='0 7 * * MON-FRI': is the time of 'a' too, and AWS refuses two changes of a "
                "group at one time"
            ),
        ),
        (
            {"schedules": sized(minimum=0)},
            "schedules['m'].minimum=0: must be a whole number from 1, what dev asks for, to 500",
        ),
        ({"schedules": sized(minimum=3)}, "schedules['m'].maximum=2: must be a whole number from 3 to 500"),
        (
            {"schedules": sized(LONG)},
            (
                f"schedules['m'].recurrence={LONG!r}: must have at most 255 characters; give ranges and steps in place of "
                "lists"
            ),
        ),
        ({"schedules": sized(maximum=501)}, "schedules['m'].maximum=501: must be a whole number from 1 to 500"),
        ({"stickiness_seconds": 0}, "stickiness_seconds=0: must be a whole number from 1 to 604800"),
        ({"stickiness_seconds": 604801}, "stickiness_seconds=604801: must be a whole number from 1 to 604800"),
        ({"stickiness_seconds": True}, "stickiness_seconds=True: must be a whole number from 1 to 604800"),
        ({"slow_start_seconds": 29}, "slow_start_seconds=29: must be a whole number from 30 to 900"),
        ({"slow_start_seconds": 901}, "slow_start_seconds=901: must be a whole number from 30 to 900"),
        (
            {"xff_header_processing_mode": "preserve"},
            (
                "xff_header_processing_mode='preserve': must be append or remove; with preserve every client would write "
                "its own address"
            ),
        ),
        ({"preserve_host_header": "no"}, "preserve_host_header='no': must be True or False"),
    ],
)
def test_a_bad_argument_is_named_with_what_is_allowed(
    stack: HardenedStack, arguments: dict[str, Any], message: str
) -> None:
    assert refused(stack, **arguments) == message


def test_more_schedules_than_a_group_takes_are_refused(stack: HardenedStack) -> None:
    many = {f"s{number}": ScheduledSize(f"{number % 60} {number // 60} * * *", 1, 2) for number in range(126)}
    assert refused(stack, schedules=many) == "schedules='126 schedules': a group has room for 125"


def test_no_schedule_goes_below_what_the_environment_asks_for(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path / "cdktf.out"))
    stack = HardenedStack(app, "shop", environment="prod", owner="team-shop", project="shop")
    assert refused(stack, schedules={"evening": EVENING}) == (
        "schedules['evening'].minimum=1: must be a whole number from 2, what prod asks for, to 500"
    )


def test_instances_that_cannot_start_or_end_call_somebody_where_there_are_alarms(synth_stack: Synth) -> None:
    prod = synth_stack(build, "prod")
    prod.resource("aws_autoscaling_notification").assert_config(
        {"group_names": [GROUP], "notifications": FAILURES, "topic_arn": TOPIC}
    )
    assert synth_stack(build).find("aws_autoscaling_notification") == []


def test_without_alarms_nobody_is_told(synth_stack: Synth) -> None:
    no = NoAlarms("A drill that nobody has to wake up for")
    stack = synth_stack(lambda s: make_tier(s, alarms=no, alarm_topics=[TOPIC]), "prod")
    assert stack.find("aws_autoscaling_notification") == []


def test_every_topic_is_told_once_under_a_name_of_its_own(synth_stack: Synth) -> None:
    elsewhere = TOPIC.replace("123456789012", "210987654321")

    def several(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1")
        topic = AlarmTopic(stack, "alarms", region=region, key=MultiRegionKey(stack, "other", region=region))
        make_tier(stack, alarms=True, alarm_topics=[elsewhere, topic.arn, TOPIC, TOPIC])

    stack = synth_stack(several)
    told = {block.address: block["topic_arn"] for block in stack.resources("aws_autoscaling_notification")}
    assert told == {
        "aws_autoscaling_notification.web_fleet_failures_123456789012_on_call_eu_west_1": TOPIC,
        "aws_autoscaling_notification.web_fleet_failures_210987654321_on_call_eu_west_1": elsewhere,
        "aws_autoscaling_notification.web_fleet_failures_aws_sns_topic_alarms_eu_west_1_arn_eu_west_1": (
            "${aws_sns_topic.alarms_eu_west_1.arn}"
        ),
    }
