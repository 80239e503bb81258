"""The page of what defaults cost says the prices and numbers of the code."""

from __future__ import annotations

from pathlib import Path

from constructs_lib.analysis.prices import HOME, HOURLY, HOURS, MONTHLY, aurora_hour
from constructs_lib.constructs.regional_vpc import LAMBDA_BASIC
from constructs_lib.foundation.environment import PROFILES

PAGE = Path(__file__).parents[2] / "docs/cost.md"


def rows() -> dict[str, list[str]]:
    cells = [line.strip("|").split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    return {first.strip(): [cell.strip() for cell in rest] for first, *rest in cells}


def monthly(item: str) -> float:
    prices = HOURLY[item]
    return prices.get(HOME, prices.get("*", 0)) * HOURS


def row(start: str) -> list[str]:
    (found,) = [cells for name, cells in rows().items() if name.startswith(start)]
    return found


def test_prices_are_those_of_the_price_table() -> None:
    address = monthly("public IPv4 address")
    assert row("NAT gateways")[0] == f"{monthly('NAT gateway') + address:.2f}"
    endpoint = monthly("interface endpoint, each zone")
    assert row("Interface endpoints")[0] == f"{endpoint:.2f}"
    assert f"{2 * len(LAMBDA_BASIC) * endpoint:.2f} in two zones" in row("Interface endpoints")[4]
    assert row("Load balancer")[0] == f"{monthly('application load balancer'):.2f}"
    assert row("Public IPv4")[0] == f"{address:.2f}"
    hours = [aurora_hour(profile.database_instance_class) or 0 for profile in PROFILES.values()]
    dev, staging, prod = (f"{hour * HOURS:.2f}" for hour in hours)
    assert dev == staging
    assert row("Instances of")[0] == f"{dev} in dev and staging, {prod} in prod"
    assert row("`MultiRegionKey`")[0] == f"{MONTHLY['KMS key']:.2f}"
    assert row("Web ACL")[0] == f"{MONTHLY['web ACL']:.2f}"
    assert row("CloudWatch alarms")[0] == f"{MONTHLY['CloudWatch alarm']:.2f}"


def test_numbers_are_those_of_the_environments() -> None:
    profiles = list(PROFILES.values())
    gateways = {"none": 0, "single": 1}
    assert row("NAT gateways")[1:4] == [str(gateways.get(profile.nat, profile.zones)) for profile in profiles]
    assert row("Public IPv4")[1:4] == [str(profile.zones) for profile in profiles]
    assert row("Instances of")[1:4] == [str(profile.database_instances) for profile in profiles]
