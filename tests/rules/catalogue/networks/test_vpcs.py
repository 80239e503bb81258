"""VPCs, subnets, flow logs and default security groups: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import broken, doubted, found, resources


def test_flow_logs_of_all_subnets_replace_one_of_the_vpc() -> None:
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
    assert found("NET-010", document) == ['aws_vpc.main["b"]: must have flow logs; add aws_flow_log with its vpc_id']


def test_default_groups_with_rules_from_a_variable_are_undecided() -> None:
    document = broken("NET-009", resource__aws_default_security_group__main__ingress="${var.rules}")
    assert doubted("NET-009", document | {"variable": {"rules": {}}}) == ["var.rules has no default"]


def subnets(**ranges: object) -> dict[str, Any]:
    return resources(
        aws_vpc={"main": {"cidr_block": "10.0.0.0/16"}},
        aws_subnet={name: {"vpc_id": "${aws_vpc.main.id}", "cidr_block": value} for name, value in ranges.items()},
    )


def test_a_subnet_may_be_in_a_secondary_range() -> None:
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


def test_overlaps_of_subnets_that_are_not_adjacent_are_found() -> None:
    messages = found(
        "NET-014", subnets(wide="10.0.0.0/20", first="10.0.1.0/24", second="10.0.2.0/24", apart="10.0.16.0/24")
    )
    assert [message.partition(":")[0] for message in messages] == ["aws_subnet.first", "aws_subnet.second"]


def test_subnets_of_an_unknown_vpc_are_compared() -> None:
    document = subnets(a="10.0.1.0/24", b="10.0.1.0/24") | {"variable": {"vpc": {}}}
    for subnet in document["resource"]["aws_subnet"].values():
        subnet["vpc_id"] = "${var.vpc}"
    assert len(found("NET-014", document)) == 1


def test_subnets_from_cidrsubnet_do_not_overlap() -> None:
    document = subnets(a="${cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)}")
    document["resource"]["aws_subnet"]["a"]["count"] = 3
    assert found("NET-013", document) == []
    assert found("NET-014", document) == []


def test_subnets_that_may_not_be_created_do_not_overlap() -> None:
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
def test_endpoints_without_private_dns_need_no_dns_hostnames(endpoint: dict[str, Any]) -> None:
    document = broken("NET-022", resource__aws_vpc__main__enable_dns_hostnames=False)
    document["resource"]["aws_vpc_endpoint"]["sqs"].update(endpoint)
    assert found("NET-022", document) == []


@pytest.mark.parametrize("range_", ["10.0.0.0/16", "172.31.0.0/16", "192.168.0.0/20", "100.64.0.0/16"])
def test_private_and_shared_ranges_are_clean(range_: str) -> None:
    document = resources(aws_vpc={"main": {"cidr_block": range_}})
    assert found("NET-024", document) == []
    assert found("NET-025", document) == []


def test_a_range_from_an_ipam_pool_has_no_size() -> None:
    document = resources(aws_vpc={"main": {"ipv4_ipam_pool_id": "ipam-pool-1", "ipv4_netmask_length": 20}})
    assert found("NET-024", document) == []
    assert found("NET-025", document) == []
