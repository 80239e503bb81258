"""Waiting for a condition, never for a duration: tests share their machine with other work."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE_SECONDS = 300


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Return once the condition is true; the deadline only ends a test that would wait forever."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {DEADLINE_SECONDS} seconds"
        time.sleep(0.02)
