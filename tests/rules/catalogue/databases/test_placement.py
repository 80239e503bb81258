"""Rules of databases/placement: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

from typing import Any

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, look
from tests.rules.catalogue.databases.documents import CLUSTER, MEMBER, UNKNOWN, cluster, instance


def test_two_instances_in_dev_are_found() -> None:
    assert "must have one instance in dev, not 2" in found("RDS-030", good("RDS-030"), environment="dev")[0]
    assert found("RDS-030", good("RDS-030", {f"{MEMBER}.count": 1}), environment="dev") == []


def test_staging_may_have_one_or_two_instances() -> None:
    for count in (1, 2):
        assert found("RDS-030", good("RDS-030", {f"{MEMBER}.count": count}), environment="staging") == []


def test_unknown_zones_are_undecided() -> None:
    change = UNKNOWN | {f"{MEMBER}.availability_zone": "${var.given}"}
    assert doubted("RDS-030", good("RDS-030", change)) == ["var.given has no default"]
    zones = cluster(availability_zones="${var.given}") | UNKNOWN
    assert doubted("RDS-031", zones) == ["var.given has no default"]


def test_instances_of_an_unknown_engine_are_counted() -> None:
    change = UNKNOWN | {f"{MEMBER}.count": 1, f"{CLUSTER}.engine": "${var.given}"}
    assert len(found("RDS-030", good("RDS-030", change))) == 1


def test_an_unknown_count_is_undecided() -> None:
    document = good("RDS-030", UNKNOWN | {f"{MEMBER}.count": "${var.given}"})
    assert doubted("RDS-030", document) == ["the number of aws_rds_cluster_instance.orders is known only in a plan"]


def test_replicas_that_autoscaling_keeps_count() -> None:
    target = {
        "resource_id": "cluster:${aws_rds_cluster.orders.cluster_identifier}",
        "scalable_dimension": "rds:cluster:ReadReplicaCount",
        "min_capacity": 1,
    }
    change: dict[str, Any] = {f"{MEMBER}.count": 1, "resource.aws_appautoscaling_target": {"replicas": target}}
    assert found("RDS-030", good("RDS-030", change)) == []
    target["min_capacity"] = 0
    assert len(found("RDS-030", good("RDS-030", change))) == 1


def test_a_secondary_of_a_global_cluster_may_have_one_instance() -> None:
    change = {f"{MEMBER}.count": 1, f"{CLUSTER}.global_cluster_identifier": "world"}
    assert found("RDS-030", good("RDS-030", change)) == []


def test_a_multi_az_db_cluster_is_exempt() -> None:
    assert found("RDS-030", good("RDS-030", {f"{MEMBER}.count": 1, f"{CLUSTER}.engine": "postgres"})) == []


def test_zones_that_aws_chooses_are_different() -> None:
    assert found("RDS-030", good("RDS-030", {f"{MEMBER}.availability_zone": REMOVED})) == []


def test_three_zones_or_ignored_changes_pass() -> None:
    three = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert found("RDS-031", cluster(availability_zones=three)) == []
    ignored = {"lifecycle": {"ignore_changes": ["availability_zones"]}}
    assert found("RDS-031", cluster(availability_zones=three[:2], **ignored)) == []
    assert found("RDS-031", cluster(availability_zones=three[:1], lifecycle=[{"ignore_changes": "all"}])) == []


def test_a_backtrack_window_of_zero_passes() -> None:
    assert found("RDS-032", cluster(backtrack_window="0")) == []


def test_zones_from_elements_of_a_list_are_compared() -> None:
    names = "data.aws_availability_zones.here.names"
    data = {"data": {"aws_availability_zones": {"here": {"state": "available"}}}}
    for second, count in ((1, 0), (0, 1)):
        change = data | {
            "resource.aws_subnet.a.availability_zone": f"${{{names}[0]}}",
            "resource.aws_subnet.b.availability_zone": f"${{{names}[{second}]}}",
        }
        assert len(found("RDS-033", good("RDS-033", change))) == count


def test_subnets_with_count_may_be_in_several_zones() -> None:
    group = "resource.aws_db_subnet_group.db"
    for zone in ("${data.aws_availability_zones.here.names[count.index]}", "${var.given[count.index]}"):
        change = UNKNOWN | {
            "data": {"aws_availability_zones": {"here": {"state": "available"}}},
            "resource.aws_subnet.a": {"count": 2, "availability_zone": zone},
            f"{group}.subnet_ids": "${aws_subnet.a[*].id}",
        }
        assert look("RDS-033", good("RDS-033", change))[0] == []


def test_known_zones_of_subnets_with_count_are_compared() -> None:
    change = {
        "locals": {"zones": ["eu-west-1a", "eu-west-1a"]},
        "resource.aws_subnet.a": {"count": 2, "availability_zone": "${local.zones[count.index]}"},
        "resource.aws_db_subnet_group.db.subnet_ids": "${aws_subnet.a[*].id}",
    }
    assert "names subnets of one Availability Zone only, eu-west-1a" in found("RDS-033", good("RDS-033", change))[0]


def test_subnets_outside_of_the_stacks_are_undecided() -> None:
    group = "resource.aws_db_subnet_group.db.subnet_ids"
    assert doubted("RDS-033", good("RDS-033", UNKNOWN | {group: "${var.given}"})) == ["var.given has no default"]
    assert doubted("RDS-033", good("RDS-033", {group: ["subnet-1", "subnet-2"]})) == [
        "a subnet is not in the checked stacks"
    ]
    assert len(found("RDS-033", good("RDS-033", {group: ["subnet-1"]}))) == 1


def test_subnets_without_zones_are_undecided() -> None:
    change = {f"resource.aws_subnet.{letter}.availability_zone": REMOVED for letter in "ab"}
    assert doubted("RDS-033", good("RDS-033", change)) == ["AWS chooses the zone of aws_subnet.b"]


def test_an_unknown_number_of_subnets_is_undecided() -> None:
    change = UNKNOWN | {
        "resource.aws_subnet.a.count": "${var.given}",
        "resource.aws_db_subnet_group.db.subnet_ids": "${aws_subnet.a[*].id}",
    }
    assert len(doubted("RDS-033", good("RDS-033", change))) == 1


def test_a_replica_needs_no_standby() -> None:
    assert found("RDS-034", instance(replicate_source_db="legacy")) == []


def test_editions_without_multi_az_are_exempt() -> None:
    assert found("RDS-034", instance(engine="sqlserver-ex")) == []
    assert found("RDS-035", instance(availability_zone="eu-west-1a")) == []
