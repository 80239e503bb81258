"""Rules about networks: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.rules.rule import REMOVED, changed
from tests.rules.asking import RULES, doubted, found, resources
from tests.rules.catalogue.networks.documents import network


def test_subnets_without_a_table_use_the_main_one() -> None:
    document = network()
    del document["resource"]["aws_route_table_association"]["db_a"]
    assert found("NET-015", document) == []
    document["resource"]["aws_default_route_table"] = {
        "main": {
            "default_route_table_id": "${aws_vpc.main.default_route_table_id}",
            "route": {"cidr_block": "0.0.0.0/0", "gateway_id": "${aws_internet_gateway.main.id}"},
        }
    }
    (message,) = found("NET-015", document)
    assert "aws_subnet.db_a reaches the internet by aws_default_route_table.main" in message
    document["resource"]["aws_main_route_table_association"] = {
        "db": {"vpc_id": "${aws_vpc.main.id}", "route_table_id": "${aws_route_table.db.id}"}
    }
    assert found("NET-015", document) == []


def test_subnets_of_a_loop_are_followed() -> None:
    document = network()
    document["resource"]["aws_db_subnet_group"]["db"]["subnet_ids"] = "${[for each in [aws_subnet.public_a] : each.id]}"
    assert len(found("NET-015", document)) == 1


def test_a_table_from_elsewhere_is_not_decided() -> None:
    document = network(resource__aws_route_table_association__db_a__route_table_id="${var.table}")
    assert doubted("NET-015", document | {"variable": {"table": {}}}) == [
        "the route table of aws_subnet.db_a is not in these stacks"
    ]


def test_subnets_of_a_vpc_from_elsewhere_are_not_decided() -> None:
    document = network(resource__aws_route_table_association=REMOVED)
    for subnet in document["resource"]["aws_subnet"].values():
        subnet["vpc_id"] = "vpc-0123456789abcdef0"
    assert doubted("NET-015", document) == [
        "the VPC of aws_subnet.db_a is not in these stacks",
        "the VPC of aws_subnet.db_b is not in these stacks",
    ]


def test_caches_are_looked_at_as_databases_are() -> None:
    document = network()
    document["resource"]["aws_elasticache_subnet_group"] = {"redis": {"subnet_ids": ["${aws_subnet.private_a.id}"]}}
    (message,) = found("NET-015", document)
    assert message.startswith("aws_elasticache_subnet_group.redis: subnet_ids")


def one_gateway() -> dict[str, Any]:
    change = RULES["NET-016"].breaks[0]
    return changed(RULES["NET-016"].good, change)


@pytest.mark.parametrize(("environment", "count"), [("dev", 1), ("staging", 0), ("prod", 0)])
def test_a_gateway_for_each_zone_is_for_production(environment: str, count: int) -> None:
    assert len(found("NET-016", network(), environment=environment)) == count


@pytest.mark.parametrize(("environment", "count"), [("dev", 0), ("staging", 0), ("prod", 1)])
def test_one_gateway_for_all_zones_is_for_the_others(environment: str, count: int) -> None:
    assert len(found("NET-016", one_gateway(), environment=environment)) == count


def test_a_network_without_gateways_is_clean_everywhere() -> None:
    document = network()
    for name in ("aws_nat_gateway", "aws_eip"):
        del document["resource"][name]
    document["resource"]["aws_route"] = {"public": document["resource"]["aws_route"]["public"]}
    for environment in ("dev", "prod"):
        assert found("NET-016", document, environment=environment) == []


def test_a_regional_gateway_serves_every_zone() -> None:
    document = one_gateway()
    document["resource"]["aws_nat_gateway"]["a"]["availability_mode"] = "regional"
    assert found("NET-016", document) == []


def test_zones_of_a_list_are_told_apart() -> None:
    document = one_gateway() | {"data": {"aws_availability_zones": {"all": {}}}}
    for name, subnet in document["resource"]["aws_subnet"].items():
        subnet["availability_zone"] = f"${{data.aws_availability_zones.all.names[{'ab'.index(name[-1])}]}}"
    assert len(found("NET-016", document)) == 1


def test_a_gateway_of_another_zone_is_one_finding_only() -> None:
    assert found("NET-027", one_gateway()) == []


@pytest.mark.parametrize("change", [{"connectivity_type": "private"}, {"subnet_id": "subnet-0123456789abcdef0"}])
def test_gateways_without_a_way_out_that_need_none_are_clean(change: dict[str, Any]) -> None:
    document = network(resource__aws_route__public=REMOVED)
    for gateway in document["resource"]["aws_nat_gateway"].values():
        gateway.update(change)
    assert found("NET-017", document) == []


def test_a_way_out_may_be_in_a_table_that_only_a_plan_can_tell() -> None:
    document = network(resource__aws_route__public__route_table_id="${var.table}") | {"variable": {"table": {}}}
    assert set(doubted("NET-017", document)) == {"a route names a table that only a plan can tell"}


@pytest.mark.parametrize(
    ("place", "waits"),
    [
        ("aws_nat_gateway.a", ["aws_route.public"]),
        ("aws_nat_gateway.a", ["${aws_internet_gateway.main}"]),
        ("aws_eip.a", ["aws_internet_gateway.main"]),
        ("aws_subnet.public_a", ["aws_internet_gateway.main"]),
        ("aws_nat_gateway.a", ["module.network"]),
    ],
)
def test_waiting_by_way_of_others_is_waiting(place: str, waits: list[str]) -> None:
    document = changed(
        RULES["NET-018"].good,
        {"resource.aws_nat_gateway.a.depends_on": REMOVED, f"resource.{place}.depends_on": waits}
        if not place.startswith("aws_nat")
        else {f"resource.{place}.depends_on": waits},
    )
    assert found("NET-018", document) == []


def test_a_vpc_whose_internet_gateway_is_elsewhere_waits_for_nothing() -> None:
    document = changed(
        RULES["NET-018"].good,
        {"resource.aws_internet_gateway": REMOVED, "resource.aws_nat_gateway.a.depends_on": REMOVED},
    )
    assert found("NET-018", document) == []


def acl(*entries: dict[str, Any]) -> dict[str, Any]:
    numbered = [{"rule_no": number, "action": "allow", **entry} for number, entry in enumerate(entries, 1)]
    return resources(aws_network_acl={"main": {"ingress": numbered}})


EVERYWHERE = {"cidr_block": "0.0.0.0/0"}


def test_ports_for_answers_are_clean() -> None:
    assert found("NET-019", acl({"protocol": "6", "from_port": 1024, "to_port": 65535, **EVERYWHERE})) == []
    assert found("NET-019", acl({"protocol": "udp", "from_port": 0, "to_port": 65535, **EVERYWHERE})) == []


def test_the_first_entry_about_a_port_decides() -> None:
    refuse = {"action": "deny", "protocol": "tcp", "from_port": 20, "to_port": 22, **EVERYWHERE}
    desk = refuse | {"from_port": 3389, "to_port": 3389}
    allow = {"protocol": "-1", "from_port": 0, "to_port": 0, **EVERYWHERE}
    assert found("NET-019", acl(refuse, desk, allow)) == []
    (message,) = found("NET-019", acl(refuse, allow, desk))
    assert "port 3389" in message


def test_the_default_acl_is_looked_at() -> None:
    entry = {"rule_no": 100, "action": "allow", "protocol": "-1", "from_port": 0, "to_port": 0, **EVERYWHERE}
    assert len(found("NET-019", resources(aws_default_network_acl={"main": {"ingress": entry}}))) == 1


def test_numbers_of_two_directions_may_be_equal() -> None:
    entry = {"rule_no": 100, "action": "allow", "protocol": "tcp", "from_port": 443, "to_port": 443, **EVERYWHERE}
    assert found("NET-031", resources(aws_network_acl={"main": {"ingress": entry, "egress": entry}})) == []


def test_nulls_and_empty_texts_are_no_targets() -> None:
    route = {"cidr_block": "10.0.0.0/8", "ipv6_cidr_block": None, "gateway_id": "", "transit_gateway_id": "tgw-1"}
    assert found("NET-023", resources(aws_route_table={"main": {"route": [route]}})) == []


def test_a_target_that_may_be_null_is_not_decided_beside_another() -> None:
    route = {"destination_cidr_block": "10.0.0.0/8", "gateway_id": "${var.gateway}", "transit_gateway_id": "tgw-1"}
    document = resources(aws_route={"out": route}) | {"variable": {"gateway": {}}}
    assert doubted("NET-023", document) == ["var.gateway has no default"]
    del route["transit_gateway_id"]
    assert doubted("NET-023", document) == []


def test_a_load_balancer_with_the_group_of_another_vpc_is_found() -> None:
    document = changed(RULES["NET-030"].good, {})
    document["resource"]["aws_lb"] = {
        "web": {"subnets": "${aws_subnet.a[*].id}", "security_groups": ["${aws_security_group.b.id}"]}
    }
    assert [message.partition(":")[0] for message in found("NET-030", document)] == ["aws_lb.web"]


def test_a_group_from_elsewhere_may_be_of_the_same_vpc() -> None:
    document = changed(
        RULES["NET-030"].good,
        {"resource.aws_lambda_function.auth.vpc_config.security_group_ids": ["sg-1", "${var.group}"]},
    )
    assert found("NET-030", document | {"variable": {"group": {}}}) == []


def test_two_tables_may_route_the_same_destination() -> None:
    route = {"destination_cidr_block": "10.0.0.0/8", "transit_gateway_id": "tgw-1"}
    document = resources(
        aws_route_table={"a": {}, "b": {}},
        aws_route={name: {"route_table_id": f"${{aws_route_table.{name}.id}}", **route} for name in "ab"},
    )
    assert found("NET-032", document) == []


def test_the_same_destination_in_another_spelling_is_found() -> None:
    document = resources(
        aws_route_table={"a": {}},
        aws_route={
            name: {
                "route_table_id": "${aws_route_table.a.id}",
                "destination_ipv6_cidr_block": text,
                "gateway_id": "igw-1",
            }
            for name, text in (("short", "::/0"), ("long", "0:0:0:0:0:0:0:0/0"))
        },
    )
    assert len(found("NET-032", document)) == 1


def test_routes_of_which_one_may_not_be_made_do_not_collide() -> None:
    route = {"route_table_id": "${aws_route_table.a.id}", "destination_cidr_block": "0.0.0.0/0"}
    document = resources(
        aws_route_table={"a": {}},
        aws_route={
            "nat": {**route, "count": "${var.nat ? 1 : 0}", "nat_gateway_id": "nat-1"},
            "igw": {**route, "count": "${var.nat ? 0 : 1}", "gateway_id": "igw-1"},
        },
    )
    assert found("NET-032", document | {"variable": {"nat": {}}}) == []
