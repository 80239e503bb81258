"""VPC peering connections, and overlapping CIDR blocks of connected VPCs: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import broken, doubted, found, planned
from tests.rules.catalogue.networks.documents import same_region


def test_peering_within_a_region_needs_no_region_and_no_accepter() -> None:
    document = same_region(auto_accept=True)
    assert found("NET-003", document) == []
    assert found("NET-004", document) == []
    assert found("NET-003", same_region(peer_region="eu-west-1")) == []


def test_peered_vpcs_are_found_in_plans_with_several_references() -> None:
    document = broken(
        "NET-003",
        resource__aws_vpc_peering_connection__us_eu__peer_region=None,
        resource__aws_vpc_peering_connection__us_eu__vpc_id="${aws_vpc.us.id}${aws_vpc.us.cidr_block}"
        "${aws_route_table.us.id}",
    )
    assert found("NET-003", document) == []
    assert found("NET-003", planned(document)) == [
        "aws_vpc_peering_connection.us_eu: peer_region = null: must be 'eu-west-1', the region of aws_vpc.eu"
    ]
    routed = broken("NET-005", resource__aws_route__eu__route_table_id="${aws_vpc.eu.id}${aws_route_table.eu.id}")
    assert found("NET-005", planned(routed)) == []


def test_peering_within_a_region_may_be_accepted_by_an_accepter() -> None:
    document = same_region()
    document["resource"]["aws_vpc_peering_connection_accepter"] = {
        "ab": {"vpc_peering_connection_id": "${aws_vpc_peering_connection.ab.id}", "auto_accept": True}
    }
    assert found("NET-004", document) == []


def test_peering_with_a_vpc_of_another_account_is_not_checked() -> None:
    document = same_region(peer_vpc_id="vpc-0123456789abcdef0", peer_owner_id="111122223333", peer_region="us-east-1")
    for id_ in ("NET-003", "NET-004", "NET-005", "NET-006"):
        assert found(id_, document) == []


def test_a_region_argument_counts_as_the_region() -> None:
    document = same_region(auto_accept=True)
    document["resource"]["aws_vpc"]["b"]["region"] = "eu-west-2"
    assert found("NET-003", document) == [
        "aws_vpc_peering_connection.ab: peer_region = null: must be 'eu-west-2', the region of aws_vpc.b"
    ]
    assert len(found("NET-004", document)) == 2


def test_peering_over_a_vpc_of_another_stack_is_compared() -> None:
    far = {
        "provider": {"aws": {"region": "eu-west-1"}},
        "resource": {"aws_vpc": {"far": {"cidr_block": "10.0.0.0/20"}}},
        "output": {"vpc": {"value": "${aws_vpc.far.id}"}},
    }
    near = same_region(peer_vpc_id="${data.terraform_remote_state.cross-stack-reference-input-shop.outputs.vpc}")
    near["data"] = {"terraform_remote_state": {"cross-stack-reference-input-shop": {"backend": "local"}}}
    (message,) = found("NET-006", far, near)
    assert message.endswith("must not overlap: 10.0.0.0/16 of aws_vpc.a and 10.0.0.0/20 of aws_vpc.far do")


def test_a_range_from_an_ipam_pool_is_not_compared() -> None:
    document = same_region()
    document["resource"]["aws_vpc"]["b"] = {"ipv4_ipam_pool_id": "ipam-pool-1"}
    assert doubted("NET-006", document) == ["the range of aws_vpc.b is taken from a pool"]


def test_routes_with_for_each_count_for_both_vpcs() -> None:
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


def test_each_instance_of_a_connection_with_for_each_needs_routes() -> None:
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
    assert message.startswith('aws_vpc_peering_connection.to["c"]: must have a route from aws_vpc.c to aws_vpc.a')
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


def test_a_route_in_an_unknown_table_is_undecided_for_both_vpcs() -> None:
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
def test_overlapping_vpcs_in_different_route_tables_are_clean(apart: dict[str, Any]) -> None:
    document = broken("NET-028", resource__aws_vpc__bank__cidr_block="10.0.0.0/16")
    document["resource"]["aws_ec2_transit_gateway"]["hub"].update(apart)
    if not apart:
        attachment = document["resource"]["aws_ec2_transit_gateway_vpc_attachment"]["bank"]
        attachment["transit_gateway_default_route_table_propagation"] = False
    assert found("NET-028", document) == []


def test_overlapping_vpcs_that_are_propagated_to_one_table_are_found() -> None:
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
