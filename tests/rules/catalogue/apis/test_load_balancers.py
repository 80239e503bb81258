"""Rules of apis/load_balancers: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import doubted, found, look, resources


def test_rules_for_http_do_not_apply_to_a_network_load_balancer_without_tls() -> None:
    balancer = {"load_balancer_type": "network", "subnets": ["${aws_subnet.a.id}"]}
    document = resources(aws_lb={"cards": balancer})
    for id_ in ("API-030", "API-032", "API-034", "API-035"):
        assert found(id_, document) == []


def test_unknown_subnets_are_undecided() -> None:
    document = resources(aws_lb={"web": {"subnets": "${var.subnets}"}})
    assert doubted("API-034", document | {"variable": {"subnets": {}}}) == ["var.subnets has no default"]


@pytest.mark.parametrize(
    ("subnet", "subnets"),
    [
        (
            {"count": 2, "availability_zone": "${data.aws_availability_zones.all.names[count.index]}"},
            "${aws_subnet.it[*].id}",
        ),
        ({"for_each": {"a": 1, "b": 2}, "availability_zone": "eu-west-1${each.key}"}, "${values(aws_subnet.it)[*].id}"),
        (
            {"for_each": {"a": 1, "b": 2}, "availability_zone": "eu-west-1${each.key}"},
            "${[for s in aws_subnet.it : s.id]}",
        ),
        ({}, ["${var.subnets[0]}", "${var.subnets[1]}"]),
        ({"count": 2}, ["${aws_subnet.it[0].id}", "${aws_subnet.it[1].id}"]),
        ({"for_each": {"a": 1, "b": 2}}, ['${aws_subnet.it["a"].id}', '${aws_subnet.it["b"].id}']),
    ],
)
def test_subnets_in_different_zones_pass_in_every_notation(subnet: dict[str, Any], subnets: object) -> None:
    document = resources(aws_lb={"web": {"subnets": subnets}}, aws_subnet={"it": subnet})
    document |= {"data": {"aws_availability_zones": {"all": {}}}, "variable": {"subnets": {}}}
    assert look("API-034", document)[0] == []


def test_subnets_with_the_same_computed_zone_are_found() -> None:
    zone = "${data.aws_availability_zones.all.names[0]}"
    subnets = {name: {"availability_zone": zone} for name in ("a", "b")}
    document = resources(aws_lb={"web": {"subnets": ["${aws_subnet.a.id}", "${aws_subnet.b.id}"]}}, aws_subnet=subnets)
    document["data"] = {"aws_availability_zones": {"all": {}}}
    (message,) = found("API-034", document)
    assert "aws_subnet.a and aws_subnet.b are both in" in message


def test_an_internal_load_balancer_needs_no_web_acl() -> None:
    assert found("API-035", resources(aws_lb={"web": {"internal": "true"}})) == []


@pytest.mark.parametrize(
    "group",
    [
        {"target_type": "lambda"},
        {"protocol": "TCP", "health_check": {"protocol": "TCP"}},
        {"protocol": "TCP"},
        {"protocol": "HTTP", "protocol_version": "GRPC"},
        {"protocol": "TCP", "health_check": [{"protocol": "HTTP", "path": "/health"}]},
    ],
)
def test_target_groups_without_http_health_checks_need_no_path(group: dict[str, Any]) -> None:
    assert found("API-036", resources(aws_lb_target_group={"web": group})) == []
