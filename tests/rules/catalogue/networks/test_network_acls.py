"""Network ACLs: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

from tests.rules.asking import found, resources

EVERYWHERE = {"cidr_block": "0.0.0.0/0"}


def acl(*entries: dict[str, Any]) -> dict[str, Any]:
    numbered = [{"rule_no": number, "action": "allow", **entry} for number, entry in enumerate(entries, 1)]
    return resources(aws_network_acl={"main": {"ingress": numbered}})


def test_ephemeral_ports_are_clean() -> None:
    assert found("NET-019", acl({"protocol": "6", "from_port": 1024, "to_port": 65535, **EVERYWHERE})) == []
    assert found("NET-019", acl({"protocol": "udp", "from_port": 0, "to_port": 65535, **EVERYWHERE})) == []


def test_the_first_matching_rule_decides() -> None:
    refuse = {"action": "deny", "protocol": "tcp", "from_port": 20, "to_port": 22, **EVERYWHERE}
    desk = refuse | {"from_port": 3389, "to_port": 3389}
    allow = {"protocol": "-1", "from_port": 0, "to_port": 0, **EVERYWHERE}
    assert found("NET-019", acl(refuse, desk, allow)) == []
    (message,) = found("NET-019", acl(refuse, allow, desk))
    assert "port 3389" in message


def test_the_default_acl_is_checked() -> None:
    entry = {"rule_no": 100, "action": "allow", "protocol": "-1", "from_port": 0, "to_port": 0, **EVERYWHERE}
    assert len(found("NET-019", resources(aws_default_network_acl={"main": {"ingress": entry}}))) == 1


def test_numbers_of_two_directions_may_be_equal() -> None:
    entry = {"rule_no": 100, "action": "allow", "protocol": "tcp", "from_port": 443, "to_port": 443, **EVERYWHERE}
    assert found("NET-031", resources(aws_network_acl={"main": {"ingress": entry, "egress": entry}})) == []
