"""NAT and internet gateways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.rules.catalogue.networks.routes import PUBLIC_AND_PRIVATE
from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import PROVIDER
from constructs_lib.rules.queries.networks import VPC, Networks, Route, may_be_absent, networks, other_end
from constructs_lib.rules.rule import REMOVED, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome


def _zone(subnet: Block) -> str | None:
    zone = subnet.get("availability_zone") or subnet.get("availability_zone_id")
    return zone if isinstance(zone, str) else zone.text if isinstance(zone, Computed) else None


def _is_public(gateway: Block) -> bool:
    return bool(gateway.get("connectivity_type") != "private")


def _is_regional(gateway: Block) -> bool:
    return bool(gateway.get("availability_mode") == "regional")


def _gateways(vpc: Block, nets: Networks) -> list[tuple[Block, Block]]:
    """Return the NAT gateways of a VPC with their subnets."""
    return [
        (gateway, subnet)
        for subnet in nets.subnets.get(("", vpc), [])
        for gateway in subnet.referrers("aws_nat_gateway")
        if other_end(gateway, "subnet_id", "aws_subnet") is subnet and _is_public(gateway)
    ]


def _uses(vpc: Block, nets: Networks) -> Iterator[tuple[Block, Block]]:
    """Yield each subnet of a VPC with the NAT gateway that its routes use."""
    for subnet in nets.subnets.get(("", vpc), []):
        routes = nets.routes_of(subnet)
        for route in [] if isinstance(routes, Unknown) else routes:
            gateway = other_end(route.section, "nat_gateway_id", "aws_nat_gateway")
            if gateway is not None and _is_public(gateway):
                yield subnet, gateway


@rule(
    "NET-016",
    "VPC has a NAT gateway per Availability Zone in production and at most one in dev",
    why="With one NAT gateway for all Availability Zones, an outage of its zone cuts off the others; in dev each "
    "further gateway only adds cost.",
    fix="In production create a NAT gateway and a private route table in each Availability Zone; in dev share one NAT "
    "gateway, or use none.",
    page=f"{VPC}/nat-gateway-basics.html",
    types=["aws_vpc"],
    severity=Severity("warning", "info", "error"),
    lessons=["PLAT-5"],
    good=PUBLIC_AND_PRIVATE,
    breaks=[
        {
            "resource.aws_nat_gateway.b": REMOVED,
            "resource.aws_eip.b": REMOVED,
            "resource.aws_route.private_b.nat_gateway_id": "${aws_nat_gateway.a.id}",
        },
        {
            "resource.aws_nat_gateway.b": REMOVED,
            "resource.aws_eip.b": REMOVED,
            "resource.aws_route.private_b": REMOVED,
            "resource.aws_route_table_association.private_b.route_table_id": "${aws_route_table.private_a.id}",
        },
    ],
    unknown_passes="an unknown NAT gateway or route table may be of the subnet's own zone",
)
def gateways_fit_the_environment(vpc: Block) -> Iterator[Outcome]:
    """Count the gateways in dev and the zones without one in production; staging may do either."""
    nets = networks(vpc.estate)
    gateways = [(gateway, subnet) for gateway, subnet in _gateways(vpc, nets) if not may_be_absent(gateway)]
    if vpc.environment == "dev" and len(gateways) > 1:
        listed = ", ".join(gateway.address for gateway, _ in gateways)
        yield vpc.fail(
            f"must have at most one NAT gateway in dev; it has {len(gateways)} ({listed}): share one between the zones"
        )
    if vpc.environment != "prod" or any(_is_regional(gateway) for gateway, _ in gateways):
        return
    served = {_zone(subnet) for _, subnet in gateways}
    without: dict[str, str] = {}
    for subnet, gateway in _uses(vpc, nets):
        zone = _zone(subnet)
        if zone is not None and None not in served and zone not in served and not _is_regional(gateway):
            without[zone] = gateway.address
    if without:
        listed = ", ".join(f"{zone} uses {gateway} in another zone" for zone, gateway in sorted(without.items()))
        yield vpc.fail(f"must have a NAT gateway in each Availability Zone in production: {listed}")


@rule(
    "NET-017",
    "Public NAT gateway is in a public subnet",
    why="AWS creates the NAT gateway, but it cannot reach the internet.",
    fix="Set subnet_id to a public subnet: one whose route table routes 0.0.0.0/0 to an internet gateway.",
    page=f"{VPC}/nat-gateway-basics.html",
    types=["aws_nat_gateway"],
    good=PUBLIC_AND_PRIVATE,
    breaks=[
        {"resource.aws_nat_gateway.a.subnet_id": "${aws_subnet.private_a.id}"},
        {"resource.aws_route.public": REMOVED},
        {"resource.aws_route_table_association.public_a": REMOVED},
    ],
)
def nat_gateway_is_in_a_public_subnet(gateway: Block) -> Iterator[Outcome]:
    """Find an internet gateway in the route table of the subnet."""
    value = gateway.get("subnet_id")
    subnet = other_end(gateway, "subnet_id", "aws_subnet")
    if not _is_public(gateway):
        yield NotApplicable("it is a private NAT gateway")
        return
    if subnet is None:
        if isinstance(value, Unknown):
            yield gateway.undecided(value, "subnet_id")
        return
    nets = networks(gateway.estate)
    routes = nets.routes_of(subnet)
    if isinstance(routes, Unknown):
        yield gateway.undecided(routes, "subnet_id")
        return
    found = [_to_internet_gateway(route) for route in routes]
    unknown = next((each for each in found if isinstance(each, Unknown)), None)
    if True in found:
        return
    if unknown is not None:
        yield gateway.undecided(unknown, "subnet_id")
    elif nets.routes.get(None):
        yield gateway.undecided(Unknown("the route table of a route is known only from a plan"), "subnet_id")
    else:
        yield gateway.fail(
            f"must be a public subnet: the route table of {subnet.address} has no route to an internet gateway",
            "subnet_id",
        )


def _to_internet_gateway(route: Route) -> bool | Unknown:
    found = route.public_gateway("gateway_id")
    return found if isinstance(found, Unknown) else found is not None


@rule(
    "NET-018",
    "Elastic IP address and NAT gateway depend on the internet gateway",
    why="AWS rejects both at apply while the VPC has no internet gateway, and without depends_on Terraform creates "
    "them in parallel.",
    fix="Add the internet gateway, or its attachment, to depends_on.",
    page=f"{PROVIDER}/resources/nat_gateway",
    types=["aws_nat_gateway", "aws_eip", "aws_eip_association"],
    good=PUBLIC_AND_PRIVATE
    | {
        "resource": PUBLIC_AND_PRIVATE["resource"]
        | {
            "aws_instance": {"web": {"subnet_id": "${aws_subnet.public_a.id}"}},
            "aws_eip": PUBLIC_AND_PRIVATE["resource"]["aws_eip"]
            | {"web": {"instance": "${aws_instance.web.id}", "depends_on": ["aws_internet_gateway.main"]}},
        }
    },
    breaks=[
        {"resource.aws_eip.web.depends_on": REMOVED},
        {"resource.aws_nat_gateway.a.depends_on": REMOVED},
        {"resource.aws_nat_gateway.b.depends_on": ["aws_vpc.main"]},
    ],
    unknown_passes="depends_on contains addresses, not values",
)
def depends_on_the_internet_gateway(block: Block) -> Iterator[Outcome]:
    """Find the internet gateway of the VPC among the direct and indirect dependencies."""
    if block.type == "aws_nat_gateway":
        subnet = other_end(block, "subnet_id", "aws_subnet") if _is_public(block) else None
    else:
        at = "instance" if block.type == "aws_eip" else "instance_id"
        instance = other_end(block, at, "aws_instance")
        subnet = other_end(instance, "subnet_id", "aws_subnet") if instance is not None else None
    vpc = other_end(subnet, "vpc_id", "aws_vpc") if subnet is not None else None
    if vpc is None:
        return
    needed = _dependencies(block)
    gateways = [gateway for gateway in _internet_gateways(vpc) if gateway.stack is block.stack]
    if gateways and not any(gateway.base in needed for gateway in gateways):
        if any(name.startswith("module.") for name in needed):
            return
        yield block.fail(
            f'must contain "{gateways[0].base}": AWS rejects the resource while {vpc.address} has no internet gateway',
            "depends_on",
        )


def _internet_gateways(vpc: Block) -> list[Block]:
    """Return the internet gateways of a VPC, and the attachments of internet gateways."""
    attached = vpc.referrers_at("vpc_id", "aws_internet_gateway_attachment")
    return [*attached, *vpc.referrers_at("vpc_id", "aws_internet_gateway")]


def _dependencies(block: Block) -> set[str]:
    """Return the addresses of all direct and indirect dependencies of a block."""
    found: set[str] = set()
    waiting = [block.base]
    while waiting:
        for each in block.stack.all(waiting.pop()):
            named = each.raw("depends_on")
            names = {str(name).strip("${}") for name in (named if isinstance(named, list) else [named]) if name}
            names |= {reference.block for _, reference in each.edges}
            waiting += names - found
            found |= names
    return found


@rule(
    "NET-027",
    "Private subnet uses the NAT gateway of its own Availability Zone",
    why="Cross-zone traffic costs extra, and the subnet loses internet access when the other zone fails.",
    fix="Route the private subnets of each Availability Zone to the NAT gateway of the same zone.",
    page=f"{VPC}/nat-gateway-basics.html",
    types=["aws_vpc"],
    severity=Severity("info", "info", "warning"),
    lessons=["PLAT-5"],
    good=PUBLIC_AND_PRIVATE,
    breaks=[
        {"resource.aws_route.private_b.nat_gateway_id": "${aws_nat_gateway.a.id}"},
        {"resource.aws_route_table_association.private_b.route_table_id": "${aws_route_table.private_a.id}"},
    ],
    unknown_passes="an unknown NAT gateway or route table may be of the subnet's own zone",
)
def zones_use_their_own_gateway(vpc: Block) -> Iterator[Outcome]:
    """Compare the zone of each subnet with that of its NAT gateway, if its own zone has one."""
    nets = networks(vpc.estate)
    home = {gateway: _zone(subnet) for gateway, subnet in _gateways(vpc, nets)}
    own = {zone: gateway for gateway, zone in home.items()}
    for subnet, gateway in _uses(vpc, nets):
        zone = _zone(subnet)
        if (
            zone is not None
            and zone in own
            and gateway in home
            and home[gateway] not in (zone, None)
            and not _is_regional(gateway)
        ):
            yield subnet.fail(
                f"must use the NAT gateway of {zone}; it uses {gateway.address} in {home[gateway]}: route it to "
                f"{own[zone].address}",
                "availability_zone",
            )
