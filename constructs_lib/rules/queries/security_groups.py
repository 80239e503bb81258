"""The rules of security groups, in every way that Terraform can define them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.queries.networks import is_everywhere

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Section

Direction = Literal["ingress", "egress"]

GROUPS: Final = ("aws_security_group", "aws_default_security_group")

SEPARATE: Final[dict[str, tuple[str, ...]]] = {
    "ingress": ("aws_security_group_rule", "aws_vpc_security_group_ingress_rule"),
    "egress": ("aws_security_group_rule", "aws_vpc_security_group_egress_rule"),
}

SEPARATE_TYPES: Final = (
    "aws_security_group_rule",
    "aws_vpc_security_group_ingress_rule",
    "aws_vpc_security_group_egress_rule",
)

INBOUND: Final = (*GROUPS, *SEPARATE["ingress"])
OUTBOUND: Final = (*GROUPS, *SEPARATE["egress"])

ALL_PORTS: Final = (0, 65535)

_PROTOCOLS: Final = {"-1": "all", "1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}


@dataclass(frozen=True)
class Opening:
    """One rule of a security group.

    Attributes:
        section: Where it stands.
        protocol_at: The attribute with the protocol.
        protocol: `all`, `tcp`, `udp`, `icmp`, `icmpv6`, or what it says.
        first: The lowest port; None when it names none.
        last: The highest port.
    """

    section: Section
    protocol_at: str
    protocol: str | Unknown
    first: float | Unknown | None
    last: float | Unknown | None

    @property
    def has_ports(self) -> bool:
        """Whether the protocol has ports; ICMP has types and codes in their place."""
        return self.protocol in ("tcp", "udp")

    @property
    def ports(self) -> tuple[int, int] | Unknown | None:
        """The range of ports; None where there are none."""
        for value in (self.protocol, self.first, self.last):
            if isinstance(value, Unknown):
                return value
        if not self.has_ports or not isinstance(self.first, int | float) or not isinstance(self.last, int | float):
            return None
        return int(self.first), int(self.last)

    @property
    def is_everything(self) -> bool | Unknown:
        """Whether it is for every protocol, or for every port of one."""
        if self.protocol == "all":
            return True
        ports = self.ports
        return ports if isinstance(ports, Unknown) else ports is not None and ports[0] <= 1 and ports[1] == ALL_PORTS[1]

    def everywhere(self) -> Iterator[tuple[str, Unknown | None]]:
        """Yield the attributes that open it to everywhere, or may do so, with what is unknown about them."""
        for at in ("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6"):
            values = self.section.items(at)
            parts = [values] if isinstance(values, Unknown) else values
            if any(is_everywhere(part) for part in parts):
                yield at, None
            else:
                unknown = next((part for part in parts if isinstance(part, Unknown)), None)
                if unknown is not None:
                    yield at, unknown
        for at in ("prefix_list_ids", "prefix_list_id"):
            for listed in self.section.targets(at, "aws_ec2_managed_prefix_list"):
                if any(is_everywhere(entry.get("cidr")) for entry in listed.sections("entry")):
                    yield at, None


def openings(block: Block, direction: Direction) -> Iterator[Opening]:
    """Yield the rules of one direction that a group or a separate rule defines."""
    if block.type in GROUPS:
        for section in block.sections(direction):
            yield _opening(section, "protocol")
    elif block.type == "aws_security_group_rule":
        way = block.get("type")
        if isinstance(way, Unknown):
            yield Opening(block, "type", way, None, None)
        elif way == direction:
            yield _opening(block, "protocol")
    elif block.type in SEPARATE[direction]:
        yield _opening(block, "ip_protocol")


def _opening(section: Section, at: str) -> Opening:
    protocol = section.text(at)
    if protocol is None:
        protocol = "all"
    elif isinstance(protocol, str):
        protocol = _PROTOCOLS.get(protocol.lower(), protocol.lower())
    return Opening(section, at, protocol, section.number("from_port"), section.number("to_port"))
