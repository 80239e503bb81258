"""The second plan of a stack whose code has changed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.terraform import Workspace


def change_to(workspace: Workspace, stack: SynthesizedStack) -> dict[str, str]:
    """Put the changed stack in the place of the applied one, plan it, and return the actions by address."""
    shutil.copy(stack.directory / "cdk.tf.json", workspace.directory / "cdk.tf.json")
    workspace.plan()
    document = workspace._query("show-plan", ["show", "-json", "first.tfplan"])
    return {
        resource["address"]: "-".join(resource["change"]["actions"])
        for resource in document["resource_changes"]
        if resource["change"]["actions"] not in (["no-op"], ["read"])
    }
