"""A saved plan is applied with the archives that were written during the plan, as in two CI jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib.testing.errors import HarnessError
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.terraform import Terraform, Workspace
from tests.constructs.queues import function, key_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

pytestmark = [pytest.mark.terraform, pytest.mark.apply]


def test_a_saved_plan_needs_the_archives_of_its_folder(
    synth_stack: Callable[..., SynthesizedStack], aws_provider: Terraform
) -> None:
    stack = synth_stack(lambda stack: function(key_in(stack), "worker"))
    with LocalAws() as local, Workspace(stack, aws=local, terraform=aws_provider) as workspace:
        workspace.init()
        workspace.plan()
        archive = workspace.directory / "assets" / "worker_eu_west_1.zip"
        kept = archive.read_bytes()
        archive.unlink()
        with pytest.raises(HarnessError, match="no such file or directory"):
            workspace.apply()
        archive.write_bytes(kept)
        workspace.plan()
        archive.write_bytes(kept)
        workspace.apply()
        assert workspace.drift().unexpected == ()
