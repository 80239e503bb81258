"""Reports of a check: for people, for pull requests, for other programs."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from constructs_lib.rules.checking import Report

FORMATS: Final = ("text", "json", "sarif", "junit", "markdown", "github")


@dataclass(frozen=True)
class Options:
    """What a report may be told.

    Attributes:
        fail_on: The level from which on findings fail the check, `never` for none.
        verbose: Show the coverage and what stayed unknown in full.
        colour: Colour the text.
        width: Columns of the text.
    """

    fail_on: str = "error"
    verbose: bool = False
    colour: bool = False
    width: int = 100


def render(report: Report, format_: str, options: Options = Options()) -> str:
    """Return a report in one of `FORMATS`, ending in a line break unless it is empty."""
    module = importlib.import_module(f"{__name__}.as_{format_}")
    text: str = module.render(report, options)
    return text
