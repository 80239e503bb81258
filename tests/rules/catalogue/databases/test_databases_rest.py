"""Rules about databases: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.foundation.windows import daily, overlap, weekly
from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, look
from tests.rules.catalogue.databases.documents import CLUSTER, MEMBER, UNKNOWN, cluster, instance


class TestNetwork:
    def test_a_range_smaller_than_the_vpc_may_be_an_office(self) -> None:
        ingress = "resource.aws_vpc_security_group_ingress_rule.db"
        change = {f"{ingress}.cidr_ipv4": "10.0.9.0/24", f"{ingress}.referenced_security_group_id": REMOVED}
        assert found("RDS-028", good("RDS-028", change)) == []
        assert len(found("RDS-028", good("RDS-028", change | {f"{ingress}.cidr_ipv4": "10.0.0.0/19"}))) == 1

    def test_a_port_the_database_does_not_listen_on_is_left_alone(self) -> None:
        ingress = "resource.aws_vpc_security_group_ingress_rule.db"
        change = {f"{ingress}.cidr_ipv4": "10.0.0.0/8", f"{ingress}.from_port": 22, f"{ingress}.to_port": 22}
        assert found("RDS-028", good("RDS-028", change)) == []
        assert len(found("RDS-028", good("RDS-028", change | {f"{CLUSTER}.port": 22}))) == 1

    def test_groups_of_other_things_are_not_judged(self) -> None:
        change = {
            "resource.aws_security_group.app.ingress": [
                {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["10.0.0.0/8"]}
            ]
        }
        assert found("RDS-028", good("RDS-028", change)) == []

    def test_the_range_of_a_vpc_of_a_data_source_is_the_whole_vpc(self) -> None:
        change = {
            "data": {"aws_vpc": {"main": {"id": "vpc-1"}}},
            "resource.aws_security_group.old.ingress.0.cidr_blocks": ["${data.aws_vpc.main.cidr_block}"],
        }
        assert len(found("RDS-028", good("RDS-028", change))) == 1

    def test_a_cache_is_guarded_too(self) -> None:
        document = good("RDS-028", {"resource.aws_db_instance": REMOVED})
        document["resource"]["aws_elasticache_replication_group"] = {
            "sessions": {"security_group_ids": ["${aws_security_group.old.id}"]}
        }
        ingress = document["resource"]["aws_security_group"]["old"]["ingress"][0]
        ingress |= {"cidr_blocks": ["10.0.0.0/8"], "from_port": 6379, "to_port": 6379}
        (message,) = found("RDS-028", document)
        assert "aws_elasticache_replication_group.sessions" in message

    def test_a_port_that_is_not_known_counts_as_the_database_s(self) -> None:
        ingress = "resource.aws_vpc_security_group_ingress_rule.db"
        change = UNKNOWN | {f"{ingress}.cidr_ipv4": "10.0.0.0/8", f"{CLUSTER}.port": "${var.given}"}
        assert len(found("RDS-028", good("RDS-028", change))) == 1

    def test_ranges_of_the_other_version_of_ip_are_not_compared(self) -> None:
        change = {"resource.aws_security_group.old.ingress.0.ipv6_cidr_blocks": ["2001:db8::/64"]}
        assert found("RDS-028", good("RDS-028", change)) == []

    def test_a_range_that_is_not_known_leaves_the_question_open(self) -> None:
        change = UNKNOWN | {"resource.aws_security_group.old.ingress.0.cidr_blocks": ["${var.given}"]}
        assert doubted("RDS-028", good("RDS-028", change)) == ["var.given has no default"]


class TestPlacement:
    def test_two_instances_in_dev_are_one_too_many(self) -> None:
        assert "must have one instance in dev, not 2" in found("RDS-030", good("RDS-030"), environment="dev")[0]
        assert found("RDS-030", good("RDS-030", {f"{MEMBER}.count": 1}), environment="dev") == []

    def test_staging_may_have_either(self) -> None:
        for count in (1, 2):
            assert found("RDS-030", good("RDS-030", {f"{MEMBER}.count": count}), environment="staging") == []

    def test_zones_that_are_not_known_leave_the_question_open(self) -> None:
        change = UNKNOWN | {f"{MEMBER}.availability_zone": "${var.given}"}
        assert doubted("RDS-030", good("RDS-030", change)) == ["var.given has no default"]
        zones = cluster(availability_zones="${var.given}") | UNKNOWN
        assert doubted("RDS-031", zones) == ["var.given has no default"]

    def test_an_engine_that_is_not_known_is_counted(self) -> None:
        change = UNKNOWN | {f"{MEMBER}.count": 1, f"{CLUSTER}.engine": "${var.given}"}
        assert len(found("RDS-030", good("RDS-030", change))) == 1

    def test_a_count_that_is_not_known_leaves_the_question_open(self) -> None:
        document = good("RDS-030", UNKNOWN | {f"{MEMBER}.count": "${var.given}"})
        assert doubted("RDS-030", document) == ["the number of aws_rds_cluster_instance.orders is known only in a plan"]

    def test_replicas_that_autoscaling_keeps_count(self) -> None:
        target = {
            "resource_id": "cluster:${aws_rds_cluster.orders.cluster_identifier}",
            "scalable_dimension": "rds:cluster:ReadReplicaCount",
            "min_capacity": 1,
        }
        change: dict[str, Any] = {f"{MEMBER}.count": 1, "resource.aws_appautoscaling_target": {"replicas": target}}
        assert found("RDS-030", good("RDS-030", change)) == []
        target["min_capacity"] = 0
        assert len(found("RDS-030", good("RDS-030", change))) == 1

    def test_a_secondary_of_a_global_cluster_may_have_one_instance(self) -> None:
        change = {f"{MEMBER}.count": 1, f"{CLUSTER}.global_cluster_identifier": "world"}
        assert found("RDS-030", good("RDS-030", change)) == []

    def test_a_cluster_whose_instances_aws_makes_is_not_counted(self) -> None:
        assert found("RDS-030", good("RDS-030", {f"{MEMBER}.count": 1, f"{CLUSTER}.engine": "postgres"})) == []

    def test_zones_left_to_aws_are_different(self) -> None:
        assert found("RDS-030", good("RDS-030", {f"{MEMBER}.availability_zone": REMOVED})) == []

    def test_three_zones_or_ignored_ones_are_right(self) -> None:
        three = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
        assert found("RDS-031", cluster(availability_zones=three)) == []
        ignored = {"lifecycle": {"ignore_changes": ["availability_zones"]}}
        assert found("RDS-031", cluster(availability_zones=three[:2], **ignored)) == []
        assert found("RDS-031", cluster(availability_zones=three[:1], lifecycle=[{"ignore_changes": "all"}])) == []

    def test_a_backtrack_window_of_zero_is_right_everywhere(self) -> None:
        assert found("RDS-032", cluster(backtrack_window="0")) == []

    def test_subnets_of_a_list_of_zones_are_compared(self) -> None:
        names = "data.aws_availability_zones.here.names"
        data = {"data": {"aws_availability_zones": {"here": {"state": "available"}}}}
        for second, count in ((1, 0), (0, 1)):
            change = data | {
                "resource.aws_subnet.a.availability_zone": f"${{{names}[0]}}",
                "resource.aws_subnet.b.availability_zone": f"${{{names}[{second}]}}",
            }
            assert len(found("RDS-033", good("RDS-033", change))) == count

    def test_subnets_of_a_count_are_not_taken_for_one_zone(self) -> None:
        group = "resource.aws_db_subnet_group.db"
        for zone in ("${data.aws_availability_zones.here.names[count.index]}", "${var.given[count.index]}"):
            change = UNKNOWN | {
                "data": {"aws_availability_zones": {"here": {"state": "available"}}},
                "resource.aws_subnet.a": {"count": 2, "availability_zone": zone},
                f"{group}.subnet_ids": "${aws_subnet.a[*].id}",
            }
            assert look("RDS-033", good("RDS-033", change))[0] == []

    def test_subnets_of_a_count_with_known_zones_are_compared(self) -> None:
        change = {
            "locals": {"zones": ["eu-west-1a", "eu-west-1a"]},
            "resource.aws_subnet.a": {"count": 2, "availability_zone": "${local.zones[count.index]}"},
            "resource.aws_db_subnet_group.db.subnet_ids": "${aws_subnet.a[*].id}",
        }
        assert "names subnets of one zone only, eu-west-1a" in found("RDS-033", good("RDS-033", change))[0]

    def test_subnets_of_elsewhere_leave_the_question_open(self) -> None:
        group = "resource.aws_db_subnet_group.db.subnet_ids"
        assert doubted("RDS-033", good("RDS-033", UNKNOWN | {group: "${var.given}"})) == ["var.given has no default"]
        assert doubted("RDS-033", good("RDS-033", {group: ["subnet-1", "subnet-2"]})) == [
            "a subnet is not in these stacks"
        ]
        assert len(found("RDS-033", good("RDS-033", {group: ["subnet-1"]}))) == 1

    def test_subnets_without_zones_leave_the_question_open(self) -> None:
        change = {f"resource.aws_subnet.{letter}.availability_zone": REMOVED for letter in "ab"}
        assert doubted("RDS-033", good("RDS-033", change)) == ["AWS chooses the zone of aws_subnet.b"]

    def test_how_many_subnets_a_variable_makes_is_left_open(self) -> None:
        change = UNKNOWN | {
            "resource.aws_subnet.a.count": "${var.given}",
            "resource.aws_db_subnet_group.db.subnet_ids": "${aws_subnet.a[*].id}",
        }
        assert len(doubted("RDS-033", good("RDS-033", change))) == 1

    def test_a_replica_needs_no_standby(self) -> None:
        assert found("RDS-034", instance(replicate_source_db="legacy")) == []

    def test_editions_without_a_standby_are_not_asked(self) -> None:
        assert found("RDS-034", instance(engine="sqlserver-ex")) == []
        assert found("RDS-035", instance(availability_zone="eu-west-1a")) == []


class TestUpkeep:
    def test_an_authority_newer_than_this_rule_is_right(self) -> None:
        assert found("RDS-036", instance(ca_cert_identifier="rds-ca-rsa4096-g9")) == []

    def test_windows_are_read_around_midnight_and_the_week_s_end(self) -> None:
        assert daily("23:30-00:30") == (23 * 60 + 30, 60)
        assert weekly("Sun:23:30-mon:00:30") == (6 * 1440 + 23 * 60 + 30, 60)
        assert daily("24:00-25:00") is None
        assert weekly("sunday:04:00-sunday:05:00") is None

    @pytest.mark.parametrize(
        ("every_day", "every_week", "expected"),
        [
            ("02:00-03:00", "sun:03:00-sun:04:00", False),
            ("02:00-03:00", "sun:01:00-sun:02:00", False),
            ("02:00-03:00", "sun:01:00-sun:02:01", True),
            ("23:30-00:30", "mon:00:00-mon:01:00", True),
            ("02:00-03:00", "sun:23:00-mon:02:30", True),
            ("02:00-05:00", "wed:03:00-wed:04:00", True),
        ],
    )
    def test_windows_overlap_when_they_share_a_minute(self, every_day: str, every_week: str, *, expected: bool) -> None:
        first, second = daily(every_day), weekly(every_week)
        assert first is not None
        assert second is not None
        assert overlap(first, second) is expected

    def test_a_window_that_is_not_known_leaves_the_question_open(self) -> None:
        document = instance(backup_window="02:00-03:00", maintenance_window="${var.given}") | UNKNOWN
        assert doubted("RDS-038", document) == ["var.given has no default"]

    def test_a_prefix_may_end_with_a_hyphen(self) -> None:
        assert found("RDS-039", instance(identifier=None, identifier_prefix="shop-prod-")) == []
        assert len(found("RDS-039", instance(identifier=None, identifier_prefix="9shop-"))) == 1
