"""Daily and weekly windows, as RDS and ElastiCache take them."""

from __future__ import annotations

import re
from typing import Final

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = 24 * 60
_WEEK: Final = 7 * _DAY
_CLOCK: Final = r"([01]\d|2[0-3]):([0-5]\d)"
_DAILY: Final = re.compile(rf"{_CLOCK}-{_CLOCK}")
_WEEKLY: Final = re.compile(rf"({'|'.join(_DAYS)}):{_CLOCK}-({'|'.join(_DAYS)}):{_CLOCK}")

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
