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

IO_OPTIMIZED: dict[str, Any] = {"io_optimized": True}

Change = dict[str, tuple[str, frozenset[str]]]


def cluster(
    synthesize: Callable[..., dict[str, SynthesizedStack]], zones: Any = None, **changes: Any
) -> SynthesizedStack:
    def build(app: App) -> None:
        stack = HardenedStack(app, "shop", environment="staging", owner="me")
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        vpc = RegionalVpc(stack, "vpc", region=region, cidr="10.0.0.0/16", key=key, tiers=("database",), zones=zones)
        AuroraProvisioned(stack, "db", region=region, vpc=vpc, key=key, **{**NOW, **changes})

    return synthesize(build)["shop"]


def of_an_earlier_release(document: dict[str, Any]) -> dict[str, Any]:
    """Return a stack as earlier releases wrote it: zones by position, no storage type, no apply_immediately."""
    earlier: dict[str, Any] = json.loads(json.dumps(document))
    (block,) = earlier["resource"]["aws_rds_cluster"].values()
    instances = earlier["resource"]["aws_rds_cluster_instance"]
    del block["storage_type"]
    for one in (block, *instances.values()):
        del one["apply_immediately"]
    for name, letter in (("main", "a"), ("spare", "b"), ("report", "a")):
        instances[f"db_instance_{name}_eu_west_1"]["availability_zone"] = f"eu-west-1{letter}"
    return earlier


@pytest.fixture(scope="module")
def deployed(
    synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform
) -> Iterator[tuple[Callable[..., Change], Change]]:
    """Deploy a stack of an earlier release, then this one with I/O-Optimized storage.

    Yields:
        A function that plans a change and returns actions and changed attributes by address, without what only
        re-reads; and what this release changed in the stack of the earlier one.
    """
    stack = cluster(synthesize)
    with LocalAws() as aws, Workspace(stack, aws=aws, terraform=aws_provider) as workspace:
        there = workspace.directory / "cdk.tf.json"

        def plan(**changes: Any) -> Change:
            shutil.copy(cluster(synthesize, **changes).directory / "cdk.tf.json", there)
            workspace.plan()
            document = workspace._query("show-plan", ["show", "-json", "first.tfplan"])
            return {
                resource["address"]: ("-".join(resource["change"]["actions"]), differing(resource["change"]))
                for resource in document["resource_changes"]
                if resource["change"]["actions"] not in (["no-op"], ["read"])
            }

        there.write_text(json.dumps(of_an_earlier_release(json.loads(there.read_text()))))
        workspace.init()
        workspace.plan()
        workspace.apply()
        upgrade = plan()
        plan(**IO_OPTIMIZED)
        workspace.apply()
        yield plan, upgrade
        shutil.copy(workspace.source / "cdk.tf.json", there)
        workspace.destroy()


@pytest.fixture
def plan_of(deployed: tuple[Callable[..., Change], Change]) -> Callable[..., Change]:
    return lambda **changes: deployed[0](**{**IO_OPTIMIZED, **changes})


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


def test_a_stack_of_an_earlier_release_is_updated_in_place(
    deployed: tuple[Callable[..., Change], Change],
) -> None:
    _, upgrade = deployed
    at_once = ("update", frozenset({"apply_immediately"}))
    assert upgrade == {CLUSTER: at_once, MAIN: at_once, SPARE: at_once, REPORT: at_once}


def test_without_a_change_there_is_no_plan(plan_of: Callable[..., Change]) -> None:
    assert plan_of() == {}


def test_standard_storage_after_io_optimized_is_a_change(plan_of: Callable[..., Change]) -> None:
    assert plan_of(io_optimized=False) == {CLUSTER: ("update", frozenset({"storage_type"}))}


def test_a_further_zone_of_the_vpc_replaces_no_instance(plan_of: Callable[..., Change]) -> None:
    changes = plan_of(zones=("a", "b", "c"))
    assert {action for action, _ in changes.values()} <= {"create", "update"}
    assert not {CLUSTER, MAIN, SPARE, REPORT} & set(changes)


def test_an_instance_that_goes_replaces_no_other(plan_of: Callable[..., Change]) -> None:
    fewer = {name: instance for name, instance in NOW["instances"].items() if name != "main"}
    assert plan_of(instances=fewer) == {
        MAIN: ("delete", frozenset()),
        SPARE: ("update", frozenset({"promotion_tier"})),
    }


def test_another_zone_replaces_the_instance_alone(plan_of: Callable[..., Change]) -> None:
    instances = {**NOW["instances"], "report": Instance(SMALL, zone="b")}
    assert plan_of(instances=instances) == {REPORT: ("delete-create", frozenset())}


@pytest.mark.parametrize("change", [{"database_name": "other"}, {"master_username": "somebody"}, {"port": 5433}])
def test_what_replaces_the_cluster(plan_of: Callable[..., Change], change: dict[str, Any]) -> None:
    assert plan_of(**change)[CLUSTER][0] == ("update" if "port" in change else "delete-create")


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
