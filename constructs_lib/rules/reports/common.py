"""What several reports say."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs_lib.rules.checking import Report

TOOL: Final = "constructs-lib"
WORDS: Final = {"error": "error", "warning": "warning", "info": "note"}
"""What the levels are called."""

_FEW: Final = 3


def tool_version() -> str:
    """Return the installed version of the library; 0 where it runs from its sources."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  slow to import, and text needs none

    try:
        return version(TOOL)
    except PackageNotFoundError:
        return "0"


def number(count: int, word: str, plural: str = "") -> str:
    """Return `1 error`, `2 errors`."""
    return f"{count:,} {word if count == 1 else plural or f'{word}s'}"


def counted(report: Report) -> str:
    """Return `2 errors, 1 warning`, or that there is nothing."""
    found = [number(count, WORDS[level]) for level, count in report.counts.items() if count]
    return ", ".join(found) or "no findings"


def looked_at(report: Report) -> str:
    """Return how much was looked at."""
    environments = sorted({stack.terraform.environment for stack in report.estate.stacks})
    blocks = number(report.resources, "resource or data source", "resources and data sources")
    stacks = number(len(report.estate.stacks), "stack")
    return f"{number(len(report.rules), 'rule')} looked at {blocks} in {stacks} ({', '.join(environments)})"


def broken(report: Report) -> str:
    """Return where rules themselves failed, which nobody may take for a pass."""
    places = [f"{one.rule.id} at {one.stack}:{one.address}: {one.reason}" for one in report.result.broken]
    more = f" and {len(places) - _FEW} more" if len(places) > _FEW else ""
    return f"{number(len(places), 'check')} failed by a mistake in the rule: {'; '.join(places[:_FEW])}{more}"


def blind_spots(report: Report) -> list[str]:
    """Return what was not looked at, so that nobody takes silence for a pass."""
    idle = sum(not report.result.looked_at[rule.id] for rule in report.rules)
    found = [f"{idle} of {number(len(report.rules), 'rule')} had nothing to look at"] if idle else []
    return found + [
        f"{stack.name}: not read, because it is HCL: {', '.join(stack.source.unread)}"
        for stack in report.estate.stacks
        if stack.source.unread
    ]


def reasons(report: Report) -> list[tuple[str, int]]:
    """Return why values stayed unknown, the most frequent first."""
    return most(doubt.reason for doubt in report.result.doubts)


def most(words: Iterable[str]) -> list[tuple[str, int]]:
    """Return words by how often they occur, then by the alphabet."""
    return sorted(Counter(words).items(), key=lambda one: (-one[1], one[0]))


def has_colours(stream: TextIO) -> bool:
    """Whether a stream is a terminal that shows colours; see https://no-color.org."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
