from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

import pytest

from constructs_lib.constructs.regional_vpc.network_acl import ICMP, TCP, UDP, Rule, egress, ingress
from constructs_lib.foundation.quotas import QUOTAS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs_lib.constructs.regional_vpc.network_acl import Outside
    from constructs_lib.foundation.addresses import Tier

INSIDE = "10.0.99.7"
PEER = "10.1.0.9"
INTERNET = "198.51.100.7"

TIERS: tuple[tuple[Tier, Outside], ...] = (
    ("public", "web"),
    ("private", "nat"),
    ("private", "gateways"),
    ("private", "none"),
    ("database", "gateways"),
    ("database", "none"),
)


@dataclass(frozen=True)
class Packet:
    """One packet: the address at the other end, the protocol and the destination port."""

    address: str
    protocol: str = TCP
    port: int = 0
    icmp: tuple[int, int] | None = None


def passes(rules: Sequence[Rule], packet: Packet) -> bool:
    """Judge a packet as AWS does: a matching rule lets it pass, and without one it is dropped."""
    for rule in rules:
        ports = rule.protocol not in (TCP, UDP) or rule.ports[0] <= packet.port <= rule.ports[1]
        if (
            IPv4Address(packet.address) in IPv4Network(rule.cidr)
            and rule.protocol == packet.protocol
            and ports
            and rule.icmp in (None, (-1, -1), packet.icmp)
        ):
            return True
    return False


@dataclass(frozen=True)
class TierAcl:
    """Both directions of a tier's rules."""

    tier: Tier
    outside: Outside

    def ingress(self) -> list[Rule]:
        return ingress(self.tier, self.outside)

    def egress(self) -> list[Rule]:
        return egress(self.outside)


def acl(tier: Tier, outside: Outside) -> TierAcl:
    return TierAcl(tier, outside)


@pytest.fixture(params=TIERS, ids=["-".join(tier) for tier in TIERS])
def any_acl(request: pytest.FixtureRequest) -> TierAcl:
    return acl(*request.param)


@pytest.mark.parametrize("address", [INSIDE, PEER, "172.16.3.4", "192.168.7.7", "100.64.0.1"])
def test_private_networks_are_allowed_on_every_port_in_both_directions(any_acl: TierAcl, address: str) -> None:
    ping = Packet(address, ICMP, icmp=(8, 0))
    for packet in (ping, *(Packet(address, protocol, port) for protocol in (TCP, UDP) for port in (22, 3389, 65535))):
        assert passes(any_acl.ingress(), packet)
        assert passes(any_acl.egress(), packet)


def test_no_tier_allows_administrative_ports_from_the_internet(any_acl: TierAcl) -> None:
    for port in (20, 21, 22, 25, 1023):
        assert not passes(any_acl.ingress(), Packet(INTERNET, TCP, port))


@pytest.mark.parametrize("tier", [("public", "web"), ("private", "nat"), ("private", "gateways")])
def test_return_traffic_is_allowed_on_every_ephemeral_port(tier: tuple[Tier, Outside]) -> None:
    rules = acl(*tier).ingress()
    assert [port for port in range(1024, 65536) if not passes(rules, Packet(INTERNET, TCP, port))] == []


def test_a_database_tier_allows_return_traffic_of_gateway_endpoints_from_32768() -> None:
    rules = acl("database", "gateways")
    assert passes(rules.ingress(), Packet(INTERNET, TCP, 32768))
    for port in (1433, 1521, 3306, 5432, 6379, 27017):
        assert not passes(rules.ingress(), Packet(INTERNET, TCP, port))
    assert passes(rules.egress(), Packet(INTERNET, TCP, 443))
    assert not passes(rules.egress(), Packet(INTERNET, TCP, 80))


@pytest.mark.parametrize("tier", ["private", "database"])
def test_a_tier_without_public_traffic_allows_no_public_addresses(tier: Tier) -> None:
    rules = acl(tier, "none")
    for port in (80, 443, 40000):
        assert not passes(rules.ingress(), Packet(INTERNET, TCP, port))
        assert not passes(rules.egress(), Packet(INTERNET, TCP, port))
    assert not passes(rules.ingress(), Packet(INTERNET, ICMP, icmp=(3, 4)))


@pytest.mark.parametrize("port", [80, 443])
def test_only_a_public_tier_allows_requests_from_the_internet(port: int) -> None:
    assert passes(acl("public", "web").ingress(), Packet(INTERNET, TCP, port))
    for tier, outside in TIERS[1:]:
        assert not passes(acl(tier, outside).ingress(), Packet(INTERNET, TCP, port))


@pytest.mark.parametrize("tier", [("public", "web"), ("private", "nat")])
def test_outbound_traffic_to_the_internet_is_tcp_only(tier: tuple[Tier, Outside]) -> None:
    rules = acl(*tier).egress()
    assert all(passes(rules, Packet(INTERNET, TCP, port)) for port in (0, 25, 80, 443, 5432, 65535))
    assert not passes(rules, Packet(INTERNET, UDP, 443))


@pytest.mark.parametrize("tier", [tier for tier in TIERS if tier[1] != "none"])
def test_path_mtu_discovery_is_allowed_and_ping_is_not(tier: tuple[Tier, Outside]) -> None:
    for rules in (acl(*tier).ingress(), acl(*tier).egress()):
        assert passes(rules, Packet(INTERNET, ICMP, icmp=(3, 4)))
        assert not passes(rules, Packet(INTERNET, ICMP, icmp=(8, 0)))


def test_a_connection_through_nat_is_allowed_by_all_network_acls() -> None:
    public, private = acl("public", "web"), acl("private", "nat")
    client = 41000
    assert passes(private.egress(), Packet(INTERNET, TCP, 443))
    assert passes(public.ingress(), Packet(INSIDE, TCP, 443))
    assert passes(public.egress(), Packet(INTERNET, TCP, 443))
    assert passes(public.ingress(), Packet(INTERNET, TCP, 2048))
    assert passes(public.egress(), Packet(INSIDE, TCP, client))
    assert passes(private.ingress(), Packet(INTERNET, TCP, client))


def test_every_rule_has_a_unique_number_and_a_protocol(any_acl: TierAcl) -> None:
    for rules in (any_acl.ingress(), any_acl.egress()):
        assert len({rule.number for rule in rules}) == len(rules)
        assert {rule.protocol for rule in rules} <= {TCP, UDP, ICMP}


def test_no_tier_has_more_rules_than_aws_allows(any_acl: TierAcl) -> None:
    # AWS counts its own last rule, which denies everything.
    limit = QUOTAS["vpc-rules-per-network-acl"].default
    assert max(len(any_acl.ingress()), len(any_acl.egress())) + 1 <= limit
