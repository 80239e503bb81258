"""The fixed monthly cost of an estate: what AWS bills by the hour or month, without any usage."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from constructs_lib.analysis.prices import HOME, HOURS, IO_OPTIMIZED, MONTHLY, aurora_hour, hourly
from constructs_lib.rules.estate.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate

NOT_INCLUDED: Final = (
    "Not included: usage (data transfer, requests, log events, storage, I/O, backups, load balancer capacity units), "
    "discounts, free tiers and tax."
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
"""Billed by the hour, but not in the price table."""


@dataclass(frozen=True)
class Item:
    """A resource, or a part of one, with a fixed price.

    Attributes:
        stack: Name of the stack.
        name: Name of the item in the price table.
        region: Its region, empty where the price does not depend on it.
        monthly: US dollars a month for all units.
        units: How many of it the resource has, such as an interface endpoint in three zones.
        own_price: Whether the price is that of its region; else it is that of us-east-1.
    """

    stack: str
    name: str
    region: str
    monthly: float
    units: int = 1
    own_price: bool = True


@dataclass(frozen=True)
class Cost:
    """The fixed cost of an estate.

    Attributes:
        items: Everything with a price.
        unpriced: How many resources are billed by the hour and have no price here, by name.
    """

    items: tuple[Item, ...]
    unpriced: dict[str, int]

    @property
    def total(self) -> float:
        """US dollars a month."""
        return sum(item.monthly for item in self.items)


def cost_of(estate: Estate) -> Cost:
    """Return the fixed monthly cost of the stacks of an estate."""
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
        return Item(stack, name, region, number * price * HOURS, number, own)

    def by_month(name: str, number: int = 1) -> Item:
        return Item(stack, name, "", number * MONTHLY[name], number)

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
        yield Item(instance.stack.name, f"Aurora instance {class_}", region, price * HOURS, own_price=region == HOME)


def _length(block: Block, at: str) -> int:
    found = block.items(at)
    return 1 if isinstance(found, Unknown) else len(found)
