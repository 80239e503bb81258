from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import ConfigurationError, Environment, HardenedStack
from constructs_lib.core.iam import ServiceRole
from tests.constructs.aurora_provisioned.clusters import CLUSTER, KEY, SUBNETS, make_cluster, make_peer, parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

ACCOUNT = "${data.aws_caller_identity.current_eu_west_1.account_id}"
LOGGING = {"log_min_duration_statement": "1000", "log_statement": "ddl"}
WINDOW = "sun:03:30-sun:04:30"


def build(stack: HardenedStack) -> None:
    cluster = make_cluster(stack)
    cluster.allow_from(make_peer(cluster))
    role = ServiceRole(
        stack,
        "client",
        region=cluster.region,
        service="lambda.amazonaws.com",
        description="Somebody who asks",
        statements=[],
    )
    cluster.grant_connect(role, "app_user")


@pytest.fixture(scope="module")
def dev(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build)


@pytest.fixture(scope="module")
def prod(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build, "prod")


def group(synthesized: SynthesizedStack, type_: str) -> str:
    return f"${{{synthesized.resource(type_).address}.name}}"


def test_a_production_cluster_is_hardened(prod: SynthesizedStack) -> None:
    prod.resource("aws_rds_cluster").assert_config(
        {
            "apply_immediately": False,
            "backup_retention_period": 35,
            "cluster_identifier": "shop-prod-db-eu-west-1",
            "copy_tags_to_snapshot": True,
            "database_name": "app",
            "db_cluster_parameter_group_name": group(prod, "aws_rds_cluster_parameter_group"),
            "db_subnet_group_name": group(prod, "aws_db_subnet_group"),
            "delete_automated_backups": False,
            "deletion_protection": True,
            "depends_on": [
                "aws_cloudwatch_log_group.db_iam_db_auth_error_log_eu_west_1",
                "aws_cloudwatch_log_group.db_postgresql_log_eu_west_1",
            ],
            "enable_http_endpoint": False,
            "enabled_cloudwatch_logs_exports": ["iam-db-auth-error", "postgresql"],
            "engine": "aurora-postgresql",
            "engine_lifecycle_support": "open-source-rds-extended-support-disabled",
            "engine_mode": "provisioned",
            "engine_version": "17",
            "final_snapshot_identifier": "shop-prod-db-final-eu-west-1",
            "iam_database_authentication_enabled": True,
            "kms_key_id": KEY,
            "lifecycle": {
                "ignore_changes": ["engine_lifecycle_support", "engine_version"],
                "prevent_destroy": True,
            },
            "manage_master_user_password": True,
            "master_user_secret_kms_key_id": KEY,
            "master_username": "cluster_owner",
            "port": 5432,
            "preferred_backup_window": "02:00-03:00",
            "preferred_maintenance_window": WINDOW,
            "skip_final_snapshot": False,
            "storage_encrypted": True,
            "storage_type": "aurora",
            "vpc_security_group_ids": ["${aws_security_group.db_security_group_eu_west_1.id}"],
        }
    )


def test_a_development_cluster_can_go_without_a_trace(dev: SynthesizedStack) -> None:
    cluster = dev.resource("aws_rds_cluster")
    assert "final_snapshot_identifier" not in cluster
    assert cluster["lifecycle"] == {"ignore_changes": ["engine_lifecycle_support", "engine_version"]}
    kept = ("backup_retention_period", "delete_automated_backups", "deletion_protection", "skip_final_snapshot")
    assert [cluster[name] for name in kept] == [14, True, False, True]


def test_the_zones_of_the_storage_and_of_instances_are_left_to_aurora(prod: SynthesizedStack) -> None:
    assert not [one for one in prod.resources("aws_rds_cluster_instance") if "availability_zone" in one]
    assert "availability_zones" not in prod.resource("aws_rds_cluster")


def test_the_first_instance_becomes_the_writer_and_the_next_one_takes_over(
    prod: SynthesizedStack,
) -> None:
    first, second = prod.resources("aws_rds_cluster_instance")
    common = {
        "apply_immediately": False,
        "auto_minor_version_upgrade": True,
        "ca_cert_identifier": "rds-ca-rsa2048-g1",
        "cluster_identifier": CLUSTER % "id",
        "copy_tags_to_snapshot": True,
        "db_parameter_group_name": group(prod, "aws_db_parameter_group"),
        "engine": "aurora-postgresql",
        "instance_class": "db.r7g.large",
        "monitoring_interval": 60,
        "monitoring_role_arn": "${aws_iam_role.db_monitoring_eu_west_1.arn}",
        "performance_insights_enabled": True,
        "performance_insights_kms_key_id": KEY,
        "performance_insights_retention_period": 7,
        "preferred_maintenance_window": WINDOW,
        "publicly_accessible": False,
    }
    policy = "aws_iam_role_policy.db_monitoring_policy_eu_west_1"
    first.assert_config(
        {
            **common,
            "depends_on": [policy],
            "identifier": "shop-prod-db-1-eu-west-1",
            "promotion_tier": 0,
        }
    )
    second.assert_config(
        {
            **common,
            "depends_on": [policy, first.address],
            "identifier": "shop-prod-db-2-eu-west-1",
            "promotion_tier": 1,
        }
    )


def test_the_number_and_class_of_instances_follow_the_environment(
    synth_stack: Callable[..., SynthesizedStack], environment: Environment
) -> None:
    classes = [
        instance["instance_class"]
        for instance in synth_stack(make_cluster, environment).resources("aws_rds_cluster_instance")
    ]
    assert (
        classes
        == {
            "dev": ["db.t4g.medium"],
            "staging": ["db.t4g.medium", "db.t4g.medium"],
            "prod": ["db.r7g.large", "db.r7g.large"],
        }[environment]
    )


def test_the_subnet_group_has_the_database_subnets_of_every_zone(prod: SynthesizedStack) -> None:
    prod.resource("aws_db_subnet_group").assert_config(
        {
            "description": "Database subnets of shop/vpc",
            "name": "shop-prod-db-eu-west-1",
            "subnet_ids": list(SUBNETS.values()),
        }
    )


def test_parameter_groups_force_tls_and_log_slow_statements(prod: SynthesizedStack) -> None:
    cluster, instance = (
        prod.resource(type_) for type_ in ("aws_rds_cluster_parameter_group", "aws_db_parameter_group")
    )
    family = {"family": "aurora-postgresql17", "lifecycle": {"create_before_destroy": True}}
    cluster.assert_config(
        {
            **family,
            "description": "Cluster shop/db",
            "name": cluster["name"],
            "parameter": parameters({**LOGGING, "rds.force_ssl": "1"}),
        }
    )
    instance.assert_config(
        {
            **family,
            "description": "Instances of shop/db",
            "name": instance["name"],
            "parameter": parameters(LOGGING),
        }
    )


def test_log_groups_are_there_before_the_cluster_with_key_and_retention(prod: SynthesizedStack) -> None:
    for log in ("iam-db-auth-error", "postgresql"):
        prod.resource("aws_cloudwatch_log_group", f"shop/db/{log}-log/*").assert_config(
            {
                "kms_key_id": KEY,
                "name": f"/aws/rds/cluster/shop-prod-db-eu-west-1/{log}",
                "retention_in_days": 365,
            }
        )


def test_rds_writes_its_metrics_for_this_account_only(prod: SynthesizedStack) -> None:
    trust = prod.resource("data.aws_iam_policy_document", "shop/db/monitoring/trust")
    (statement,) = trust["statement"]
    assert statement["principals"] == [{"type": "Service", "identifiers": ["monitoring.rds.amazonaws.com"]}]
    assert statement["condition"] == [
        {"test": "StringEquals", "variable": "aws:SourceAccount", "values": [ACCOUNT]},
        {"test": "ArnLike", "variable": "aws:SourceArn", "values": [f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:*"]},
    ]
    grants = prod.resource("data.aws_iam_policy_document", "shop/db/monitoring/policy-document")["statement"]
    logs = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:RDSOSMetrics"
    assert {grant["sid"]: (grant["actions"], grant["resources"]) for grant in grants} == {
        "CreateGroup": (["logs:CreateLogGroup", "logs:PutRetentionPolicy"], [logs, f"{logs}:*"]),
        "WriteStreams": (
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:PutLogEvents"],
            [f"{logs}:log-stream:*"],
        ),
    }


def test_only_a_named_group_reaches_the_port_and_the_database_reaches_nobody(dev: SynthesizedStack) -> None:
    peer, own = (f"${{aws_security_group.{name}_eu_west_1.id}}" for name in ("peer", "db_security_group"))
    dev.resource("aws_vpc_security_group_ingress_rule").assert_config(
        {
            "description": "shop/peer to shop/db/security-group",
            "from_port": 5432,
            "ip_protocol": "tcp",
            "referenced_security_group_id": peer,
            "security_group_id": own,
            "to_port": 5432,
        }
    )
    assert dev.resource("aws_vpc_security_group_egress_rule")["security_group_id"] == peer
    group_ = dev.resource("aws_security_group", "shop/db/*")
    assert (group_["description"], group_["vpc_id"]) == ("Aurora cluster shop/db", "vpc-00000001")


def test_a_role_may_log_in_as_one_user_of_this_cluster(dev: SynthesizedStack) -> None:
    (statement,) = dev.resource("data.aws_iam_policy_document", "shop/client/policy-document")["statement"]
    assert statement == {
        "sid": "ConnectDbAppUser",
        "effect": "Allow",
        "actions": ["rds-db:connect"],
        "resources": [f"arn:aws:rds-db:eu-west-1:{ACCOUNT}:dbuser:{CLUSTER % 'cluster_resource_id'}/app_user"],
    }


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("*", "must be 1 to 63 letters, digits and underscores; wildcards are not allowed"),
        ("a" * 64, "must be 1 to 63 letters, digits and underscores; wildcards are not allowed"),
        ("${aws_iam_role.x.name}", "must be 1 to 63 letters, digits and underscores; wildcards are not allowed"),
        (7, "must be 1 to 63 letters, digits and underscores; wildcards are not allowed"),
        ("Cluster_Owner", "is the master user; create a database user with the permissions that the client needs"),
        ("rdsadmin", "is the master user; create a database user with the permissions that the client needs"),
    ],
)
def test_nobody_logs_in_as_everybody_or_as_the_owner(stack: HardenedStack, user: Any, message: str) -> None:
    cluster = make_cluster(stack)
    role = ServiceRole(
        stack, "client", region=cluster.region, service="lambda.amazonaws.com", description="d", statements=[]
    )
    with pytest.raises(ConfigurationError) as error:
        cluster.grant_connect(role, user)
    assert str(error.value) == f"shop/db: database_user={user!r}: {message}"


def test_outputs_name_the_cluster_its_addresses_and_its_secret(dev: SynthesizedStack) -> None:
    outputs = {name.removesuffix("_eu_west_1"): value for name, value in dev.outputs.items() if name.startswith("db_")}
    assert outputs == {
        "db_arn": CLUSTER % "arn",
        "db_database_name": "app",
        "db_endpoint": CLUSTER % "endpoint",
        "db_id": CLUSTER % "cluster_identifier",
        "db_port": 5432,
        "db_reader_endpoint": CLUSTER % "reader_endpoint",
        "db_resource_id": CLUSTER % "cluster_resource_id",
        "db_secret_arn": CLUSTER % "master_user_secret[0].secret_arn",
    }
    summary = dev.outputs["deployment_summary"]["regions"]["eu-west-1"]["db"]
    assert {f"db_{name}": value for name, value in summary.items()} == outputs
