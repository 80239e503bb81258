"""What Terraform does to caches that exist: the first apply, and later changes planned or applied against them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    ElastiCacheUser,
    HardenedStack,
    MultiRegionKey,
    RedisCache,
    RegionalVpc,
    ReplicationGroup,
    Shards,
)
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.terraform import Terraform, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

    Synthesize = Callable[..., dict[str, SynthesizedStack]]
    Changes = dict[str, tuple[str, frozenset[str]]]

pytestmark = [pytest.mark.terraform, pytest.mark.apply]

NOW: dict[str, dict[str, Any]] = {
    "carts": {
        "topology": ReplicationGroup(2),
        "users": {"app": ElastiCacheUser(), "report": ElastiCacheUser("read")},
    },
    "old": {"engine": "redis", "apply_immediately": False},
}
"""The caches that are applied: Valkey with two users, and Redis OSS."""


def stack_with(synthesize: Synthesize, **changes: dict[str, Any]) -> SynthesizedStack:
    """Return the stack of the caches in `NOW` with other arguments."""

    def build(app: App) -> None:
        stack = HardenedStack(app, "shop", environment="staging", owner="me")
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        vpc = RegionalVpc(stack, "vpc", region=region, cidr="10.0.0.0/16", key=key, tiers=("database",))
        for name, arguments in NOW.items():
            given = {"key": key, **arguments, **changes.get(name, {})}
            if given["key"] is None:
                given["key"] = MultiRegionKey(stack, "other", region=region)
            RedisCache(stack, name, region=region, vpc=vpc, **given)

    return synthesize(build)["shop"]


class Applied:
    """Caches that are applied, and to which other arguments are planned and applied."""

    def __init__(self, workspace: Workspace, synthesize: Synthesize) -> None:
        self.workspace, self._synthesize = workspace, synthesize

    def change(self, **changes: dict[str, Any]) -> Changes:
        """Plan and return the actions by type and name without region, with the attributes that an update changes."""
        changed = stack_with(self._synthesize, **changes)
        shutil.copy(changed.directory / "cdk.tf.json", self.workspace.directory / "cdk.tf.json")
        self.workspace.plan()
        document = self.workspace._query("show-plan", ["show", "-json", "first.tfplan"])
        return {
            short(resource["address"]): ("-".join(resource["change"]["actions"]), differing(resource["change"]))
            for resource in document["resource_changes"]
            if resource["change"]["actions"] not in (["no-op"], ["read"])
        }

    def apply(self) -> list[str]:
        """Apply the plan and return the changes in the order in which they ended."""
        self.workspace.apply()
        log = max(self.workspace.logs.glob("*apply*"))
        messages = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
        hooks = [message["hook"] for message in messages if message["type"] == "apply_complete"]
        return [f"{hook['action']} {short(hook['resource']['addr'])}" for hook in hooks]


def short(address: str) -> str:
    return address.removeprefix("aws_").removeprefix("elasticache_").removesuffix("_eu_west_1")


def differing(change: dict[str, Any]) -> frozenset[str]:
    """Return the attributes that an update changes; none for the rest."""
    if change["actions"] != ["update"]:
        return frozenset()
    before, after, unknown = change["before"], change["after"], change["after_unknown"]
    return frozenset(
        name for name in {*before, *after, *unknown} if before.get(name) != after.get(name) or unknown.get(name) is True
    )


@pytest.fixture(scope="module")
def applied(synthesize: Synthesize, aws_provider: Terraform) -> Iterator[Applied]:
    with LocalAws() as aws, Workspace(stack_with(synthesize), aws=aws, terraform=aws_provider) as workspace:
        workspace.init()
        workspace.plan()
        workspace.apply()
        yield Applied(workspace, synthesize)
        workspace.destroy()


def test_a_second_plan_is_empty(applied: Applied) -> None:
    drift = applied.workspace.drift()
    assert (drift.unexpected, drift.known) == ((), ())


def test_another_node_type_is_applied_immediately_or_in_the_window(applied: Applied) -> None:
    changes = applied.change(carts={"node_type": "cache.r7g.large"}, old={"node_type": "cache.r7g.large"})
    assert changes == {f"replication_group.{name}": ("update", frozenset({"node_type"})) for name in NOW}
    document = json.loads((applied.workspace.directory / "cdk.tf.json").read_text())
    caches = document["resource"]["aws_elasticache_replication_group"].values()
    assert [cache["apply_immediately"] for cache in caches] == [True, False]


@pytest.mark.parametrize(
    "change", [{"port": 6379}, {"key": None}, {"engine": "redis"}], ids=lambda change: next(iter(change))
)
def test_a_change_of_port_key_or_from_valkey_to_redis_replaces_the_cache(
    applied: Applied, change: dict[str, Any]
) -> None:
    assert applied.change(carts=change)["replication_group.carts"] == ("delete-create", frozenset())


def test_redis_becomes_valkey_in_place_and_its_users_in_the_next_apply(applied: Applied) -> None:
    changes = applied.change(
        old={"engine": "valkey", "upgrade_to": "8.2", "upgrade_from": "redis", "apply_immediately": None}
    )
    parameters = {name: action for name, (action, _) in changes.items() if name.startswith("parameter_group")}
    assert parameters == {"parameter_group.old_parameters": "create-delete"}
    assert {name: change for name, change in changes.items() if name not in parameters} == {
        "replication_group.old": (
            "update",
            frozenset({"apply_immediately", "engine", "engine_version", "parameter_group_name"}),
        )
    }
    later = applied.change(
        old={"engine": "valkey", "engine_version": "7.2", "upgrade_to": "8.2", "apply_immediately": None}
    )
    users = {name: change for name, change in later.items() if name.startswith("user")}
    assert users == {
        name: ("update", frozenset({"engine"}))
        for name in ("user.old_users_default", "user.old_users_user_app", "user_group.old_users")
    }


def test_cluster_mode_becomes_compatible_in_place_and_changes_nothing_else(applied: Applied) -> None:
    changes = applied.change(carts={"topology": ReplicationGroup(2, compatible=True)})
    assert changes == {
        "parameter_group.carts_parameters": ("create-delete", frozenset()),
        "replication_group.carts": ("update", frozenset({"cluster_mode", "parameter_group_name"})),
    }


def test_shards_after_the_mode_compatible_change_the_mode_only(applied: Applied) -> None:
    changes = applied.change(carts={"topology": Shards(1, replicas=1)})
    assert changes["replication_group.carts"] == ("update", frozenset({"cluster_mode", "parameter_group_name"}))


def test_a_renamed_user_is_created_added_to_the_group_and_only_then_deleted(applied: Applied) -> None:
    users = {"app": ElastiCacheUser(), "audit": ElastiCacheUser("read")}
    new, group, gone = "user.carts_users_user_audit", "user_group.carts_users", "user.carts_users_user_report"
    assert applied.change(carts={"users": users}) == {
        new: ("create", frozenset()),
        group: ("update", frozenset({"user_ids"})),
        gone: ("delete", frozenset()),
    }
    assert applied.apply() == [f"create {new}", f"update {group}", f"delete {gone}"]
