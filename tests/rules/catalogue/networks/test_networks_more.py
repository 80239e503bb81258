"""Rules about networks: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import broken, doubted, found, resources
from tests.rules.catalogue.networks.documents import network, same_region


def test_routes_that_a_loop_makes_count_for_both_sides() -> None:
    document = same_region(auto_accept=True)
    document["resource"]["aws_route_table"] = {
        "all": {
            "for_each": {"a": "${aws_vpc.a.id}", "b": "${aws_vpc.b.id}"},
            "vpc_id": "${each.value}",
        }
    }
    document["resource"]["aws_route"] = {
        "all": {
            "for_each": {"a": "10.1.0.0/16", "b": "10.0.0.0/16"},
            "route_table_id": "${aws_route_table.all[each.key].id}",
            "destination_cidr_block": "${each.value}",
            "vpc_peering_connection_id": "${aws_vpc_peering_connection.ab.id}",
        }
    }
    assert found("NET-005", document) == []
    document["resource"]["aws_route"]["all"]["for_each"].pop("b")
    assert len(found("NET-005", document)) == 1


def test_each_instance_of_a_repeated_connection_is_routed() -> None:
    document = same_region()
    document["resource"]["aws_vpc"]["c"] = {"cidr_block": "10.2.0.0/16"}
    document["resource"]["aws_route_table"] = {name: {"vpc_id": f"${{aws_vpc.{name}.id}}"} for name in "abc"}
    document["resource"]["aws_vpc_peering_connection"] = {
        "to": {
            "for_each": {"b": "${aws_vpc.b.id}", "c": "${aws_vpc.c.id}"},
            "vpc_id": "${aws_vpc.a.id}",
            "peer_vpc_id": "${each.value}",
        }
    }
    document["resource"]["aws_route"] = {
        f"{name}_{way}": {
            "route_table_id": f"${{aws_route_table.{'a' if way == 'out' else name}.id}}",
            "destination_cidr_block": range_ if way == "out" else "10.0.0.0/16",
            "vpc_peering_connection_id": f'${{aws_vpc_peering_connection.to["{name}"].id}}',
        }
        for name, range_ in (("b", "10.1.0.0/16"), ("c", "10.2.0.0/16"))
        for way in ("out", "back")
    }
    assert found("NET-005", document) == []
    document["resource"]["aws_route"]["c_back"]["vpc_peering_connection_id"] = (
        '${aws_vpc_peering_connection.to["b"].id}'
    )
    (message,) = found("NET-005", document)
    assert message.startswith('aws_vpc_peering_connection.to["c"]: no route table of aws_vpc.c')
    document["resource"]["aws_route"]["c_back"]["vpc_peering_connection_id"] = (
        "${aws_vpc_peering_connection.to[var.way].id}"
    )
    assert found("NET-005", document | {"variable": {"way": {}}}) == []


def test_routes_in_the_main_table_count() -> None:
    document = same_region(auto_accept=True)
    document["resource"]["aws_route"] = {
        name: {
            "route_table_id": f"${{aws_vpc.{name}.main_route_table_id}}",
            "destination_cidr_block": f"${{aws_vpc.{other}.cidr_block}}",
            "vpc_peering_connection_id": "${aws_vpc_peering_connection.ab.id}",
        }
        for name, other in ("ab", "ba")
    }
    assert found("NET-005", document) == []


def test_routes_in_default_tables_and_for_prefix_lists_count() -> None:
    document = same_region(auto_accept=True)
    document["resource"]["aws_default_route_table"] = {
        name: {
            "default_route_table_id": f"${{aws_vpc.{name}.default_route_table_id}}",
            "route": {
                "destination_prefix_list_id": "pl-0123456789abcdef0",
                "vpc_peering_connection_id": "${aws_vpc_peering_connection.ab.id}",
            },
        }
        for name in "ab"
    }
    assert found("NET-005", document) == []


def test_a_route_in_a_table_from_elsewhere_may_be_of_either_side() -> None:
    document = same_region(auto_accept=True) | {"variable": {"table": {}}}
    document["resource"]["aws_route"] = {
        "b": {
            "route_table_id": "${var.table}",
            "destination_cidr_block": "10.0.0.0/16",
            "vpc_peering_connection_id": "${aws_vpc_peering_connection.ab.id}",
        }
    }
    assert doubted("NET-005", document) == ["the route table of aws_route.b is not in these stacks"] * 2


def test_a_route_for_all_private_addresses_covers_the_peer() -> None:
    assert found("NET-005", broken("NET-005", resource__aws_route__eu__destination_cidr_block="10.0.0.0/8")) == []


@pytest.mark.parametrize("apart", [{"default_route_table_propagation": "disable"}, {}])
def test_overlapping_vpcs_in_tables_of_their_own_are_isolated_on_purpose(apart: dict[str, Any]) -> None:
    document = broken("NET-028", resource__aws_vpc__bank__cidr_block="10.0.0.0/16")
    document["resource"]["aws_ec2_transit_gateway"]["hub"].update(apart)
    if not apart:
        attachment = document["resource"]["aws_ec2_transit_gateway_vpc_attachment"]["bank"]
        attachment["transit_gateway_default_route_table_propagation"] = False
    assert found("NET-028", document) == []


def test_overlapping_vpcs_that_one_table_learns_are_found() -> None:
    document = broken("NET-028", resource__aws_vpc__bank__cidr_block="10.0.0.0/16")
    document["resource"]["aws_ec2_transit_gateway"]["hub"]["default_route_table_propagation"] = "disable"
    document["resource"]["aws_ec2_transit_gateway_route_table"] = {"all": {}}
    document["resource"]["aws_ec2_transit_gateway_route_table_propagation"] = {
        name: {
            "transit_gateway_attachment_id": f"${{aws_ec2_transit_gateway_vpc_attachment.{name}.id}}",
            "transit_gateway_route_table_id": "${aws_ec2_transit_gateway_route_table.all.id}",
        }
        for name in ("shop", "bank")
    }
    assert len(found("NET-028", document)) == 1


def test_flow_logs_of_all_subnets_are_as_good_as_one_of_the_vpc() -> None:
    document = resources(
        aws_vpc={"main": {"cidr_block": "10.0.0.0/16"}},
        aws_subnet={name: {"vpc_id": "${aws_vpc.main.id}"} for name in "ab"},
        aws_flow_log={name: {"subnet_id": f"${{aws_subnet.{name}.id}}"} for name in "ab"},
    )
    assert found("NET-010", document) == []
    del document["resource"]["aws_flow_log"]["b"]
    assert len(found("NET-010", document)) == 1


def test_each_instance_of_a_vpc_needs_its_own_flow_log() -> None:
    document = resources(
        aws_vpc={"main": {"for_each": {"a": "10.0.0.0/16", "b": "10.1.0.0/16"}, "cidr_block": "${each.value}"}},
        aws_flow_log={"a": {"vpc_id": '${aws_vpc.main["a"].id}'}},
    )
    assert found("NET-010", document) == ['aws_vpc.main["b"]: has no flow logs; add aws_flow_log with its vpc_id']


def test_default_groups_with_rules_from_a_variable_are_not_decided() -> None:
    document = broken("NET-009", resource__aws_default_security_group__main__ingress="${var.rules}")
    assert doubted("NET-009", document | {"variable": {"rules": {}}}) == ["var.rules has no default"]


def subnets(**ranges: object) -> dict[str, Any]:
    return resources(
        aws_vpc={"main": {"cidr_block": "10.0.0.0/16"}},
        aws_subnet={name: {"vpc_id": "${aws_vpc.main.id}", "cidr_block": value} for name, value in ranges.items()},
    )


def test_a_subnet_may_lie_in_a_secondary_range() -> None:
    document = subnets(a="100.64.1.0/24")
    assert len(found("NET-013", document)) == 1
    document["resource"]["aws_vpc_ipv4_cidr_block_association"] = {
        "pods": {"vpc_id": "${aws_vpc.main.id}", "cidr_block": "100.64.0.0/16"}
    }
    assert found("NET-013", document) == []


def test_subnets_of_different_vpcs_may_have_the_same_range() -> None:
    document = subnets(a="10.0.1.0/24", b="10.0.1.0/24")
    document["resource"]["aws_vpc"]["next"] = {"cidr_block": "10.0.0.0/16"}
    document["resource"]["aws_subnet"]["b"]["vpc_id"] = "${aws_vpc.next.id}"
    assert found("NET-014", document) == []


def test_overlap_is_found_past_the_neighbour() -> None:
    messages = found(
        "NET-014", subnets(wide="10.0.0.0/20", first="10.0.1.0/24", second="10.0.2.0/24", apart="10.0.16.0/24")
    )
    assert [message.partition(":")[0] for message in messages] == ["aws_subnet.first", "aws_subnet.second"]


def test_subnets_of_one_vpc_from_elsewhere_are_compared() -> None:
    document = subnets(a="10.0.1.0/24", b="10.0.1.0/24") | {"variable": {"vpc": {}}}
    for subnet in document["resource"]["aws_subnet"].values():
        subnet["vpc_id"] = "${var.vpc}"
    assert len(found("NET-014", document)) == 1


def test_subnets_that_a_function_divides_are_apart() -> None:
    document = subnets(a="${cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)}")
    document["resource"]["aws_subnet"]["a"]["count"] = 3
    assert found("NET-013", document) == []
    assert found("NET-014", document) == []


def test_subnets_of_which_one_may_not_be_made_do_not_overlap() -> None:
    document = subnets(a="10.0.1.0/24", b="10.0.1.0/24") | {"variable": {"old": {}}}
    document["resource"]["aws_subnet"]["b"]["count"] = "${var.old ? 1 : 0}"
    assert found("NET-014", document) == []


def test_an_ipv6_only_subnet_has_no_range_to_compare() -> None:
    assert (
        found("NET-013", resources(aws_subnet={"six": {"ipv6_native": True, "ipv6_cidr_block": "2001:db8::/64"}})) == []
    )


@pytest.mark.parametrize(
    "endpoint", [{"vpc_endpoint_type": "Gateway"}, {"private_dns_enabled": False}, {"vpc_id": "vpc-1"}]
)
def test_endpoints_without_private_dns_need_no_names(endpoint: dict[str, Any]) -> None:
    document = broken("NET-022", resource__aws_vpc__main__enable_dns_hostnames=False)
    document["resource"]["aws_vpc_endpoint"]["sqs"].update(endpoint)
    assert found("NET-022", document) == []


@pytest.mark.parametrize("range_", ["10.0.0.0/16", "172.31.0.0/16", "192.168.0.0/20", "100.64.0.0/16"])
def test_private_and_shared_ranges_are_clean(range_: str) -> None:
    document = resources(aws_vpc={"main": {"cidr_block": range_}})
    assert found("NET-024", document) == []
    assert found("NET-025", document) == []


def test_a_range_from_a_pool_has_no_size_here() -> None:
    document = resources(aws_vpc={"main": {"ipv4_ipam_pool_id": "ipam-pool-1", "ipv4_netmask_length": 20}})
    assert found("NET-024", document) == []
    assert found("NET-025", document) == []


def test_routes_that_stay_inside_do_not_reach_the_internet() -> None:
    document = network()
    document["resource"]["aws_vpn_gateway"] = {"office": {}}
    document["resource"]["aws_nat_gateway"]["inner"] = {
        "connectivity_type": "private",
        "subnet_id": "${aws_subnet.private_a.id}",
    }
    document["resource"]["aws_route_table"]["db"]["route"] = [
        {"cidr_block": "192.168.0.0/16", "gateway_id": "vgw-0123456789abcdef0"},
        {"cidr_block": "192.168.0.0/17", "gateway_id": "${aws_vpn_gateway.office.id}"},
        {"cidr_block": "0.0.0.0/0", "transit_gateway_id": "tgw-0123456789abcdef0"},
        {"cidr_block": "10.8.0.0/16", "nat_gateway_id": "${aws_nat_gateway.inner.id}"},
    ]
    assert found("NET-015", document) == []
