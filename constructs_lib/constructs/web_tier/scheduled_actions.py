"""Scheduled actions: sizes of an Auto Scaling group that change by the time of day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import available_timezones

from constructs_lib.constructs.web_tier.arguments import check_sizes
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems

MAX_SCHEDULED_ACTIONS: Final = 125
"""Scheduled actions of a group. See
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html."""
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
"""The fields: their names, the numbers that are allowed, and names for numbers."""
_PART: Final = re.compile(
    r"(?:\*|(?P<first>[0-9]{1,2}|[A-Z]{3})(?P<range>-(?P<last>[0-9]{1,2}|[A-Z]{3}))?)(?P<step>/(?P<by>[0-9]{1,2}))?"
)


@dataclass(frozen=True)
class ScheduledAction:
    """A scheduled action: the sizes of the Auto Scaling group from a time of day on, until the next scheduled action.

    Attributes:
        recurrence: A cron expression with five fields: minute, hour, day of the month, month (1 to 12 or JAN to DEC)
            and day of the week (0 for Sunday to 6, or SUN to SAT), such as `0 7 * * MON-FRI`. `*`, ranges, lists and
            steps such as `*/15` are allowed.
        minimum: Minimum size, from the environment's minimum to 500.
        maximum: Maximum size, from `minimum` to 500.
        time_zone: IANA name of the recurrence's time zone, such as `Europe/Berlin`; daylight saving time is observed.

    See https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html.
    """

    recurrence: str
    minimum: int
    maximum: int
    time_zone: str = "Etc/UTC"


def check_scheduled_actions(problems: Problems, region: Region, scheduled_actions: object) -> None:
    """Report names, recurrences, time zones and sizes that AWS or the environment refuses."""
    if not isinstance(scheduled_actions, Mapping):
        problems.add("scheduled_actions", scheduled_actions, "must be a dict of ScheduledAction by name")
        return
    problems.check(
        len(scheduled_actions) <= MAX_SCHEDULED_ACTIONS,
        "scheduled_actions",
        f"{len(scheduled_actions)} scheduled actions",
        f"must be at most {MAX_SCHEDULED_ACTIONS}",
    )
    # Reads the system's files at each call.
    zones = available_timezones() if scheduled_actions else set()
    taken: dict[tuple[str, str], object] = {}
    for name, size in scheduled_actions.items():
        argument = f"scheduled_actions[{name!r}]"
        problems.check(
            isinstance(name, str) and len(name) <= MAX_TEXT and _NAME.fullmatch(name),
            "scheduled_actions",
            name,
            "a name must be up to 255 lower-case letters, digits and single hyphens, and start with a letter",
        )
        if not problems.check(isinstance(size, ScheduledAction), argument, size, "must be a ScheduledAction"):
            continue
        wrong = _wrong_in(size.recurrence)
        problems.check(not wrong, f"{argument}.recurrence", size.recurrence, wrong)
        # AWS accepts canonical names; all of them have an area.
        problems.check(
            isinstance(size.time_zone, str) and "/" in size.time_zone and size.time_zone in zones,
            f"{argument}.time_zone",
            size.time_zone,
            "must be the IANA name of a time zone, such as 'Europe/Berlin' or 'Etc/UTC'",
        )
        check_sizes(problems, region, size.minimum, size.maximum, of=f"{argument}.")
        first = taken.setdefault((str(size.recurrence), str(size.time_zone)), name)
        problems.check(
            first == name,
            f"{argument}.recurrence",
            size.recurrence,
            f"is also the time of {first!r}; AWS refuses two scheduled actions of a group at the same time",
        )


def _wrong_in(recurrence: object) -> str:
    """Return why AWS would refuse a recurrence, or an empty string."""
    fields = recurrence.split(" ") if isinstance(recurrence, str) else []
    if len(fields) != len(_FIELDS):
        return (
            "must be five fields separated by single spaces, such as '0 7 * * MON-FRI': minute, hour, day of the "
            "month, month and day of the week"
        )
    if len(str(recurrence)) > MAX_TEXT:
        return f"must have at most {MAX_TEXT} characters; use ranges and steps instead of lists"
    for field, (title, numbers, names) in zip(fields, _FIELDS, strict=True):
        if not all(_is_part(part, numbers, names) for part in field.split(",")):
            allowed = f"{numbers[0]} to {numbers[-1]}" + (f" or {names[0]} to {names[-1]}" if names else "")
            return f"the {title} {field!r} must be *, {allowed}, a range, a list, or a step such as */2"
    return ""


def _is_part(part: str, numbers: range, names: tuple[str, ...]) -> bool:
    """Return whether it is a value, a range or `*`; the latter two may have a step."""
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
    """Return the number of a value, or -1, which no field allows."""
    if text is None or not text.isdigit():
        return numbers[0] + names.index(text) if text in names else -1
    return int(text)
