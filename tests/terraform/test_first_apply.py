"""One reference stack applied to a local AWS in `make test`: what a newcomer sees work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib import Environment
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.local_aws.quotas import NEW_ACCOUNT
from constructs_lib.testing.terraform import Terraform, Workspace
from stacks.events import EventsStack
from tests.terraform.side_by_side import calls, forbidden, misread

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

pytestmark = [pytest.mark.terraform, pytest.mark.smoke]


def test_a_stack_is_applied_planned_again_without_changes_and_destroyed(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]], aws_provider: Terraform
) -> None:
    stack = synthesize(lambda app: EventsStack(app, "events", environment=Environment.DEV))["events"]
    with LocalAws(quotas=NEW_ACCOUNT) as local, Workspace(stack, aws=local, terraform=aws_provider) as workspace:
        workspace.init()
        workspace.plan()
        made = workspace.apply()
        drift = workspace.drift()
        assert (drift.unexpected, workspace.left_out) == ((), ())
        assert misread(workspace) == set()
        assert workspace.destroy().destroy.total() == made.add.total()
        assert forbidden(workspace, calls(workspace)) == []
