"""Runs a synthesized stack with the real Terraform and the real AWS provider against a local AWS.

    with LocalAws() as aws, Workspace("cdktf.out/stacks/shop", aws=aws) as workspace:
        workspace.init()
        workspace.plan()
        workspace.apply()
        assert not workspace.drift().unexpected

or all steps with `run_cycle("cdktf.out/stacks/shop")`. Nothing here connects to AWS: Terraform gets only
dummy credentials.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.testing.errors import DriftError, HarnessError, LocalAwsError, StepError, UnavailableError
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.local_aws.differences import KnownDifference, differences_for, summary
from constructs_lib.testing.plan import Changes, Diagnostic, Difference
from constructs_lib.testing.settings import Terraform
from constructs_lib.testing.workspace import Drift, Timeouts, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.testing.synthesized import SynthesizedStack

__all__ = [
    "Changes",
    "Diagnostic",
    "Difference",
    "Drift",
    "DriftError",
    "HarnessError",
    "LocalAws",
    "LocalAwsError",
    "Report",
    "StepError",
    "Terraform",
    "Timeouts",
    "UnavailableError",
    "Workspace",
    "run_cycle",
]

_SHOWN: Final = 40
"""Maximum number of differences in a message: one changed block of a set changes all blocks after it."""


@dataclass(frozen=True)
class Report:
    """The result of a complete cycle.

    Attributes:
        stack: The folder of the stack.
        terraform: Product and version.
        providers: Where the providers came from; stand-ins are named as such.
        seconds: Duration of each step.
        made: Resources that the first apply created.
        destroyed: Resources that the destroy deleted.
        outputs: Values of the outputs by name.
        drift: Changes in the second plan.
        warnings: Terraform's warnings.
        left_out: Addresses of resources that the local AWS does not support.
        known_differences: Known differences between the local AWS and AWS that concern the stack's types.
    """

    stack: Path
    terraform: str
    providers: str
    seconds: dict[str, float]
    made: Changes
    destroyed: Changes
    outputs: dict[str, Any]
    drift: Drift
    warnings: tuple[Diagnostic, ...]
    left_out: tuple[str, ...]
    known_differences: tuple[KnownDifference, ...]

    def __str__(self) -> str:
        steps = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in self.seconds.items())
        second = f"{len(self.drift.unexpected)} unexpected, {len(self.drift.known)} known differences"
        return "\n".join(
            (
                f"{self.stack}: {self.terraform}, {self.providers}",
                f"created {self.made.add.total()}, destroyed {self.destroyed.destroy.total()}; second plan: {second}",
                f"{sum(self.seconds.values()):.1f} s: {steps}",
                *(f"not applied: {address}" for address in self.left_out),
                *_first("unexpected", self.drift.unexpected),
                *_first("known", self.drift.known),
                *map(str, self.warnings),
                "Known differences between the local AWS and AWS:",
                *(f"  {line}" for line in summary(self.known_differences)),
            )
        )


def run_cycle(
    stack: str | Path | SynthesizedStack,
    *,
    aws: LocalAws | None = None,
    terraform: Terraform | None = None,
    scratch: Path | None = None,
    timeouts: Timeouts | None = None,
    say: Callable[[str], object] = print,
) -> Report:
    """Run init, validate, plan, apply, a second plan and destroy, and return a report.

    Args:
        stack: The folder `cdktf.out/stacks/<id>`, or the stack that `synthesize` returned.
        aws: An empty local AWS; a new one by default.
        terraform: The program; `Terraform.discover()` by default.
        scratch: The folder for the copy of the stack; the system's temporary folder by default.
        timeouts: Timeout of each step, in seconds.
        say: Called with the text of the report.

    Raises:
        UnavailableError: Terraform, a provider or moto is not available.
        StepError: A step failed.
        DriftError: The second plan has changes that are not known differences; raised after the destroy.
    """
    with contextlib.ExitStack() as cleanup:
        local = aws or cleanup.enter_context(LocalAws())
        workspace = cleanup.enter_context(
            Workspace(stack, aws=local, terraform=terraform, scratch=scratch, timeouts=timeouts)
        )
        workspace.init()
        warnings = workspace.validate()
        workspace.plan()
        made = workspace.apply()
        drift = workspace.drift()
        outputs = workspace.outputs()
        destroyed = workspace.destroy()
        report = Report(
            stack=workspace.source,
            terraform=str(workspace.terraform),
            providers=str(workspace.providers),
            seconds=workspace.seconds,
            made=made,
            destroyed=destroyed,
            outputs=outputs,
            drift=drift,
            warnings=warnings,
            left_out=workspace.left_out,
            known_differences=differences_for(workspace.types),
        )
        say(str(report))
        if drift.unexpected:
            raise DriftError("\n".join(("the second plan is not empty", *_first("unexpected", drift.unexpected))))
        return report


def _first(word: str, differences: tuple[Difference, ...]) -> list[str]:
    more = len(differences) - _SHOWN
    lines = [f"{word}: {difference}" for difference in differences[:_SHOWN]]
    return lines if more <= 0 else [*lines, f"{word}: {more} more"]
