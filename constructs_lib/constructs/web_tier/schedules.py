"""Sizes of a group that change with the time of day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import available_timezones

from constructs_lib.constructs.web_tier.arguments import check_sizes
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems

MAX_SCHEDULES: Final = 125
"""Of one group. See https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html."""
MAX_TEXT: Final = 255
"""Characters of a name, and of a recurrence."""

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: Final[tuple[tuple[str, range, tuple[str, ...]], ...]] = (
    ("minute", range(60), ()),
    ("hour", range(24), ()),
    ("day of the month", range(1, 32), ()),
    ("month", range(1, 13), _MONTHS),
    ("day of the week", range(7), _DAYS),
)
"""What a field is called, the numbers it takes, and the names that may stand for them."""
_PART: Final = re.compile(
    r"(?:\*|(?P<first>[0-9]{1,2}|[A-Z]{3})(?P<range>-(?P<last>[0-9]{1,2}|[A-Z]{3}))?)(?P<step>/(?P<by>[0-9]{1,2}))?"
)


@dataclass(frozen=True)
class ScheduledSize:
    """The sizes that a group has from a time of day on, until another schedule changes them.

    Attributes:
        recurrence: When, as cron: minute, hour, day of the month, month and day of the week, such as
            `0 7 * * MON-FRI`; days of the week are 0 (Sunday) to 6, or SUN to SAT.
        minimum: Instances at least, from the environment's minimum to 500. A group with fewer grows at once.
        maximum: Instances at most, from `minimum` to 500. A group with more shrinks at once.
        time_zone: The IANA name of the zone that the recurrence is in, daylight saving time included; UTC by default.

    See https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html.
    """

    recurrence: str
    minimum: int
    maximum: int
    time_zone: str = "Etc/UTC"


def check_schedules(problems: Problems, region: Region, schedules: object) -> None:
    """Note names, times, zones and sizes that AWS or the environment refuses."""
    if not isinstance(schedules, Mapping):
        problems.add("schedules", schedules, "must be a mapping of names to ScheduledSize(...)")
        return
    problems.check(
        len(schedules) <= MAX_SCHEDULES,
        "schedules",
        f"{len(schedules)} schedules",
        f"a group has room for {MAX_SCHEDULES}",
    )
    # Read from the system's files each time.
    zones = available_timezones() if schedules else set()
    taken: dict[tuple[str, str], object] = {}
    for name, size in schedules.items():
        argument = f"schedules[{name!r}]"
        problems.check(
            isinstance(name, str) and len(name) <= MAX_TEXT and _NAME.fullmatch(name),
            "schedules",
            name,
            "a name is lower-case letters, digits and single hyphens, a letter first, up to 255",
        )
        if not problems.check(isinstance(size, ScheduledSize), argument, size, "must be ScheduledSize(...)"):
            continue
        wrong = _wrong_in(size.recurrence)
        problems.check(not wrong, f"{argument}.recurrence", size.recurrence, wrong)
        # All canonical names, which are what AWS takes, have an area.
        problems.check(
            isinstance(size.time_zone, str) and "/" in size.time_zone and size.time_zone in zones,
            f"{argument}.time_zone",
            size.time_zone,
            "must be the IANA name of a time zone with its area, such as 'Europe/Berlin' or 'Etc/UTC'",
        )
        check_sizes(problems, region, size.minimum, size.maximum, of=f"{argument}.")
        first = taken.setdefault((str(size.recurrence), str(size.time_zone)), name)
        problems.check(
            first == name,
            f"{argument}.recurrence",
            size.recurrence,
            f"is the time of {first!r} too, and AWS refuses two changes of a group at one time",
        )


def _wrong_in(recurrence: object) -> str:
    """Return what AWS would refuse about a recurrence, or nothing."""
    fields = recurrence.split(" ") if isinstance(recurrence, str) else []
    if len(fields) != len(_FIELDS):
        return (
            "must be five fields with one space between them, such as '0 7 * * MON-FRI': minute, hour, day of the "
            "month, month and day of the week"
        )
    if len(str(recurrence)) > MAX_TEXT:
        return f"must have at most {MAX_TEXT} characters; give ranges and steps in place of lists"
    for field, (title, numbers, names) in zip(fields, _FIELDS, strict=True):
        if not all(_is_part(part, numbers, names) for part in field.split(",")):
            allowed = f"{numbers[0]} to {numbers[-1]}" + (f" or {names[0]} to {names[-1]}" if names else "")
            return (
                f"the {title} {field!r} must be *, of {allowed}, a range, a list of these, or */2 for every second one"
            )
    return ""


def _is_part(part: str, numbers: range, names: tuple[str, ...]) -> bool:
    """Return whether it is one value, a range or all, and for the latter two every so many of them."""
    found = _PART.fullmatch(part)
    if not found or (found["step"] and not (found["range"] or part.startswith("*"))):
        return False
    first, last = (_number(text, numbers, names) for text in (found["first"], found["last"]))
    return (
        (found["first"] is None or first in numbers)
        and (found["last"] is None or (last in numbers and first <= last))
        and (found["by"] is None or 1 <= int(found["by"]) <= len(numbers))
    )


def _number(text: str | None, numbers: range, names: tuple[str, ...]) -> int:
    """Return what a value stands for, and what no field takes for what stands for nothing."""
    if text is None or not text.isdigit():
        return numbers[0] + names.index(text) if text in names else -1
    return int(text)
