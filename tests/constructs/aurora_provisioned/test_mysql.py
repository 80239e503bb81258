"""An Aurora MySQL cluster with what is optional: backtracking, a generated password, readers that come and go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from constructs_lib import GeneratedPassword, HardenedStack, NoDeletionProtection, ReaderScaling
from tests.constructs.aurora_provisioned.clusters import CLUSTER, KEY, make_cluster, parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack


def build_mysql(stack: HardenedStack) -> None:
    make_cluster(
        stack,
        engine="aurora-mysql",
        backtrack_hours=24,
        io_optimized=True,
        port=3307,
        password=GeneratedPassword(),
        deletion_protection=NoDeletionProtection("it is made anew from its source every night"),
        reader_scaling=ReaderScaling(maximum=4),
        parameters={"max_allowed_packet": "67108864", "long_query_time": "5"},
        instance_parameters={"innodb_lock_wait_timeout": "20"},
    )


@pytest.fixture(scope="module")
def mysql(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build_mysql, "prod")


def test_a_mysql_cluster_is_hardened_in_its_own_words(mysql: SynthesizedStack) -> None:
    cluster = mysql.resource("aws_rds_cluster")
    chosen = {
        "backtrack_window": 86400,
        "deletion_protection": False,
        "enabled_cloudwatch_logs_exports": ["audit", "error", "iam-db-auth-error", "slowquery"],
        "engine": "aurora-mysql",
        "engine_version": "8.0",
        "final_snapshot_identifier": "shop-prod-db-final-eu-west-1",
        "port": 3307,
        "skip_final_snapshot": False,
        "delete_automated_backups": False,
        "storage_type": "aurora-iopt1",
    }
    assert {name: cluster[name] for name in chosen} == chosen
    assert "prevent_destroy" not in cluster["lifecycle"]
    group_ = mysql.resource("aws_rds_cluster_parameter_group")
    assert group_["family"] == "aurora-mysql8.0"
    assert group_["parameter"] == parameters(
        {
            "long_query_time": "5",
            "max_allowed_packet": "67108864",
            "require_secure_transport": "ON",
            "server_audit_events": "CONNECT,QUERY_DCL,QUERY_DDL",
            "server_audit_logging": "1",
            "slow_query_log": "1",
        }
    )
    assert mysql.resource("aws_db_parameter_group")["parameter"] == parameters(
        {"innodb_lock_wait_timeout": "20", "long_query_time": "1", "slow_query_log": "1"}
    )


def test_a_generated_password_needs_no_escaping_anywhere_and_lies_in_a_secret(mysql: SynthesizedStack) -> None:
    mysql.resource("random_password").assert_config(
        {
            "keepers": {"generation": "1"},
            "length": 32,
            "min_lower": 2,
            "min_numeric": 2,
            "min_special": 2,
            "min_upper": 2,
            "override_special": "_.",
            "special": True,
        }
    )
    password = "${random_password.db_credentials_password_eu_west_1.result}"
    cluster = mysql.resource("aws_rds_cluster")
    assert cluster["master_password"] == password
    assert "manage_master_user_password" not in cluster
    mysql.resource("aws_secretsmanager_secret").assert_config(
        {
            "description": "Master user of shop/db",
            "kms_key_id": KEY,
            "name": "shop-prod-db-credentials-eu-west-1",
            "recovery_window_in_days": 30,
        }
    )
    assert json.loads(mysql.resource("aws_secretsmanager_secret_version")["secret_string"]) == {
        "dbname": "app",
        "engine": "mysql",
        "host": CLUSTER % "endpoint",
        "password": password,
        "port": 3307,
        "username": "cluster_owner",
    }
    assert mysql.outputs["db_secret_arn_eu_west_1"] == "${aws_secretsmanager_secret.db_credentials_eu_west_1.arn}"


def test_readers_come_and_go_with_the_load(mysql: SynthesizedStack) -> None:
    place = {"scalable_dimension": "rds:cluster:ReadReplicaCount", "service_namespace": "rds"}
    mysql.resource("aws_appautoscaling_target").assert_config(
        {
            **place,
            "depends_on": [block.address for block in mysql.resources("aws_rds_cluster_instance")],
            "max_capacity": 4,
            "min_capacity": 1,
            "resource_id": f"cluster:{CLUSTER % 'cluster_identifier'}",
        }
    )
    mysql.resource("aws_appautoscaling_policy").assert_config(
        {
            **place,
            "name": "shop-prod-db-readers-eu-west-1",
            "policy_type": "TargetTrackingScaling",
            "resource_id": "${aws_appautoscaling_target.db_readers_eu_west_1.resource_id}",
            "target_tracking_scaling_policy_configuration": {
                "predefined_metric_specification": {"predefined_metric_type": "RDSReaderAverageCPUUtilization"},
                "scale_in_cooldown": 300,
                "scale_out_cooldown": 300,
                "target_value": 60,
            },
        }
    )
