"""Network ACLs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.queries.networks import VPC, is_everywhere, other_end
from constructs_lib.rules.rule import REMOVED, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Section
    from constructs_lib.rules.outcomes import Outcome

_ACLS: Final = ("aws_network_acl", "aws_default_network_acl")
_PAGE: Final = f"{VPC}/vpc-network-acls.html"

_GOOD: Final = {
    "resource": {
        "aws_network_acl": {
            "main": {
                "vpc_id": "vpc-0123456789abcdef0",
                "ingress": [
                    {
                        "rule_no": 100,
                        "protocol": "tcp",
                        "action": "allow",
                        "cidr_block": "0.0.0.0/0",
                        "from_port": 443,
                        "to_port": 443,
                    },
                    {
                        "rule_no": 200,
                        "protocol": "tcp",
                        "action": "allow",
                        "cidr_block": "0.0.0.0/0",
                        "from_port": 1024,
                        "to_port": 65535,
                    },
                ],
            }
        },
        "aws_network_acl_rule": {
            "office": {
                "network_acl_id": "${aws_network_acl.main.id}",
                "rule_number": 300,
                "protocol": "tcp",
                "rule_action": "allow",
                "cidr_block": "192.168.0.0/16",
                "from_port": 22,
                "to_port": 22,
            },
            "out": {
                "network_acl_id": "${aws_network_acl.main.id}",
                "rule_number": 100,
                "egress": True,
                "protocol": "-1",
                "rule_action": "allow",
                "cidr_block": "0.0.0.0/0",
            },
        },
    }
}
_INLINE = "resource.aws_network_acl.main.ingress.0"
_OFFICE = "resource.aws_network_acl_rule.office"

_WATCHED: Final = (20, 21, 22, 3389)
_RETURN_FROM: Final = 1024
_RETURN_TO: Final = 60999


@dataclass(frozen=True)
class _Entry:
    """One numbered rule of a network ACL."""

    section: Section
    inline: bool

    @property
    def number(self) -> float | Unknown | None:
        return self.section.number("rule_no" if self.inline else "rule_number")

    @property
    def ranges(self) -> list[tuple[str, object]]:
        names = ("cidr_block", "ipv6_cidr_block")
        return [(name, value) for name in names if (value := self.section.get(name)) is not None]

    @property
    def unknown(self) -> Unknown | None:
        """The first of action, protocol and ports whose value is unknown."""
        names = ("action" if self.inline else "rule_action", "protocol", "from_port", "to_port")
        return next((value for name in names if isinstance(value := self.section.get(name), Unknown)), None)

    @property
    def allows(self) -> bool:
        return str(self.section.get("action" if self.inline else "rule_action")).lower() == "allow"

    def matches(self, port: int) -> bool:
        """Whether the entry applies to a TCP port."""
        protocol = str(self.section.text("protocol")).lower()
        first, last = self.section.number("from_port"), self.section.number("to_port")
        if protocol in ("-1", "all"):
            return True
        known = isinstance(first, int | float) and isinstance(last, int | float)
        return protocol in ("tcp", "6") and known and first <= port <= last  # type: ignore[operator]  # both are known

    @property
    def allows_return_traffic(self) -> bool:
        """Whether the entry is for ephemeral ports, on which the responses to outbound connections arrive."""
        first, last = self.section.number("from_port"), self.section.number("to_port")
        known = isinstance(first, int | float) and isinstance(last, int | float)
        return known and first >= _RETURN_FROM and last >= _RETURN_TO  # type: ignore[operator]  # both are known


def _entries(acl: Block, *, egress: bool) -> list[_Entry]:
    """Return the rules of one direction, inline or as aws_network_acl_rule."""
    found = [_Entry(section, inline=True) for section in acl.sections("egress" if egress else "ingress")]
    separate = (
        block for block in acl.referrers("aws_network_acl_rule") if other_end(block, "network_acl_id", *_ACLS) is acl
    )
    return [*found, *(_Entry(block, inline=False) for block in separate if block.flag("egress") is egress)]


@rule(
    "NET-019",
    "Network ACL does not allow FTP, SSH or RDP from the internet",
    why="The network ACL is the second layer of defense when a security group rule is too wide.",
    fix="Allow only the ports that the subnets serve, and ports 20, 21, 22 and 3389 from specific CIDR blocks only.",
    page=_PAGE,
    types=_ACLS,
    severity=Severity("info", "warning", "warning"),
    frameworks=Frameworks(
        fsbp=("EC2.21",),
        cis=("5.1",),
        pci=("1.3.1",),
        checkov=("CKV_AWS_229", "CKV_AWS_230", "CKV_AWS_231", "CKV_AWS_232", "CKV_AWS_352"),
    ),
    good=_GOOD,
    breaks=[
        {f"{_INLINE}.protocol": "-1", f"{_INLINE}.from_port": 0, f"{_INLINE}.to_port": 0},
        {f"{_INLINE}.from_port": 22},
        {f"{_INLINE}.from_port": "3389", f"{_INLINE}.to_port": "3389"},
        {f"{_OFFICE}.cidr_block": "0.0.0.0/0"},
        {f"{_OFFICE}.cidr_block": REMOVED, f"{_OFFICE}.ipv6_cidr_block": "::/0"},
    ],
)
def acl_is_closed_to_administration(acl: Block) -> Iterator[Outcome]:
    """Decide each port by the first rule for the internet that applies to it, in order of rule numbers."""
    candidates: list[tuple[float, _Entry, str]] = []
    for entry in _entries(acl, egress=False):
        number, unknown = entry.number, entry.unknown
        for at, value in entry.ranges:
            why = value if isinstance(value, Unknown) else unknown
            if isinstance(value, Unknown) or is_everywhere(value):
                if why is not None:
                    yield entry.section.undecided(why, at)
                else:
                    candidates.append((number if isinstance(number, int | float) else 0, entry, at))
    found: dict[tuple[int, str], tuple[_Entry, str, list[int]]] = {}
    for port in _WATCHED:
        for at in ("cidr_block", "ipv6_cidr_block"):
            about = [each for each in candidates if each[2] == at and each[1].matches(port)]
            first = min(about, key=lambda each: each[0], default=None)
            if first is not None and first[1].allows and not first[1].allows_return_traffic:
                found.setdefault((id(first[1]), at), (first[1], at, []))[2].append(port)
    for entry, at, ports in found.values():
        listed = ", ".join(map(str, ports))
        yield entry.section.fail(
            f"must not allow port {listed} from the internet; allow only the ports that the subnets serve", at
        )


@rule(
    "NET-031",
    "Network ACL rule numbers are unique",
    why="AWS rejects the second rule with the same number at apply, or the last one silently replaces the others.",
    fix="Give each rule of a direction its own number, in increments of 10 or 100.",
    page=_PAGE,
    types=_ACLS,
    good=_GOOD,
    breaks=[
        {f"{_OFFICE}.rule_number": 100},
        {"resource.aws_network_acl.main.ingress.1.rule_no": "100"},
        {"resource.aws_network_acl_rule.out.egress": REMOVED},
    ],
)
def numbers_are_unique(acl: Block) -> Iterator[Outcome]:
    """Compare the rule numbers of each direction."""
    for egress in (False, True):
        seen: dict[float, _Entry] = {}
        for entry in _entries(acl, egress=egress):
            at = "rule_no" if entry.inline else "rule_number"
            number = entry.number
            if isinstance(number, Unknown):
                yield entry.section.undecided(number, at)
            elif number is not None:
                first = seen.setdefault(number, entry)
                if first is not entry:
                    where = first.section.block.address
                    yield entry.section.fail(
                        f"must be unique among the rules of the same direction; {where} has the same number", at
                    )
