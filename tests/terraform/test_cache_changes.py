"""What Terraform does to a cache that exists: the first apply, and each later change planned or applied against it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import ElastiCacheUser, HardenedStack, MultiRegionKey, RedisCache, RegionalVpc
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.terraform import Terraform, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

    Synthesize = Callable[..., dict[str, SynthesizedStack]]

pytestmark = [pytest.mark.terraform, pytest.mark.apply]

GROUP = "aws_elasticache_user_group.carts_users_eu_west_1"
USER = "aws_elasticache_user.carts_users_user_%s_eu_west_1"
CACHE = "aws_elasticache_replication_group.carts_eu_west_1"


def cache(synthesize: Synthesize, **arguments: Any) -> SynthesizedStack:
    def build(app: App) -> None:
        stack = HardenedStack(app, "shop", environment="staging", owner="me")
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        vpc = RegionalVpc(stack, "vpc", region=region, cidr="10.0.0.0/16", key=key, tiers=("database",))
        RedisCache(stack, "carts", region=region, vpc=vpc, key=key, **arguments)

    return synthesize(build)["shop"]


class Applied:
    """A cache that is applied, and to which other arguments are applied or planned."""

    def __init__(self, workspace: Workspace, synthesize: Synthesize) -> None:
        self.workspace, self._synthesize = workspace, synthesize

    def change(self, **arguments: Any) -> dict[str, tuple[str, frozenset[str]]]:
        """Plan and return the actions by address, with the attributes that an update changes."""
        changed = cache(self._synthesize, **arguments)
        shutil.copy(changed.directory / "cdk.tf.json", self.workspace.directory / "cdk.tf.json")
        self.workspace.plan()
        document = self.workspace._query("show-plan", ["show", "-json", "first.tfplan"])
        return {
            resource["address"]: ("-".join(resource["change"]["actions"]), differing(resource["change"]))
            for resource in document["resource_changes"]
            if resource["change"]["actions"] not in (["no-op"], ["read"])
        }

    def apply(self) -> list[str]:
        """Apply the plan and return the changes in the order in which they ended."""
        self.workspace.apply()
        (log,) = sorted(self.workspace.logs.glob("*apply*"))[-1:]
        messages = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
        return [
            f"{hook['action']} {hook['resource']['addr']}"
            for message in messages
            if message["type"] == "apply_complete"
            for hook in [message["hook"]]
        ]


def differing(change: dict[str, Any]) -> frozenset[str]:
    if change["actions"] != ["update"]:
        return frozenset()
    before, after, unknown = change["before"], change["after"], change["after_unknown"]
    return frozenset(
        name for name in {*before, *after, *unknown} if before.get(name) != after.get(name) or unknown.get(name) is True
    )


@pytest.fixture
def applied(synthesize: Synthesize, aws_provider: Terraform) -> Iterator[Applied]:
    users = {"app": ElastiCacheUser(), "report": ElastiCacheUser("read")}
    with LocalAws() as aws, Workspace(cache(synthesize, users=users), aws=aws, terraform=aws_provider) as workspace:
        workspace.init()
        workspace.plan()
        workspace.apply()
        yield Applied(workspace, synthesize)


def test_a_renamed_user_is_created_added_to_the_group_and_only_then_deleted(applied: Applied) -> None:
    drift = applied.workspace.drift()
    assert (drift.unexpected, drift.known) == ((), ())
    changes = applied.change(users={"app": ElastiCacheUser(), "audit": ElastiCacheUser("read")})
    assert changes == {
        USER % "audit": ("create", frozenset()),
        GROUP: ("update", frozenset({"user_ids"})),
        USER % "report": ("delete", frozenset()),
    }
    assert applied.apply() == [f"create {USER % 'audit'}", f"update {GROUP}", f"delete {USER % 'report'}"]
    applied.workspace.destroy()
