"""Arguments that a VPC refuses, and existing VPCs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import App, ConfigurationError, HardenedStack, MultiRegionKey, RegionalVpc, SecurityGroup
from constructs_lib.constructs.regional_vpc import LAMBDA_BASIC, SERVICES, ExistingVpc, SingleNat

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.constructs.regional_vpc import Vpc
    from constructs_lib.testing import SynthesizedStack

REASON = "A sandbox in the prod account without users"
VPC_ID = "vpc-0123456789abcdef0"
SUBNET_ID = "subnet-0123456789abcdef0"
TABLE_ID = "rtb-0123456789abcdef0"


def add_vpc(
    stack: HardenedStack, region: str = "eu-west-1", cidr: str = "10.0.0.0/16", **arguments: Any
) -> RegionalVpc:
    place = stack.region(region)
    return RegionalVpc(
        stack, "net", region=place, cidr=cidr, key=MultiRegionKey(stack, "key", region=place), **arguments
    )


@pytest.fixture
def prod(tmp_path: Path) -> HardenedStack:
    return HardenedStack(App(outdir=str(tmp_path / "cdktf.out")), "shop", environment="prod", owner="team-shop")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"cidr": "10.0.0.0/29"},
            "cidr='10.0.0.0/29': must be /16 to /20: subnets take 8 more bits, and AWS has no subnet smaller than a /28",
        ),
        (
            {"cidr": "172.17.0.0/16"},
            (
                "cidr='172.17.0.0/16': overlaps 172.17.0.0/16, which is the Docker bridge of AWS Cloud9, SageMaker and "
                "others (https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html)"
            ),
        ),
        (
            {"cidr": "${var.cidr}"},
            (
                "cidr='${var.cidr}': must be a plain value, because subnets, routes and overlaps are worked out from it at "
                "synth"
            ),
        ),
        ({"zones": []}, "zones=[]: must name at least one of 'a', 'b', 'c'"),
        (
            {"zones": ["a", "us-east-1b"]},
            "zones[1]='us-east-1b': is a zone of 'us-east-1', but the region here is 'eu-west-1'",
        ),
        ({"zones": ["a", "eu-west-1a"]}, "zones[1]='eu-west-1a': is the same zone as zones[0]; name each zone once"),
        ({"tiers": []}, "tiers=[]: must have at least one of public, private, database"),
        ({"tiers": "public"}, "tiers='public': must be a list or tuple of public, private, database"),
        ({"tiers": ["web"]}, "tiers='web': must be one of public, private, database"),
        ({"gateway_tiers": ["public"]}, "gateway_tiers='public': must be one of private, database"),
        ({"nat": "two"}, "nat='two': must be none, single, per_zone or SingleNat(reason)"),
        (
            {"nat": "per_zone", "tiers": ["private", "database"]},
            "nat='per_zone': requires the public tier, for the NAT gateways; add it or set nat='none'",
        ),
        (
            {"nat": "single", "tiers": ["public", "database"]},
            "nat='single': requires the private tier, which routes to the NAT gateways; add it or set nat='none'",
        ),
        (
            {"interface_endpoints": ["logs", "loggs"]},
            f"interface_endpoints='loggs': must be one of {', '.join(SERVICES)}",
        ),
        ({"interface_endpoints": "logs"}, "interface_endpoints='logs': must be a list or tuple of services"),
        (
            {"interface_endpoints": ["logs"], "tiers": ["public"]},
            "interface_endpoints=['logs']: require the private tier, which contains the endpoints; add it",
        ),
        (
            {"interface_endpoints": ["logs"], "region": "cn-north-1"},
            (
                "interface_endpoints=['logs']: are not supported in China, where endpoint services have other names; create "
                "raw resources"
            ),
        ),
        ({"flow_log_interval": 300}, "flow_log_interval=300: must be 60 or 600 seconds"),
        ({"flow_log_interval": True}, "flow_log_interval=True: must be 60 or 600 seconds"),
    ],
)
def test_an_invalid_argument_is_refused(stack: HardenedStack, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        add_vpc(stack, **arguments)
    assert str(error.value) == f"shop/net: {message}"


def test_all_problems_are_reported_together(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=stack.region("us-east-1"))
    with pytest.raises(ConfigurationError) as error:
        RegionalVpc(stack, "net", region=region, cidr="8.8.0.0/16", key=key, zones=["d"], flow_log_interval=0)
    assert [problem.split("=")[0] for problem in error.value.problems] == [
        "key",
        "cidr",
        "zones[0]",
        "flow_log_interval",
    ]


def test_a_single_nat_gateway_in_prod_requires_a_reason(prod: HardenedStack) -> None:
    with pytest.raises(ConfigurationError) as error:
        add_vpc(prod, nat="single")
    assert str(error.value) == (
        "shop/net: nat='single': must be per_zone in prod: the failure of one zone would disconnect the others. Give "
        "SingleNat(reason) if that is acceptable"
    )


def test_a_single_nat_gateway_is_recorded_in_prod(prod: HardenedStack, stack: HardenedStack) -> None:
    vpc = add_vpc(prod, nat=SingleNat(REASON))
    assert [role for role in vpc.resources if role.startswith("nat-")] == [
        "nat-address-a",
        "nat-a",
        "nat-a-ports-alarm",
    ]
    assert prod.opt_outs == [("shop/net", SingleNat(REASON))]
    add_vpc(stack, nat=SingleNat(REASON))
    assert stack.opt_outs == []


def test_the_first_zone_has_the_single_nat_gateway(stack: HardenedStack) -> None:
    vpc = add_vpc(stack, zones=["b", "c", "a"])
    assert [role for role in vpc.resources if role.startswith("nat-")] == ["nat-address-b", "nat-b"]
    assert vpc.availability_zones == ["eu-west-1b", "eu-west-1c", "eu-west-1a"]


def test_subnets_and_route_tables_of_a_missing_tier_are_refused(stack: HardenedStack) -> None:
    vpc = add_vpc(stack, tiers=["public", "private"])
    for read in (vpc.subnets, vpc.route_tables):
        with pytest.raises(ConfigurationError) as error:
            read("database")
        assert (
            str(error.value) == "shop/net: tier='database': the VPC does not have this tier; expected public, private"
        )


def test_subnets_and_route_tables_are_plain_lists(stack: HardenedStack) -> None:
    vpc = add_vpc(stack)
    assert [(s.tier, s.zone, s.cidr) for s in vpc.subnets("private")] == [
        ("private", "eu-west-1a", "10.0.10.0/24"),
        ("private", "eu-west-1b", "10.0.11.0/24"),
    ]
    assert vpc.subnets("private")[0].source is vpc.resources["private-a"]
    assert [table.name for table in vpc.route_tables("database")] == ["database-a", "database-b"]
    assert [table.name for table in vpc.route_tables("public")] == ["public"]
    vpc.subnets("private").clear()
    assert len(vpc.subnets("private")) == 2


def test_a_vpc_without_interface_endpoints_refuses_connections_to_them(stack: HardenedStack) -> None:
    vpcs: list[Vpc] = [add_vpc(stack), name_vpc(stack)]
    for vpc in vpcs:
        with pytest.raises(ConfigurationError) as error:
            _ = vpc.endpoints
        assert str(error.value) == (
            f"{vpc.path}: interface_endpoints=(): the VPC has no interface endpoints; set interface_endpoints=LAMBDA_BASIC or "
            "the services that are needed"
        )


def test_a_duplicate_service_has_one_endpoint(stack: HardenedStack) -> None:
    vpc = add_vpc(stack, interface_endpoints=(*LAMBDA_BASIC, "kms", "ecr.api"))
    assert list(vpc.endpoints.resources) == [*LAMBDA_BASIC, "ecr-api"]


def name_vpc(stack: HardenedStack, **changes: Any) -> ExistingVpc:
    arguments: dict[str, Any] = {
        "vpc_id": VPC_ID,
        "cidr": "10.9.0.0/24",
        "subnets": {"private": {"b": SUBNET_ID}, "database": {"eu-west-1a": SUBNET_ID}},
        "route_tables": {"private": [TABLE_ID]},
    }
    return RegionalVpc.from_attributes(stack, "legacy", region=stack.region("eu-west-1"), **{**arguments, **changes})


def test_an_existing_vpc_has_the_attributes_of_a_created_one(stack: HardenedStack) -> None:
    vpc = name_vpc(stack)
    assert (vpc.id, vpc.cidr, vpc.path, vpc.tiers) == (VPC_ID, "10.9.0.0/24", "shop/legacy", ("private", "database"))
    assert vpc.availability_zones == ["eu-west-1b", "eu-west-1a"]
    assert [(s.tier, s.zone, s.cidr, s.id) for s in vpc.subnets("private")] == [
        ("private", "eu-west-1b", None, SUBNET_ID)
    ]
    assert [(table.tier, table.id) for table in vpc.route_tables("private")] == [("private", TABLE_ID)]
    assert vpc.route_tables("database") == []
    assert vpc.resources == {}


def test_security_groups_can_be_in_existing_and_created_vpcs(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    def fill(stack: HardenedStack) -> None:
        for vpc in (add_vpc(stack, zones=["a"]), name_vpc(stack)):
            SecurityGroup(vpc, "app", region=vpc.region, vpc=vpc, description="App")

    groups = synth_stack(fill).resources("aws_security_group")
    assert [group["vpc_id"] for group in groups] == [VPC_ID, "${aws_vpc.net_eu_west_1.id}"]


def test_ids_work_in_another_stack(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]],
) -> None:
    def fill(app: App) -> None:
        network = HardenedStack(app, "network", environment="dev", owner="team-shop")
        vpc = add_vpc(network, zones=["a"])
        shop = HardenedStack(app, "shop", environment="dev", owner="team-shop")
        shop.output("ids", [vpc.id, vpc.subnets("private")[0].id, vpc.route_tables("private")[0].id], "Ids")

    for id_ in synthesize(fill)["shop"].outputs["ids"]:
        assert id_.startswith("${data.terraform_remote_state.")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"vpc_id": "${aws_vpc.x.id}"},
            "vpc_id='${aws_vpc.x.id}': must be an id such as 'vpc-0123456789abcdef0', not a reference",
        ),
        ({"vpc_id": "vpc-123"}, "vpc_id='vpc-123': must be an id such as 'vpc-0123456789abcdef0', not a reference"),
        (
            {"cidr": "10.9.0.0/8"},
            "cidr='10.9.0.0/8': must be the first address and the prefix length of a network: '10.0.0.0/8'",
        ),
        ({"cidr": "10.0.0.0/8"}, "cidr='10.0.0.0/8': must be /16 to /28, the sizes that AWS allows"),
        ({"cidr": "10.0.0.0/29"}, "cidr='10.0.0.0/29': must be /16 to /28, the sizes that AWS allows"),
        (
            {"subnets": {}, "route_tables": None},
            "subnets={}: must have subnets of at least one tier of public, private, database",
        ),
        ({"subnets": {"web": {}}, "route_tables": None}, "subnets='web': must be one of public, private, database"),
        (
            {"subnets": {"private": {"a": TABLE_ID}}},
            f"subnets['private']['a']={TABLE_ID!r}: must be an id such as 'subnet-0123456789abcdef0', not a reference",
        ),
        (
            {"subnets": {"private": {"us-east-1a": SUBNET_ID}}},
            "subnets['private']='us-east-1a': is a zone of 'us-east-1', but the region here is 'eu-west-1'",
        ),
        (
            {"route_tables": {"private": [SUBNET_ID]}},
            f"route_tables['private']={SUBNET_ID!r}: must be an id such as 'rtb-0123456789abcdef0', not a reference",
        ),
        ({"route_tables": {"public": [TABLE_ID]}}, "route_tables='public': has no subnets; add the tier to subnets"),
    ],
)
def test_invalid_attributes_of_an_existing_vpc_are_refused(
    stack: HardenedStack, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        name_vpc(stack, **changes)
    assert str(error.value) == f"shop/legacy: {message}"
