"""What network ACLs look like in the JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from constructs_lib.testing import SynthesizedStack

INSIDE = [
    rule
    for index, cidr in enumerate(("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
    for rule in (
        (100 + 30 * index, "allow", "6", cidr, 0, 65535, None, None),
        (110 + 30 * index, "allow", "17", cidr, 0, 65535, None, None),
        (120 + 30 * index, "allow", "1", cidr, 0, 0, -1, -1),
    )
]
FRAGMENTATION = (2000, "allow", "1", "0.0.0.0/0", 0, 0, 3, 4)


def acl_rules(stack: SynthesizedStack, tier: str, direction: str) -> list[tuple[Any, ...]]:
    acl = stack.resource("aws_network_acl", f"*/{tier}-acl")
    keys = ("rule_no", "action", "protocol", "cidr_block", "from_port", "to_port", "icmp_type", "icmp_code")
    return [tuple(rule[key] for key in keys) for rule in acl[direction]]
