"""VPCs and their subnets: ranges, flow logs, what is closed."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, expect_flag, expect_number
from constructs_lib.rules.queries.networks import VPC, Network, network, networks, other_end, ranges
from constructs_lib.rules.queries.security_groups import openings
from constructs_lib.rules.rule import PRODUCTION, REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_GOOD: Final = {
    "resource": {
        "aws_vpc": {
            "main": {"cidr_block": "10.0.0.0/16", "enable_dns_hostnames": True},
            "next": {"cidr_block": "10.1.0.0/16"},
        },
        "aws_default_security_group": {
            "main": {"vpc_id": "${aws_vpc.main.id}"},
            "next": {"vpc_id": "${aws_vpc.next.id}", "ingress": [], "egress": []},
        },
        "aws_flow_log": {
            "main": {"vpc_id": "${aws_vpc.main.id}", "traffic_type": "ALL", "max_aggregation_interval": 60},
            "next": {"vpc_id": "${aws_vpc.next.id}", "traffic_type": "ALL"},
        },
        "aws_subnet": {
            "a": {"vpc_id": "${aws_vpc.main.id}", "cidr_block": "10.0.1.0/24", "map_public_ip_on_launch": False},
            "b": {"vpc_id": "${aws_vpc.main.id}", "cidr_block": "10.0.2.0/24"},
        },
        "aws_vpc_endpoint": {
            "sqs": {
                "vpc_id": "${aws_vpc.main.id}",
                "vpc_endpoint_type": "Interface",
                "service_name": "com.amazonaws.eu-west-1.sqs",
                "private_dns_enabled": True,
            }
        },
    }
}
_MAIN = "resource.aws_vpc.main"
_DEFAULT_GROUP = "resource.aws_default_security_group"
_FLOW_LOG = "resource.aws_flow_log"
_SUBNET = "resource.aws_subnet.b"


@rule(
    "NET-009",
    "The default security group of each VPC is closed",
    why="What is started without a group gets the default one, which lets its members reach each other on every port.",
    fix="Add aws_default_security_group for the VPC, without ingress and egress.",
    page=f"{VPC}/default-security-group.html",
    types=["aws_vpc"],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("EC2.2",), cis=("5.4",), checkov=("CKV2_AWS_12",)),
    good=_GOOD,
    breaks=[
        {f"{_DEFAULT_GROUP}.main": REMOVED},
        {f"{_DEFAULT_GROUP}.main.ingress": {"protocol": "-1", "from_port": 0, "to_port": 0, "self": True}},
        {
            f"{_DEFAULT_GROUP}.main.egress": [
                {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}
            ]
        },
    ],
)
def default_group_is_closed(vpc: Block) -> Iterator[Outcome]:
    """Look for the VPC's default group and at what it lets in and out."""
    groups = vpc.referrers_at("vpc_id", "aws_default_security_group")
    if not groups:
        yield vpc.fail("its default security group is open; add aws_default_security_group for it, without rules")
    for group in groups:
        for opening in (*openings(group, "ingress"), *openings(group, "egress")):
            if isinstance(opening.section.body, Unknown):
                yield opening.section.undecided(opening.section.body)
            else:
                yield opening.section.fail("the default security group must have no rules; remove this one")


@rule(
    "NET-010",
    "Each VPC has flow logs",
    why="After an incident nobody can say who talked to whom.",
    fix="Add aws_flow_log with vpc_id and traffic_type ALL.",
    page=f"{VPC}/flow-logs.html",
    types=["aws_vpc"],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("EC2.6",), cis=("3.7",), pci=("10.2.1",), checkov=("CKV2_AWS_11",)),
    good=_GOOD,
    breaks=[
        {f"{_FLOW_LOG}.next": REMOVED},
        {f"{_FLOW_LOG}.main.vpc_id": "${aws_vpc.next.id}"},
    ],
    unknown_passes="a flow log of a VPC that is not known does not make the log of this one",
)
def vpc_has_flow_logs(vpc: Block) -> Iterator[Outcome]:
    """Look for a flow log of the VPC, or of each of its subnets."""
    if vpc.referrers_at("vpc_id", "aws_flow_log"):
        return
    subnets = networks(vpc.estate).subnets.get(("", vpc), [])
    if not subnets or not all(subnet.referrers_at("subnet_id", "aws_flow_log") for subnet in subnets):
        yield vpc.fail("has no flow logs; add aws_flow_log with its vpc_id")


_MINUTE: Final = 60


@rule(
    "NET-011",
    "A flow log's interval is 60 or 600 seconds",
    why="AWS refuses every other interval at apply, and 600 for a transit gateway.",
    fix="Set max_aggregation_interval to 60 or 600; to 60 for a transit gateway.",
    page=f"{AWS}/AWSEC2/latest/APIReference/API_CreateFlowLogs.html",
    types=["aws_flow_log"],
    good=_GOOD,
    breaks=[
        {f"{_FLOW_LOG}.main.max_aggregation_interval": 300},
        {f"{_FLOW_LOG}.main.max_aggregation_interval": "0"},
        {f"{_FLOW_LOG}.next.vpc_id": REMOVED, f"{_FLOW_LOG}.next.transit_gateway_id": "tgw-1"},
    ],
    unknown_passes="the id of a transit gateway is set, whatever it is",
)
def flow_log_interval_is_allowed(log: Block) -> Iterator[Outcome]:
    """Compare with what AWS takes; 600 is its default."""
    transit = any(log.get(name) for name in ("transit_gateway_id", "transit_gateway_attachment_id"))
    yield from expect_number(
        log,
        "max_aggregation_interval",
        lambda value: (600 if value is None else value) in ((_MINUTE,) if transit else (_MINUTE, 600)),
        "must be 60 for a transit gateway" if transit else "must be 60 or 600",
    )


@rule(
    "NET-012",
    "Subnets hand out no public addresses",
    why="Every machine started in the subnet can be reached from the internet, unless its starter thinks of it.",
    fix="Set map_public_ip_on_launch to false; load balancers and NAT gateways do not need it.",
    page=f"{VPC}/vpc-ip-addressing.html",
    types=["aws_subnet"],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("EC2.15",), pci=("1.4.4",), checkov=("CKV_AWS_130",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_subnet.a.map_public_ip_on_launch": True},
        {"resource.aws_subnet.b.map_public_ip_on_launch": "true"},
    ],
)
def subnet_hands_out_no_public_address(subnet: Block) -> Iterator[Outcome]:
    """Look at the flag, which AWS leaves off by default."""
    yield from expect_flag(
        subnet,
        "map_public_ip_on_launch",
        "must be false; load balancers and NAT gateways have their addresses without it",
        wanted=False,
    )


_LARGEST: Final = 16
_SMALLEST: Final = 28


def _size(found: Network) -> str | None:
    if found.version == 4 and not _LARGEST <= found.prefixlen <= _SMALLEST:  # noqa: PLR2004  IP's version
        return "must be between /16 and /28"
    return None


@rule(
    "NET-013",
    "A subnet's range lies within its VPC's, between /16 and /28",
    why="AWS refuses the subnet at apply, after everything before it was made.",
    fix="Take the range from the VPC's, for example with cidrsubnet().",
    page=f"{VPC}/subnet-sizing.html",
    types=["aws_subnet"],
    lessons=["TRD-3"],
    good=_GOOD,
    breaks=[
        {f"{_SUBNET}.cidr_block": "10.1.2.0/24"},
        {f"{_SUBNET}.cidr_block": "10.0.2.0/29"},
        {f"{_SUBNET}.cidr_block": "10.0.0.0/8"},
        {f"{_MAIN}.cidr_block": "10.0.0.0/23"},
    ],
)
def subnet_is_within_its_vpc(subnet: Block) -> Iterator[Outcome]:
    """Compare with every range of the VPC; an IPv6-only subnet has none."""
    value = subnet.get("cidr_block")
    if value is None:
        yield NotApplicable("the range is given by a pool, or is IPv6 only")
        return
    if isinstance(value, Unknown):
        yield subnet.undecided(value, "cidr_block")
        return
    found = network(str(value))
    if found is None:
        yield subnet.fail("is not a range in CIDR notation, such as 10.0.1.0/24", "cidr_block")
        return
    size = _size(found)
    if size is not None:
        yield subnet.fail(size, "cidr_block")
        return
    vpc = other_end(subnet, "vpc_id", "aws_vpc")
    if vpc is None:
        return
    outer = ranges(vpc)
    if isinstance(outer, Unknown):
        yield subnet.undecided(outer, "cidr_block")
    elif not any(found.version == each.version and found.subnet_of(each) for each in outer):  # type: ignore[arg-type]
        yield subnet.fail(f"must lie within {', '.join(map(str, outer))} of {vpc.address}", "cidr_block")


@rule(
    "NET-014",
    "Subnets of one VPC have no address in common",
    why="AWS refuses the second subnet at apply.",
    fix="Take all subnets from one address plan.",
    page=f"{VPC}/subnet-sizing.html",
    types=["aws_subnet"],
    lessons=["TRD-3"],
    good=_GOOD,
    breaks=[
        {f"{_SUBNET}.cidr_block": "10.0.1.0/24"},
        {f"{_SUBNET}.cidr_block": "10.0.0.0/22"},
        {f"{_SUBNET}.cidr_block": "10.0.1.128/25"},
    ],
)
def subnets_are_apart(subnet: Block) -> Iterator[Outcome]:
    """Report the later of two subnets that overlap."""
    value = subnet.get("cidr_block")
    if isinstance(value, Unknown):
        yield subnet.undecided(value, "cidr_block")
    other = networks(subnet.estate).overlapping.get(subnet)
    if other is not None:
        yield subnet.fail(f"overlaps {other.get('cidr_block')} of {other.address}, in the same VPC", "cidr_block")


@rule(
    "NET-022",
    "An interface endpoint with private DNS stands in a VPC that resolves names",
    why="AWS refuses the endpoint at apply; a new VPC has DNS hostnames switched off.",
    fix="Set enable_dns_hostnames and enable_dns_support to true on the VPC.",
    page=f"{AWS}/vpc/latest/privatelink/create-interface-endpoint.html",
    types=["aws_vpc_endpoint"],
    good=_GOOD,
    breaks=[
        {f"{_MAIN}.enable_dns_hostnames": REMOVED},
        {f"{_MAIN}.enable_dns_hostnames": "false"},
        {f"{_MAIN}.enable_dns_support": False},
    ],
)
def private_dns_works(endpoint: Block) -> Iterator[Outcome]:
    """Look at the VPC's two switches: hostnames are off by default, support is on."""
    private = endpoint.flag("private_dns_enabled")
    vpc = other_end(endpoint, "vpc_id", "aws_vpc")
    if endpoint.get("vpc_endpoint_type") != "Interface" or private is False or vpc is None:
        return
    if isinstance(private, Unknown):
        yield endpoint.undecided(private, "private_dns_enabled")
        return
    text = f"must be true: {endpoint.address} has private_dns_enabled"
    yield from expect_flag(vpc, "enable_dns_hostnames", text)
    yield from expect_flag(vpc, "enable_dns_support", text, default=True)


@rule(
    "NET-024",
    "A VPC's range is between /16 and /28",
    why="AWS refuses the VPC.",
    fix="Take a /16 for each VPC, and subnets from it.",
    page=f"{VPC}/vpc-cidr-blocks.html",
    types=["aws_vpc", "aws_vpc_ipv4_cidr_block_association"],
    lessons=["TRD-3"],
    good=_GOOD,
    breaks=[
        {f"{_MAIN}.cidr_block": "10.0.0.0/8"},
        {f"{_MAIN}.cidr_block": "10.0.0.0/29"},
        {f"{_MAIN}.cidr_block": "10.0.0.0"},
    ],
)
def vpc_has_an_allowed_size(vpc: Block) -> Iterator[Outcome]:
    """Look at the primary range, or at a secondary one; one from a pool is sized elsewhere."""
    value = vpc.get("cidr_block")
    if isinstance(value, Unknown):
        yield vpc.undecided(value, "cidr_block")
    elif value is not None:
        found = network(str(value)) if "/" in str(value) else None
        text = _size(found) if found is not None else "is not a range in CIDR notation, such as 10.0.0.0/16"
        if text is not None:
            yield vpc.fail(text, "cidr_block")


_PRIVATE: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15")
)


@rule(
    "NET-025",
    "A VPC's range is private",
    why="Addresses that belong to somebody on the internet cannot be reached from the VPC any more.",
    fix="Take the range from 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.",
    page=f"{VPC}/vpc-cidr-blocks.html",
    types=["aws_vpc", "aws_vpc_ipv4_cidr_block_association"],
    severity=WARNING,
    lessons=["TRD-3"],
    good=_GOOD,
    breaks=[
        {f"{_MAIN}.cidr_block": "11.0.0.0/16"},
        {f"{_MAIN}.cidr_block": "172.32.0.0/16"},
    ],
)
def vpc_is_private(vpc: Block) -> Iterator[Outcome]:
    """Compare with the private and shared ranges."""
    value = vpc.get("cidr_block")
    if isinstance(value, Unknown):
        yield vpc.undecided(value, "cidr_block")
        return
    found = network(str(value))
    if isinstance(found, ipaddress.IPv4Network) and not any(found.subnet_of(each) for each in _PRIVATE):
        yield vpc.fail("must lie in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16", "cidr_block")
