"""Web tiers for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs_lib import MultiRegionKey, RegionalBucket, RegionalVpc, WebTier
from constructs_lib.constructs.web_tier.user_data import UserData
from constructs_lib.core.iam import Statement

if TYPE_CHECKING:
    from constructs_lib import HardenedStack, Region, Vpc
    from constructs_lib.testing import SynthesizedStack

TOPIC = "arn:aws:sns:eu-west-1:123456789012:on-call"
EXISTING = [f"subnet-0000{tier}00{letter}" for tier in "01" for letter in "abc"]
ACCOUNT = "${data.aws_caller_identity.current_eu_west_1.account_id}"
CERTIFICATE = "certificate/01234567-89ab-cdef-0123-456789abcdef"
KEY = "${aws_kms_key.key_eu_west_1.arn}"
GROUP = "${aws_autoscaling_group.web_fleet_eu_west_1.name}"
FLEET = "${aws_security_group.web_fleet_security_group_eu_west_1.id}"
BALANCER = "${aws_lb.web_balancer_eu_west_1.%s}"
BALANCER_GROUP = "${aws_security_group.web_balancer_security_group_eu_west_1.id}"
TARGETS = "${aws_lb_target_group.web_balancer_targets_eu_west_1.%s}"


def make_vpc(stack: HardenedStack, region: str = "eu-west-1", public: str = "abc", private: str = "abc") -> Vpc:
    """Return a VPC that exists already."""
    zones = {"public": public, "private": private}
    subnets: Any = {
        tier: {letter: f"subnet-0000{index}00{letter}" for letter in letters}
        for index, (tier, letters) in enumerate(zones.items())
        if letters
    }
    return RegionalVpc.from_attributes(
        stack, "vpc", region=stack.region(region), vpc_id="vpc-00000001", cidr="10.0.0.0/16", subnets=subnets
    )


def make_tier(stack: HardenedStack, **arguments: Any) -> WebTier:
    """Return a web tier in an existing VPC, by default with a certificate."""
    region: Region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    vpc = arguments.pop("vpc", None) or make_vpc(stack)
    logs = arguments.pop("logs", None) or RegionalBucket(stack, "logs", region=region, log_delivery=True)
    defaults = {"region": region, "vpc": vpc, "key": key, "logs": logs, "certificate": region.arn("acm", CERTIFICATE)}
    return WebTier(stack, "web", **{**defaults, **arguments})


def build(stack: HardenedStack) -> None:
    """Fill a stack with a web tier that notifies a topic and may read a queue."""
    tier = make_tier(stack, alarm_topics=[TOPIC])
    tier.grant(Statement("ReadOrders", ("sqs:ReceiveMessage",), ("arn:aws:sqs:eu-west-1:123456789012:orders",)))


def make_user_data(**changes: Any) -> UserData:
    """Return the values of a script."""
    defaults: dict[str, Any] = {
        "title": "shop web",
        "facts": {"Region": "eu-west-1", "Environment": "dev"},
        "group": "shop-dev-web-eu-west-1",
        "namespace": "shop-dev-web-eu-west-1",
        "log_group": "shop-dev-web-application-eu-west-1",
        "network": "10.0.0.0/16",
        "health_path": "/health",
        "commands": (),
        "settings": {},
    }
    return UserData(**{**defaults, **changes})


def rule(stack: SynthesizedStack, direction: str, path: str) -> tuple[Any, ...]:
    """Return the security group of a rule, the source or destination, the port and the description."""
    block = stack.resource(f"aws_vpc_security_group_{direction}_rule", path)
    peer = block.config.get("cidr_ipv4") or block.config.get("referenced_security_group_id")
    assert (block["ip_protocol"], block["from_port"]) == ("tcp", block["to_port"])
    return block["security_group_id"], peer, block["to_port"], block["description"]


def statements(stack: SynthesizedStack, path: str) -> dict[str, dict[str, Any]]:
    """Return the statements of a policy document by their ids."""
    document = stack.resource("data.aws_iam_policy_document", path)
    return {statement.pop("sid"): statement for statement in map(dict, document["statement"])}
