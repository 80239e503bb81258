"""Rules about keys and secrets: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rules.asking import doubted, found, good, resources

REGION = {"provider": {"aws": {"region": "eu-west-1"}}}


def key_policy(**more: object) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def logs(principal: str, **more: Any) -> dict[str, Any]:
    document = resources(
        aws_kms_key={"k": {"policy": key_policy(Principal={"Service": principal})}},
        aws_cloudwatch_log_group={"app": {"name": "app", "kms_key_id": "${aws_kms_key.k.arn}"}},
    )
    return {**document, **REGION, **more}


class TestKeys:
    @pytest.mark.parametrize(
        "key",
        [{"customer_master_key_spec": "ECC_NIST_P256"}, {"key_usage": "GENERATE_VERIFY_MAC"}, {"xks_key_id": "x"}],
    )
    def test_keys_that_aws_cannot_rotate_are_left_alone(self, key: dict[str, str]) -> None:
        assert found("ENC-001", resources(aws_kms_key={"k": key})) == []

    @pytest.mark.parametrize(
        ("environment", "days", "findings"), [("dev", 7, 0), ("staging", 7, 1), ("staging", 14, 0)]
    )
    def test_the_window_grows_with_the_environment(self, environment: str, days: int, findings: int) -> None:
        document = resources(aws_kms_key={"k": {"deletion_window_in_days": days}})
        assert len(found("ENC-002", document, environment=environment)) == findings

    @pytest.mark.parametrize("key", ["kms:CallerAccount", "kms:ViaService", "aws:PrincipalOrgID"])
    def test_a_key_for_everybody_may_be_narrowed_by_a_condition(self, key: str) -> None:
        document = resources(aws_kms_key={"k": {"policy": key_policy(Condition={"StringEquals": {key: "x"}})}})
        assert found("ENC-003", document) == []

    def test_a_condition_that_narrows_nothing_does_not_help(self) -> None:
        document = resources(
            aws_kms_key={"k": {"policy": key_policy(Condition={"StringLike": {"kms:ViaService": "*"}})}}
        )
        assert len(found("ENC-003", document)) == 1


class TestKeysOfLogGroups:
    @pytest.mark.parametrize(
        "principal",
        [
            "logs.eu-west-1.amazonaws.com",
            "logs.amazonaws.com",
            "logs.${data.aws_region.here.region}.amazonaws.com",
            "logs.eu-west-1.${data.aws_partition.here.dns_suffix}",
        ],
    )
    def test_the_service_may_be_named_in_several_ways(self, principal: str) -> None:
        data: dict[str, Any] = {"aws_region": {"here": {}}, "aws_partition": {"here": {}}}
        assert found("ENC-004", logs(principal, data=data)) == []

    def test_the_service_of_another_region_does_not_count(self) -> None:
        assert "logs.eu-west-1.amazonaws.com" in found("ENC-004", logs("logs.us-east-1.amazonaws.com"))[0]

    def test_the_key_may_be_in_another_stack_and_have_its_policy_beside_it(self) -> None:
        keys = resources(
            aws_kms_key={"k": {}},
            aws_kms_key_policy={
                "k": {
                    "key_id": "${aws_kms_key.k.key_id}",
                    "policy": key_policy(Principal={"Service": "logs.eu-west-1.amazonaws.com"}),
                }
            },
            aws_kms_alias={"k": {"name": "alias/k", "target_key_id": "${aws_kms_key.k.id}"}},
            aws_cloudwatch_log_group={"app": {"name": "app", "kms_key_id": "${aws_kms_alias.k.target_key_arn}"}},
        )
        assert found("ENC-004", {**keys, **REGION}) == []
        keys["resource"]["aws_kms_key_policy"]["k"]["policy"] = key_policy(Principal={"AWS": "111122223333"})
        assert found("ENC-004", {**keys, **REGION})[0].startswith("aws_kms_key_policy.k: policy")

    def test_a_key_elsewhere_is_not_looked_at(self) -> None:
        group = {"name": "app", "kms_key_id": "arn:aws:kms:eu-west-1:111122223333:key/1"}
        assert found("ENC-004", resources(aws_cloudwatch_log_group={"app": group})) == []

    def test_a_key_that_is_not_known_is_undecided(self) -> None:
        document = resources(aws_cloudwatch_log_group={"app": {"name": "app", "kms_key_id": "${var.key}"}})
        assert doubted("ENC-004", {**document, "variable": {"key": {}}}) == ["var.key has no default"]


class TestStorage:
    def test_a_region_may_encrypt_every_volume(self) -> None:
        document = resources(aws_ebs_volume={"v": {"size": 1}}, aws_ebs_encryption_by_default={"all": {}})
        assert found("ENC-006", {**document, **REGION}) == []
        document["resource"]["aws_ebs_encryption_by_default"]["all"]["enabled"] = False
        assert len(found("ENC-006", {**document, **REGION})) == 1

    def test_a_volume_of_a_snapshot_and_a_machine_of_a_template_are_as_these_are(self) -> None:
        document = resources(
            aws_ebs_volume={"v": {"snapshot_id": "snap-1"}},
            aws_instance={
                "web": {"launch_template": {"id": "lt-1"}},
                "db": {"root_block_device": {"encrypted": True}, "ebs_block_device": [{"snapshot_id": "snap-1"}]},
            },
        )
        assert found("ENC-006", document) == []

    def test_a_delivery_stream_that_reads_a_stream_is_encrypted_by_it(self) -> None:
        stream = {"s": {"kinesis_source_configuration": {"kinesis_stream_arn": "arn:x"}}}
        assert found("ENC-007", resources(aws_kinesis_firehose_delivery_stream=stream)) == []


class TestSecrets:
    @pytest.mark.parametrize(
        ("name", "value", "findings"),
        [
            ("/shop/db-password", "x" * 8, 1),
            ("/shop/API_KEY", "abc", 1),
            ("/shop/token-ttl", "300", 0),
            ("/shop/db-secret", "${aws_secretsmanager_secret.db.arn}", 0),
            ("/shop/db-password", "/shop/other/place", 0),
            ("/shop/secret/level", "INFO", 0),
        ],
    )
    def test_a_parameter_is_judged_by_its_last_word(self, name: str, value: str, findings: int) -> None:
        document = resources(
            aws_ssm_parameter={"p": {"name": name, "type": "String", "value": value}},
            aws_secretsmanager_secret={"db": {}},
        )
        assert len(found("ENC-010", document)) == findings

    @pytest.mark.parametrize(
        "block",
        [
            {"aws_ssm_parameter": {"p": {"type": "String", "value": "kJ8sPq2vbnTT"}}},
            {"aws_api_gateway_method": {"m": {"api_key_required": "true"}}},
            {"aws_cognito_user_pool_client": {"c": {"generate_secret": "true"}}},
            {"aws_ecs_service": {"s": {"secret": "arn:aws:secretsmanager:eu-west-1:1:secret:x"}}},
            {"aws_appsync_api_key": {"k": {"description": "a key", "token": "${random_password.p.result}"}}},
            {"aws_instance": {"i": {"tags": {"password": "rotated-by-hand"}}}},
            {"aws_secretsmanager_secret_version": {"v": {"secret_string": '{"user": "shop", "host": "db"}'}}},
            {"kubernetes_secret": {"s": {"metadata": {"token": "{{resolve:secretsmanager:db}}"}}}},
            {"aws_lambda_function": {"f": {"environment": {"variables": {"TOKEN": "kJ8sPq2vbnTT"}}}}},
            {"aws_rds_cluster": {"c": {"master_password": "kJ8sPq2vbnTT"}}},
        ],
    )
    def test_what_is_no_secret_or_another_rules_is_left_alone(self, block: dict[str, Any]) -> None:
        document = {**resources(**block, random_password={"p": {"length": 32}})}
        assert found("ENC-011", document) == []
        assert found("ENC-012", document) == []

    @pytest.mark.parametrize(
        "block",
        [
            {"github_actions_secret": {"s": {"token": "kJ8sPq2vbnTT"}}},
            {"aws_secretsmanager_secret_version": {"v": {"secret_string": '{"db_password": "kJ8sPq2vbnTT"}'}}},
            {"aws_msk_scram": {"s": {"nested": [{"deep": {"client_secret": "kJ8sPq2vbnTT"}}]}}},
        ],
    )
    def test_secrets_are_found_at_any_depth_of_any_resource(self, block: dict[str, Any]) -> None:
        (message,) = found("ENC-012", resources(**block))
        assert "kJ8sPq2vbnTT" not in message

    def test_the_default_of_a_variable_with_a_plain_name_is_in_the_code(self) -> None:
        document = resources(aws_elasticache_user={"u": {"passwords": ["${var.login}"]}})
        assert len(found("ENC-012", {**document, "variable": {"login": {"default": "kJ8sPq2vbnTT"}}})) == 1
        document["resource"]["aws_elasticache_user"]["u"]["passwords"] = ["${var.password}"]
        assert found("ENC-012", {**document, "variable": {"password": {"default": "kJ8sPq2vbnTT"}}}) == []

    @pytest.mark.parametrize(
        "text", ["AKIAIOSFODNN7EXAMPLE", "AKIA", "-----BEGIN PUBLIC KEY-----", "xAKIAQWERTZUIOPASDFGH"]
    )
    def test_what_is_no_credential_is_left_alone(self, text: str) -> None:
        assert found("ENC-013", {"locals": {"a": text}}) == []

    def test_a_credential_is_told_once(self) -> None:
        made = resources(aws_ssm_parameter={"p": {"type": "SecureString", "value": "AKIAQWERTZUIOPASDFGH"}})
        assert found("ENC-012", made) == []
        assert len(found("ENC-013", {**made, "terraform": {}})) == 1

    def test_a_rotation_on_a_schedule_is_right(self) -> None:
        at = "resource.aws_secretsmanager_secret_rotation.partner.rotation_rules"
        assert found("ENC-009", good("ENC-009", {at: {"schedule_expression": "rate(10 days)"}})) == []

    def test_a_random_name_is_no_secret(self) -> None:
        document = resources(
            random_string={"suffix": {"length": 4}},
            aws_ssm_parameter={"p": {"name": "x", "type": "String", "value": "${random_string.suffix.result}"}},
        )
        assert found("ENC-014", document) == []
