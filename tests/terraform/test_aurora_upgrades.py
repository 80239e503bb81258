"""What a plan may and may not replace when a database changes: each change planned against a cluster that is there."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    AuroraProvisioned,
    HardenedStack,
    Instance,
    MajorUpgrade,
    MultiRegionKey,
    PinnedMinorVersion,
    RegionalVpc,
)
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.terraform import Terraform, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

pytestmark = [pytest.mark.terraform, pytest.mark.apply]

SMALL, BIG = "db.t4g.medium", "db.r7g.large"
PINNED = PinnedMinorVersion("the extension that we use needs a known version")
NOW: dict[str, Any] = {
    "engine_version": "16.11",
    "pinned": PINNED,
    "instances": {"main": Instance(SMALL), "spare": Instance(SMALL), "report": Instance(SMALL)},
}

Change = dict[str, tuple[str, frozenset[str]]]


def cluster(synthesize: Callable[..., dict[str, SynthesizedStack]], **changes: Any) -> SynthesizedStack:
    def build(app: App) -> None:
        stack = HardenedStack(app, "shop", environment="staging", owner="me")
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        vpc = RegionalVpc(stack, "vpc", region=region, cidr="10.0.0.0/16", key=key, tiers=("database",))
        AuroraProvisioned(stack, "db", region=region, vpc=vpc, key=key, **{**NOW, **changes})

    return synthesize(build)["shop"]


@pytest.fixture(scope="module")
def plan_of(
    synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform
) -> Iterator[Callable[..., Change]]:
    """Plan a change: actions and changed attributes by address, without what only re-reads."""
    with LocalAws() as aws, Workspace(cluster(synthesize), aws=aws, terraform=aws_provider) as workspace:
        workspace.init()
        workspace.plan()
        workspace.apply()

        def plan(**changes: Any) -> Change:
            changed = cluster(synthesize, **changes).directory / "cdk.tf.json"
            shutil.copy(changed, workspace.directory / "cdk.tf.json")
            workspace.plan()
            document = workspace._query("show-plan", ["show", "-json", "first.tfplan"])
            return {
                resource["address"]: ("-".join(resource["change"]["actions"]), differing(resource["change"]))
                for resource in document["resource_changes"]
                if resource["change"]["actions"] not in (["no-op"], ["read"])
            }

        yield plan
        shutil.copy(workspace.source / "cdk.tf.json", workspace.directory / "cdk.tf.json")
        workspace.destroy()


def differing(change: dict[str, Any]) -> frozenset[str]:
    """Return the attributes that an update changes; none for the rest."""
    if change["actions"] != ["update"]:
        return frozenset()
    before, after = change["before"], change["after"]
    return frozenset(
        name
        for name in {*before, *after, *change["after_unknown"]}
        if before.get(name) != after.get(name) or json.dumps(change["after_unknown"].get(name)).count("true")
    )


CLUSTER = "aws_rds_cluster.db_eu_west_1"
MAIN, SPARE, REPORT, LAST = (
    f"aws_rds_cluster_instance.db_instance_{name}_eu_west_1" for name in ("main", "spare", "report", "last")
)


def test_a_minor_version_changes_the_cluster_in_place(plan_of: Callable[..., Change]) -> None:
    changes = plan_of(engine_version="16.12")
    action, attributes = changes.pop(CLUSTER)
    assert (action, "engine_version" in attributes) == ("update", True)
    assert {action for action, _ in changes.values()} <= {"update"}


def test_a_major_version_replaces_parameter_groups_and_nothing_else(plan_of: Callable[..., Change]) -> None:
    changes = plan_of(engine_version="16", pinned=None, upgrade=MajorUpgrade(to="17.9"))
    action, attributes = changes[CLUSTER]
    assert action == "update"
    assert {
        "allow_major_version_upgrade",
        "db_cluster_parameter_group_name",
        "db_instance_parameter_group_name",
        "engine_version",
    } <= attributes
    replaced = {address for address, (action, _) in changes.items() if "delete" in action}
    assert {address.partition(".")[0] for address in replaced} == {
        "aws_db_parameter_group",
        "aws_rds_cluster_parameter_group",
    }
    # The new groups are there before the cluster moves to them.
    assert {changes[address][0] for address in replaced} == {"create-delete"}


def test_another_class_changes_the_instances_in_place(plan_of: Callable[..., Change]) -> None:
    changes = plan_of(instances=dict.fromkeys(NOW["instances"], Instance(BIG)))
    assert {address: action for address, (action, _) in changes.items()} == dict.fromkeys(
        (MAIN, SPARE, REPORT), "update"
    )
    for _, attributes in changes.values():
        assert "instance_class" in attributes


def test_a_further_reader_is_only_added(plan_of: Callable[..., Change]) -> None:
    changes = plan_of(instances={**NOW["instances"], "last": Instance(SMALL)})
    assert changes == {LAST: ("create", frozenset())}


def test_a_reader_that_goes_takes_nothing_with_it(plan_of: Callable[..., Change]) -> None:
    fewer = {name: instance for name, instance in NOW["instances"].items() if name != "report"}
    assert plan_of(instances=fewer) == {REPORT: ("delete", frozenset())}


def test_sizes_of_production_replace_nothing(plan_of: Callable[..., Change]) -> None:
    changes = plan_of(
        instances=dict.fromkeys(NOW["instances"], Instance(BIG)),
        backup_retention_days=35,
        deletion_protection=True,
        alarms=True,
    )
    assert {action for action, _ in changes.values()} <= {"create", "update"}
    assert changes[CLUSTER][0] == "update"
    assert {"backup_retention_period", "deletion_protection"} <= changes[CLUSTER][1]
