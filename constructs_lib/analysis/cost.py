"""What an estate costs a month when nobody uses it: everything that AWS bills by the hour or the month alone."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tabulate import tabulate

from constructs_lib.analysis.prices import HOME, HOURS, IO_OPTIMIZED, MONTHLY, READ_ON, aurora_hour, hourly
from constructs_lib.rules.estate.loading import load
from constructs_lib.rules.estate.values import Unknown

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate

NOT_INCLUDED: Final = (
    "Not included: whatever is billed by use (data, requests, log events, storage, I/O, backups, load balancer "
    "capacity units), discounts, free tiers and tax."
)

_WITHOUT_PRICE: Final = {
    "aws_autoscaling_group": "instances of auto scaling groups",
    "aws_db_instance": "RDS instances",
    "aws_ec2_transit_gateway_vpc_attachment": "transit gateway attachments",
    "aws_elasticache_cluster": "cache nodes",
    "aws_elasticache_replication_group": "cache nodes",
    "aws_instance": "EC2 instances",
    "aws_lambda_provisioned_concurrency_config": "provisioned concurrency",
    "aws_vpn_connection": "VPN connections",
}
"""Billed by the hour, and without a price here."""


@dataclass(frozen=True)
class Item:
    """One thing that costs a fixed amount.

    Attributes:
        stack: The stack that it belongs to.
        name: What it is, as the price table calls it.
        region: Where it is, empty where the price does not depend on it.
        monthly: US dollars a month.
        own_price: Whether the price is that of its region, and not that of us-east-1.
    """

    stack: str
    name: str
    region: str
    monthly: float
    own_price: bool = True


@dataclass(frozen=True)
class Cost:
    """The fixed cost of an estate.

    Attributes:
        items: What has a price.
        unpriced: What is billed by the hour too and has no price here, with how many there are.
    """

    items: tuple[Item, ...]
    unpriced: dict[str, int]

    @property
    def total(self) -> float:
        """US dollars a month."""
        return sum(item.monthly for item in self.items)


def cost_of(estate: Estate) -> Cost:
    """Return what the stacks of an estate cost a month when nobody uses them."""
    items: list[Item] = []
    unpriced: dict[str, int] = defaultdict(int)
    for block in estate.blocks:
        if block.type in _WITHOUT_PRICE:
            unpriced[_WITHOUT_PRICE[block.type]] += 1
        found = list(_items(block))
        items += found
        if block.type == "aws_rds_cluster_instance" and not found:
            unpriced[f"database instances of class {block.get('instance_class')}"] += 1
    return Cost(tuple(items), dict(unpriced))


def _items(block: Block) -> Iterator[Item]:
    stack, kind = block.stack.name, block.type
    region = HOME if isinstance(block.region, Unknown) else block.region

    def by_hour(name: str, number: int = 1) -> Item:
        price, own = hourly(name, region)
        return Item(stack, name, region, number * price * HOURS, own)

    def by_month(name: str, number: int = 1) -> Item:
        return Item(stack, name, "", number * MONTHLY[name])

    if kind == "aws_nat_gateway":
        yield by_hour("NAT gateway")
    elif kind == "aws_eip":
        yield by_hour("public IPv4 address")
    elif kind == "aws_vpc_endpoint" and block.text("vpc_endpoint_type") == "Interface":
        yield by_hour("interface endpoint, each zone", _length(block, "subnet_ids"))
    elif kind in ("aws_lb", "aws_alb") and block.text("load_balancer_type") in (None, "application"):
        yield by_hour("application load balancer")
        if block.flag("internal") is False:
            yield by_hour("public IPv4 address", _length(block, "subnets"))
    elif kind in ("aws_kms_key", "aws_kms_replica_key"):
        yield by_month("KMS key")
    elif kind == "aws_secretsmanager_secret" or (
        kind == "aws_rds_cluster" and block.flag("manage_master_user_password") is True
    ):
        yield by_month("secret")
    elif kind == "aws_cloudwatch_metric_alarm":
        yield by_month("CloudWatch alarm")
    elif kind == "aws_wafv2_web_acl":
        yield by_month("web ACL")
        yield by_month("web ACL rule", len(block.sections("rule")))
    elif kind == "aws_route53_zone":
        yield by_month("Route 53 zone")
    elif kind == "aws_rds_cluster_instance":
        yield from _database(block, region)


def _database(instance: Block, region: str) -> Iterator[Item]:
    class_ = instance.text("instance_class")
    price = aurora_hour(class_) if isinstance(class_, str) else None
    if price is not None:
        cluster = instance.target("cluster_identifier", "aws_rds_cluster")
        if cluster is not None and cluster.text("storage_type") == "aurora-iopt1":
            price *= IO_OPTIMIZED
        yield Item(instance.stack.name, f"Aurora instance {class_}", region, price * HOURS, region == HOME)


def _length(block: Block, at: str) -> int:
    found = block.items(at)
    return 1 if isinstance(found, Unknown) else len(found)


def render(cost: Cost) -> str:
    """Return the cost as a table for a person, with what it says nothing about."""
    groups: dict[tuple[str, str, str], list[Item]] = defaultdict(list)
    for item in cost.items:
        groups[item.stack, item.name, item.region].append(item)
    rows = [
        [stack, name, region, len(items), _dollars(items[0].monthly, items[0]), _dollars(sum(i.monthly for i in items))]
        for (stack, name, region), items in sorted(groups.items())
    ]
    headers = ["stack", "item", "region", "number", "each", "USD a month"]
    lines = [
        tabulate(
            [*rows, ["total", "", "", "", "", _dollars(cost.total)]],
            headers=headers,
            disable_numparse=True,
            colalign=("left", "left", "left", "right", "right", "right"),
        ),
        "",
        f"List prices of {READ_ON}; constructs_lib/analysis/prices.py names their pages.",
    ]
    if any(not item.own_price for item in cost.items):
        lines.append(f"~: a region without a price here, counted at that of {HOME}.")
    if cost.unpriced:
        lines.append("Without a price here: " + ", ".join(f"{n} {name}" for name, n in sorted(cost.unpriced.items())))
    return "\n".join([*lines, NOT_INCLUDED])


def _dollars(amount: float, item: Item | None = None) -> str:
    return f"{'' if item is None or item.own_price else '~'}{amount:,.2f}"


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("cost", help="what the stacks cost a month when nobody uses them")
    command.add_argument("path", nargs="*", type=Path, default=[Path("cdktf.out")], help="default: cdktf.out")
    command.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> None:
    print(render(cost_of(load(given.path))))  # noqa: T201  a command line prints
