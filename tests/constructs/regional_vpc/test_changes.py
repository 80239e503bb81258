"""VPCs in other environments and with other arguments, and addresses that do not change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import Environment, HardenedStack, MultiRegionKey, RegionalVpc
from tests.constructs.regional_vpc.network_acls import FRAGMENTATION, INSIDE, acl_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack


def add_vpc(stack: HardenedStack, **arguments: Any) -> RegionalVpc:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    return RegionalVpc(stack, "net", region=region, cidr="10.0.0.0/16", key=key, **arguments)


@pytest.fixture(scope="module")
def dev(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(lambda stack: add_vpc(stack, zones=("a", "b")))


def routes(stack: SynthesizedStack) -> dict[str, tuple[str, str]]:
    found = {}
    for route in stack.find("aws_route"):
        target = route.config.get("gateway_id") or route.config.get("nat_gateway_id")
        table = route["route_table_id"].split(".")[1].removeprefix("net_").removesuffix("_eu_west_1")
        assert table not in found
        found[table] = (route["destination_cidr_block"], str(target).split(".")[1])
    return found


def test_zones_and_nat_gateways_depend_on_the_environment(
    synth_stack: Callable[..., SynthesizedStack], environment: Environment
) -> None:
    stack = synth_stack(add_vpc, environment)
    zones, nats = {"dev": (2, 1), "staging": (2, 1), "prod": (3, 3)}[environment]
    assert len(stack.resources("aws_subnet")) == 3 * zones
    assert len(stack.resources("aws_nat_gateway")) == len(stack.resources("aws_eip")) == nats
    assert stack.outputs["net_nat_public_ips_eu_west_1"] == [
        f"${{aws_eip.net_nat_address_{letter}_eu_west_1.public_ip}}" for letter in "abc"[:nats]
    ]


def test_a_vpc_without_a_public_tier_has_no_internet_gateway_and_no_nat(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    stack = synth_stack(lambda stack: add_vpc(stack, tiers=["database", "private"], flow_log_interval=600), "prod")
    assert not stack.find("aws_internet_gateway")
    assert not stack.find("aws_route")
    assert not stack.find("aws_eip")
    assert stack.resource("aws_flow_log")["max_aggregation_interval"] == 600
    https = (1000, "allow", "6", "0.0.0.0/0", 443, 443, None, None)
    assert acl_rules(stack, "private", "egress") == [*INSIDE, https, FRAGMENTATION]
    assert stack.outputs["net_nat_public_ips_eu_west_1"] == []
    assert "net_public_subnet_ids_eu_west_1" not in stack.outputs


def test_a_tier_without_gateway_endpoints_and_nat_allows_private_networks_only(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    stack = synth_stack(lambda stack: add_vpc(stack, zones=["a"]))
    assert acl_rules(stack, "database", "ingress") == acl_rules(stack, "database", "egress") == INSIDE
    assert {tuple(endpoint["route_table_ids"]) for endpoint in stack.resources("aws_vpc_endpoint")} == {
        ("${aws_route_table.net_private_routes_a_eu_west_1.id}",)
    }
    both = synth_stack(lambda stack: add_vpc(stack, gateway_tiers=["private", "database"], zones=["a"]))
    replies = (1000, "allow", "6", "0.0.0.0/0", 32768, 65535, None, None)
    assert acl_rules(both, "database", "ingress") == [*INSIDE, replies, FRAGMENTATION]
    https = (1000, "allow", "6", "0.0.0.0/0", 443, 443, None, None)
    assert acl_rules(both, "database", "egress") == [*INSIDE, https, FRAGMENTATION]
    assert {tuple(endpoint["route_table_ids"]) for endpoint in both.resources("aws_vpc_endpoint")} == {
        tuple(f"${{aws_route_table.net_{tier}_routes_a_eu_west_1.id}}" for tier in ("private", "database"))
    }
    none = synth_stack(lambda stack: add_vpc(stack, gateway_tiers=[], nat="none", zones=["a"]))
    assert not none.find("aws_vpc_endpoint")
    assert acl_rules(none, "private", "ingress") == INSIDE
    assert routes(none) == {"public_routes": ("0.0.0.0/0", "net_internet_gateway_eu_west_1")}


def grows(before: object, after: object) -> bool:
    """Whether a value stayed as it was, or is a list that only got more: Terraform takes these lists as sets."""
    if isinstance(before, list) and isinstance(after, list):
        return all(item in after for item in before)
    return before == after


@pytest.mark.parametrize("arguments", [{"zones": ("a", "b", "c")}, {"zones": ("a", "b"), "nat": "per_zone"}])
def test_another_zone_and_more_nat_gateways_change_no_existing_resource(
    synth_stack: Callable[..., SynthesizedStack], dev: SynthesizedStack, arguments: dict[str, Any]
) -> None:
    after = synth_stack(lambda stack: add_vpc(stack, **arguments))
    assert set(dev.addresses) < set(after.addresses)
    changed = {}
    for block in dev.blocks:
        now = after.at(block.address)
        assert now.config.keys() == block.config.keys()
        different = {key for key in block.config if not grows(block.config[key], now.config[key])}
        if different:
            changed[block.address] = different
    moved_to_own_nat = {"aws_route.net_private_default_b_eu_west_1": {"nat_gateway_id"}} if "nat" in arguments else {}
    assert changed == moved_to_own_nat


def test_another_tier_changes_no_existing_resource(
    synth_stack: Callable[..., SynthesizedStack], dev: SynthesizedStack
) -> None:
    before = synth_stack(lambda stack: add_vpc(stack, zones=("a", "b"), tiers=("public", "private")))
    assert set(before.addresses) < set(dev.addresses)
    for block in before.blocks:
        now = dev.at(block.address)
        assert [key for key in block.config if not grows(block.config[key], now.config[key])] == []
