"""Security groups and their rules: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import doubted, found, resources


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
def test_public_ports_are_clean(rule: dict[str, Any]) -> None:
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
    assert "from the internet; allow it from specific CIDR blocks or security groups" in message


def test_dynamic_rules_are_checked() -> None:
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


def test_every_instance_of_a_rule_with_for_each_is_checked() -> None:
    rule = {
        "for_each": {"https": 443, "ssh": 22},
        "ip_protocol": "tcp",
        "from_port": "${each.value}",
        "to_port": "${each.value}",
        "cidr_ipv4": "0.0.0.0/0",
    }
    (message,) = found("NET-001", resources(aws_vpc_security_group_ingress_rule={"open": rule}))
    assert message.startswith('aws_vpc_security_group_ingress_rule.open["ssh"]: cidr_ipv4')


def test_egress_rules_are_not_ingress_rules() -> None:
    rule = {"type": "egress", "protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}
    document = resources(aws_security_group_rule={"out": rule})
    assert found("NET-001", document) == []
    assert found("NET-002", document) == []
    assert len(found("NET-007", document)) == 1


def test_an_unknown_direction_is_undecided() -> None:
    rule = {"type": "${var.way}", "protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}
    document = resources(aws_security_group_rule={"any": rule}) | {"variable": {"way": {}}}
    assert doubted("NET-002", document) == ["var.way has no default"]


def test_unknown_ranges_are_undecided_for_administration_ports_only() -> None:
    document = ingress(protocol="tcp", from_port=22, to_port=22, cidr_blocks="${var.ranges}")
    document["variable"] = {"ranges": {}}
    assert doubted("NET-001", document) == ["var.ranges has no default"]
    document["resource"]["aws_security_group"]["web"]["ingress"].update(from_port=443, to_port=443)
    assert doubted("NET-001", document) == []


def test_all_ports_for_unknown_ranges_are_undecided() -> None:
    document = ingress(protocol="-1", from_port=0, to_port=0, cidr_blocks=["10.0.0.0/8", "${var.more}"])
    assert doubted("NET-002", document | {"variable": {"more": {}}}) == ["var.more has no default"]


def test_groups_of_functions_are_checked_by_another_rule() -> None:
    group = {"egress": {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}}
    document = resources(
        aws_security_group={"fn": group},
        aws_lambda_function={"auth": {"vpc_config": {"security_group_ids": ["${aws_security_group.fn.id}"]}}},
    )
    assert found("NET-007", document) == []
    del document["resource"]["aws_lambda_function"]
    assert len(found("NET-007", document)) == 1


def test_outbound_https_to_the_internet_is_clean() -> None:
    group = {"egress": {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]}}
    assert found("NET-007", resources(aws_security_group={"web": group})) == []


def test_icmp_types_and_codes_are_not_port_ranges() -> None:
    assert found("NET-020", ingress(protocol="icmp", from_port=8, to_port=0)) == []
    assert len(found("NET-020", ingress(protocol="17", from_port=8, to_port=0))) == 1


def test_inline_rules_and_rule_resources_of_different_directions_are_clean() -> None:
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
def test_a_group_that_is_attached_exported_or_a_source_is_used(user: dict[str, Any]) -> None:
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
    assert found("NET-026", document) == [
        "aws_security_group.web: must be attached to a resource; attach it or remove it"
    ]


def test_a_group_that_another_stack_attaches_is_used() -> None:
    network = resources(aws_security_group={"web": {}}) | {
        "output": {"group": {"value": "${aws_security_group.web.id}"}}
    }
    assert found("NET-026", network) == []
