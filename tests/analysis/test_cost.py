"""What an estate costs a month when nobody uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.analysis.cost import Cost, cost_of
from constructs_lib.analysis.prices import aurora_hour, hourly
from constructs_lib.cli import main
from constructs_lib.cli.cost import render
from constructs_lib.rules.estate.loading import Source
from constructs_lib.rules.estate.model import Estate


def cost(region: str = "us-east-1", **types: Any) -> Cost:
    document = {"provider": {"aws": [{"region": region}]}, "resource": types}
    return cost_of(Estate([Source(name="shop", folder=Path(), document=document)]))


def lines(found: Cost) -> list[tuple[str, str, float]]:
    return [(item.name, item.region, round(item.monthly, 2)) for item in found.items]


def test_what_is_billed_by_the_hour_or_the_month_is_counted() -> None:
    assert lines(
        cost(
            aws_nat_gateway={"a": {}},
            aws_eip={"a": {"domain": "vpc"}},
            aws_vpc_endpoint={
                "logs": {"vpc_endpoint_type": "Interface", "subnet_ids": ["subnet-1", "subnet-2"]},
                "s3": {"vpc_endpoint_type": "Gateway"},
            },
            aws_lb={
                "web": {"subnets": ["subnet-1", "subnet-2"]},
                "inner": {"subnets": ["subnet-1", "subnet-2"], "internal": True},
            },
            aws_kms_key={"k": {}},
            aws_secretsmanager_secret={"s": {}},
            aws_cloudwatch_metric_alarm={"a": {}},
            aws_wafv2_web_acl={"w": {"rule": [{"name": "a"}, {"name": "b"}]}},
            aws_route53_zone={"z": {}},
        )
    ) == [
        ("NAT gateway", "us-east-1", 32.85),
        ("public IPv4 address", "us-east-1", 3.65),
        ("interface endpoint, each zone", "us-east-1", 14.6),
        ("application load balancer", "us-east-1", 16.43),
        ("public IPv4 address", "us-east-1", 7.3),
        ("application load balancer", "us-east-1", 16.43),
        ("KMS key", "", 1),
        ("secret", "", 0.4),
        ("CloudWatch alarm", "", 0.1),
        ("web ACL", "", 5),
        ("web ACL rule", "", 2),
        ("Route 53 zone", "", 0.5),
    ]


def test_a_database_costs_its_instances_and_the_secret_that_rds_keeps() -> None:
    found = cost(
        aws_rds_cluster={"db": {"manage_master_user_password": True, "storage_type": "aurora-iopt1"}},
        aws_rds_cluster_instance={
            "writer": {"cluster_identifier": "${aws_rds_cluster.db.id}", "instance_class": "db.r7g.large"},
            "odd": {"cluster_identifier": "${aws_rds_cluster.db.id}", "instance_class": "db.x2g.large"},
        },
    )
    assert lines(found) == [("secret", "", 0.4), ("Aurora instance db.r7g.large", "us-east-1", 261.92)]
    assert found.unpriced == {"database instances of class db.x2g.large": 1}


@pytest.mark.parametrize(
    ("class_", "price"), [("db.t4g.medium", 0.073), ("db.r7g.2xlarge", 1.104), ("db.m5.large", None), ("large", None)]
)
def test_classes_cost_in_proportion_to_their_size(class_: str, price: float | None) -> None:
    assert aurora_hour(class_) == (None if price is None else pytest.approx(price))


def test_a_region_without_a_price_is_counted_at_another_ones_and_marked() -> None:
    assert hourly("NAT gateway", "ap-southeast-1") == (0.059, True)
    assert hourly("NAT gateway", "sa-east-1") == (0.045, False)
    text = render(cost("sa-east-1", aws_nat_gateway={"a": {}}), 80)
    assert "~32.85" in text
    assert "~ No price for the region is known; the price of us-east-1 is used." in text


def test_what_has_no_price_is_said() -> None:
    text = render(cost(aws_instance={"a": {}, "b": {}}), 80)
    assert "Without a price: 2 EC2 instances." in text
    assert text.endswith("discounts, free tiers and tax.\n")


def test_the_price_of_one_unit_times_the_units_is_the_price_of_the_row() -> None:
    found = cost(aws_lb={"web": {"subnets": ["subnet-1", "subnet-2"]}}, aws_eip={"a": {"domain": "vpc"}})
    rows = [line.split() for line in render(found, 80).splitlines()]
    assert ["shop", "public", "IPv4", "address", "us-east-1", "3", "3.65", "10.95"] in rows


def test_counted_resources_are_paid_each() -> None:
    assert cost(aws_kms_key={"k": {"count": 3}}).total == 3


def test_the_command_prints_the_table_of_an_output_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "stacks" / "shop"
    folder.mkdir(parents=True)
    (folder / "cdk.tf.json").write_text(json.dumps({"resource": {"aws_kms_key": {"k": {}}}}), encoding="utf-8")
    assert main(["cost", str(tmp_path)]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["shop", "KMS", "key", "1", "1.00", "1.00"] in rows
    assert ["total", "1.00"] in rows
    assert main(["cost", str(tmp_path / "nothing")]) == 2
