"""Stacks applied side by side, each to a local AWS of its own: the provider mostly waits for what it makes."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING

from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.terraform import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.terraform import Terraform


def apply(workspace: Workspace) -> SimpleNamespace:
    """Apply a stack, plan again, and return what both showed."""
    workspace.init()
    workspace.plan()
    made = workspace.apply()
    return SimpleNamespace(
        workspace=workspace, aws=workspace.aws, made=made, drift=workspace.drift(), outputs=workspace.outputs()
    )


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
