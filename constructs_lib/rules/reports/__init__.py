"""Reports of a check, for terminals, pull requests and other programs."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from constructs_lib.rules.checking import Report

FORMATS: Final = ("text", "json", "sarif", "junit", "markdown", "github")


@dataclass(frozen=True)
class Options:
    """Options of a report.

    Attributes:
        fail_on: The level from which on findings fail the check, or `never`.
        verbose: Show notes, coverage and undecided checks in full.
        brief: Show the findings alone, without fingerprints and coverage; text only.
        colour: Colour the text.
        width: Columns of the text.
    """

    fail_on: str = "error"
    verbose: bool = False
    brief: bool = False
    colour: bool = False
    width: int = 100


def render(report: Report, format_: str, options: Options = Options()) -> str:
    """Return a report in one of `FORMATS`, ending in a line break unless it is empty."""
    module = importlib.import_module(f"{__name__}.as_{format_}")
    text: str = module.render(report, options)
    return text
