"""VPC peering connections, and overlapping CIDR blocks of connected VPCs."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, PROVIDER
from constructs_lib.rules.queries.networks import Route, network, networks, other_end, overlap, ranges
from constructs_lib.rules.rule import REMOVED, WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_PEERING = f"{AWS}/vpc/latest/peering"
_VPCS: Final = ("aws_vpc", "data.aws_vpc", "aws_default_vpc")

_GOOD: Final[dict[str, Any]] = {
    "provider": {"aws": [{"region": "us-east-1", "alias": "us"}, {"region": "eu-west-1", "alias": "eu"}]},
    "resource": {
        "aws_vpc": {
            "us": {"provider": "aws.us", "cidr_block": "10.0.0.0/16"},
            "eu": {"provider": "aws.eu", "cidr_block": "10.1.0.0/16"},
        },
        "aws_vpc_peering_connection": {
            "us_eu": {
                "provider": "aws.us",
                "vpc_id": "${aws_vpc.us.id}",
                "peer_vpc_id": "${aws_vpc.eu.id}",
                "peer_region": "eu-west-1",
            }
        },
        "aws_vpc_peering_connection_accepter": {
            "us_eu": {
                "provider": "aws.eu",
                "vpc_peering_connection_id": "${aws_vpc_peering_connection.us_eu.id}",
                "auto_accept": True,
            }
        },
        "aws_route_table": {
            "us": {
                "provider": "aws.us",
                "vpc_id": "${aws_vpc.us.id}",
                "route": [
                    {
                        "cidr_block": "10.1.0.0/16",
                        "vpc_peering_connection_id": "${aws_vpc_peering_connection.us_eu.id}",
                    }
                ],
            },
            "eu": {"provider": "aws.eu", "vpc_id": "${aws_vpc.eu.id}"},
        },
        "aws_route": {
            "eu": {
                "provider": "aws.eu",
                "route_table_id": "${aws_route_table.eu.id}",
                "destination_cidr_block": "10.0.0.0/16",
                "vpc_peering_connection_id": "${aws_vpc_peering_connection_accepter.us_eu.id}",
            }
        },
    },
}
_CONNECTION = "resource.aws_vpc_peering_connection.us_eu"
_ACCEPTER = "resource.aws_vpc_peering_connection_accepter.us_eu"


def _sides(peering: Block) -> tuple[Block, Block] | None:
    """Return the requester and the accepter VPC; None if one of them is not in the estate."""
    own, peer = other_end(peering, "vpc_id", *_VPCS), other_end(peering, "peer_vpc_id", *_VPCS)
    return None if own is None or peer is None else (own, peer)


@rule(
    "NET-003",
    "Cross-region VPC peering connection has the region of the accepter VPC",
    why="Without peer_region AWS looks for the accepter VPC in the region of the requester, and fails at apply.",
    fix="Set peer_region to the region of the accepter VPC.",
    page=f"{PROVIDER}/resources/vpc_peering_connection",
    types=["aws_vpc_peering_connection"],
    lessons=["PAY-5"],
    good=_GOOD,
    breaks=[
        {f"{_CONNECTION}.peer_region": REMOVED},
        {f"{_CONNECTION}.peer_region": "us-east-1"},
        {f"{_CONNECTION}.peer_region": REMOVED, "provider.aws.1.region": "eu-central-1"},
    ],
)
def peering_has_the_region(peering: Block) -> Iterator[Outcome]:
    """Compare the region of the accepter VPC with peer_region, which defaults to the region of the requester."""
    sides = _sides(peering)
    if sides is None:
        yield NotApplicable("one of the VPCs is not in these stacks")
        return
    named = peering.get("peer_region")
    for region in (sides[0].region, sides[1].region, named):
        if isinstance(region, Unknown):
            yield peering.undecided(region, "peer_region")
            return
    if (named or sides[0].region) != sides[1].region:
        yield peering.fail(f"must be {sides[1].region!r}, the region of {sides[1].address}", "peer_region")


def _accepters(peering: Block) -> list[Block]:
    return peering.referrers("aws_vpc_peering_connection_accepter")


@rule(
    "NET-004",
    "VPC peering connection is accepted",
    why="A connection that is not accepted stays in pending-acceptance, carries no traffic and expires after 7 days.",
    fix="Add aws_vpc_peering_connection_accepter with auto_accept = true and the provider of the accepter VPC; "
    "within one region and account, set auto_accept on the connection instead.",
    page=f"{_PEERING}/create-vpc-peering-connection.html",
    types=["aws_vpc_peering_connection"],
    lessons=["PAY-5"],
    good=_GOOD,
    breaks=[
        {"resource.aws_vpc_peering_connection_accepter": REMOVED, "resource.aws_route": REMOVED},
        {f"{_ACCEPTER}.provider": "aws.us"},
        {f"{_ACCEPTER}.auto_accept": REMOVED},
        {f"{_ACCEPTER}.auto_accept": "false"},
        {f"{_CONNECTION}.auto_accept": True},
        {
            "resource.aws_vpc.eu.provider": "aws.us",
            f"{_CONNECTION}.peer_region": REMOVED,
            "resource.aws_vpc_peering_connection_accepter": REMOVED,
        },
    ],
)
def peering_is_accepted(peering: Block) -> Iterator[Outcome]:
    """Require an accepter for a cross-region connection, otherwise an accepter or auto_accept."""
    sides = _sides(peering)
    if sides is None:
        yield NotApplicable("one of the VPCs is not in these stacks")
        return
    own, peer = sides
    accepters = _accepters(peering)
    accepted = peering.flag("auto_accept")
    for value in (own.region, peer.region, accepted):
        if isinstance(value, Unknown):
            yield peering.undecided(value, "auto_accept")
            return
    if own.region != peer.region:
        if accepted:
            yield peering.fail(
                f"must be false: {peer.address} is in {peer.region}; add aws_vpc_peering_connection_accepter with a "
                "provider of that region",
                "auto_accept",
            )
        if not accepters:
            yield peering.fail(
                "must have an aws_vpc_peering_connection_accepter; add one with auto_accept = true and the provider "
                f"of {peer.address} ({peer.region})"
            )
    elif not accepted and not accepters and own.provider is peer.provider:
        yield peering.fail(
            f"must be true: {own.address} and {peer.address} are in one region and account, and there is no accepter",
            "auto_accept",
        )
    for accepter in accepters:
        yield from _accepts(accepter, peer)


def _accepts(accepter: Block, peer: Block) -> Iterator[Outcome]:
    accepted = accepter.flag("auto_accept")
    if isinstance(accepted, Unknown):
        yield accepter.undecided(accepted, "auto_accept")
    elif not accepted:
        yield accepter.fail("must be true, or the connection must be accepted manually", "auto_accept")
    if isinstance(accepter.region, Unknown):
        yield accepter.undecided(accepter.region, "provider")
    elif accepter.region != peer.region:
        yield accepter.fail(
            f"must be the provider of {peer.address}: a connection is accepted in the region of the accepter VPC, "
            f"{peer.region}",
            "provider",
        )


@rule(
    "NET-005",
    "Both VPCs of a peering connection have a route to each other",
    why="Without a route back, responses are dropped and connections time out.",
    fix="In the route tables of each VPC, add a route with the CIDR block of the other VPC and "
    "vpc_peering_connection_id.",
    page=f"{_PEERING}/vpc-peering-routing.html",
    types=["aws_vpc_peering_connection"],
    severity=WARNING,
    lessons=["PAY-5"],
    good=_GOOD,
    breaks=[
        {"resource.aws_route": REMOVED},
        {"resource.aws_route_table.us.route": []},
        {"resource.aws_route": REMOVED, "resource.aws_route_table.us.route": REMOVED},
        {"resource.aws_route.eu.route_table_id": "${aws_route_table.us.id}"},
        {"resource.aws_route.eu.destination_cidr_block": "10.9.0.0/16"},
    ],
)
def peering_is_routed_both_ways(peering: Block) -> Iterator[Outcome]:
    """Find routes that target the connection, or its accepter, in the route tables of each VPC."""
    sides = _sides(peering)
    if sides is None or sides[0].type != "aws_vpc" or sides[1].type != "aws_vpc":
        yield NotApplicable("one of the VPCs is not in these stacks")
        return
    routes, unknown = _routes(peering)
    for own, other in (sides, sides[::-1]):
        if any(vpc is own and _covers(route, other) for vpc, route in routes):
            continue
        if unknown is not None:
            yield peering.undecided(unknown)
        else:
            yield peering.fail(
                f"must have a route from {own.address} to {other.address}; add one with destination {_shown(other)} to "
                f"a route table of {own.address}"
            )


def _routes(peering: Block) -> tuple[list[tuple[Block, Route]], Unknown | None]:
    """Return the routes that target a connection with the VPC of their table, and why one of them is unknown."""
    nets = networks(peering.estate)
    found: list[tuple[Block, Route]] = []
    unknown = None
    for end in (peering, *_accepters(peering)):
        for block in end.referrers("aws_route", *nets.TABLES):
            sections = [block] if block.type == "aws_route" else block.sections("route")
            table = nets.table_named(block, "route_table_id") if block.type == "aws_route" else block
            vpc = nets.vpc_of_table(table) if table is not None else None
            for section in sections:
                over = other_end(section, "vpc_peering_connection_id")
                if over is None and end in section.targets("vpc_peering_connection_id"):
                    over = end
                if over is not end:
                    continue
                route = Route(section)
                destination = route.destination
                if vpc is None:
                    unknown = Unknown(f"the route table of {block.address} is not in these stacks")
                elif isinstance(destination, Unknown):
                    unknown = destination
                else:
                    found.append((vpc, route))
    return found, unknown


def _covers(route: Route, other: Block) -> bool:
    """Whether the destination overlaps the CIDR blocks of a VPC; True where they cannot be compared."""
    destination = route.destination
    theirs = ranges(other)
    if isinstance(theirs, Unknown) or not isinstance(destination, str) or ":" in destination:
        return True
    parsed = network(destination)
    return parsed is None or overlap([parsed], theirs) is not None


def _shown(vpc: Block) -> str:
    found = ranges(vpc)
    return "its CIDR block" if isinstance(found, Unknown) else ", ".join(map(str, found))


@rule(
    "NET-006",
    "Peered VPCs have no overlapping CIDR blocks",
    why="AWS rejects the connection, and the primary CIDR block of a VPC cannot be changed afterwards.",
    fix="Allocate the CIDR block of every VPC from one address plan.",
    page=f"{_PEERING}/create-vpc-peering-connection.html",
    types=["aws_vpc_peering_connection"],
    lessons=["PAY-5", "TRD-3"],
    good=_GOOD
    | {
        "resource": _GOOD["resource"]
        | {
            "aws_vpc_ipv4_cidr_block_association": {
                "us": {"provider": "aws.us", "vpc_id": "${aws_vpc.us.id}", "cidr_block": "10.2.0.0/20"}
            }
        }
    },
    breaks=[
        {"resource.aws_vpc.eu.cidr_block": "10.0.0.0/16"},
        {"resource.aws_vpc.eu.cidr_block": "10.0.128.0/20"},
        {"resource.aws_vpc_ipv4_cidr_block_association.us.cidr_block": "10.1.16.0/20"},
    ],
)
def peered_ranges_are_apart(peering: Block) -> Iterator[Outcome]:
    """Compare all IPv4 CIDR blocks of both VPCs."""
    sides = _sides(peering)
    if sides is None or any(vpc.type != "aws_vpc" for vpc in sides):
        yield NotApplicable("one of the VPCs is not in these stacks")
        return
    own, other = (ranges(vpc) for vpc in sides)
    for found in (own, other):
        if isinstance(found, Unknown):
            yield peering.undecided(found, "peer_vpc_id")
            return
    common = overlap(own, other)  # type: ignore[arg-type]  # neither is unknown
    if common is not None:
        yield peering.fail(
            f"must not overlap: {common[0]} of {sides[0].address} and {common[1]} of {sides[1].address} do",
            "peer_vpc_id",
        )


@rule(
    "NET-028",
    "VPCs of a transit gateway route table have no overlapping CIDR blocks",
    why="The transit gateway route table has a route to one of them only, and traffic for the other goes there too.",
    fix="Allocate the CIDR block of every VPC from one address plan, or propagate the two to different transit gateway "
    "route tables.",
    page=f"{AWS}/vpc/latest/tgw/how-transit-gateways-work.html",
    types=["aws_ec2_transit_gateway"],
    severity=WARNING,
    lessons=["TRD-3"],
    good={
        "resource": {
            "aws_ec2_transit_gateway": {"hub": {"description": "hub"}},
            "aws_vpc": {"shop": {"cidr_block": "10.0.0.0/16"}, "bank": {"cidr_block": "10.1.0.0/16"}},
            "aws_ec2_transit_gateway_vpc_attachment": {
                name: {
                    "transit_gateway_id": "${aws_ec2_transit_gateway.hub.id}",
                    "vpc_id": f"${{aws_vpc.{name}.id}}",
                    "subnet_ids": ["subnet-1"],
                }
                for name in ("shop", "bank")
            },
        }
    },
    breaks=[
        {"resource.aws_vpc.bank.cidr_block": "10.0.0.0/16"},
        {"resource.aws_vpc.bank.cidr_block": "10.0.64.0/18"},
    ],
)
def joined_ranges_are_apart(gateway: Block) -> Iterator[Outcome]:
    """Compare the VPCs whose routes are propagated to one transit gateway route table."""
    meeting: dict[Block, list[tuple[Block, Block]]] = defaultdict(list)
    for attachment in gateway.referrers_at("transit_gateway_id", "aws_ec2_transit_gateway_vpc_attachment"):
        vpc = other_end(attachment, "vpc_id", "aws_vpc")
        if vpc is not None:
            for table in _propagated(attachment, gateway):
                meeting[table].append((attachment, vpc))
    for attached in meeting.values():
        known = []
        for attachment, vpc in attached:
            found = ranges(vpc)
            if isinstance(found, Unknown):
                yield attachment.undecided(found, "vpc_id")
            else:
                known.append((attachment, vpc, found))
        for position, (attachment, vpc, found) in enumerate(known):
            for _, other, theirs in known[:position]:
                common = overlap(found, theirs)
                if common is not None:
                    yield attachment.fail(
                        f"must not overlap: {common[0]} of {vpc.address} and {common[1]} of {other.address} do, and "
                        f"both are attached to {gateway.address}",
                        "vpc_id",
                    )


def _propagated(attachment: Block, gateway: Block) -> list[Block]:
    """Return the tables that an attachment's routes are propagated to; the gateway for its default table."""
    tables = [
        table
        for link in attachment.referrers_at(
            "transit_gateway_attachment_id", "aws_ec2_transit_gateway_route_table_propagation"
        )
        if (table := other_end(link, "transit_gateway_route_table_id", "aws_ec2_transit_gateway_route_table"))
        is not None
    ]
    default = attachment.flag("transit_gateway_default_route_table_propagation", default=True)
    if default is True and gateway.get("default_route_table_propagation") != "disable":
        tables.append(gateway)
    return tables
