"""Network ACL rules of each tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from constructs_lib.foundation.addresses import PRIVATE_RANGES, Tier

# Network ACLs are stateless: return traffic needs rules too.
# - Private networks: all ports. Routes and security groups restrict the traffic. The rules have the private ranges and
#   not the peers' CIDR blocks: a new peer changes no rule.
# - Return traffic from the internet: ephemeral ports, 1024 and above for NAT gateways, load balancers and functions,
#   32768 and above for hosts. Below 1024 only ports 80 and 443 of the public tier are open.
# - The ephemeral range has no gap. Port 3389 (RDP) is in it: one in 64,512 connections through a NAT gateway has this
#   source port and would hang. A network ACL cannot tell a new connection from return traffic, security groups can:
#   they are stateful, and none of this library allows SSH or RDP from the internet.
# - ICMP "fragmentation needed": path MTU discovery needs it.
# - Outbound traffic to the internet is restricted by security groups, which are stateful, and by routes.
# - TCP, UDP and ICMP instead of all protocols, which audits report.
# https://docs.aws.amazon.com/vpc/latest/userguide/nacl-ephemeral-ports.html
# https://docs.aws.amazon.com/vpc/latest/userguide/path_mtu_discovery.html

Outside = Literal["web", "nat", "gateways", "none"]
"""Serves the internet; connects to it through NAT; connects to gateway endpoints only; no public addresses."""

ANYWHERE: Final = "0.0.0.0/0"
TCP: Final = "6"
UDP: Final = "17"
ICMP: Final = "1"
_FRAGMENTATION_NEEDED: Final = (3, 4)
_ANY_ICMP: Final = (-1, -1)
_MAX_PORT: Final = 65535
_CLIENTS: Final = ((1024, _MAX_PORT),)
_HOSTS: Final = ((32768, _MAX_PORT),)

_FIRST_INSIDE: Final = 100
_FIRST_OUTSIDE: Final = 1000
_ICMP_RULE: Final = 2000


@dataclass(frozen=True)
class Rule:
    """A rule that allows traffic in one direction."""

    number: int
    cidr: str
    protocol: str
    ports: tuple[int, int] = (0, 0)
    icmp: tuple[int, int] | None = None


def ingress(tier: Tier, outside: Outside) -> list[Rule]:
    """Return the inbound rules of a tier."""
    if outside == "none":
        return _inside()
    open_ports = ((80, 80), (443, 443)) if outside == "web" else ()
    clients = _HOSTS if tier == "database" else _CLIENTS
    return [
        *_inside(),
        *(
            Rule(_FIRST_OUTSIDE + 10 * index, ANYWHERE, TCP, ports)
            for index, ports in enumerate((*open_ports, *clients))
        ),
        Rule(_ICMP_RULE, ANYWHERE, ICMP, icmp=_FRAGMENTATION_NEEDED),
    ]


def egress(outside: Outside) -> list[Rule]:
    """Return the outbound rules of a tier."""
    if outside == "none":
        return _inside()
    ports = (443, 443) if outside == "gateways" else (0, _MAX_PORT)
    return [
        *_inside(),
        Rule(_FIRST_OUTSIDE, ANYWHERE, TCP, ports),
        Rule(_ICMP_RULE, ANYWHERE, ICMP, icmp=_FRAGMENTATION_NEEDED),
    ]


def _inside() -> list[Rule]:
    rules: list[Rule] = []
    for network in map(str, PRIVATE_RANGES):
        number = _FIRST_INSIDE + 10 * len(rules)
        rules += [
            Rule(number, network, TCP, (0, _MAX_PORT)),
            Rule(number + 10, network, UDP, (0, _MAX_PORT)),
            Rule(number + 20, network, ICMP, icmp=_ANY_ICMP),
        ]
    return rules
