"""Networks: CIDR ranges, route tables, and the blocks that values refer to."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.queries.documents import is_plan

if TYPE_CHECKING:
    from constructs_lib.rules.estate.model import Block, Estate, Section, Stack

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

VPC: Final = "https://docs.aws.amazon.com/vpc/latest/userguide"

_WIDEST: Final = {4: 1, 6: 3}
"""Prefix lengths, by version of IP, up to which a range counts as everywhere: half of IPv4, all public IPv6."""

PUBLIC_GATEWAYS: Final = {
    "gateway_id": ("aws_internet_gateway", "igw-"),
    "nat_gateway_id": ("aws_nat_gateway", "nat-"),
    "egress_only_gateway_id": ("aws_egress_only_internet_gateway", "eigw-"),
}
"""Attributes of a route that lead to the internet: the type of the other end, and how its ids begin."""


DESTINATIONS: Final = (
    "destination_cidr_block",
    "cidr_block",
    "destination_ipv6_cidr_block",
    "ipv6_cidr_block",
    "destination_prefix_list_id",
)
"""What a route may be for, in a resource and within a table."""


def other_end(section: Section, path: str, *types: str) -> Block | None:
    """Return the block that a value refers to; None if it is not in the estate or only a plan shows it."""
    return end_of(section, path, section.get(path), *types)


def end_of(section: Section, path: str, value: object, *types: str) -> Block | None:
    """Return the one block that a value which is resolved already means, as `other_end` does."""
    if isinstance(value, Computed):
        return value.block if value.block is not None and (not types or value.block.type in types) else None
    if isinstance(value, Unknown) and not (types and is_plan(section.block.stack)):
        return None
    # A plan lists all that a module hands on in one object: what is meant is the one of the right type.
    found = section.targets(path, *types)
    return found[0] if len(found) == 1 else None


def other_ends(section: Section, path: str, *types: str) -> list[Block]:
    """Return the blocks that a list means; all that it names where only a plan can tell and nothing is chosen."""
    values = section.items(path)
    parts = [values] if isinstance(values, Unknown) else values
    if any(isinstance(part, Unknown) and not isinstance(part, Computed) for part in parts):
        choosing = any("?" in text for text in _texts(section.raw(path)))
        return [] if choosing else section.targets(path, *types)
    found = [part.block for part in parts if isinstance(part, Computed) and part.block is not None]
    return [block for block in dict.fromkeys(found) if not types or block.type in types]


def _texts(raw: object) -> list[str]:
    return [each for each in (raw if isinstance(raw, list) else [raw]) if isinstance(each, str)]


def may_be_absent(block: Block) -> bool:
    """Whether only a plan can tell if the block is made at all: its count or for_each is not known."""
    return block.key is None and (block.raw("count") is not None or block.raw("for_each") is not None)


@cache
def network(text: str) -> Network | None:
    """Return the network that a text in CIDR notation is, or None."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def is_everywhere(text: object) -> bool:
    """Whether a range is the whole internet, or so much of it that it was meant to be."""
    found = network(text) if isinstance(text, str) and "/" in text else None
    return found is not None and found.prefixlen <= _WIDEST[found.version]


def overlap(one: list[Network], other: list[Network]) -> tuple[Network, Network] | None:
    """Return the first two networks of two lists that share addresses, or None."""
    pairs = ((left, right) for left in one for right in other)
    return next((pair for pair in pairs if pair[0].version == pair[1].version and pair[0].overlaps(pair[1])), None)


def ranges(vpc: Block) -> list[Network] | Unknown:
    """Return the IPv4 ranges of a VPC, the secondary ones as well."""
    found: list[Network] = []
    further = vpc.referrers_at("vpc_id", "aws_vpc_ipv4_cidr_block_association")
    for block in (vpc, *further):
        value = block.get("cidr_block")
        if value is None:
            return Unknown(f"the range of {block.address} is taken from a pool")
        if isinstance(value, Unknown):
            return value
        parsed = network(str(value))
        if parsed is None:
            return Unknown(f"{value} is not a range")
        found.append(parsed)
    return found


@dataclass(frozen=True)
class Route:
    """One route, written as a resource or within its table."""

    section: Section

    @property
    def address(self) -> str:
        """The address of the block that it stands in."""
        return self.section.block.address

    @property
    def destination(self) -> object:
        """The range or prefix list that it is for."""
        section = self.section
        return next((value for name in DESTINATIONS if (value := section.get(name)) not in (None, "")), None)

    def public_gateway(self, *names: str) -> str | Unknown | None:
        """Return the address or id of the gateway to the internet that it leads to; None when it leads elsewhere."""
        for name in names or PUBLIC_GATEWAYS:
            type_, start = PUBLIC_GATEWAYS[name]
            gateway = other_end(self.section, name, type_, f"data.{type_}")
            if gateway is not None:
                private = gateway.type == "aws_nat_gateway" and gateway.get("connectivity_type") == "private"
                return None if private else gateway.address
            value = self.section.get(name)
            if isinstance(value, Unknown) and not isinstance(value, Computed):
                return value
            if isinstance(value, str) and value.startswith(start):
                return value
        return None


class Networks:
    """Route tables of an estate: the routes in each, and which subnet uses which."""

    TABLES: Final = ("aws_route_table", "aws_default_route_table")

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    @cached_property
    def main(self) -> dict[Block, Block]:
        """The main route table of each VPC that has one in the estate."""
        found: dict[Block, Block] = {}
        for table in self._estate.of("aws_default_route_table"):
            vpc = other_end(table, "default_route_table_id", "aws_vpc", "aws_default_vpc")
            if vpc is not None:
                found[vpc] = table
        for link in self._estate.of("aws_main_route_table_association"):
            vpc = other_end(link, "vpc_id", "aws_vpc", "aws_default_vpc")
            chosen = other_end(link, "route_table_id", *self.TABLES)
            if vpc is not None and chosen is not None:
                found[vpc] = chosen
        return found

    @cached_property
    def routes(self) -> dict[Block | None, list[Route]]:
        """Routes by table; a VPC stands for a main table that is no block, None for a table only a plan can tell."""
        found: dict[Block | None, list[Route]] = defaultdict(list)
        for table in self._estate.of(*self.TABLES):
            found[table].extend(Route(section) for section in table.sections("route"))
        for route in self._estate.of("aws_route"):
            found[self.table_named(route, "route_table_id")].append(Route(route))
        return found

    def table_named(self, section: Section, path: str) -> Block | None:
        """Return the table that a value means."""
        table = other_end(section, path, *self.TABLES) or other_end(section, path, "aws_vpc", "aws_default_vpc")
        return table if table is None else self.main.get(table, table)

    @cached_property
    def _of_subnet(self) -> dict[Block | None, Block | None]:
        links = self._estate.of("aws_route_table_association")
        return {
            other_end(link, "subnet_id", "aws_subnet"): self.table_named(link, "route_table_id")
            for link in links
            if link.get("gateway_id") is None
        }

    def table_of(self, subnet: Block) -> Block | Unknown:
        """Return the table that a subnet uses: its own, else the main one, for which a VPC without one stands."""
        if subnet in self._of_subnet:
            return self._of_subnet[subnet] or Unknown(f"the route table of {subnet.address} is not in these stacks")
        if None in self._of_subnet:
            return Unknown("a route table association names a subnet that only a plan can tell")
        vpc = other_end(subnet, "vpc_id", "aws_vpc", "aws_default_vpc")
        if vpc is None:
            return Unknown(f"the VPC of {subnet.address} is not in these stacks")
        return self.main.get(vpc, vpc)

    def routes_of(self, subnet: Block) -> list[Route] | Unknown:
        """Return the routes that a subnet uses."""
        table = self.table_of(subnet)
        return table if isinstance(table, Unknown) else self.routes.get(table, [])

    def vpc_of_table(self, table: Block) -> Block | None:
        """Return the VPC of a table."""
        if table.type == "aws_default_route_table":
            return other_end(table, "default_route_table_id", "aws_vpc", "aws_default_vpc")
        return other_end(table, "vpc_id", "aws_vpc", "data.aws_vpc") if table.type == "aws_route_table" else table

    @cached_property
    def subnets(self) -> dict[tuple[str, object], list[Block]]:
        """Subnets by VPC: by the block that their `vpc_id` means, else by its text within the stack."""
        found: dict[tuple[str, object], list[Block]] = defaultdict(list)
        for subnet in self._estate.of("aws_subnet"):
            vpc = other_end(subnet, "vpc_id", "aws_vpc", "aws_default_vpc", "data.aws_vpc")
            text = subnet.raw("vpc_id") if vpc is None else None
            if vpc is not None:
                found["", vpc].append(subnet)
            elif isinstance(text, str) and "each." not in text and "count." not in text:
                found[subnet.stack.name, text].append(subnet)
        return found

    @cached_property
    def overlapping(self) -> dict[Block, Block]:
        """Subnets that share addresses with an earlier one of their VPC, which they lead to."""
        found: dict[Block, Block] = {}
        for subnets in self.subnets.values():
            order = {subnet: position for position, subnet in enumerate(subnets)}
            parsed = [
                (network(value), subnet) for subnet in subnets if isinstance(value := subnet.get("cidr_block"), str)
            ]
            widest: tuple[ipaddress.IPv4Network, Block] | None = None
            known = [
                (each, subnet)
                for each, subnet in parsed
                if isinstance(each, ipaddress.IPv4Network) and not may_be_absent(subnet)
            ]
            for each, subnet in sorted(known, key=lambda pair: (pair[0].network_address, pair[0].prefixlen)):
                if widest is not None and widest[0].overlaps(each):
                    earlier, later = sorted((widest[1], subnet), key=order.__getitem__)
                    found[later] = earlier
                if widest is None or each.broadcast_address > widest[0].broadcast_address:
                    widest = each, subnet
        return found


@lru_cache(maxsize=8)
def exported(stack: Stack) -> frozenset[str]:
    """Return the addresses, without instance key, of the blocks that a stack's outputs speak of."""
    outputs = (block for block in stack.blocks if block.type == "output")
    return frozenset(target.base for output in outputs for target, _ in stack.follow(output.body.get("value")))


@lru_cache(maxsize=2)
def networks(estate: Estate) -> Networks:
    """Return the networks of an estate, which are gathered once."""
    return Networks(estate)
