"""Backup and maintenance windows: formats and overlaps."""

from __future__ import annotations

import pytest

from constructs_lib.foundation.windows import daily, overlap, weekly


def test_windows_may_cross_midnight_and_the_end_of_the_week() -> None:
    assert daily("23:30-00:30") == (23 * 60 + 30, 60)
    assert weekly("Sun:23:30-mon:00:30") == (6 * 1440 + 23 * 60 + 30, 60)
    assert daily("24:00-25:00") is None
    assert weekly("sunday:04:00-sunday:05:00") is None


@pytest.mark.parametrize(
    ("every_day", "every_week", "expected"),
    [
        ("02:00-03:00", "sun:03:00-sun:04:00", False),
        ("02:00-03:00", "sun:01:00-sun:02:00", False),
        ("02:00-03:00", "sun:01:00-sun:02:01", True),
        ("23:30-00:30", "mon:00:00-mon:01:00", True),
        ("02:00-03:00", "sun:23:00-mon:02:30", True),
        ("02:00-05:00", "wed:03:00-wed:04:00", True),
    ],
)
def test_windows_overlap_when_they_share_a_minute(every_day: str, every_week: str, *, expected: bool) -> None:
    first, second = daily(every_day), weekly(every_week)
    assert first is not None
    assert second is not None
    assert overlap(first, second) is expected
