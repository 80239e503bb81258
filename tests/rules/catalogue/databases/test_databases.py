"""Rules about databases: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

from datetime import date

import pytest

from constructs_lib.foundation.database_versions import END_OF_SUPPORT, end_of, exists, major_of, supported
from constructs_lib.rules.catalogue.databases import engines
from constructs_lib.rules.facts.database_classes import is_offered
from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, look, resources
from tests.rules.catalogue.databases.documents import CLUSTER, MEMBER, UNKNOWN, cluster, instance

V2 = "serverlessv2_scaling_configuration"


class TestModes:
    def test_provisioned_and_serverless_instances_may_stand_in_one_cluster(self) -> None:
        further = {
            "cluster_identifier": "${aws_rds_cluster.orders.id}",
            "engine": "aurora-postgresql",
            "instance_class": "db.r7g.large",
        }
        assert found("RDS-001", good("RDS-001", {"resource.aws_rds_cluster_instance.writer": further})) == []

    def test_a_scaling_block_without_instances_in_these_stacks_is_right(self) -> None:
        assert found("RDS-001", cluster(**{V2: {"max_capacity": 4}})) == []

    def test_an_instance_of_another_stack_is_seen(self) -> None:
        member = resources(
            aws_rds_cluster_instance={"orders": {"cluster_identifier": "orders", "instance_class": "db.serverless"}}
        )
        (message,) = found("RDS-001", cluster(), member)
        assert (
            "must not be db.serverless without serverlessv2_scaling_configuration in aws_rds_cluster.orders of the stack shop"
            in message
        )

    def test_every_serverless_instance_of_a_count_is_found(self) -> None:
        document = good("RDS-001", {f"{CLUSTER}.{V2}": REMOVED, f"{MEMBER}.count": 2})
        assert [message.partition(":")[0] for message in found("RDS-001", document)] == [
            "aws_rds_cluster_instance.orders[0]",
            "aws_rds_cluster_instance.orders[1]",
        ]

    def test_a_scaling_block_that_a_dynamic_block_makes_is_seen(self) -> None:
        dynamic = {V2: {"for_each": [1], "content": {"max_capacity": 4}}}
        assert found("RDS-001", good("RDS-001", {f"{CLUSTER}.{V2}": REMOVED, f"{CLUSTER}.dynamic": dynamic})) == []

    def test_a_class_that_is_not_known_leaves_the_question_open(self) -> None:
        document = good("RDS-001", {"variable": {"given": {}}, f"{MEMBER}.instance_class": "${var.given}"})
        assert doubted("RDS-001", document) == ["var.given has no default"]

    def test_an_empty_list_is_no_scaling_block(self) -> None:
        assert found("RDS-002", good("RDS-002", {f"{CLUSTER}.scaling_configuration": []})) == []

    def test_old_scaling_beside_the_new_one_is_one_finding_only(self) -> None:
        assert found("RDS-003", good("RDS-003", {f"{CLUSTER}.scaling_configuration": {}})) == []


class TestVersions:
    @pytest.mark.parametrize(
        ("engine", "version"),
        [
            ("aurora-postgresql", "16"),
            ("aurora-postgresql", "16.9-limitless"),
            ("aurora-postgresql", "12.19"),
            ("aurora-mysql", "8.0"),
            ("aurora-mysql", "8.0.mysql_aurora.3.05.2"),
            ("aurora-mysql", "5.7.12"),
            ("mysql", "8.0.46-rds.20260908"),
            ("mysql", "5.7.44-rds.20250103"),
            ("postgres", "9.4.26"),
            ("postgres", "15.19"),
            ("mariadb", "10.11.16"),
            ("mariadb", "10.5.29"),
        ],
    )
    def test_versions_that_there_are_or_were_never_count_as_missing(self, engine: str, version: str) -> None:
        assert exists(engine, version) is not False

    @pytest.mark.parametrize(
        ("engine", "version"),
        [
            ("aurora-postgresql", "17.1"),
            ("aurora-postgresql", "8.0.mysql_aurora.3.04.0"),
            ("aurora-mysql", "8.0.28"),
            ("aurora-mysql", "5.7.44"),
            ("aurora-mysql", "16.4"),
            ("mysql", "8.0.22"),
            ("mysql", "15.4"),
            ("postgres", "16.4.1"),
            ("postgres", "8.0.35"),
            ("mariadb", "11.4.6"),
        ],
    )
    def test_versions_that_never_were_are_known(self, engine: str, version: str) -> None:
        assert exists(engine, version) is False

    @pytest.mark.parametrize(
        ("engine", "version"),
        [
            ("aurora-postgresql", "19.1"),
            ("aurora-postgresql", "17.12"),
            ("aurora-mysql", "8.4.mysql_aurora.8.4.9"),
            ("aurora-mysql", "8.0.mysql_aurora.3.14.0"),
            ("mysql", "9.7.1"),
            ("postgres", "19"),
            ("sqlserver-ee", "16.00"),
        ],
    )
    def test_versions_newer_than_the_table_are_left_open(self, engine: str, version: str) -> None:
        assert exists(engine, version) is None

    def test_a_number_in_place_of_a_text_is_read(self) -> None:
        assert "must be a version of aurora-postgresql" in found("RDS-004", cluster(engine_version=17.1))[0]
        assert found("RDS-004", cluster(engine_version=17)) == []

    def test_a_newer_version_leaves_the_question_open(self) -> None:
        assert doubted("RDS-004", cluster(engine_version="19.1")) == [
            "aurora-postgresql 19.1 is not in the table of 2026-11-22"
        ]

    def test_a_version_from_a_data_source_with_a_version_of_its_own_is_judged(self) -> None:
        data = {"data": {"aws_rds_engine_version": {"pg": {"engine": "aurora-postgresql", "version": "17.2"}}}}
        document = cluster(engine_version="${data.aws_rds_engine_version.pg.version}") | data
        assert "must be a version of aurora-postgresql" in found("RDS-004", document)[0]

    def test_a_version_only_aws_knows_leaves_the_question_open(self) -> None:
        data = {"data": {"aws_rds_engine_version": {"pg": {"engine": "aurora-postgresql", "latest": True}}}}
        document = cluster(engine_version="${data.aws_rds_engine_version.pg.version_actual}") | data
        assert doubted("RDS-004", document) == ["data.aws_rds_engine_version.pg.version_actual is known after apply"]
        assert len(doubted("RDS-005", document)) == 1

    def test_an_engine_that_is_not_known_leaves_the_question_open(self) -> None:
        document = instance(engine="${var.given}", engine_version="1.0") | UNKNOWN
        for id_ in ("RDS-004", "RDS-005"):
            assert doubted(id_, document) == ["var.given has no default"]

    def test_a_replica_without_engine_is_not_judged(self) -> None:
        document = resources(aws_db_instance={"copy": {"replicate_source_db": "legacy", "engine_version": "1.0"}})
        assert found("RDS-004", document) == []

    def test_support_ends_with_its_last_day(self, monkeypatch: pytest.MonkeyPatch) -> None:
        document = instance(engine="mysql", engine_version="8.0.46")
        monkeypatch.setattr(engines, "today", lambda: date(2026, 7, 31))
        assert found("RDS-005", document) == []
        monkeypatch.setattr(engines, "today", lambda: date(2026, 8, 1))
        assert "standard support, which ended for 8.0 on 2026-07-31" in found("RDS-005", document)[0]

    def test_a_minor_version_may_end_before_its_major_one(self) -> None:
        assert end_of("aurora-mysql", "8.0.mysql_aurora.3.04.2") == (
            date(2026, 10, 31),
            "8.0.mysql_aurora.3.04",
        )
        assert end_of("aurora-postgresql", "16.13") == (date(2029, 2, 28), "16")

    def test_a_version_without_a_known_end_is_supported(self) -> None:
        assert found("RDS-005", instance(engine="mariadb", engine_version="12.3.2")) == []
        assert "12.3" in supported("mariadb", date(2099, 1, 1))

    def test_majors_of_one_digit_are_not_mixed_up_with_others(self) -> None:
        assert major_of("postgres", "10.21") == "10"
        assert major_of("postgres", "1.0") is None
        assert all(
            list(ends) == sorted(ends, key=lambda name: [int(part) for part in name.split(".")])
            for ends in END_OF_SUPPORT.values()
        )


class TestClasses:
    @pytest.mark.parametrize("name", ["db.t4g.medium", "db.r8gd.48xlarge", "db.serverless", "db.x2g.large"])
    def test_classes_of_aurora_are_offered(self, name: str) -> None:
        assert is_offered("aurora-postgresql", name) is True

    def test_a_family_newer_than_the_table_is_left_open(self) -> None:
        document = good("RDS-006", {f"{MEMBER}.instance_class": "db.r99g.large"})
        assert doubted("RDS-006", document) == ["db.r99g.large is not in the table of 2026-11-22"]

    def test_classes_of_editions_are_not_judged(self) -> None:
        assert found("RDS-006", instance(engine="oracle-se2", instance_class="db.z1d.large")) == []

    def test_the_engine_comes_from_the_cluster_where_the_instance_names_none(self) -> None:
        document = good("RDS-006", {f"{MEMBER}.engine": REMOVED, f"{MEMBER}.instance_class": "db.m5.large"})
        assert "must be a class that aurora-postgresql supports" in found("RDS-006", document)[0]

    def test_the_class_of_a_lookup_by_environment_is_resolved(self) -> None:
        document = good(
            "RDS-006",
            {
                "locals": {"classes": {"dev": "db.t3.micro", "prod": "db.r7g.large"}, "env": "dev"},
                f"{MEMBER}.instance_class": "${local.classes[local.env]}",
            },
        )
        assert "must be a class" in found("RDS-006", document)[0]


class TestEngines:
    def test_an_engine_taken_from_the_cluster_agrees_even_when_it_is_not_known(self) -> None:
        document = good("RDS-007", UNKNOWN | {f"{CLUSTER}.engine": "${var.given}"})
        messages, doubts = look("RDS-007", document)
        assert messages == []
        assert doubts == ["var.given has no default"]  # against the global cluster only

    def test_the_same_variable_agrees_with_itself(self) -> None:
        change = {f"{CLUSTER}.engine": "${var.given}", f"{MEMBER}.engine": "${var.given}"}
        document = good("RDS-007", UNKNOWN | change | {f"{CLUSTER}.global_cluster_identifier": REMOVED})
        assert look("RDS-007", document) == ([], [])

    def test_variables_of_two_stacks_may_differ(self) -> None:
        there = resources(
            aws_rds_cluster_instance={"orders": {"cluster_identifier": "orders", "engine": "${var.given}"}}
        )
        assert doubted("RDS-007", cluster(engine="${var.given}") | UNKNOWN, there | UNKNOWN) == [
            "var.given has no default"
        ]

    def test_minor_versions_may_differ_while_an_upgrade_runs(self) -> None:
        assert found("RDS-007", good("RDS-007", {f"{MEMBER}.engine_version": "17.7"})) == []
