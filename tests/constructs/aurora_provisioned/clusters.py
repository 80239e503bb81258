"""Aurora clusters for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs_lib import AuroraProvisioned, MultiRegionKey, RegionalVpc, SecurityGroup

if TYPE_CHECKING:
    from constructs_lib import HardenedStack, Vpc

SUBNETS = {letter: f"subnet-0000000{letter}" for letter in "abc"}
CLUSTER = "${aws_rds_cluster.db_eu_west_1.%s}"
KEY = "${aws_kms_key.key_eu_west_1.arn}"


def make_vpc(stack: HardenedStack, region: str = "eu-west-1", zones: str = "abc", tier: Any = "database") -> Vpc:
    """Return a VPC that exists already."""
    return RegionalVpc.from_attributes(
        stack,
        "vpc",
        region=stack.region(region),
        vpc_id="vpc-00000001",
        cidr="10.0.0.0/16",
        subnets={tier: {letter: SUBNETS[letter] for letter in zones}},
    )


def make_cluster(stack: HardenedStack, region: str = "eu-west-1", **arguments: Any) -> AuroraProvisioned:
    """Return a cluster named db, in a VPC that exists already."""
    place = stack.region(region)
    key = MultiRegionKey(stack, "key", region=place)
    vpc = arguments.pop("vpc", None) or make_vpc(stack, region)
    return AuroraProvisioned(stack, "db", **{"region": place, "vpc": vpc, "key": key, **arguments})


def make_peer(cluster: AuroraProvisioned, id_: str = "peer") -> SecurityGroup:
    """Return a security group of the cluster's VPC."""
    return SecurityGroup(
        cluster.region.stack, id_, region=cluster.region, vpc=cluster.vpc, description="Somebody who asks"
    )


def parameters(values: dict[str, str]) -> list[dict[str, str]]:
    """Return the parameters of a group as they are synthesized."""
    return [{"apply_method": "pending-reboot", "name": name, "value": values[name]} for name in sorted(values)]
