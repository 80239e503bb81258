"""Stacks applied side by side, each to a local AWS of its own: the provider mostly waits for what it makes."""

from __future__ import annotations

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING

from constructs_lib.rules.checking import check
from constructs_lib.rules.estate.loading import load
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.terraform import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from constructs_lib.rules.estate.model import Estate
    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.terraform import Terraform


def apply(workspace: Workspace) -> SimpleNamespace:
    """Apply a stack, plan again, and return what both showed."""
    workspace.init()
    workspace.plan()
    made, drift = workspace.apply(), workspace.drift()
    assert findings_of_the_plan(workspace) == findings(load([workspace.source]))
    return SimpleNamespace(workspace=workspace, aws=workspace.aws, made=made, drift=drift, outputs=workspace.outputs())


def findings_of_the_plan(workspace: Workspace) -> set[tuple[str, str]]:
    """Return the findings of `constructs-lib check` in the newest plan, which are those of the stack's JSON."""
    file = workspace.directory / "plan.json"
    file.write_text(json.dumps(workspace.show()), encoding="utf-8")
    return findings(load([file]))


def findings(estate: Estate) -> set[tuple[str, str]]:
    """Return every finding as rule and address."""
    return {(finding.rule.id, finding.address) for finding in check(estate).findings}


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
        destroyed = threads.map(lambda one: one.workspace.destroy(), seen.values())
        for one, changes in zip(seen.values(), destroyed, strict=True):
            assert changes.destroy.total() == one.made.add.total()
