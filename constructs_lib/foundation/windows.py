"""Daily and weekly windows of RDS and ElastiCache: read, at night where the region is, apart from each other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from constructs_lib.foundation.errors import Problems

_HOURS_FROM_UTC: Final = {
    "us-west": -8,
    "us-gov-west": -8,
    "us-": -5,
    "mx-": -6,
    "ca-west": -7,
    "ca-": -5,
    "sa-": -3,
    "eu-west-1": 0,
    "eu-west-2": 0,
    "eu-": 1,
    "af-": 2,
    "il-": 2,
    "me-": 3,
    "ap-south-": 5,
    "ap-southeast-2": 10,
    "ap-southeast-4": 10,
    "ap-southeast-6": 12,
    "ap-southeast-3": 7,
    "ap-southeast-7": 7,
    "ap-northeast-": 9,
    "ap-": 8,
    "cn-": 8,
}
"""Winter time, in whole hours, by the beginning of the region's name; the first that fits."""

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = 24 * 60
_WEEK: Final = 7 * _DAY
_BACKUP_AT: Final = 2 * 60
_MAINTENANCE_AT: Final = 6 * _DAY + 3 * 60 + 30
_LENGTH: Final = 60
MIN_LENGTH: Final = 30
"""Minutes."""
_CLOCK: Final = "([01][0-9]|2[0-3]):([0-5][0-9])"
_NAMED: Final = f"({'|'.join(_DAYS)}):{_CLOCK}"
_DAILY: Final = re.compile(f"{_CLOCK}-{_CLOCK}")
_WEEKLY: Final = re.compile(f"{_NAMED}-{_NAMED}")

Span = tuple[int, int]
"""The first minute, and how many minutes."""


def daily(text: str) -> Span | None:
    """Return a window such as `03:00-04:00`, None where the text is none."""
    found = _DAILY.fullmatch(text)
    if found is None:
        return None
    first, last = (int(found[hour]) * 60 + int(found[hour + 1]) for hour in (1, 3))
    return first, (last - first) % _DAY


def weekly(text: str) -> Span | None:
    """Return a window such as `sun:04:30-sun:05:30`, None where the text is none."""
    found = _WEEKLY.fullmatch(text.lower())
    if found is None:
        return None
    first, last = (_DAYS.index(found[day]) * _DAY + int(found[day + 1]) * 60 + int(found[day + 2]) for day in (1, 4))
    return first, (last - first) % _WEEK


def overlap(every_day: Span, every_week: Span) -> bool:
    """Return whether a daily window and a weekly one share a minute."""
    start, length = every_week
    return any(
        (start - day) % _WEEK < every_day[1] or (day - start) % _WEEK < length
        for day in (every_day[0] + number * _DAY for number in range(7))
    )


def default_backup(region: str) -> str:
    """Return the backup window of a region: an hour from two in the morning there, in UTC."""
    start = (_BACKUP_AT - _offset(region)) % _DAY
    return f"{_clock(start)}-{_clock(start + _LENGTH)}"


def default_maintenance(region: str) -> str:
    """Return the maintenance window of a region: an hour from half past three on Sunday morning there, in UTC."""
    start = (_MAINTENANCE_AT - _offset(region)) % _WEEK
    return f"{_moment(start)}-{_moment(start + _LENGTH)}"


def check_windows(
    problems: Problems,
    backup: object,
    maintenance: object,
    *,
    argument: str = "backup_window",
    least: int = MIN_LENGTH,
) -> None:
    """Report windows that are invalid, too short or overlapping, which AWS refuses at apply.

    Args:
        problems: Where a problem is noted.
        backup: The time of day.
        maintenance: The time of the week.
        argument: What the caller calls the first.
        least: Minutes that each must last.

    See https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html.
    """
    every_day = daily(backup) if isinstance(backup, str) else None
    every_week = weekly(maintenance) if isinstance(maintenance, str) else None
    if every_day is None:
        problems.add(argument, backup, "must be a time of day in UTC such as '02:00-03:00'")
    else:
        problems.check(every_day[1] >= least, argument, backup, f"must be at least {least} minutes long")
    if every_week is None:
        problems.add(
            "maintenance_window", maintenance, "must be a time of the week in UTC such as 'sun:03:30-sun:04:30'"
        )
    else:
        problems.check(
            least <= every_week[1] < _DAY,
            "maintenance_window",
            maintenance,
            f"must be at least {least} minutes and less than a day long",
        )
    if every_day and every_week:
        problems.check(
            not overlap(every_day, every_week),
            argument,
            backup,
            f"must not overlap maintenance_window={maintenance!r}, which AWS refuses",
        )


def _offset(region: str) -> int:
    return 60 * next(hours for start, hours in _HOURS_FROM_UTC.items() if region.startswith(start))


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def _moment(minute: int) -> str:
    return f"{_DAYS[minute // _DAY % 7]}:{_clock(minute % _DAY)}"
