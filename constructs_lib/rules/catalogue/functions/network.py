"""Lambda functions in a VPC: security groups and subnets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.links import FUNCTION, undecidable
from constructs_lib.rules.rule import PRODUCTION, REMOVED, WARNING, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Section
    from constructs_lib.rules.outcomes import Outcome

_PAGE: Final = f"{AWS}/lambda/latest/dg/configuration-vpc.html"
_GROUP: Final = "aws_security_group"
_RULES: Final = {
    "ingress": ("aws_security_group_rule", "aws_vpc_security_group_ingress_rule"),
    "egress": ("aws_security_group_rule", "aws_vpc_security_group_egress_rule"),
}
_NO_USERS: Final = frozenset({_GROUP, *_RULES["ingress"], *_RULES["egress"], FUNCTION, "output"})
_RANGES: Final = ("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6")
_ANYWHERE: Final = ("0.0.0.0/0", "::/0")
_ALL_PORTS: Final = 65535
_HTTPS: Final = 443

_GOOD = {
    "resource": {
        "aws_subnet": {"a": {"availability_zone": "eu-west-1a"}, "b": {"availability_zone": "eu-west-1b"}},
        "aws_security_group": {"worker": {"name": "shop-prod-worker"}, "db": {"name": "shop-prod-db"}},
        "aws_vpc_security_group_egress_rule": {
            "https": {
                "security_group_id": "${aws_security_group.worker.id}",
                "ip_protocol": "tcp",
                "from_port": 443,
                "to_port": 443,
                "cidr_ipv4": "0.0.0.0/0",
            }
        },
        "aws_lambda_function": {
            "worker": {
                "function_name": "shop-prod-worker",
                "vpc_config": {
                    "subnet_ids": ["${aws_subnet.a.id}", "${aws_subnet.b.id}"],
                    "security_group_ids": ["${aws_security_group.worker.id}"],
                },
            }
        },
    }
}


@rule(
    "LAM-024",
    "Lambda function in a VPC has a dedicated security group without inbound rules",
    why="Nothing connects to the network interfaces of a function: inbound rules serve no purpose, and a shared group "
    "grants the function the access of other resources. Lambda rejects a function without a security group.",
    fix="Give the function its own aws_security_group without ingress rules.",
    page=_PAGE,
    types=["aws_lambda_function", "aws_security_group"],
    severity=WARNING,
    lessons=["TICK-7"],
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.vpc_config.security_group_ids": []},
        {"resource.aws_lambda_function.worker.vpc_config": [{"subnet_ids": ["${aws_subnet.a.id}"]}]},
        {
            "resource.aws_security_group.worker.ingress": [
                {"from_port": 443, "to_port": 443, "cidr_blocks": ["10.0.0.0/8"]}
            ]
        },
        {
            "resource.aws_vpc_security_group_ingress_rule": {
                "in": {"security_group_id": "${aws_security_group.worker.id}", "ip_protocol": "-1"}
            }
        },
        {
            "resource.aws_security_group_rule": {
                "in": {"type": "ingress", "security_group_id": "${aws_security_group.worker.id}", "protocol": "-1"}
            }
        },
    ],
)
def group_has_no_inbound_rules(block: Block) -> Iterator[Outcome]:
    """Skip groups that other resources use as well, and rules that only allow the group itself."""
    if block.type == _GROUP:
        if not _is_of_functions_alone(block):
            yield NotApplicable("it is not used by Lambda functions only")
            return
        for found in _rules_of(block, "ingress"):
            if found.at.startswith("dynamic."):
                yield found.undecided(Unknown("the number of rules of a dynamic block is not known"))
            elif found.flag("self") is not True and found.target("referenced_security_group_id") is not block:
                yield found.fail(
                    f"must be removed: {block.address} is the security group of a Lambda function, which accepts no "
                    "connections"
                )
        return
    vpc = block.section("vpc_config")
    if vpc is None or vpc.get("subnet_ids") in (None, []):
        yield NotApplicable("it is not in a VPC")
        return
    groups = vpc.items("security_group_ids")
    if isinstance(groups, Unknown):
        if not isinstance(groups, Computed):
            yield vpc.undecided(groups, "security_group_ids")
    elif not groups:
        yield vpc.fail("must contain a dedicated security group of the function", "security_group_ids")


@rule(
    "LAM-025",
    "Lambda function security group restricts outbound traffic",
    why="Compromised code can send the data that it reads to any destination on any port.",
    fix="Allow egress to the security groups and ports that the function uses, and at most TCP 443 to 0.0.0.0/0.",
    page=_PAGE,
    types=["aws_security_group"],
    severity=Severity("info", "warning", "warning"),
    lessons=["TICK-7"],
    frameworks=Frameworks(checkov=("CKV_AWS_382",)),
    good=_GOOD,
    breaks=[
        {
            "resource.aws_security_group.worker.egress": [
                {"from_port": 0, "to_port": 0, "protocol": "-1", "cidr_blocks": ["0.0.0.0/0"]}
            ]
        },
        {
            "resource.aws_vpc_security_group_egress_rule.https.ip_protocol": "-1",
            "resource.aws_vpc_security_group_egress_rule.https.from_port": REMOVED,
            "resource.aws_vpc_security_group_egress_rule.https.to_port": REMOVED,
        },
        {"resource.aws_vpc_security_group_egress_rule.https.from_port": 0},
        {
            "resource.aws_security_group_rule": {
                "out": {
                    "type": "egress",
                    "security_group_id": "${aws_security_group.worker.id}",
                    "protocol": "tcp",
                    "from_port": "0",
                    "to_port": "65535",
                    "ipv6_cidr_blocks": ["::/0"],
                }
            }
        },
    ],
)
def egress_is_restricted(group: Block) -> Iterator[Outcome]:
    """The provider removes the default egress rule: a group without rules allows no outbound traffic."""
    if not _is_of_functions_alone(group):
        yield NotApplicable("it is not used by Lambda functions only")
        return
    for found in _rules_of(group, "egress"):
        ranges = [(at, found.items(at)) for at in _RANGES if found.raw(at) is not None]
        unknown = next((value for _, value in ranges if isinstance(value, Unknown)), None)
        if not any(_anywhere(value) for _, value in ranges):
            if unknown:
                yield found.undecided(unknown, ranges[0][0])
            continue
        protocol = found.text("ip_protocol" if found.raw("ip_protocol") is not None else "protocol")
        ports = [found.number("from_port"), found.number("to_port")]
        unsure = next((value for value in (protocol, *ports) if isinstance(value, Unknown)), None)
        if unsure:
            yield found.undecided(unsure, "from_port")
        elif protocol in ("-1", "all") or ports != [_HTTPS, _HTTPS]:
            yield found.fail(
                f"{group.address} is the security group of a Lambda function: egress to any address must be limited "
                "to TCP 443; for other ports, name the security group or CIDR range of the destination"
            )


def _anywhere(value: list[object] | Unknown) -> bool:
    return not isinstance(value, Unknown) and any(each in _ANYWHERE for each in value)


def _is_of_functions_alone(group: Block) -> bool:
    functions = group.referrers(FUNCTION)
    return any(group in function.targets("vpc_config.security_group_ids") for function in functions) and all(
        user.type in _NO_USERS for user in group.referrers()
    )


def _rules_of(group: Block, direction: str) -> Iterator[Section]:
    yield from group.sections(direction)
    for block in group.referrers_at("security_group_id", *_RULES[direction]):
        if block.type != "aws_security_group_rule" or block.get("type") == direction:
            yield block


@rule(
    "LAM-026",
    "Lambda function in a VPC spans two Availability Zones",
    why="If its only Availability Zone fails, the function is unavailable.",
    fix="Set vpc_config.subnet_ids to subnets of at least two Availability Zones.",
    page=_PAGE,
    types=["aws_lambda_function"],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("Lambda.5",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.vpc_config.subnet_ids": ["${aws_subnet.a.id}"]},
        {"resource.aws_subnet.b.availability_zone": "eu-west-1a"},
    ],
)
def function_runs_in_two_zones(function: Block) -> Iterator[Outcome]:
    """Zones that AWS chooses are assumed to differ."""
    at = "vpc_config.subnet_ids"
    subnets = function.items(at)
    if isinstance(subnets, Unknown):
        yield function.undecided(subnets, at)
        return
    if not subnets:
        yield NotApplicable("it is not in a VPC")
        return
    if len(subnets) == 1:
        yield from _single(function, subnets[0])
        return
    blocks = [each.block for each in subnets if isinstance(each, Computed) and each.block]
    if len(blocks) < len(subnets):
        return
    zones = [block.text("availability_zone") or block.text("availability_zone_id") for block in blocks]
    unknown = next(filter(None, map(undecidable, zones)), None)
    different = {zone.text if isinstance(zone, Unknown) else zone for zone in zones if zone and not undecidable(zone)}
    if len(different) > 1 or None in zones:
        return
    if unknown:
        yield function.undecided(unknown, at)
    else:
        yield function.fail(
            f"must contain subnets of at least two Availability Zones; all of them are in {different.pop()}", at
        )


def _single(function: Block, subnet: object) -> Iterator[Outcome]:
    """Decide about one subnet, which may be several with count or for_each."""
    at = "vpc_config.subnet_ids"
    block = subnet.block if isinstance(subnet, Computed) else None
    unknown = undecidable(subnet)
    if unknown:
        yield function.undecided(unknown, at)
    elif block is None or not {"count", "for_each"} & set(block.body):
        yield function.fail("must contain subnets of at least two Availability Zones", at)
