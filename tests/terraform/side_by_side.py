"""Stacks applied side by side, each to a local AWS of its own: the provider mostly waits for what it makes."""

from __future__ import annotations

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING

from constructs_lib.analysis.permissions import deployment
from constructs_lib.rules.checking import check
from constructs_lib.rules.estate.loading import load
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.terraform import Workspace
from docs.provider_operations import needed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from constructs_lib.rules.checking import Report
    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.terraform import Terraform


def apply(workspace: Workspace) -> SimpleNamespace:
    """Apply a stack, plan again, and return what both showed."""
    workspace.init()
    before = calls(workspace)
    workspace.plan()
    made, drift = workspace.apply(), workspace.drift()
    assert forbidden(workspace, calls(workspace)[len(before) :]) == []
    assert misread(workspace) == set()
    return SimpleNamespace(workspace=workspace, aws=workspace.aws, made=made, drift=drift, outputs=workspace.outputs())


def calls(workspace: Workspace) -> tuple[str, ...]:
    """Return what the local AWS of a workspace was asked for so far."""
    assert isinstance(workspace.aws, LocalAws)
    return workspace.aws.calls


def forbidden(workspace: Workspace, called: Iterable[str]) -> list[str]:
    """Return the actions that were called and that the policies of `constructs-lib permissions` do not allow."""
    (stack,) = load([workspace.source]).stacks
    allowed = {action for statement in deployment(stack).statements for action in statement["Action"]}
    made = {action for one in called for action in needed(one.replace("elbv2:", "elasticloadbalancing:"))}
    return sorted(made - allowed)


def misread(workspace: Workspace) -> set[tuple[str, str]]:
    """Return the findings in which the newest plan and the stack's JSON differ, without what a plan does not say.

    A plan says nothing of the backend, which the block `terraform` has.
    """
    file = workspace.directory / "plan.json"
    file.write_text(json.dumps(workspace.show()), encoding="utf-8")
    plan, code = check(load([file])), check(load([workspace.source]))
    unsaid = {(doubt.rule.id, doubt.address) for doubt in plan.result.doubts}
    return {one for one in findings(plan) ^ findings(code) if one[1] != "terraform"} - unsaid


def findings(report: Report) -> set[tuple[str, str]]:
    """Return the findings as rule and address."""
    return {(finding.rule.id, finding.address) for finding in report.findings}


@contextlib.contextmanager
def side_by_side(stacks: Mapping[str, SynthesizedStack], terraform: Terraform) -> Iterator[dict[str, SimpleNamespace]]:
    """Apply stacks, and at the end destroy all that was made of them."""
    with contextlib.ExitStack() as cleanup, ThreadPoolExecutor() as threads:
        workspaces = [
            cleanup.enter_context(Workspace(stack, aws=cleanup.enter_context(LocalAws()), terraform=terraform))
            for stack in stacks.values()
        ]
        seen = dict(zip(stacks, threads.map(apply, workspaces), strict=True))
        yield seen
        before = {name: len(calls(one.workspace)) for name, one in seen.items()}
        destroyed = threads.map(lambda one: one.workspace.destroy(), seen.values())
        for one, changes in zip(seen.values(), destroyed, strict=True):
            assert changes.destroy.total() == one.made.add.total()
        for name, one in seen.items():
            assert forbidden(one.workspace, calls(one.workspace)[before[name] :]) == []
