"""Runs a synthesized stack for real: the real Terraform and the real AWS provider, against a local AWS.

    with LocalAws() as aws, Workspace("cdktf.out/stacks/shop", aws=aws) as workspace:
        workspace.init()
        workspace.plan()
        workspace.apply()
        assert not workspace.drift().unexpected

or all of it at once, `run_cycle("cdktf.out/stacks/shop")`. Nothing here ever talks to AWS: there is no way to give it
credentials.
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
"""Differences that a message shows: one block of a set that differs makes all of its neighbours differ."""


@dataclass(frozen=True)
class Report:
    """What one whole cycle showed.

    Attributes:
        stack: The folder of the stack.
        terraform: Product and version.
        providers: Where the providers came from; stand-ins are called so.
        seconds: By step.
        made: What the first apply made.
        destroyed: What destroy removed.
        outputs: By name.
        drift: What the second plan wanted to change.
        warnings: Terraform's.
        left_out: Addresses that the local AWS has no resource for.
        known_differences: The rows of the table that concern the stack's types.
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
                f"made {self.made.add.total()}, destroyed {self.destroyed.destroy.total()}; second plan: {second}",
                f"{sum(self.seconds.values()):.1f} s: {steps}",
                *(f"not applied: {address}" for address in self.left_out),
                *_first("unexpected", self.drift.unexpected),
                *_first("known", self.drift.known),
                *map(str, self.warnings),
                "What follows was applied to a local AWS that is known to differ from AWS:",
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
    """Run init, validate, plan, apply, plan again and destroy, and return what that showed.

    Args:
        stack: The folder `cdktf.out/stacks/<id>`, or what `synthesize` returned for it.
        aws: A local AWS with nothing in it; a fresh one by default.
        terraform: The program; the one that `Terraform.discover` finds by default.
        scratch: The folder to work in; by default the system's for temporary files.
        timeouts: Seconds for each step.
        say: Called with the report, the known differences included.

    Raises:
        UnavailableError: This machine lacks Terraform, a provider or moto.
        StepError: A step failed.
        DriftError: The second plan wants to change something that the table of known differences does not cover;
            raised after the destroy.
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
