"""Rules about networks: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import broken, doubted, found, planned, resources
from tests.rules.catalogue.networks.documents import same_region


def ingress(**rule: object) -> dict[str, Any]:
    return resources(aws_security_group={"web": {"description": "web", "ingress": rule}})


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]}, id="https"),
        pytest.param({"protocol": "icmp", "from_port": 8, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}, id="ping"),
        pytest.param(
            {"protocol": "udp", "from_port": 10000, "to_port": 60000, "cidr_blocks": ["0.0.0.0/0"]}, id="calls"
        ),
        pytest.param(
            {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["203.0.113.0/24"]}, id="office"
        ),
        pytest.param({"protocol": "-1", "from_port": 0, "to_port": 0, "self": True}, id="members"),
    ],
)
def test_what_the_public_may_reach_is_clean(rule: dict[str, Any]) -> None:
    assert found("NET-001", ingress(**rule)) == []
    assert found("NET-002", ingress(**rule)) == []


@pytest.mark.parametrize(
    ("protocol", "first", "last", "source"),
    [
        ("6", "22", "22", {"cidr_blocks": ["0.0.0.0/0"]}),
        ("TCP", 20, 25, {"cidr_blocks": "${local.world}"}),
        ("tcp", 22, 22, {"cidr_blocks": ["0.0.0.0/1", "128.0.0.0/1"]}),
        ("tcp", 22, 22, {"ipv6_cidr_blocks": ["2000::/3"]}),
        ("udp", 3389, 3389, {"cidr_blocks": ["0.0.0.0/0"]}),
        ("tcp", 22, 22, {"prefix_list_ids": ["${aws_ec2_managed_prefix_list.all.id}"]}),
    ],
)
def test_other_ways_to_open_an_administration_port_are_found(
    protocol: str, first: object, last: object, source: dict[str, Any]
) -> None:
    document = ingress(protocol=protocol, from_port=first, to_port=last, **source)
    document["locals"] = {"world": ["0.0.0.0/0"]}
    document["resource"]["aws_ec2_managed_prefix_list"] = {"all": {"entry": [{"cidr": "0.0.0.0/0"}]}}
    (message,) = found("NET-001", document)
    assert "must not be open to the internet" in message


def test_a_dynamic_rule_is_seen() -> None:
    document = resources(
        aws_security_group={
            "web": {
                "dynamic": {
                    "ingress": {
                        "for_each": [22],
                        "content": {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"]},
                    }
                }
            }
        }
    )
    assert len(found("NET-001", document)) == 1


def test_every_instance_of_a_repeated_rule_is_looked_at() -> None:
    rule = {
        "for_each": {"https": 443, "ssh": 22},
        "ip_protocol": "tcp",
        "from_port": "${each.value}",
        "to_port": "${each.value}",
        "cidr_ipv4": "0.0.0.0/0",
    }
    (message,) = found("NET-001", resources(aws_vpc_security_group_ingress_rule={"open": rule}))
    assert message.startswith('aws_vpc_security_group_ingress_rule.open["ssh"]: cidr_ipv4')


def test_rules_of_one_direction_are_not_taken_for_the_other() -> None:
    rule = {"type": "egress", "protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}
    document = resources(aws_security_group_rule={"out": rule})
    assert found("NET-001", document) == []
    assert found("NET-002", document) == []
    assert len(found("NET-007", document)) == 1


def test_a_direction_that_is_not_known_is_not_decided() -> None:
    rule = {"type": "${var.way}", "protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}
    document = resources(aws_security_group_rule={"any": rule}) | {"variable": {"way": {}}}
    assert doubted("NET-002", document) == ["var.way has no default"]


def test_ranges_that_are_not_known_matter_for_dangerous_ports_only() -> None:
    document = ingress(protocol="tcp", from_port=22, to_port=22, cidr_blocks="${var.ranges}")
    document["variable"] = {"ranges": {}}
    assert doubted("NET-001", document) == ["var.ranges has no default"]
    document["resource"]["aws_security_group"]["web"]["ingress"].update(from_port=443, to_port=443)
    assert doubted("NET-001", document) == []


def test_everything_to_ranges_that_are_not_known_is_not_decided() -> None:
    document = ingress(protocol="-1", from_port=0, to_port=0, cidr_blocks=["10.0.0.0/8", "${var.more}"])
    assert doubted("NET-002", document | {"variable": {"more": {}}}) == ["var.more has no default"]


def test_the_groups_of_functions_are_left_to_their_own_rule() -> None:
    group = {"egress": {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}}
    document = resources(
        aws_security_group={"fn": group},
        aws_lambda_function={"auth": {"vpc_config": {"security_group_ids": ["${aws_security_group.fn.id}"]}}},
    )
    assert found("NET-007", document) == []
    del document["resource"]["aws_lambda_function"]
    assert len(found("NET-007", document)) == 1


def test_https_to_everywhere_may_go_out() -> None:
    group = {"egress": {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]}}
    assert found("NET-007", resources(aws_security_group={"web": group})) == []


def test_type_and_code_of_icmp_are_no_port_range() -> None:
    assert found("NET-020", ingress(protocol="icmp", from_port=8, to_port=0)) == []
    assert len(found("NET-020", ingress(protocol="17", from_port=8, to_port=0))) == 1


def test_inline_rules_of_one_direction_stand_beside_separate_ones_of_the_other() -> None:
    document = resources(
        aws_security_group={"web": {"egress": {"protocol": "-1"}}, "lb": {"ingress": {"protocol": "tcp"}}},
        aws_vpc_security_group_ingress_rule={
            "web": {
                "security_group_id": "${aws_security_group.web.id}",
                "referenced_security_group_id": "${aws_security_group.lb.id}",
            }
        },
    )
    assert found("NET-021", document) == []


@pytest.mark.parametrize(
    "user",
    [
        {"resource": {"aws_instance": {"web": {"vpc_security_group_ids": "${local.groups}"}}}},
        {"output": {"group": {"value": "${aws_security_group.web.id}"}}},
        {
            "resource": {
                "aws_vpc_security_group_ingress_rule": {
                    "db": {"referenced_security_group_id": "${aws_security_group.web.id}"}
                }
            }
        },
    ],
)
def test_a_group_that_is_attached_exported_or_let_in_is_used(user: dict[str, Any]) -> None:
    document = {
        "locals": {"groups": ["${aws_security_group.web.id}"]},
        "resource": {"aws_security_group": {"web": {}}, **user.get("resource", {})},
        "output": user.get("output", {}),
    }
    assert found("NET-026", document) == []


def test_the_rules_of_a_group_do_not_use_it() -> None:
    own = {
        "security_group_id": "${aws_security_group.web.id}",
        "referenced_security_group_id": "${aws_security_group.web.id}",
    }
    document = resources(
        aws_security_group={"web": {}},
        aws_vpc_security_group_ingress_rule={"web": own},
    )
    assert found("NET-026", document) == ["aws_security_group.web: nothing uses it; attach it, or remove it"]


def test_a_group_that_another_stack_attaches_is_used() -> None:
    network = resources(aws_security_group={"web": {}}) | {
        "output": {"group": {"value": "${aws_security_group.web.id}"}}
    }
    assert found("NET-026", network) == []


def test_peering_within_a_region_needs_neither_region_nor_accepter() -> None:
    document = same_region(auto_accept=True)
    assert found("NET-003", document) == []
    assert found("NET-004", document) == []
    assert found("NET-003", same_region(peer_region="eu-west-1")) == []


def test_a_plan_that_lists_all_that_a_module_hands_on_still_tells_which_vpcs_are_peered() -> None:
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


def test_peering_with_a_vpc_of_somebody_else_is_left_alone() -> None:
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
    assert message.endswith("10.0.0.0/16 of aws_vpc.a and 10.0.0.0/20 of aws_vpc.far overlap; peered VPCs may not")


def test_a_range_from_a_pool_is_not_compared() -> None:
    document = same_region()
    document["resource"]["aws_vpc"]["b"] = {"ipv4_ipam_pool_id": "ipam-pool-1"}
    assert doubted("NET-006", document) == ["the range of aws_vpc.b is taken from a pool"]
