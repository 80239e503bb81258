"""The day that dates in tables are compared with."""

from __future__ import annotations

from datetime import UTC, date, datetime


def today() -> date:
    """Return the day it is in UTC."""
    return datetime.now(UTC).date()
