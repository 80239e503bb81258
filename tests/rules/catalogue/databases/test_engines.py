"""Rules of databases/engines: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

from datetime import date

import pytest

from constructs_lib.foundation.database_versions import supported
from constructs_lib.rules.catalogue.databases import engines
from constructs_lib.rules.facts.database_classes import is_offered
from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, look, resources
from tests.rules.catalogue.databases.documents import CLUSTER, MEMBER, UNKNOWN, cluster, instance

V2 = "serverlessv2_scaling_configuration"


def test_a_cluster_may_mix_provisioned_and_serverless_instances() -> None:
    further = {
        "cluster_identifier": "${aws_rds_cluster.orders.id}",
        "engine": "aurora-postgresql",
        "instance_class": "db.r7g.large",
    }
    assert found("RDS-001", good("RDS-001", {"resource.aws_rds_cluster_instance.writer": further})) == []


def test_a_scaling_configuration_without_known_instances_passes() -> None:
    assert found("RDS-001", cluster(**{V2: {"max_capacity": 4}})) == []


def test_an_instance_in_another_stack_is_found() -> None:
    member = resources(
        aws_rds_cluster_instance={"orders": {"cluster_identifier": "orders", "instance_class": "db.serverless"}}
    )
    (message,) = found("RDS-001", cluster(), member)
    assert (
        "must not be db.serverless without serverlessv2_scaling_configuration in aws_rds_cluster.orders of the stack shop"
        in message
    )


def test_every_serverless_instance_of_a_count_is_found() -> None:
    document = good("RDS-001", {f"{CLUSTER}.{V2}": REMOVED, f"{MEMBER}.count": 2})
    assert [message.partition(":")[0] for message in found("RDS-001", document)] == [
        "aws_rds_cluster_instance.orders[0]",
        "aws_rds_cluster_instance.orders[1]",
    ]


def test_a_scaling_configuration_in_a_dynamic_block_counts() -> None:
    dynamic = {V2: {"for_each": [1], "content": {"max_capacity": 4}}}
    assert found("RDS-001", good("RDS-001", {f"{CLUSTER}.{V2}": REMOVED, f"{CLUSTER}.dynamic": dynamic})) == []


def test_an_unknown_class_is_undecided() -> None:
    document = good("RDS-001", {"variable": {"given": {}}, f"{MEMBER}.instance_class": "${var.given}"})
    assert doubted("RDS-001", document) == ["var.given has no default"]


def test_an_empty_list_is_not_a_scaling_configuration() -> None:
    assert found("RDS-002", good("RDS-002", {f"{CLUSTER}.scaling_configuration": []})) == []


def test_both_scaling_configurations_are_reported_by_one_rule_only() -> None:
    assert found("RDS-003", good("RDS-003", {f"{CLUSTER}.scaling_configuration": {}})) == []


def test_a_version_may_be_a_number() -> None:
    assert "must be a version of aurora-postgresql" in found("RDS-004", cluster(engine_version=17.1))[0]
    assert found("RDS-004", cluster(engine_version=17)) == []


def test_a_version_newer_than_the_table_is_undecided() -> None:
    assert doubted("RDS-004", cluster(engine_version="19.1")) == [
        "aurora-postgresql 19.1 is not in the table of 2026-11-22"
    ]


def test_a_version_set_in_a_data_source_is_checked() -> None:
    data = {"data": {"aws_rds_engine_version": {"pg": {"engine": "aurora-postgresql", "version": "17.2"}}}}
    document = cluster(engine_version="${data.aws_rds_engine_version.pg.version}") | data
    assert "must be a version of aurora-postgresql" in found("RDS-004", document)[0]


def test_the_latest_version_of_a_data_source_is_undecided() -> None:
    data = {"data": {"aws_rds_engine_version": {"pg": {"engine": "aurora-postgresql", "latest": True}}}}
    document = cluster(engine_version="${data.aws_rds_engine_version.pg.version_actual}") | data
    assert doubted("RDS-004", document) == ["data.aws_rds_engine_version.pg.version_actual is known after apply"]
    assert len(doubted("RDS-005", document)) == 1


def test_an_unknown_engine_is_undecided() -> None:
    document = instance(engine="${var.given}", engine_version="1.0") | UNKNOWN
    for id_ in ("RDS-004", "RDS-005"):
        assert doubted(id_, document) == ["var.given has no default"]


def test_a_replica_without_engine_is_exempt() -> None:
    document = resources(aws_db_instance={"copy": {"replicate_source_db": "legacy", "engine_version": "1.0"}})
    assert found("RDS-004", document) == []


def test_a_version_is_supported_until_the_last_day(monkeypatch: pytest.MonkeyPatch) -> None:
    document = instance(engine="mysql", engine_version="8.0.46")
    monkeypatch.setattr(engines, "today", lambda: date(2026, 7, 31))
    assert found("RDS-005", document) == []
    monkeypatch.setattr(engines, "today", lambda: date(2026, 8, 1))
    assert "standard support, which ended for 8.0 on 2026-07-31" in found("RDS-005", document)[0]


def test_a_version_without_a_known_end_is_supported() -> None:
    assert found("RDS-005", instance(engine="mariadb", engine_version="12.3.2")) == []
    assert "12.3" in supported("mariadb", date(2099, 1, 1))


@pytest.mark.parametrize("name", ["db.t4g.medium", "db.r8gd.48xlarge", "db.serverless", "db.x2g.large"])
def test_classes_of_aurora_are_supported(name: str) -> None:
    assert is_offered("aurora-postgresql", name) is True


def test_a_class_family_newer_than_the_table_is_undecided() -> None:
    document = good("RDS-006", {f"{MEMBER}.instance_class": "db.r99g.large"})
    assert doubted("RDS-006", document) == ["db.r99g.large is not in the table of 2026-11-22"]


def test_classes_of_commercial_engines_are_exempt() -> None:
    assert found("RDS-006", instance(engine="oracle-se2", instance_class="db.z1d.large")) == []


def test_an_instance_without_engine_has_that_of_its_cluster() -> None:
    document = good("RDS-006", {f"{MEMBER}.engine": REMOVED, f"{MEMBER}.instance_class": "db.m5.large"})
    assert "must be a class that aurora-postgresql supports" in found("RDS-006", document)[0]


def test_a_class_from_a_map_by_environment_is_resolved() -> None:
    document = good(
        "RDS-006",
        {
            "locals": {"classes": {"dev": "db.t3.micro", "prod": "db.r7g.large"}, "env": "dev"},
            f"{MEMBER}.instance_class": "${local.classes[local.env]}",
        },
    )
    assert "must be a class" in found("RDS-006", document)[0]


def test_a_reference_to_the_engine_of_the_cluster_passes_even_if_unknown() -> None:
    document = good("RDS-007", UNKNOWN | {f"{CLUSTER}.engine": "${var.given}"})
    messages, doubts = look("RDS-007", document)
    assert messages == []
    assert doubts == ["var.given has no default"]  # against the global cluster only


def test_the_same_variable_is_the_same_engine() -> None:
    change = {f"{CLUSTER}.engine": "${var.given}", f"{MEMBER}.engine": "${var.given}"}
    document = good("RDS-007", UNKNOWN | change | {f"{CLUSTER}.global_cluster_identifier": REMOVED})
    assert look("RDS-007", document) == ([], [])


def test_variables_of_two_stacks_may_differ() -> None:
    there = resources(aws_rds_cluster_instance={"orders": {"cluster_identifier": "orders", "engine": "${var.given}"}})
    assert doubted("RDS-007", cluster(engine="${var.given}") | UNKNOWN, there | UNKNOWN) == ["var.given has no default"]


def test_minor_versions_may_differ_during_an_upgrade() -> None:
    assert found("RDS-007", good("RDS-007", {f"{MEMBER}.engine_version": "17.7"})) == []
