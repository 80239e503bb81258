"""Network ACLs: what each tier lets pass, as plain rules that depend on nothing outside the VPC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from constructs_lib.foundation.addresses import PRIVATE_RANGES, Tier

# A network ACL keeps no state: it judges a reply like a request. So:
# - Private networks pass with every port; routes decide which of them are there, security groups who reaches what.
#   The rules name the private ranges and no peer, so that another peer changes no rule.
# - Replies from the internet come in on the ports that clients use: NAT gateways, load balancers and functions use
#   1024 and above, hosts 32768 and above. Requests never come in below 1024, but for a public tier's 80 and 443.
# - 3389, remote desktop, is left out of those ports, as auditors ask: a connection whose NAT port happens to be 3389,
#   one in 64,512, times out and has to be tried again.
# - ICMP "fragmentation needed" comes in, or connections with large packets would hang.
# - What goes out to the internet is chosen by security groups, which keep state, and by the routes.
# - TCP, UDP and ICMP are named one by one: nothing else is used, and "all protocols" is what auditors look for.
# https://docs.aws.amazon.com/vpc/latest/userguide/nacl-ephemeral-ports.html
# https://docs.aws.amazon.com/vpc/latest/userguide/path_mtu_discovery.html

Outside = Literal["web", "nat", "gateways", "none"]
"""Serves the internet; reaches it through NAT; reaches gateway endpoints' public addresses only; reaches nothing."""

ANYWHERE: Final = "0.0.0.0/0"
TCP: Final = "6"
UDP: Final = "17"
ICMP: Final = "1"
_FRAGMENTATION_NEEDED: Final = (3, 4)
_ANY_ICMP: Final = (-1, -1)
_MAX_PORT: Final = 65535
_CLIENTS: Final = ((1024, 3388), (3390, _MAX_PORT))
_HOSTS: Final = ((32768, _MAX_PORT),)

_FIRST_INSIDE: Final = 100
_FIRST_OUTSIDE: Final = 1000
_ICMP_RULE: Final = 2000


@dataclass(frozen=True)
class Rule:
    """One rule in one direction; every rule allows, and AWS drops what none matches."""

    number: int
    cidr: str
    protocol: str
    ports: tuple[int, int] = (0, 0)
    icmp: tuple[int, int] | None = None


def ingress(tier: Tier, outside: Outside) -> list[Rule]:
    """Return what comes into a tier."""
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
    """Return what goes out of a tier."""
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
