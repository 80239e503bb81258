"""Parts that several reports share."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs_lib.rules.checking import Report

TOOL: Final = "constructs-lib"
WORDS: Final = {"error": "error", "warning": "warning", "info": "note"}
"""The names of the levels."""

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
    """Return `2 errors, 1 warning`, or `no findings`."""
    found = [number(count, WORDS[level]) for level, count in report.counts.items() if count]
    return ", ".join(found) or "no findings"


def checked(report: Report) -> str:
    """Return how many rules checked how many resources."""
    environments = sorted({stack.terraform.environment for stack in report.estate.stacks})
    blocks = number(report.resources, "resource or data source", "resources and data sources")
    stacks = number(len(report.estate.stacks), "stack")
    return f"{number(len(report.rules), 'rule')} checked {blocks} in {stacks} ({', '.join(environments)})"


def broken(report: Report) -> str:
    """Return where rules raised an error, so that nobody takes it for a pass."""
    places = [f"{one.rule.id} at {one.stack}:{one.address}: {one.reason}" for one in report.result.broken]
    more = f" and {len(places) - _FEW} more" if len(places) > _FEW else ""
    return f"{number(len(places), 'check')} failed with an error in the rule: {'; '.join(places[:_FEW])}{more}"


def blind_spots(report: Report, *, brief: bool = False) -> list[str]:
    """Return what was not checked, so that nobody takes silence for a pass.

    Args:
        report: The report.
        brief: Leave out how many rules matched no resources.
    """
    idle = sum(not report.result.looked_at[rule.id] for rule in report.rules)
    found = [f"{idle} of {number(len(report.rules), 'rule')} matched no resources"] if idle and not brief else []
    skipped = most(one.skip.source for one in report.skipped)
    found += [f"{number(count, 'rule')} skipped by {source}" for source, count in skipped]
    changed = most(one.override.source for one in report.changed)
    found += [f"severity of {number(count, 'rule')} changed by {source}" for source, count in changed]
    return found + [
        f"{stack.name}: HCL files not read: {', '.join(stack.source.unread)}"
        for stack in report.estate.stacks
        if stack.source.unread
    ]


def reasons(report: Report) -> list[tuple[str, int]]:
    """Return why checks are undecided, the most frequent reason first."""
    return most(doubt.reason for doubt in report.result.doubts)


def most(words: Iterable[str]) -> list[tuple[str, int]]:
    """Return words with how often they occur, the most frequent first."""
    return sorted(Counter(words).items(), key=lambda one: (-one[1], one[0]))


def has_colours(stream: TextIO) -> bool:
    """Whether a stream is a terminal that shows colours; see https://no-color.org."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
