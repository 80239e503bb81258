"""A web tier with everything on, for real, and what Terraform makes of its user data."""

from __future__ import annotations

import base64
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from constructs_lib import (
    AlarmTopic,
    HardenedStack,
    MultiRegionKey,
    RegionalBucket,
    RegionalVpc,
    ScheduledAction,
    WebTier,
)
from constructs_lib.constructs.web_tier.user_data import encoded, render
from constructs_lib.testing.workspace import Workspace
from tests.constructs.web_tier.tiers import make_user_data

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.local_aws import LocalAws
    from constructs_lib.testing.settings import Terraform

    Synthesize = Callable[..., dict[str, SynthesizedStack]]

pytestmark = pytest.mark.terraform

EU = "eu-west-1"
GROUP = "shop-dev-web-eu-west-1"


def build(app: App) -> None:
    stack = HardenedStack(app, "shop", environment="dev", owner="team-shop")
    region = stack.region(EU)
    key = MultiRegionKey(stack, "key", region=region)
    WebTier(
        stack,
        "web",
        region=region,
        vpc=RegionalVpc(stack, "vpc", region=region, cidr="10.10.0.0/16", key=key),
        key=key,
        logs=RegionalBucket(stack, "logs", region=region, log_delivery=True),
        stickiness_seconds=3600,
        slow_start_seconds=60,
        xff_header_processing_mode="remove",
        preserve_host_header=True,
        scheduled_actions={
            "morning": ScheduledAction("0 7 * * MON-FRI", 2, 4, "Europe/Berlin"),
            "evening": ScheduledAction("*/30 19-21 * * MON,TUE,FRI-SAT", 1, 2),
        },
        alarms=True,
        alarm_topics=[AlarmTopic(stack, "alarms", region=region, key=key).arn],
    )


def test_the_real_provider_finds_a_tier_with_everything_on_valid(
    synthesize: Synthesize, aws_provider: Terraform
) -> None:
    with Workspace(synthesize(build)["shop"], terraform=aws_provider) as workspace:
        workspace.init()
        assert workspace.validate() == ()


@pytest.mark.apply
def test_nothing_is_changed_after_the_apply_nor_after_a_schedule_has_changed_the_sizes(
    synthesize: Synthesize, local_aws: LocalAws, aws_provider: Terraform
) -> None:
    scaling = local_aws.client("autoscaling", EU)
    with Workspace(synthesize(build)["shop"], aws=local_aws, terraform=aws_provider) as workspace:
        workspace.init()
        workspace.plan()
        workspace.apply()
        assert workspace.drift().unexpected == ()
        found = scaling.describe_scheduled_actions(AutoScalingGroupName=GROUP)["ScheduledUpdateGroupActions"]
        sizes = {one["ScheduledActionName"]: (one["MinSize"], one["MaxSize"]) for one in found}
        assert sizes == {"morning": (2, 4), "evening": (1, 2)}
        assert not any("DesiredCapacity" in one for one in found)
        scaling.update_auto_scaling_group(AutoScalingGroupName=GROUP, MinSize=2, MaxSize=4)
        assert workspace.drift().unexpected == ()
        workspace.destroy()


def test_references_are_filled_in_and_everything_else_stays(terraform: Terraform, tmp_path: Path) -> None:
    commands = ['echo "${HOME}" %{x} $${y} \\n ä "quoted" \t', "cat <<'E'", "<&>", "E"]
    user_data = make_user_data(commands=commands, settings={"HOST": "${local.endpoint}", "PORT": "5432"})
    document = {"locals": {"endpoint": "db.example.com", "user_data": encoded(user_data)}}
    (tmp_path / "main.tf.json").write_text(json.dumps(document))
    done = subprocess.run(
        [terraform.binary, "console"],
        input="local.user_data\n",
        cwd=tmp_path,
        env={"PATH": terraform.variables.get("PATH", ""), "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    script = base64.b64decode(json.loads(done.stdout)).decode()
    assert script == render(make_user_data(commands=commands, settings={"HOST": "db.example.com", "PORT": "5432"}))
