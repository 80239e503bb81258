from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    App,
    ConfigurationError,
    ConfigurationWarning,
    HardenedStack,
    MultiRegionKey,
    PeeredMesh,
    RegionalMap,
    RegionalVpc,
    SecurityGroup,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.constructs.regional_vpc import ExistingVpc, Vpc
    from constructs_lib.testing import SynthesizedStack

CIDRS = {"us-east-1": "10.0.0.0/16", "eu-west-1": "10.1.0.0/16", "ap-southeast-1": "10.2.0.0/16"}
EU_TO_US = "vpc_eu_west_1_to_vpc_us_east_1"


def add_vpcs(stack: HardenedStack, regions: list[str]) -> list[RegionalVpc]:
    places = [stack.region(name) for name in regions]
    primary = stack.region("us-east-1")
    key = MultiRegionKey(stack, "key", region=primary, replicas=[p for p in places if p is not primary])
    return [
        RegionalVpc(stack, f"vpc-{place.name}", region=place, cidr=CIDRS[place.name], key=key, zones=["a", "b"])
        for place in places
    ]


def name_vpc(stack: HardenedStack, id_: str, cidr: str, region: str = "eu-west-1", **changes: Any) -> ExistingVpc:
    number = f"{sum(id_.encode()):08x}"
    arguments: dict[str, Any] = {
        "subnets": {"private": {"a": f"subnet-{number}"}, "database": {"a": f"subnet-{number}"}},
        "route_tables": {"private": [f"rtb-{number}"], "database": [f"rtb-{number}"]},
    }
    place = stack.region(region)
    return RegionalVpc.from_attributes(
        stack, id_, region=place, vpc_id=f"vpc-{number}", cidr=cidr, **{**arguments, **changes}
    )


@pytest.fixture(scope="module")
def three(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    def fill(stack: HardenedStack) -> None:
        vpcs = {vpc.region.name: vpc for vpc in add_vpcs(stack, list(CIDRS))}
        mesh = PeeredMesh(stack, "mesh", vpcs=RegionalMap(stack, vpcs))
        group = SecurityGroup(stack, "app", region=stack.region("eu-west-1"), vpc=vpcs["eu-west-1"], description="App")
        mesh.allow_from_peers(group, 5432)

    return synth_stack(fill)


def test_all_pairs_are_peered_once(three: SynthesizedStack) -> None:
    assert [peering.path for peering in three.resources("aws_vpc_peering_connection")] == [
        "shop/mesh/request-vpc-ap-southeast-1-to-vpc-eu-west-1",
        "shop/mesh/request-vpc-ap-southeast-1-to-vpc-us-east-1",
        "shop/mesh/request-vpc-eu-west-1-to-vpc-us-east-1",
    ]


def test_the_requester_has_the_peers_region_and_no_auto_accept(three: SynthesizedStack) -> None:
    request = three.at(f"aws_vpc_peering_connection.mesh_request_{EU_TO_US}_eu_west_1")
    request.assert_config(
        {
            "peer_region": "us-east-1",
            "peer_vpc_id": "${aws_vpc.vpc_us_east_1.id}",
            "vpc_id": "${aws_vpc.vpc_eu_west_1.id}",
        }
    )
    assert request["provider"] == "aws.eu_west_1"


def test_the_accepter_accepts_in_its_own_region_with_the_same_name_tag(three: SynthesizedStack) -> None:
    accepter = three.at(f"aws_vpc_peering_connection_accepter.mesh_accept_{EU_TO_US}_us_east_1")
    request = three.at(f"aws_vpc_peering_connection.mesh_request_{EU_TO_US}_eu_west_1")
    accepter.assert_config({"auto_accept": True, "vpc_peering_connection_id": f"${{{request.address}.id}}"})
    assert accepter["provider"] == "aws.us_east_1"
    assert accepter["tags"] == request["tags"] == {"Name": "shop-dev-mesh-vpc-eu-west-1-to-vpc-us-east-1"}


def test_dns_resolution_is_on_for_both_sides_of_the_active_connection(three: SynthesizedStack) -> None:
    active = f"${{aws_vpc_peering_connection_accepter.mesh_accept_{EU_TO_US}_us_east_1.id}}"
    for side, role, region in (("request", "requester", "eu_west_1"), ("accept", "accepter", "us_east_1")):
        options = three.at(f"aws_vpc_peering_connection_options.mesh_{side}_options_{EU_TO_US}_{region}")
        options.assert_config({role: {"allow_remote_vpc_dns_resolution": True}, "vpc_peering_connection_id": active})
        assert options["provider"] == f"aws.{region}"


def peer_routes(stack: SynthesizedStack) -> set[tuple[str, str, str, str]]:
    return {
        (
            str(route["provider"]).removeprefix("aws."),
            route["route_table_id"].split(".")[1],
            route["destination_cidr_block"],
            route["vpc_peering_connection_id"].removeprefix("${aws_vpc_peering_connection_accepter.mesh_accept_")[:-4],
        )
        for route in stack.resources("aws_route", "*/mesh/*")
    }


def test_every_private_and_database_route_table_has_a_route_to_every_peer(three: SynthesizedStack) -> None:
    regions = sorted(CIDRS)
    expected = set()
    for region in regions:
        for peer in regions:
            if peer != region:
                first, second = (name.replace("-", "_") for name in sorted((region, peer)))
                here = region.replace("-", "_")
                expected |= {
                    (here, f"vpc_{tier}_routes_{zone}_{here}", CIDRS[peer], f"vpc_{first}_to_vpc_{second}_{second}")
                    for tier in ("private", "database")
                    for zone in "ab"
                }
    assert peer_routes(three) == expected
    assert len(three.resources("aws_route", "*/mesh/*")) == 24


def test_allow_from_peers_creates_rules_with_the_peers_cidr_blocks(three: SynthesizedStack) -> None:
    rules = three.resources("aws_vpc_security_group_ingress_rule", "*/app/*")
    assert [rule["cidr_ipv4"] for rule in rules] == ["10.0.0.0/16", "10.2.0.0/16"]
    rules[0].assert_config(
        {
            "cidr_ipv4": "10.0.0.0/16",
            "description": "shop/vpc-us-east-1 through shop/mesh",
            "from_port": 5432,
            "ip_protocol": "tcp",
            "security_group_id": "${aws_security_group.app_eu_west_1.id}",
            "to_port": 5432,
        }
    )


def test_the_ids_of_the_connections_are_exported(three: SynthesizedStack) -> None:
    active = f"${{aws_vpc_peering_connection_accepter.mesh_accept_{EU_TO_US}_us_east_1.id}}"
    assert three.outputs[f"mesh_{EU_TO_US}_id_eu_west_1"] == active
    assert three.outputs["deployment_summary"]["regions"]["eu-west-1"]["mesh"] == {f"{EU_TO_US}_id": active}


def test_another_vpc_and_another_order_change_no_existing_connection(
    synth_stack: Callable[..., SynthesizedStack], three: SynthesizedStack
) -> None:
    def two(stack: HardenedStack) -> None:
        PeeredMesh(stack, "mesh", vpcs=add_vpcs(stack, ["us-east-1", "eu-west-1"]))

    def reversed_two(stack: HardenedStack) -> None:
        vpcs = add_vpcs(stack, ["us-east-1", "eu-west-1"])
        PeeredMesh(stack, "mesh", vpcs=vpcs[::-1])

    before = synth_stack(two)
    assert synth_stack(reversed_two).text == before.text
    assert set(before.addresses) < set(three.addresses)
    for block in before.blocks:
        now = three.at(block.address)
        if not block.address.startswith("aws_kms_"):
            assert now.config == block.config
    assert before.outputs.keys() < three.outputs.keys()


def test_only_the_given_edges_are_peered(stack: HardenedStack) -> None:
    a, b, c = (name_vpc(stack, f"vpc-{letter}", f"10.{n}.0.0/16") for n, letter in enumerate("abc"))
    mesh = PeeredMesh(stack, "mesh", vpcs=[c, b, a], edges=[(c, a), (a, b)])
    assert list(mesh.peerings) == [
        "vpc-a-eu-west-1-to-vpc-b-eu-west-1",
        "vpc-a-eu-west-1-to-vpc-c-eu-west-1",
    ]
    assert mesh.peers_of(a) == [b, c]
    assert mesh.peers_of(b) == mesh.peers_of(c) == [a]
    assert a.peers == [b, c]


def test_two_vpcs_in_one_region_have_no_peer_region(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        PeeredMesh(stack, "mesh", vpcs=[name_vpc(stack, "shop", "10.0.0.0/16"), name_vpc(stack, "data", "10.1.0.0/16")])

    stack = synth_stack(fill)
    request = stack.resource("aws_vpc_peering_connection")
    assert request.address.endswith(".mesh_request_data_eu_west_1_to_shop_eu_west_1_eu_west_1")
    assert "peer_region" not in request
    assert "auto_accept" not in request
    assert stack.resource("aws_vpc_peering_connection_accepter")["auto_accept"] is True
    tables = {route["route_table_id"]: route["destination_cidr_block"] for route in stack.resources("aws_route")}
    assert sorted(tables.values()) == ["10.0.0.0/16", "10.1.0.0/16"]
    assert len(stack.resources("aws_route")) == 2


def test_routes_are_created_in_the_given_tiers(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        vpcs = add_vpcs(stack, ["us-east-1", "eu-west-1"])
        PeeredMesh(stack, "mesh", vpcs=vpcs, tiers=["database"])

    stack = synth_stack(fill)
    assert {table for _, table, _, _ in peer_routes(stack)} == {
        f"vpc_database_routes_{zone}_{region}" for zone in "ab" for region in ("us_east_1", "eu_west_1")
    }


def pair(stack: HardenedStack) -> tuple[Vpc, Vpc]:
    return name_vpc(stack, "a", "10.0.0.0/16"), name_vpc(stack, "b", "10.1.0.0/16", region="us-east-1")


@pytest.mark.parametrize(
    ("members", "edges", "message"),
    [
        ("aa", None, "vpcs='shop/a': duplicate VPC"),
        ("ab", [], "edges=[]: must have at least one pair of VPCs; all pairs by default"),
        ("ab", ["aa"], "edges=('shop/a', 'shop/a'): peers a VPC with itself"),
        ("ab", ["ab", "ba"], "edges=('shop/b', 'shop/a'): duplicate pair"),
        ("ab", ["a"], "edges=('shop/a',): must be a pair of VPCs"),
        ("ab", ["ac"], "edges='shop/c': is not in the mesh; expected VPCs of shop/a, shop/b"),
    ],
)
def test_invalid_vpcs_and_edges_are_refused(
    stack: HardenedStack, members: str, edges: list[str] | None, message: str
) -> None:
    a, b = pair(stack)
    vpcs = {"a": a, "b": b, "c": name_vpc(stack, "c", "10.2.0.0/16")}
    pairs: Any = None if edges is None else [tuple(vpcs[end] for end in edge) for edge in edges]
    with pytest.raises(ConfigurationError) as error:
        PeeredMesh(stack, "mesh", vpcs=[vpcs[member] for member in members], edges=pairs)
    assert str(error.value) == f"shop/mesh: {message}"


@pytest.mark.parametrize(
    ("tiers", "message"),
    [
        (["private", "web"], "tiers='web': must be one of public, private, database"),
        ("private", "tiers='private': must be a list or tuple of public, private, database"),
        ([], "tiers=[]: must be a list or tuple of public, private, database"),
    ],
)
def test_invalid_tiers_are_refused(stack: HardenedStack, tiers: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        PeeredMesh(stack, "mesh", vpcs=pair(stack), tiers=tiers)
    assert str(error.value) == f"shop/mesh: {message}"


@pytest.mark.parametrize("vpcs", [[], ["vpc-1", "vpc-2"], "ab"])
def test_fewer_than_two_vpcs_are_refused(stack: HardenedStack, vpcs: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^mesh: vpcs=\[.*\]: must be two or more VPCs$"):
        PeeredMesh(stack, "mesh", vpcs=vpcs)


def test_overlapping_vpcs_are_refused_with_and_without_an_edge(stack: HardenedStack) -> None:
    a = name_vpc(stack, "a", "10.0.0.0/16")
    b = name_vpc(stack, "b", "10.1.0.0/16")
    c = name_vpc(stack, "c", "10.0.128.0/20")
    with pytest.raises(ConfigurationError) as error:
        PeeredMesh(stack, "mesh", vpcs=[a, b, c], edges=[(a, b), (b, c)])
    assert str(error.value) == ("shop/mesh: shop/c='10.0.128.0/20': overlaps shop/a (10.0.0.0/16); 10.2.0.0/20 is free")


def test_a_vpc_that_overlaps_a_peer_of_another_mesh_is_refused(stack: HardenedStack) -> None:
    a, b = pair(stack)
    PeeredMesh(stack, "one", vpcs=[a, b])
    c = name_vpc(stack, "c", "10.1.0.0/20")
    with pytest.raises(ConfigurationError) as error:
        PeeredMesh(stack, "two", vpcs=[a, c])
    assert str(error.value) == "shop/two: shop/c='10.1.0.0/20': overlaps shop/b (10.1.0.0/16); 10.2.0.0/20 is free"


def test_a_pair_that_another_mesh_peers_is_refused(stack: HardenedStack) -> None:
    a, b = pair(stack)
    PeeredMesh(stack, "one", vpcs=[a, b])
    with pytest.raises(ConfigurationError) as error:
        PeeredMesh(stack, "two", vpcs=[b, a])
    assert str(error.value) == "shop/two: vpcs=('shop/a', 'shop/b'): are already peered by another mesh"


def test_a_vpc_without_route_tables_in_the_tiers_is_refused(stack: HardenedStack) -> None:
    a = name_vpc(stack, "a", "10.0.0.0/16")
    b = name_vpc(stack, "b", "10.1.0.0/16", route_tables=None)
    with pytest.raises(ConfigurationError) as error:
        PeeredMesh(stack, "mesh", vpcs=[a, b])
    assert str(error.value) == "shop/mesh: vpcs='shop/b': has no route tables in the tiers private, database"


def test_a_vpc_of_another_stack_is_refused(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path / "cdktf.out"))
    network, shop = (HardenedStack(app, id_, environment="dev", owner="team-shop") for id_ in ("network", "shop"))
    a, b = name_vpc(network, "a", "10.0.0.0/16"), name_vpc(shop, "b", "10.1.0.0/16")
    with pytest.raises(ConfigurationError) as error:
        PeeredMesh(shop, "mesh", vpcs=[a, b])
    assert str(error.value) == (
        "shop/mesh: vpcs='network/a': belongs to the stack network; create the mesh in the same stack as its VPCs, or "
        "import the VPC with RegionalVpc.from_attributes"
    )


def test_more_than_six_vpcs_cause_a_warning(stack: HardenedStack) -> None:
    vpcs = [name_vpc(stack, f"vpc-{n}", f"10.{n}.0.0/16") for n in range(7)]
    with pytest.warns(ConfigurationWarning) as warnings:
        mesh = PeeredMesh(stack, "mesh", vpcs=vpcs)
    assert [(str(warning.message), warning.filename) for warning in warnings] == [
        (
            "shop/mesh: vpcs: 7 VPCs have up to 21 peering connections; consider a transit gateway for more than 6 VPCs",
            __file__,
        )
    ]
    assert len(mesh.peerings) == 21


def test_more_connections_than_aws_allows_are_refused(stack: HardenedStack) -> None:
    hub, *spokes = [name_vpc(stack, f"vpc-{n}", f"10.{n}.0.0/16") for n in range(52)]
    with pytest.raises(ConfigurationError) as error:
        PeeredMesh(stack, "mesh", vpcs=[hub, *spokes], edges=[(hub, spoke) for spoke in spokes])
    assert str(error.value) == (
        "shop/mesh: vpcs='shop/vpc-0': has 51 peering connections; AWS allows 50. Use a transit gateway"
    )


def test_allow_from_peers_requires_a_vpc_with_peers(stack: HardenedStack) -> None:
    a, b = pair(stack)
    lonely, stranger = name_vpc(stack, "c", "10.2.0.0/16"), name_vpc(stack, "d", "10.3.0.0/16")
    mesh = PeeredMesh(stack, "mesh", vpcs=[a, b, lonely], edges=[(a, b)])
    expected = {
        lonely: "connectable='shop/c/app': its VPC shop/c has no peers; add an edge",
        stranger: "vpc='shop/d': is not in the mesh; expected one of shop/a, shop/c, shop/b",
    }
    for vpc, message in expected.items():
        group = SecurityGroup(vpc, "app", region=vpc.region, vpc=vpc, description="App")
        with pytest.raises(ConfigurationError) as error:
            mesh.allow_from_peers(group, 443)
        assert str(error.value) == f"shop/mesh: {message}"
