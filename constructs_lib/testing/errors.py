"""What goes wrong while a stack runs for real."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from constructs_lib.testing.plan import Diagnostic


class HarnessError(Exception):
    """A stack could not be run for real, or not to its end."""


class UnavailableError(HarnessError):
    """This machine lacks what it takes: Terraform, a provider, moto. A test skips on this one, with its text."""


class LocalAwsError(HarnessError):
    """The local AWS did not start, or ended."""


class StepError(HarnessError):
    """A step of Terraform failed.

    Attributes:
        step: Its name, such as `apply`.
        problems: Terraform's errors, each with the construct that it is about.
        log: The file with all that Terraform said; it is kept.
    """

    def __init__(self, step: str, message: str, *, log: Path, problems: tuple[Diagnostic, ...] = ()) -> None:
        self.step = step
        self.problems = problems
        self.log = log
        super().__init__("\n".join((f"{step}: {message}", *map(str, problems), f"log: {log}")))


class DriftError(HarnessError):
    """The second plan wants to change what the first apply has just made."""
