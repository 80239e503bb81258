"""Backup and maintenance windows: at night where the region is, apart from each other, and checked when given."""

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
_CLOCK: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_BACKUP: Final = re.compile(f"({_CLOCK})-({_CLOCK})")
_NAMED: Final = f"({'|'.join(_DAYS)}):({_CLOCK})"
_MAINTENANCE: Final = re.compile(f"{_NAMED}-{_NAMED}", re.IGNORECASE)


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
    """Note windows that are none, too short, or that overlap, which AWS refuses at apply.

    Args:
        problems: Where a problem is noted.
        backup: The time of day.
        maintenance: The time of the week.
        argument: What the caller calls the first.
        least: Minutes that each must last.

    See https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html.
    """
    nightly = _BACKUP.fullmatch(backup) if isinstance(backup, str) else None
    weekly = _MAINTENANCE.fullmatch(maintenance) if isinstance(maintenance, str) else None
    problems.check(nightly, argument, backup, "must be a time of day in UTC such as '02:00-03:00'")
    problems.check(
        weekly, "maintenance_window", maintenance, "must be a time of the week in UTC such as 'sun:03:30-sun:04:30'"
    )
    backup_at = _minutes(nightly[1]) if nightly else 0
    backup_length = (_minutes(nightly[2]) - backup_at) % _DAY if nightly else _LENGTH
    maintenance_at = _weekly(weekly[1], weekly[2]) if weekly else 0
    maintenance_length = (_weekly(weekly[3], weekly[4]) - maintenance_at) % _WEEK if weekly else _LENGTH
    problems.check(backup_length >= least, argument, backup, f"must be at least {least} minutes long")
    problems.check(
        least <= maintenance_length < _DAY,
        "maintenance_window",
        maintenance,
        f"must be at least {least} minutes and less than a day long",
    )
    if nightly and weekly:
        # One of two stretches of a circle begins within the other.
        clash = (backup_at - maintenance_at) % _DAY < maintenance_length
        clash |= (maintenance_at - backup_at) % _DAY < backup_length
        problems.check(
            not clash,
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


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


def _weekly(day: str, clock: str) -> int:
    return _DAYS.index(day.lower()) * _DAY + _minutes(clock)
