"""Errors of running a stack with the real Terraform."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from constructs_lib.testing.plan import Diagnostic


class HarnessError(Exception):
    """A stack could not be run with the real Terraform."""


class UnavailableError(HarnessError):
    """Terraform, a provider or a Python package is not available here. Tests are skipped with its message."""


class LocalAwsError(HarnessError):
    """The local AWS did not start, or it ended unexpectedly."""


class StepError(HarnessError):
    """A step of Terraform failed.

    Attributes:
        step: The step, such as `apply`.
        problems: Terraform's errors, each with its construct.
        log: The log file of the step; it is not removed.
    """

    def __init__(self, step: str, message: str, *, log: Path, problems: tuple[Diagnostic, ...] = ()) -> None:
        self.step = step
        self.problems = problems
        self.log = log
        super().__init__("\n".join((f"{step}: {message}", *map(str, problems), f"log: {log}")))


class DriftError(HarnessError):
    """The second plan is not empty: it changes resources that the apply has just created."""
