"""Prints Terraform's progress in a few lines: an apply takes minutes and logs hundreds of messages."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_LINE_SECONDS: Final = 5.0
_PATIENCE: Final = 3
"""Factor of the interval for a line that repeats the last one."""

_ACTIONS: Final = ("create", "update", "delete", "replace")


class Progress:
    """Reads the log of the current step and prints a line at intervals; the `watch` of a `Workspace`.

    Args:
        say: Called with each line.
        seconds: Interval between two lines, in seconds.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        say: Callable[[str], object],
        *,
        seconds: float = _LINE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._seconds = seconds
        self._clock = clock
        self._log: Path | None = None
        self._started = self._last = 0.0
        self._said: str | None = None

    def __call__(self, step: str, log: Path) -> None:
        """Read the log, and print a line if the interval has passed."""
        now = self._clock()
        if log != self._log:
            self._begin(log, now)
        self._read(log)
        state = self._state()
        if now - self._last >= self._seconds * (_PATIENCE if state == self._said else 1):
            self._last, self._said = now, state
            self._say(f"  {step}: {state}{now - self._started:.0f} s")

    def _begin(self, log: Path, now: float) -> None:
        self._log = log
        self._position = 0
        self._said = None
        self._started = self._last = now
        self._total = 0
        self._done = 0
        self._running: dict[str, None] = {}

    def _read(self, log: Path) -> None:
        with log.open("rb") as file:
            file.seek(self._position)
            new = file.read()
        # The last line may be incomplete.
        whole = new[: new.rfind(b"\n") + 1]
        self._position += len(whole)
        for line in whole.decode("utf-8", "replace").splitlines():
            # Other steps print one JSON object over several lines.
            if line.startswith('{"@'):
                self._count(json.loads(line))

    def _count(self, message: Mapping[str, Any]) -> None:
        kind = message.get("type")
        if kind == "planned_change":
            self._total += message["change"]["action"] in _ACTIONS
        elif kind == "apply_start" and message["hook"]["action"] in _ACTIONS:
            self._running[message["hook"]["resource"]["addr"]] = None
        elif kind in ("apply_complete", "apply_errored") and message["hook"]["action"] in _ACTIONS:
            self._running.pop(message["hook"]["resource"]["addr"], None)
            if kind == "apply_complete":
                self._done += 1

    def _state(self) -> str:
        parts = [f"{self._done} of {self._total} resources"] if self._total else []
        if self._running:
            first, *others = self._running
            parts.append(f"working on {first}" + (f" and {len(others)} more" if others else ""))
        return "".join(f"{part}, " for part in parts)
