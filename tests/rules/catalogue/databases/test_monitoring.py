"""Rules of databases/monitoring: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

import pytest

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import found, good
from tests.rules.catalogue.databases.documents import CLUSTER, MEMBER, instance


def test_a_cluster_may_set_monitoring_for_its_instances() -> None:
    change = {
        f"{MEMBER}.monitoring_interval": REMOVED,
        f"{MEMBER}.monitoring_role_arn": REMOVED,
        f"{CLUSTER}.monitoring_interval": 30,
        f"{CLUSTER}.monitoring_role_arn": "${aws_iam_role.monitoring.arn}",
    }
    assert found("RDS-016", good("RDS-016", change)) == []
    assert len(found("RDS-016", good("RDS-016", change | {f"{CLUSTER}.monitoring_role_arn": ""}))) == 1


def test_a_cluster_may_set_performance_insights_for_its_instances() -> None:
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
def test_classes_without_performance_insights_are_exempt(engine: str, name: str) -> None:
    assert found("RDS-017", instance(engine=engine, instance_class=name)) == []


def test_small_classes_of_postgresql_have_performance_insights() -> None:
    assert len(found("RDS-017", instance(instance_class="db.t4g.micro"))) == 1


def test_larger_classes_of_mysql_have_performance_insights() -> None:
    assert len(found("RDS-017", instance(engine="mysql", instance_class="db.t4g.medium"))) == 1


def test_additional_log_exports_pass() -> None:
    logs = ["general", "error", "slowquery", "iam-db-auth-error"]
    assert found("RDS-018", instance(engine="mysql", enabled_cloudwatch_logs_exports=logs)) == []


def test_engines_without_a_table_of_logs_are_exempt() -> None:
    assert found("RDS-018", instance(engine="db2-se", enabled_cloudwatch_logs_exports=[])) == []
    assert found("RDS-018", instance(engine="oracle-ee", enabled_cloudwatch_logs_exports=["alert", "audit"])) == []
