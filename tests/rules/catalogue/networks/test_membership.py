"""Resources whose subnets, security groups and route tables must be in one VPC: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from constructs_lib.rules.rule import changed
from tests.rules.asking import RULES, found


def test_a_load_balancer_with_the_group_of_another_vpc_is_found() -> None:
    document = changed(RULES["NET-030"].good, {})
    document["resource"]["aws_lb"] = {
        "web": {"subnets": "${aws_subnet.a[*].id}", "security_groups": ["${aws_security_group.b.id}"]}
    }
    assert [message.partition(":")[0] for message in found("NET-030", document)] == ["aws_lb.web"]


def test_an_unknown_group_may_be_of_the_same_vpc() -> None:
    document = changed(
        RULES["NET-030"].good,
        {"resource.aws_lambda_function.auth.vpc_config.security_group_ids": ["sg-1", "${var.group}"]},
    )
    assert found("NET-030", document | {"variable": {"group": {}}}) == []
