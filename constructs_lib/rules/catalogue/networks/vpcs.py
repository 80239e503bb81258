"""VPCs, subnets, flow logs and default security groups."""

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
    "VPC default security group has no rules",
    why="Resources without a security group get the default one, which allows all traffic between its members.",
    fix="Add aws_default_security_group with the vpc_id, without ingress and egress.",
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
def default_group_has_no_rules(vpc: Block) -> Iterator[Outcome]:
    """Find the aws_default_security_group of the VPC and its rules."""
    groups = vpc.referrers_at("vpc_id", "aws_default_security_group")
    if not groups:
        yield vpc.fail("must have an aws_default_security_group without rules; add one with its vpc_id")
    for group in groups:
        for opening in (*openings(group, "ingress"), *openings(group, "egress")):
            if isinstance(opening.section.body, Unknown):
                yield opening.section.undecided(opening.section.body)
            else:
                yield opening.section.fail("must be removed: the default security group must have no rules")


@rule(
    "NET-010",
    "VPC has flow logs enabled",
    why="Without flow logs, the network traffic of an incident cannot be investigated.",
    fix='Add aws_flow_log with vpc_id and traffic_type = "ALL".',
    page=f"{VPC}/flow-logs.html",
    types=["aws_vpc"],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("EC2.6",), cis=("3.7",), pci=("10.2.1",), checkov=("CKV2_AWS_11",)),
    good=_GOOD,
    breaks=[
        {f"{_FLOW_LOG}.next": REMOVED},
        {f"{_FLOW_LOG}.main.vpc_id": "${aws_vpc.next.id}"},
    ],
    unknown_passes="a flow log of an unknown VPC is not a flow log of this one",
)
def vpc_has_flow_logs(vpc: Block) -> Iterator[Outcome]:
    """Find a flow log of the VPC, or of each of its subnets."""
    if vpc.referrers_at("vpc_id", "aws_flow_log"):
        return
    subnets = networks(vpc.estate).subnets.get(("", vpc), [])
    if not subnets or not all(subnet.referrers_at("subnet_id", "aws_flow_log") for subnet in subnets):
        yield vpc.fail("must have flow logs; add aws_flow_log with its vpc_id")


_MINUTE: Final = 60


@rule(
    "NET-011",
    "Flow log has a valid aggregation interval",
    why="AWS rejects every interval but 60 and 600 seconds at apply, and for transit gateways every one but 60.",
    fix="Set max_aggregation_interval to 60 or 600, and to 60 for a transit gateway.",
    page=f"{AWS}/AWSEC2/latest/APIReference/API_CreateFlowLogs.html",
    types=["aws_flow_log"],
    good=_GOOD,
    breaks=[
        {f"{_FLOW_LOG}.main.max_aggregation_interval": 300},
        {f"{_FLOW_LOG}.main.max_aggregation_interval": "0"},
        {f"{_FLOW_LOG}.next.vpc_id": REMOVED, f"{_FLOW_LOG}.next.transit_gateway_id": "tgw-1"},
    ],
    unknown_passes="the ID of a transit gateway is set, whatever its value",
)
def flow_log_interval_is_allowed(log: Block) -> Iterator[Outcome]:
    """Compare with the intervals that AWS allows; the default is 600."""
    transit = any(log.get(name) for name in ("transit_gateway_id", "transit_gateway_attachment_id"))
    yield from expect_number(
        log,
        "max_aggregation_interval",
        lambda value: (600 if value is None else value) in ((_MINUTE,) if transit else (_MINUTE, 600)),
        "must be 60 seconds for a transit gateway" if transit else "must be 60 or 600 seconds",
    )


@rule(
    "NET-012",
    "Subnet does not assign public IPv4 addresses",
    why="By default every EC2 instance launched in the subnet gets an address that is reachable from the internet.",
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
def subnet_assigns_no_public_addresses(subnet: Block) -> Iterator[Outcome]:
    """Check the flag, which is false by default."""
    yield from expect_flag(
        subnet,
        "map_public_ip_on_launch",
        "must be false; load balancers and NAT gateways do not need it",
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
    "Subnet CIDR block is within the VPC CIDR block, between /16 and /28",
    why="AWS rejects the subnet at apply, after other resources of the stack are created.",
    fix="Derive cidr_block from that of the VPC, for example with cidrsubnet().",
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
    """Compare with every IPv4 CIDR block of the VPC; an IPv6-only subnet has none."""
    value = subnet.get("cidr_block")
    if value is None:
        yield NotApplicable("its CIDR block comes from an IPAM pool, or it is IPv6-only")
        return
    if isinstance(value, Unknown):
        yield subnet.undecided(value, "cidr_block")
        return
    found = network(str(value))
    if found is None:
        yield subnet.fail("must be a CIDR block, such as 10.0.1.0/24", "cidr_block")
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
        yield subnet.fail(f"must be within {', '.join(map(str, outer))} of {vpc.address}", "cidr_block")


@rule(
    "NET-014",
    "Subnets of a VPC have no overlapping CIDR blocks",
    why="AWS rejects the second subnet at apply.",
    fix="Derive the CIDR blocks of all subnets from one address plan, for example with cidrsubnets().",
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
        yield subnet.fail(
            f"must not overlap {other.get('cidr_block')} of {other.address}, which is in the same VPC", "cidr_block"
        )


@rule(
    "NET-022",
    "VPC of an interface endpoint with private DNS has DNS hostnames and DNS support enabled",
    why="AWS rejects the endpoint at apply; DNS hostnames are disabled by default.",
    fix="Set enable_dns_hostnames and enable_dns_support of the VPC to true.",
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
    """Check both flags of the VPC: hostnames are disabled by default, support is enabled."""
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
    "VPC CIDR block is between /16 and /28",
    why="AWS rejects the VPC at apply.",
    fix="Set cidr_block to a /16, and derive the subnets from it.",
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
    """Check the primary or a secondary CIDR block; IPAM pools have their own limits."""
    value = vpc.get("cidr_block")
    if isinstance(value, Unknown):
        yield vpc.undecided(value, "cidr_block")
    elif value is not None:
        found = network(str(value)) if "/" in str(value) else None
        text = _size(found) if found is not None else "must be a CIDR block, such as 10.0.0.0/16"
        if text is not None:
            yield vpc.fail(text, "cidr_block")


_PRIVATE: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15")
)


@rule(
    "NET-025",
    "VPC CIDR block is private",
    why="The local route takes precedence: the owners of a public CIDR block cannot be reached from the VPC.",
    fix="Choose a CIDR block within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.",
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
    """Compare with the private and shared address ranges."""
    value = vpc.get("cidr_block")
    if isinstance(value, Unknown):
        yield vpc.undecided(value, "cidr_block")
        return
    found = network(str(value))
    if isinstance(found, ipaddress.IPv4Network) and not any(found.subnet_of(each) for each in _PRIVATE):
        yield vpc.fail("must be within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16", "cidr_block")
