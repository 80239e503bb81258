"""Route tables and routes: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, resources
from tests.rules.catalogue.networks.documents import network


def test_private_routes_do_not_reach_the_internet() -> None:
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
    assert "aws_subnet.db_a has one in aws_default_route_table.main" in message
    document["resource"]["aws_main_route_table_association"] = {
        "db": {"vpc_id": "${aws_vpc.main.id}", "route_table_id": "${aws_route_table.db.id}"}
    }
    assert found("NET-015", document) == []


def test_subnets_in_a_for_expression_are_checked() -> None:
    document = network()
    document["resource"]["aws_db_subnet_group"]["db"]["subnet_ids"] = "${[for each in [aws_subnet.public_a] : each.id]}"
    assert len(found("NET-015", document)) == 1


def test_an_unknown_route_table_is_undecided() -> None:
    document = network(resource__aws_route_table_association__db_a__route_table_id="${var.table}")
    assert doubted("NET-015", document | {"variable": {"table": {}}}) == [
        "the route table of aws_subnet.db_a is not in these stacks"
    ]


def test_subnets_of_an_unknown_vpc_are_undecided() -> None:
    document = network(resource__aws_route_table_association=REMOVED)
    for subnet in document["resource"]["aws_subnet"].values():
        subnet["vpc_id"] = "vpc-0123456789abcdef0"
    assert doubted("NET-015", document) == [
        "the VPC of aws_subnet.db_a is not in these stacks",
        "the VPC of aws_subnet.db_b is not in these stacks",
    ]


def test_cache_subnets_are_checked_as_database_subnets_are() -> None:
    document = network()
    document["resource"]["aws_elasticache_subnet_group"] = {"redis": {"subnet_ids": ["${aws_subnet.private_a.id}"]}}
    (message,) = found("NET-015", document)
    assert message.startswith("aws_elasticache_subnet_group.redis: subnet_ids")


def test_null_and_empty_strings_are_not_targets() -> None:
    route = {"cidr_block": "10.0.0.0/8", "ipv6_cidr_block": None, "gateway_id": "", "transit_gateway_id": "tgw-1"}
    assert found("NET-023", resources(aws_route_table={"main": {"route": [route]}})) == []


def test_a_second_target_that_may_be_null_is_undecided() -> None:
    route = {"destination_cidr_block": "10.0.0.0/8", "gateway_id": "${var.gateway}", "transit_gateway_id": "tgw-1"}
    document = resources(aws_route={"out": route}) | {"variable": {"gateway": {}}}
    assert doubted("NET-023", document) == ["var.gateway has no default"]
    del route["transit_gateway_id"]
    assert doubted("NET-023", document) == []


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


def test_routes_that_may_not_be_created_do_not_collide() -> None:
    route = {"route_table_id": "${aws_route_table.a.id}", "destination_cidr_block": "0.0.0.0/0"}
    document = resources(
        aws_route_table={"a": {}},
        aws_route={
            "nat": {**route, "count": "${var.nat ? 1 : 0}", "nat_gateway_id": "nat-1"},
            "igw": {**route, "count": "${var.nat ? 0 : 1}", "gateway_id": "igw-1"},
        },
    )
    assert found("NET-032", document | {"variable": {"nat": {}}}) == []
