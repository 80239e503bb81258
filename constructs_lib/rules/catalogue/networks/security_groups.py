"""Security groups and their rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.ports import FORBIDDEN
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, PROVIDER
from constructs_lib.rules.queries.networks import VPC, exported, other_end
from constructs_lib.rules.queries.security_groups import (
    GROUPS,
    INBOUND,
    OUTBOUND,
    SEPARATE_TYPES,
    Opening,
    openings,
)
from constructs_lib.rules.rule import ADVICE, PRODUCTION, REMOVED, WARNING, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Section
    from constructs_lib.rules.outcomes import Outcome

_GROUPS = f"{VPC}/security-group-rules.html"

_GROUP: Final = {
    "name": "shop-prod-web",
    "description": "Web servers",
    "ingress": [
        {
            "description": "HTTPS from the load balancer",
            "protocol": "tcp",
            "from_port": 443,
            "to_port": 443,
            "cidr_blocks": ["10.0.0.0/16"],
        }
    ],
    "egress": [
        {
            "description": "HTTPS to the endpoints",
            "protocol": "tcp",
            "from_port": 443,
            "to_port": 443,
            "cidr_blocks": ["10.0.0.0/16"],
        }
    ],
}
_RULE: Final = {
    "security_group_id": "${aws_security_group.db.id}",
    "description": "PostgreSQL from the application",
    "type": "ingress",
    "protocol": "tcp",
    "from_port": 5432,
    "to_port": 5432,
    "source_security_group_id": "${aws_security_group.web.id}",
}
_VPC_RULE: Final = {
    "security_group_id": "${aws_security_group.db.id}",
    "description": "PostgreSQL from the office",
    "ip_protocol": "tcp",
    "from_port": 5432,
    "to_port": 5432,
    "cidr_ipv4": "192.168.0.0/16",
}
_VPC_EGRESS: Final = _VPC_RULE | {"description": "PostgreSQL to the replica"}
_GOOD: Final = {
    "resource": {
        "aws_security_group": {"web": _GROUP, "db": {"name": "shop-prod-db", "description": "Database"}},
        "aws_security_group_rule": {"db": _RULE},
        "aws_vpc_security_group_ingress_rule": {"office": _VPC_RULE},
        "aws_vpc_security_group_egress_rule": {"replica": _VPC_EGRESS},
    }
}
_WEB = "resource.aws_security_group.web"
_DB = "resource.aws_security_group_rule.db"
_OFFICE = "resource.aws_vpc_security_group_ingress_rule.office"
_REPLICA = "resource.aws_vpc_security_group_egress_rule.replica"


_SHOWN: Final = 3


def _forbidden(opening: Opening) -> list[str] | Unknown:
    """Return the administration and database ports that a rule opens, with their services."""
    ports = opening.ports
    if isinstance(ports, Unknown):
        return ports
    everything = opening.is_everything
    if ports is None or (opening.protocol == "udp" and ports[0] != ports[1]) or everything:
        return []
    found = [f"{port} ({name})" for port, name in FORBIDDEN.items() if ports[0] <= port <= ports[1]]
    return found if len(found) <= _SHOWN else [*found[:_SHOWN], f"{len(found) - _SHOWN} more"]


@rule(
    "NET-001",
    "Security group does not allow administration or database ports from the internet",
    why="Attackers scan the whole internet for these ports; one weak password or unpatched service is enough.",
    fix="Allow the port from specific CIDR blocks or security groups only; use Session Manager instead of SSH and RDP.",
    page=_GROUPS,
    types=INBOUND,
    lessons=["TICK-7"],
    frameworks=Frameworks(
        fsbp=("EC2.19",),
        cis=("5.2", "5.3"),
        pci=("1.3.1", "1.4.4"),
        checkov=("CKV_AWS_24", "CKV_AWS_25"),
    ),
    good=_GOOD,
    breaks=[
        {
            f"{_WEB}.ingress.0.from_port": 22,
            f"{_WEB}.ingress.0.to_port": 22,
            f"{_WEB}.ingress.0.cidr_blocks": ["0.0.0.0/0"],
        },
        {f"{_OFFICE}.cidr_ipv4": "0.0.0.0/0"},
        {f"{_OFFICE}.cidr_ipv4": REMOVED, f"{_OFFICE}.cidr_ipv6": "::/0"},
        {f"{_DB}.source_security_group_id": REMOVED, f"{_DB}.cidr_blocks": ["10.0.0.0/8", "0.0.0.0/0"]},
        {f"{_WEB}.ingress.0.to_port": 8443, f"{_WEB}.ingress.0.ipv6_cidr_blocks": ["::/0"]},
    ],
)
def no_dangerous_port_is_open(block: Block) -> Iterator[Outcome]:
    """Check rules that are open to the internet, except those for all ports, which NET-002 reports."""
    for opening in openings(block, "ingress"):
        for at, unknown in opening.everywhere():
            services = _forbidden(opening)
            if isinstance(services, Unknown):
                yield opening.section.undecided(services, at)
            elif services and unknown is not None:
                yield opening.section.undecided(unknown, at)
            elif services:
                yield opening.section.fail(
                    f"must not allow port {', '.join(services)} from the internet; "
                    "allow it from specific CIDR blocks or security groups",
                    at,
                )


@rule(
    "NET-002",
    "Security group does not allow all ports from the internet",
    why="Every service that listens on the instance, now or after the next update, is reachable from the internet.",
    fix="Allow only the ports that are served, with one rule each; allow 0.0.0.0/0 for public ports only.",
    page=_GROUPS,
    types=INBOUND,
    lessons=["TICK-7"],
    frameworks=Frameworks(fsbp=("EC2.18", "EC2.19"), cis=("5.2", "5.3"), pci=("1.3.1",), checkov=("CKV_AWS_277",)),
    good=_GOOD,
    breaks=[
        {f"{_WEB}.ingress.0.protocol": "-1", f"{_WEB}.ingress.0.cidr_blocks": ["0.0.0.0/0"]},
        {f"{_OFFICE}.ip_protocol": "-1", f"{_OFFICE}.cidr_ipv4": "0.0.0.0/0"},
        {f"{_DB}.cidr_blocks": ["0.0.0.0/0"], f"{_DB}.from_port": 0, f"{_DB}.to_port": "65535"},
        {f"{_OFFICE}.ip_protocol": "-1", f"{_OFFICE}.cidr_ipv4": REMOVED, f"{_OFFICE}.cidr_ipv6": "::/0"},
    ],
)
def not_every_port_is_open(block: Block) -> Iterator[Outcome]:
    """Find rules for all protocols, or all ports of one, that are open to the internet."""
    for opening in openings(block, "ingress"):
        yield from _everything(
            opening, "must not allow all ports from the internet; allow only the ports that are served"
        )


def _everything(opening: Opening, text: str) -> Iterator[Outcome]:
    everything = opening.is_everything
    for at, unknown in opening.everywhere():
        if isinstance(everything, Unknown):
            yield opening.section.undecided(everything, at)
        elif everything and unknown is not None:
            yield opening.section.undecided(unknown, at)
        elif everything:
            yield opening.section.fail(text, at)


@rule(
    "NET-007",
    "Security group does not allow all outbound traffic",
    why="After a compromise, an attacker can send data to any address and download tools from any address.",
    fix="Allow the ports and CIDR blocks that are needed, and to 0.0.0.0/0 at most port 443.",
    page=_GROUPS,
    types=OUTBOUND,
    severity=PRODUCTION,
    lessons=["TICK-7"],
    frameworks=Frameworks(pci=("1.3.2",), checkov=("CKV_AWS_382",)),
    good=_GOOD,
    breaks=[
        {f"{_WEB}.egress.0.protocol": "-1", f"{_WEB}.egress.0.cidr_blocks": ["0.0.0.0/0"]},
        {f"{_REPLICA}.ip_protocol": "-1", f"{_REPLICA}.cidr_ipv4": "0.0.0.0/0"},
        {f"{_DB}.type": "egress", f"{_DB}.protocol": "all", f"{_DB}.ipv6_cidr_blocks": ["::/0"]},
        {f"{_REPLICA}.from_port": 1, f"{_REPLICA}.to_port": 65535, f"{_REPLICA}.cidr_ipv4": "0.0.0.0/0"},
    ],
)
def not_everything_goes_out(block: Block) -> Iterator[Outcome]:
    """Find rules for all ports to the internet; LAM-025 checks the groups of Lambda functions."""
    group = block if block.type in GROUPS else other_end(block, "security_group_id", *GROUPS)
    if group is not None and group.referrers("aws_lambda_function"):
        yield NotApplicable("it is the security group of a Lambda function")
        return
    for opening in openings(block, "egress"):
        yield from _everything(
            opening, "must not allow all traffic to the internet; allow the ports and CIDR blocks that are needed"
        )


@rule(
    "NET-008",
    "Security group and each of its rules have a description",
    why="Without a description nobody knows which rules are still needed, and unused ones stay open.",
    fix="Set description on the security group and on each rule.",
    page=f"{PROVIDER}/resources/security_group",
    types=["aws_security_group", *SEPARATE_TYPES],
    severity=ADVICE,
    frameworks=Frameworks(checkov=("CKV_AWS_23",)),
    good=_GOOD,
    breaks=[
        {f"{_WEB}.description": REMOVED},
        {f"{_WEB}.description": "Managed by Terraform"},
        {f"{_WEB}.ingress.0.description": REMOVED},
        {f"{_WEB}.egress.0.description": ""},
        {f"{_DB}.description": REMOVED},
        {f"{_OFFICE}.description": REMOVED},
        {f"{_REPLICA}.description": REMOVED},
    ],
)
def groups_and_rules_are_described(block: Block) -> Iterator[Outcome]:
    """Check the group and each rule in it; Terraform's default description does not count."""
    for section in _described(block):
        value = section.get("description")
        if isinstance(value, Unknown) and not isinstance(value, Computed):
            yield section.undecided(value, "description")
        elif value in (None, "", "Managed by Terraform"):
            yield section.fail("must describe the purpose", "description")


def _described(block: Block) -> list[Section]:
    if block.type not in GROUPS:
        return [block]
    return [block, *block.sections("ingress"), *block.sections("egress")]


_WRITABLE: Final = re.compile(r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]*")
_LONGEST: Final = 255


@rule(
    "NET-029",
    "Security group descriptions contain only characters that AWS allows",
    why="AWS rejects the security group at apply, for example for an apostrophe or an accent; plan does not report it.",
    fix="Use at most 255 characters of A-Z, a-z, 0-9, space and ._-:/()#,@[]+=&;{}!$*.",
    page=f"{AWS}/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html",
    types=[*GROUPS, *SEPARATE_TYPES],
    good=_GOOD,
    breaks=[
        {f"{_WEB}.description": "The shop's web servers"},
        {f"{_OFFICE}.description": "PostgreSQL aus dem Büro"},
        {f"{_WEB}.ingress.0.description": "a" * 256},
    ],
)
def descriptions_are_writable(block: Block) -> Iterator[Outcome]:
    """Check the description of the group and those of its rules."""
    for section in _described(block):
        value = section.text("description")
        if isinstance(value, Unknown):
            yield section.undecided(value, "description")
        elif value is not None and (len(value) > _LONGEST or not _WRITABLE.fullmatch(value)):
            yield section.fail(
                "must have at most 255 characters of A-Z, a-z, 0-9, space and ._-:/()#,@[]+=&;{}!$*",
                "description",
            )


@rule(
    "NET-020",
    "Port range of a security group or network ACL rule is in ascending order",
    why="AWS rejects the rule at apply; validate and plan do not report it.",
    fix="Set from_port to the lower port and to_port to the higher one.",
    page=f"{AWS}/AWSEC2/latest/APIReference/API_IpPermission.html",
    types=[*GROUPS, *SEPARATE_TYPES, "aws_network_acl", "aws_default_network_acl", "aws_network_acl_rule"],
    good=_GOOD
    | {
        "resource": _GOOD["resource"]
        | {
            "aws_network_acl_rule": {
                "https": {
                    "network_acl_id": "acl-1",
                    "rule_number": 100,
                    "protocol": "tcp",
                    "rule_action": "allow",
                    "cidr_block": "10.0.0.0/8",
                    "from_port": 443,
                    "to_port": 443,
                }
            }
        }
    },
    breaks=[
        {f"{_WEB}.ingress.0.from_port": 9000, f"{_WEB}.ingress.0.to_port": 8000},
        {f"{_WEB}.egress.0.to_port": 80},
        {f"{_DB}.to_port": "5431"},
        {f"{_OFFICE}.to_port": 5431},
        {"resource.aws_network_acl_rule.https.to_port": 80},
    ],
)
def port_ranges_are_ascending(block: Block) -> Iterator[Outcome]:
    """Compare from_port and to_port of TCP and UDP; for ICMP they are type and code."""
    separate = block.type in (*SEPARATE_TYPES, "aws_network_acl_rule")
    for section in [block] if separate else [*block.sections("ingress"), *block.sections("egress")]:
        protocol = section.text("ip_protocol" if block.type.startswith("aws_vpc_") else "protocol")
        if isinstance(protocol, str) and protocol.lower() not in ("tcp", "udp", "6", "17"):
            continue
        first, last = section.number("from_port"), section.number("to_port")
        unknown = next((value for value in (protocol, first, last) if isinstance(value, Unknown)), None)
        if unknown is not None:
            yield section.undecided(unknown, "to_port")
        elif first is not None and last is not None and first > last:  # type: ignore[operator]  # neither is unknown
            yield section.fail(f"must not be lower than from_port, which is {first}", "to_port")


@rule(
    "NET-021",
    "Security group does not mix inline rules and rule resources",
    why="Inline rules are the complete list: one apply removes the rule resources, the next creates them again.",
    fix="Move the inline rules to aws_vpc_security_group_ingress_rule and aws_vpc_security_group_egress_rule.",
    page=f"{PROVIDER}/resources/security_group",
    types=GROUPS,
    severity=WARNING,
    good=_GOOD,
    breaks=[
        {f"{_DB}.security_group_id": "${aws_security_group.web.id}"},
        {f"{_OFFICE}.security_group_id": "${aws_security_group.web.id}"},
        {f"{_REPLICA}.security_group_id": "${aws_security_group.web.id}"},
        {f"{_DB}.security_group_id": "${aws_security_group.web.id}", f"{_DB}.type": "egress"},
    ],
    unknown_passes="a security group ID from outside these stacks is not the ID of a group in them",
)
def rules_are_written_in_one_way(group: Block) -> Iterator[Outcome]:
    """Compare per direction: inline rules of one do not affect rule resources of the other."""
    for rule_ in group.referrers(*SEPARATE_TYPES):
        if other_end(rule_, "security_group_id", *GROUPS) is not group:
            continue
        for direction in ("ingress", "egress"):
            if not any(openings(rule_, direction)):
                continue
            if isinstance(inline := group.get(direction), Unknown):
                yield group.undecided(inline, direction)
            elif group.sections(direction):
                yield group.fail(
                    f"must not be combined with {rule_.address}: inline rules are the complete list, and apply removes "
                    "all others; use rule resources only",
                    direction,
                )


@rule(
    "NET-026",
    "Security group is attached to a resource",
    why="Unused security groups hide the rules that matter, and can be attached by mistake.",
    fix="Attach the security group to a resource, or remove it.",
    page=f"{VPC}/vpc-security-groups.html",
    types=["aws_security_group"],
    severity=Severity("info", "info", "info"),
    frameworks=Frameworks(checkov=("CKV2_AWS_5",)),
    good={
        "resource": {
            "aws_security_group": {"web": {"name": "shop-prod-web"}},
            "aws_instance": {"web": {"vpc_security_group_ids": ["${aws_security_group.web.id}"]}},
        }
    },
    breaks=[{"resource.aws_instance.web.vpc_security_group_ids": REMOVED}],
)
def groups_are_used(group: Block) -> Iterator[Outcome]:
    """Find references to the group other than its own rules; an output may pass it to another stack."""
    users = (
        block
        for block in group.referrers()
        if block is not group
        and not (block.type in SEPARATE_TYPES and other_end(block, "security_group_id", *GROUPS) is group)
    )
    if next(users, None) is None and group.base not in exported(group.stack):
        yield group.fail("must be attached to a resource; attach it or remove it")
