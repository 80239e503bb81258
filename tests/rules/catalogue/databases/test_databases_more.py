"""Rules about databases: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

import pytest

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import RULES, doubted, found, good, look, resources
from tests.rules.catalogue.databases.documents import CLUSTER, MEMBER, UNKNOWN, cluster, instance


class TestProtection:
    def test_a_replica_has_its_source_s_encryption(self) -> None:
        copy_ = instance(replicate_source_db="${aws_db_instance.main.identifier}")
        for id_ in ("RDS-008", "RDS-009", "RDS-010", "RDS-011", "RDS-012"):
            assert found(id_, copy_) == []

    def test_what_is_restored_has_the_snapshot_s_encryption(self) -> None:
        restored = cluster(snapshot_identifier="shop-2026")
        reason = ["the snapshot determines the encryption"]
        assert doubted("RDS-008", restored) == reason
        assert doubted("RDS-009", restored) == reason
        assert found("RDS-008", cluster(snapshot_identifier="shop-2026", storage_encrypted=True)) == []

    def test_a_global_cluster_of_an_existing_one_is_encrypted_as_that(self) -> None:
        world = {"source_db_cluster_identifier": "${aws_rds_cluster.orders.arn}"}
        assert found("RDS-008", resources(aws_rds_global_cluster={"world": world})) == []

    def test_a_key_of_another_stack_counts_as_set(self) -> None:
        reference = "${data.terraform_remote_state.keys.outputs.key_arn}"
        document = cluster(storage_encrypted=True, kms_key_id=reference)
        document["data"] = {"terraform_remote_state": {"keys": {"backend": "s3", "config": {}}}}
        assert look("RDS-009", document)[0] == []

    def test_a_variable_key_leaves_the_question_open(self) -> None:
        document = cluster(storage_encrypted=True, kms_key_id="${var.given}") | UNKNOWN
        assert doubted("RDS-009", document) == ["var.given has no default"]

    def test_a_name_with_a_time_is_a_name_of_a_final_snapshot(self) -> None:
        document = cluster(final_snapshot_identifier='final-${formatdate("YYYYMMDD", timestamp())}')
        assert found("RDS-011", document) == []

    def test_what_is_not_encrypted_is_not_asked_for_a_key(self) -> None:
        assert found("RDS-009", cluster(storage_encrypted=False)) == []
        assert len(found("RDS-009", cluster(snapshot_identifier="a", kms_key_id="alias/aws/rds"))) == 1

    def test_databases_that_are_neither_new_nor_named_have_no_administrator_to_judge(self) -> None:
        for id_ in ("RDS-026", "RDS-027"):
            assert found(id_, instance(snapshot_identifier="shop-2026")) == []

    def test_accounts_that_are_not_known_leave_the_question_open(self) -> None:
        for accounts in ("${var.given}", ["210987654321", "${var.given}"]):
            snapshot = resources(aws_db_snapshot={"legacy": {"shared_accounts": accounts}})
            assert doubted("RDS-015", snapshot | UNKNOWN) == ["var.given has no default"]

    def test_protections_are_hints_in_dev(self) -> None:
        assert RULES["RDS-010"].severity.in_("dev") == "info"
        assert RULES["RDS-011"].severity.in_("staging") == "info"

    def test_engines_without_authentication_by_iam_are_not_asked(self) -> None:
        assert found("RDS-013", instance(engine="sqlserver-se")) == []
        document = instance(engine="${var.given}", iam_database_authentication_enabled=True) | UNKNOWN
        assert found("RDS-013", document) == []


class TestMonitoring:
    def test_a_cluster_may_set_monitoring_for_its_instances(self) -> None:
        change = {
            f"{MEMBER}.monitoring_interval": REMOVED,
            f"{MEMBER}.monitoring_role_arn": REMOVED,
            f"{CLUSTER}.monitoring_interval": 30,
            f"{CLUSTER}.monitoring_role_arn": "${aws_iam_role.monitoring.arn}",
        }
        assert found("RDS-016", good("RDS-016", change)) == []
        assert len(found("RDS-016", good("RDS-016", change | {f"{CLUSTER}.monitoring_role_arn": ""}))) == 1

    def test_a_cluster_may_set_performance_insights_for_its_instances(self) -> None:
        change = {
            f"{MEMBER}.performance_insights_enabled": REMOVED,
            f"{MEMBER}.performance_insights_kms_key_id": REMOVED,
            f"{CLUSTER}.performance_insights_enabled": True,
            f"{CLUSTER}.performance_insights_kms_key_id": "${aws_kms_key.data.arn}",
        }
        assert found("RDS-017", good("RDS-017", change)) == []

    @pytest.mark.parametrize(
        ("engine", "name"), [("mysql", "db.t4g.small"), ("mariadb", "db.t3.micro"), ("aurora-mysql", "db.t3.medium")]
    )
    def test_classes_without_performance_insights_are_not_asked(self, engine: str, name: str) -> None:
        assert found("RDS-017", instance(engine=engine, instance_class=name)) == []

    def test_small_classes_of_postgresql_have_performance_insights(self) -> None:
        assert len(found("RDS-017", instance(instance_class="db.t4g.micro"))) == 1

    def test_larger_classes_of_mysql_have_performance_insights(self) -> None:
        assert len(found("RDS-017", instance(engine="mysql", instance_class="db.t4g.medium"))) == 1

    def test_more_logs_than_asked_for_are_right(self) -> None:
        logs = ["general", "error", "slowquery", "iam-db-auth-error"]
        assert found("RDS-018", instance(engine="mysql", enabled_cloudwatch_logs_exports=logs)) == []

    def test_logs_of_engines_that_are_not_in_the_table_are_left_alone(self) -> None:
        assert found("RDS-018", instance(engine="db2-se", enabled_cloudwatch_logs_exports=[])) == []
        assert found("RDS-018", instance(engine="oracle-ee", enabled_cloudwatch_logs_exports=["alert", "audit"])) == []


class TestParameters:
    @pytest.mark.parametrize(
        ("engine", "version"),
        [("postgres", "15.8"), ("postgres", "17"), ("mariadb", "11.8.3"), ("mariadb", "10.4.34"), ("oracle-ee", "19")],
    )
    def test_instances_that_force_tls_by_default_need_no_parameter(self, engine: str, version: str) -> None:
        assert found("RDS-019", instance(engine=engine, engine_version=version)) == []

    def test_clusters_that_force_tls_by_default_need_no_parameter(self) -> None:
        assert found("RDS-019", cluster(engine_version="17.9")) == []
        assert found("RDS-019", cluster(engine="aurora-mysql", engine_version="8.4.mysql_aurora.8.4.7")) == []

    @pytest.mark.parametrize(("engine", "version"), [("postgres", "14.20"), ("mysql", "8.4.8"), ("mariadb", "11.4.8")])
    def test_others_do(self, engine: str, version: str) -> None:
        assert len(found("RDS-019", instance(engine=engine, engine_version=version))) == 1

    def test_a_default_may_be_turned_off(self) -> None:
        change = {
            f"{CLUSTER}.engine_version": "17.9",
            "resource.aws_rds_cluster_parameter_group.orders.parameter.0.value": 0,
        }
        assert len(found("RDS-019", good("RDS-019", change))) == 1

    def test_a_group_of_elsewhere_leaves_the_question_open(self) -> None:
        document = cluster(engine_version="16.9", db_cluster_parameter_group_name="shared")
        assert doubted("RDS-019", document) == ["the parameter group shared is not in the checked stacks"]
        assert found("RDS-021", document) == []

    def test_without_a_version_the_default_is_not_known(self) -> None:
        assert doubted("RDS-019", cluster()) == [
            "AWS chooses the engine version, which decides whether TLS is required by default"
        ]

    def test_parameters_of_a_dynamic_block_are_read(self) -> None:
        group = "resource.aws_rds_cluster_parameter_group.orders"
        parameter = {
            "for_each": {"rds.force_ssl": "1"},
            "content": {"name": "${parameter.key}", "value": "${parameter.value}"},
        }
        change = {f"{group}.parameter": REMOVED, f"{group}.dynamic": {"parameter": parameter}}
        assert found("RDS-019", good("RDS-019", change)) == []

    def test_parameters_that_are_not_known_leave_the_question_open(self) -> None:
        group = "resource.aws_rds_cluster_parameter_group.orders"
        for value in ("${var.given}", [{"name": "${var.given}", "value": "1"}]):
            document = good("RDS-019", UNKNOWN | {f"{group}.parameter": value})
            assert doubted("RDS-019", document) == ["var.given has no default"]

    def test_an_instance_of_a_cluster_of_elsewhere_is_compared_by_its_engine(self) -> None:
        change = {f"{MEMBER}.cluster_identifier": "elsewhere", f"{MEMBER}.engine": "aurora-mysql"}
        assert "must have a family for aurora-mysql" in found("RDS-021", good("RDS-021", change))[0]

    def test_a_family_from_the_engine_s_data_source_fits(self) -> None:
        change = {
            "data": {"aws_rds_engine_version": {"pg": {"engine": "aurora-postgresql"}}},
            "resource.aws_rds_cluster_parameter_group.orders.family": (
                "${data.aws_rds_engine_version.pg.parameter_group_family}"
            ),
        }
        assert found("RDS-021", good("RDS-021", change)) == []

    def test_families_of_editions_are_not_judged(self) -> None:
        document = instance(engine="oracle-ee", engine_version="19", parameter_group_name="default.oracle-ee-19")
        assert found("RDS-021", document) == []

    def test_without_a_version_the_engine_alone_is_compared(self) -> None:
        assert found("RDS-021", instance(parameter_group_name="default.postgres16")) == []
        assert len(found("RDS-021", instance(parameter_group_name="default.mysql8.0"))) == 1


class TestAccess:
    def test_a_literal_password_is_never_shown(self) -> None:
        (message,) = found("RDS-023", instance(password="correct-horse"))
        assert "correct-horse" not in message

    def test_a_password_from_a_secret_or_a_variable_is_no_literal(self) -> None:
        secret = {"data": {"aws_secretsmanager_secret_version": {"db": {"secret_id": "db"}}}}
        reference = '${jsondecode(data.aws_secretsmanager_secret_version.db.secret_string)["password"]}'
        assert found("RDS-023", instance(password=reference) | secret) == []
        assert found("RDS-023", instance(password="${var.given}") | UNKNOWN) == []

    def test_a_generated_password_is_followed_through_locals_and_stacks(self) -> None:
        generated = {"random_password": {"db": {"length": 20}}}
        local = {"resource": generated, "output": {"password": {"value": "${random_password.db.result}"}}}
        local["locals"] = {"password": "${random_password.db.result}"}
        database = instance(password="${local.password}")
        database["resource"] |= local["resource"]
        assert "must be set without @" in found("RDS-024", database | {"locals": local["locals"]})[0]
        state = {"backend": "local", "config": {"path": "../shop/terraform.tfstate"}}
        there = instance(password="${data.terraform_remote_state.cross-stack-reference-input-shop.outputs.password}")
        there["data"] = {"terraform_remote_state": {"cross-stack-reference-input-shop": state}}
        (message,) = found("RDS-024", local, there)
        assert "aws_db_instance.legacy of the stack shop1" in message

    def test_passwords_of_other_things_are_not_judged(self) -> None:
        assert found("RDS-024", resources(random_password={"other": {"length": 4}})) == []

    def test_a_password_without_special_characters_is_safe(self) -> None:
        document = instance(password="${random_password.db.result}")
        document["resource"]["random_password"] = {"db": {"length": 40, "special": "false"}}
        assert found("RDS-024", document) == []
        document["resource"]["random_password"]["db"]["length"] = "${var.given}"
        assert doubted("RDS-024", document | UNKNOWN) == ["var.given has no default"]

    def test_secrets_manager_without_punctuation_is_safe(self) -> None:
        change = {
            "data.aws_secretsmanager_random_password.stock": {"exclude_punctuation": True, "password_length": 30},
        }
        assert found("RDS-024", good("RDS-024", change)) == []

    def test_members_of_a_global_cluster_cannot_have_a_managed_password(self) -> None:
        document = cluster(global_cluster_identifier="world", master_username="owner", master_password="${var.given}")
        assert found("RDS-025", document | UNKNOWN) == []

    def test_what_is_restored_keeps_its_password(self) -> None:
        assert found("RDS-025", instance(snapshot_identifier="shop-2026")) == []
        assert (
            len(found("RDS-025", instance(snapshot_identifier="shop-2026", password="${random_password.a.result}")))
            == 1
        )

    def test_admin_is_legal_on_mysql(self) -> None:
        assert found("RDS-027", instance(engine="mysql", username="admin")) == []
        assert doubted("RDS-027", instance(engine="${var.given}", username="admin") | UNKNOWN) == [
            "var.given has no default"
        ]
