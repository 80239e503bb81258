"""Rules of databases/network: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good
from tests.rules.catalogue.databases.documents import CLUSTER, UNKNOWN


def test_a_range_smaller_than_the_vpc_passes() -> None:
    ingress = "resource.aws_vpc_security_group_ingress_rule.db"
    change = {f"{ingress}.cidr_ipv4": "10.0.9.0/24", f"{ingress}.referenced_security_group_id": REMOVED}
    assert found("RDS-028", good("RDS-028", change)) == []
    assert len(found("RDS-028", good("RDS-028", change | {f"{ingress}.cidr_ipv4": "10.0.0.0/19"}))) == 1


def test_rules_for_other_ports_are_exempt() -> None:
    ingress = "resource.aws_vpc_security_group_ingress_rule.db"
    change = {f"{ingress}.cidr_ipv4": "10.0.0.0/8", f"{ingress}.from_port": 22, f"{ingress}.to_port": 22}
    assert found("RDS-028", good("RDS-028", change)) == []
    assert len(found("RDS-028", good("RDS-028", change | {f"{CLUSTER}.port": 22}))) == 1


def test_security_groups_of_other_resources_are_exempt() -> None:
    change = {
        "resource.aws_security_group.app.ingress": [
            {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["10.0.0.0/8"]}
        ]
    }
    assert found("RDS-028", good("RDS-028", change)) == []


def test_the_range_of_a_vpc_data_source_is_the_whole_vpc() -> None:
    change = {
        "data": {"aws_vpc": {"main": {"id": "vpc-1"}}},
        "resource.aws_security_group.old.ingress.0.cidr_blocks": ["${data.aws_vpc.main.cidr_block}"],
    }
    assert len(found("RDS-028", good("RDS-028", change))) == 1


def test_security_groups_of_caches_are_checked_too() -> None:
    document = good("RDS-028", {"resource.aws_db_instance": REMOVED})
    document["resource"]["aws_elasticache_replication_group"] = {
        "sessions": {"security_group_ids": ["${aws_security_group.old.id}"]}
    }
    ingress = document["resource"]["aws_security_group"]["old"]["ingress"][0]
    ingress |= {"cidr_blocks": ["10.0.0.0/8"], "from_port": 6379, "to_port": 6379}
    (message,) = found("RDS-028", document)
    assert "aws_elasticache_replication_group.sessions" in message


def test_an_unknown_port_may_be_that_of_the_database() -> None:
    ingress = "resource.aws_vpc_security_group_ingress_rule.db"
    change = UNKNOWN | {f"{ingress}.cidr_ipv4": "10.0.0.0/8", f"{CLUSTER}.port": "${var.given}"}
    assert len(found("RDS-028", good("RDS-028", change))) == 1


def test_ranges_of_different_ip_versions_are_not_compared() -> None:
    change = {"resource.aws_security_group.old.ingress.0.ipv6_cidr_blocks": ["2001:db8::/64"]}
    assert found("RDS-028", good("RDS-028", change)) == []


def test_an_unknown_range_is_undecided() -> None:
    change = UNKNOWN | {"resource.aws_security_group.old.ingress.0.cidr_blocks": ["${var.given}"]}
    assert doubted("RDS-028", good("RDS-028", change)) == ["var.given has no default"]
