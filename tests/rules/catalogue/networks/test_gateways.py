"""NAT and internet gateways: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.rules.rule import REMOVED, changed
from tests.rules.asking import RULES, doubted, found
from tests.rules.catalogue.networks.documents import network


def one_gateway() -> dict[str, Any]:
    change = RULES["NET-016"].breaks[0]
    return changed(RULES["NET-016"].good, change)


@pytest.mark.parametrize(("environment", "count"), [("dev", 1), ("staging", 0), ("prod", 0)])
def test_a_gateway_per_zone_is_reported_in_dev_only(environment: str, count: int) -> None:
    assert len(found("NET-016", network(), environment=environment)) == count


@pytest.mark.parametrize(("environment", "count"), [("dev", 0), ("staging", 0), ("prod", 1)])
def test_one_gateway_for_all_zones_is_reported_in_production_only(environment: str, count: int) -> None:
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


def test_zones_of_a_data_source_are_compared() -> None:
    document = one_gateway() | {"data": {"aws_availability_zones": {"all": {}}}}
    for name, subnet in document["resource"]["aws_subnet"].items():
        subnet["availability_zone"] = f"${{data.aws_availability_zones.all.names[{'ab'.index(name[-1])}]}}"
    assert len(found("NET-016", document)) == 1


def test_a_zone_without_a_gateway_is_reported_once() -> None:
    assert found("NET-027", one_gateway()) == []


@pytest.mark.parametrize("change", [{"connectivity_type": "private"}, {"subnet_id": "subnet-0123456789abcdef0"}])
def test_private_and_external_gateways_need_no_internet_gateway(change: dict[str, Any]) -> None:
    document = network(resource__aws_route__public=REMOVED)
    for gateway in document["resource"]["aws_nat_gateway"].values():
        gateway.update(change)
    assert found("NET-017", document) == []


def test_a_route_in_an_unknown_table_may_lead_to_the_internet_gateway() -> None:
    document = network(resource__aws_route__public__route_table_id="${var.table}") | {"variable": {"table": {}}}
    assert set(doubted("NET-017", document)) == {"the route table of a route is known only from a plan"}


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
def test_indirect_dependencies_are_dependencies(place: str, waits: list[str]) -> None:
    document = changed(
        RULES["NET-018"].good,
        {"resource.aws_nat_gateway.a.depends_on": REMOVED, f"resource.{place}.depends_on": waits}
        if not place.startswith("aws_nat")
        else {f"resource.{place}.depends_on": waits},
    )
    assert found("NET-018", document) == []


def test_an_internet_gateway_outside_the_stack_needs_no_dependency() -> None:
    document = changed(
        RULES["NET-018"].good,
        {"resource.aws_internet_gateway": REMOVED, "resource.aws_nat_gateway.a.depends_on": REMOVED},
    )
    assert found("NET-018", document) == []
