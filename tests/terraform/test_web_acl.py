"""A web ACL with everything on, for real."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib import HardenedStack, MultiRegionKey, RuleOverride, WebAcl
from constructs_lib.testing.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack
    from constructs_lib.testing.local_aws import LocalAws
    from constructs_lib.testing.settings import Terraform

    Synthesize = Callable[..., dict[str, SynthesizedStack]]

pytestmark = [pytest.mark.terraform, pytest.mark.apply]

SQL = "AWSManagedRulesSQLiRuleSet"
COMMON = "AWSManagedRulesCommonRuleSet"


def build(app: App) -> None:
    stack = HardenedStack(app, "shop", environment="dev", owner="team-shop")
    region = stack.region("eu-west-1")
    WebAcl(
        stack,
        "acl",
        region=region,
        key=MultiRegionKey(stack, "key", region=region),
        rate_window_seconds=60,
        managed_groups=[SQL],
        overrides=[
            RuleOverride("Counts until the end of the trial", SQL),
            RuleOverride("Counts until the end of the trial", "rate-limit"),
            RuleOverride("Orders may have up to one MiB", COMMON, "SizeRestrictions_BODY"),
            RuleOverride("Some clients send no User-Agent", COMMON, "NoUserAgent_HEADER", "challenge"),
        ],
        body_inspection_kb=64,
        alarms=True,
    )


def test_nothing_is_changed_after_the_apply(
    synthesize: Synthesize, local_aws: LocalAws, aws_provider: Terraform
) -> None:
    with Workspace(synthesize(build)["shop"], aws=local_aws, terraform=aws_provider) as workspace:
        workspace.init()
        workspace.plan()
        workspace.apply()
        assert workspace.drift().unexpected == ()
        waf = local_aws.client("wafv2", "eu-west-1")
        (acl,) = waf.list_web_acls(Scope="REGIONAL")["WebACLs"]
        made = waf.get_web_acl(Name=acl["Name"], Id=acl["Id"], Scope="REGIONAL")["WebACL"]
        rules = {one["Name"]: one for one in made["Rules"]}
        assert rules["rate-limit"]["Action"] == rules[SQL]["OverrideAction"] == {"Count": {}}
        assert rules[COMMON]["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"] == [
            {"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}},
            {"Name": "NoUserAgent_HEADER", "ActionToUse": {"Challenge": {}}},
        ]
        limits = made["AssociationConfig"]["RequestBody"]
        assert limits == {"API_GATEWAY": {"DefaultSizeInspectionLimit": "KB_64"}}
