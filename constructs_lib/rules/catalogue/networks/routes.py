"""Route tables and routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.queries.common import AWS, PROVIDER
from constructs_lib.rules.queries.networks import (
    VPC,
    Networks,
    Route,
    may_be_absent,
    network,
    networks,
    other_end,
    other_ends,
)
from constructs_lib.rules.rule import PRODUCTION, REMOVED, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Section
    from constructs_lib.rules.outcomes import Outcome

_ZONES: Final = ("eu-west-1a", "eu-west-1b")

PUBLIC_AND_PRIVATE: Final[dict[str, Any]] = {
    "resource": {
        "aws_vpc": {"main": {"cidr_block": "10.0.0.0/16"}},
        "aws_internet_gateway": {"main": {"vpc_id": "${aws_vpc.main.id}"}},
        "aws_subnet": {
            f"{tier}_{zone[-1]}": {
                "vpc_id": "${aws_vpc.main.id}",
                "cidr_block": f"10.0.{number * 10 + _ZONES.index(zone)}.0/24",
                "availability_zone": zone,
            }
            for number, tier in enumerate(("public", "private", "db"))
            for zone in _ZONES
        },
        "aws_route_table": {
            name: {"vpc_id": "${aws_vpc.main.id}"} for name in ("public", "private_a", "private_b", "db")
        },
        "aws_route_table_association": {
            f"{tier}_{letter}": {
                "subnet_id": f"${{aws_subnet.{tier}_{letter}.id}}",
                "route_table_id": f"${{aws_route_table.{tier}_{letter}.id}}"
                if tier == "private"
                else f"${{aws_route_table.{tier}.id}}",
            }
            for tier in ("public", "private", "db")
            for letter in "ab"
        },
        "aws_eip": {letter: {"domain": "vpc"} for letter in "ab"},
        "aws_nat_gateway": {
            letter: {
                "allocation_id": f"${{aws_eip.{letter}.id}}",
                "subnet_id": f"${{aws_subnet.public_{letter}.id}}",
                "depends_on": ["aws_internet_gateway.main"],
            }
            for letter in "ab"
        },
        "aws_route": {
            "public": {
                "route_table_id": "${aws_route_table.public.id}",
                "destination_cidr_block": "0.0.0.0/0",
                "gateway_id": "${aws_internet_gateway.main.id}",
            },
            **{
                f"private_{letter}": {
                    "route_table_id": f"${{aws_route_table.private_{letter}.id}}",
                    "destination_cidr_block": "0.0.0.0/0",
                    "nat_gateway_id": f"${{aws_nat_gateway.{letter}.id}}",
                }
                for letter in "ab"
            },
        },
        "aws_db_subnet_group": {
            "db": {"name": "shop-prod-db", "subnet_ids": ["${aws_subnet.db_a.id}", "${aws_subnet.db_b.id}"]}
        },
    }
}
_INTERNET_ROUTE: Final = {
    "route_table_id": "${aws_route_table.db.id}",
    "destination_cidr_block": "0.0.0.0/0",
    "gateway_id": "${aws_internet_gateway.main.id}",
}
_NAT_ROUTE: Final = {
    "route_table_id": "${aws_route_table.db.id}",
    "destination_cidr_block": "0.0.0.0/0",
    "nat_gateway_id": "${aws_nat_gateway.a.id}",
}


@rule(
    "NET-015",
    "Database subnet has no route to the internet",
    why="With such a route, one wrong security group rule exposes the database, or lets its data leave.",
    fix="Associate the subnets with a route table that has no route to an internet gateway or NAT gateway.",
    page=f"{AWS}/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
    types=[
        "aws_db_subnet_group",
        "aws_docdb_subnet_group",
        "aws_elasticache_subnet_group",
        "aws_memorydb_subnet_group",
        "aws_neptune_subnet_group",
        "aws_redshift_subnet_group",
    ],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("RDS.46",), pci=("1.4.4",)),
    good=PUBLIC_AND_PRIVATE,
    breaks=[
        {"resource.aws_route.db": _INTERNET_ROUTE},
        {"resource.aws_route.db": _NAT_ROUTE},
        {"resource.aws_route_table_association.db_a.route_table_id": "${aws_route_table.public.id}"},
        {
            "resource.aws_route_table.db.route": [
                {"ipv6_cidr_block": "::/0", "egress_only_gateway_id": "eigw-0123456789abcdef0"}
            ]
        },
        {
            "resource.aws_route_table_association.db_b": REMOVED,
            "resource.aws_route.public.route_table_id": "${aws_vpc.main.main_route_table_id}",
        },
    ],
)
def databases_do_not_reach_the_internet(group: Block) -> Iterator[Outcome]:
    """Find internet and NAT gateways in the route table of each subnet."""
    nets = networks(group.estate)
    if any(route.public_gateway() is not None for route in nets.routes.get(None, [])):
        yield group.undecided(
            Unknown("the route table of a route to the internet is known only from a plan"), "subnet_ids"
        )
    for subnet in other_ends(group, "subnet_ids", "aws_subnet"):
        routes = nets.routes_of(subnet)
        if isinstance(routes, Unknown):
            yield group.undecided(routes, "subnet_ids")
            continue
        for route in routes:
            gateway = route.public_gateway()
            if isinstance(gateway, Unknown):
                yield group.undecided(gateway, "subnet_ids")
            elif gateway is not None:
                yield group.fail(
                    f"must not have a route to the internet: {subnet.address} has one in {route.address}, to "
                    f"{gateway}; associate it with another route table",
                    "subnet_ids",
                )


_DESTINATIONS: Final = ("destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id")
_INLINE_DESTINATIONS: Final = ("cidr_block", "ipv6_cidr_block", "destination_prefix_list_id")
_TARGETS: Final = (
    "nat_gateway_id",
    "carrier_gateway_id",
    "core_network_arn",
    "egress_only_gateway_id",
    "gateway_id",
    "local_gateway_id",
    "network_interface_id",
    "odb_network_arn",
    "transit_gateway_id",
    "vpc_endpoint_id",
    "vpc_peering_connection_id",
)


@rule(
    "NET-023",
    "Route has one destination and one target",
    why="AWS rejects every other route at apply; plan does not report it for the inline routes of a route table.",
    fix="Set one destination and one target, and create a route for each further one.",
    page=f"{PROVIDER}/resources/route",
    types=["aws_route", *Networks.TABLES],
    good=PUBLIC_AND_PRIVATE,
    breaks=[
        {"resource.aws_route.private_a.gateway_id": "${aws_internet_gateway.main.id}"},
        {"resource.aws_route.private_a.nat_gateway_id": REMOVED},
        {"resource.aws_route.private_a.destination_ipv6_cidr_block": "::/0"},
        {"resource.aws_route.private_a.destination_cidr_block": REMOVED},
        {"resource.aws_route_table.db.route": {"cidr_block": "10.1.0.0/16", "gateway_id": ""}},
        {
            "resource.aws_route_table.db.route": [
                {"cidr_block": "10.1.0.0/16", "transit_gateway_id": "tgw-1", "gateway_id": "vgw-1"}
            ]
        },
    ],
)
def route_has_one_target(block: Block) -> Iterator[Outcome]:
    """Count destinations and targets; empty strings and null are not set."""
    if block.type == "aws_route":
        yield from _one_of(block, _DESTINATIONS, "destination")
        yield from _one_of(block, _TARGETS, "target")
        return
    for section in block.sections("route"):
        yield from _one_of(section, _INLINE_DESTINATIONS, "destination")
        yield from _one_of(section, _TARGETS, "target")


def _one_of(section: Section, names: tuple[str, ...], what: str) -> Iterator[Outcome]:
    values = {name: value for name in names if (value := section.get(name)) not in (None, "")}
    sure = [name for name, value in values.items() if isinstance(value, Computed) or not isinstance(value, Unknown)]
    unknown = next((values[name] for name in values if name not in sure), None)
    if len(sure) > 1:
        yield section.fail(f"must have one {what}; {' and '.join(sure)} are set")
    elif unknown is not None and len(values) > 1:
        yield section.undecided(unknown)
    elif not values:
        yield section.fail(f"must have one {what}; set one, such as {names[0]}")


_OTHER_TABLE: Final = {"subnet_id": "${aws_subnet.db_a.id}", "route_table_id": "${aws_route_table.public.id}"}


@rule(
    "NET-032",
    "Route table has one route per destination, and subnet has one route table",
    why="AWS rejects the second one at apply; an inline route and a separate one overwrite each other at every apply.",
    fix="Remove one of the two.",
    page=f"{VPC}/WorkWithRouteTables.html",
    types=["aws_route_table", "aws_default_route_table", "aws_subnet"],
    good=PUBLIC_AND_PRIVATE,
    breaks=[
        {"resource.aws_route.public_two": {**_INTERNET_ROUTE, "route_table_id": "${aws_route_table.public.id}"}},
        {"resource.aws_route_table.public.route": [{"cidr_block": "0.0.0.0/0", "gateway_id": "igw-0123456789abcdef0"}]},
        {"resource.aws_route_table_association.db_other": _OTHER_TABLE},
    ],
)
def nothing_is_routed_twice(block: Block) -> Iterator[Outcome]:
    """Compare the destinations of a table and the associations of a subnet, without those that may not be created."""
    if block.type == "aws_subnet":
        links = [
            link
            for link in block.referrers("aws_route_table_association")
            if other_end(link, "subnet_id", "aws_subnet") is block and not may_be_absent(link)
        ]
        for link in links[1:]:
            yield link.fail(
                f"must have one route table association; {block.address} has another in {links[0].address}: remove one",
                "subnet_id",
            )
        return
    nets = networks(block.estate)
    seen: dict[object, Route] = {}
    for route in nets.routes.get(block, []):
        destination = route.destination
        if isinstance(destination, Unknown):
            yield route.section.undecided(destination)
        if isinstance(destination, Unknown | None) or may_be_absent(route.section.block):
            continue
        first = seen.setdefault(network(str(destination)) or str(destination), route)
        if first is not route:
            yield route.section.fail(
                f"must be the only route to {destination} in {block.address}; {first.address} has another: remove one"
            )
