"""A table that gets a third region, as the real Terraform and the real provider plan it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib import GlobalIndex, GlobalTable, HardenedStack, MultiRegionKey, NoDeletionProtection
from constructs_lib.testing.terraform import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.local_aws import LocalAws
    from constructs_lib.testing.settings import Terraform

pytestmark = [pytest.mark.terraform, pytest.mark.apply]

TWO = ("us-east-1", "eu-west-1")
THREE = (*TWO, "ap-southeast-1")


@pytest.fixture
def table(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]],
) -> Callable[[tuple[str, ...]], SynthesizedStack]:
    """Synthesize a production table in the regions given."""

    def run(regions: tuple[str, ...]) -> SynthesizedStack:
        def build(app: App) -> None:
            stack = HardenedStack(app, "shop", environment="prod", owner="team-shop")
            home, *others = (stack.region(name) for name in regions)
            key = MultiRegionKey(stack, "key", region=home, replicas=others)
            GlobalTable(
                stack,
                "orders",
                region=home,
                replicas=others,
                key=key,
                partition_key="id",
                attributes={"id": "S", "status": "S"},
                global_indexes={"by-status": GlobalIndex("status")},
                contributor_insights=True,
                # The provider takes three minutes to protect a replica.
                deletion_protection=NoDeletionProtection("torn down by the test"),
            )

        return synthesize(build)["shop"]

    return run


def test_a_third_region_is_an_addition_and_nothing_else(
    table: Callable[[tuple[str, ...]], SynthesizedStack], aws_provider: Terraform, local_aws: LocalAws, tmp_path: Path
) -> None:
    folder = tmp_path / "workspace"
    with Workspace(table(TWO), aws=local_aws, terraform=aws_provider, folder=folder) as workspace:
        workspace.init()
        workspace.plan()
        workspace.apply()
        assert workspace.drift().unexpected == ()
    with Workspace(table(THREE), aws=local_aws, terraform=aws_provider, folder=folder) as workspace:
        workspace.init()
        plan = workspace.plan()
        assert (plan.change, plan.destroy) == ({}, {})
        assert plan.add["aws_dynamodb_table_replica"] == plan.add["aws_kms_replica_key"] == 1
        assert "aws_dynamodb_table" not in plan.add
        workspace.apply()
        assert workspace.drift().unexpected == ()
        outputs = workspace.outputs()
        workspace.destroy()
    assert {name: outputs[f"orders_name_{name.replace('-', '_')}"] for name in THREE} == dict.fromkeys(
        THREE, "shop-prod-orders"
    )
    streams = [outputs[f"orders_stream_arn_{name.replace('-', '_')}"] for name in THREE]
    assert [stream.split(":")[3] for stream in streams] == list(THREE)
