"""Rules of encryption/secrets: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import found, good, resources


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
def test_a_parameter_is_judged_by_the_last_word_of_its_name(name: str, value: str, findings: int) -> None:
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
def test_values_that_are_not_secrets_pass(block: dict[str, Any]) -> None:
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
def test_secrets_are_found_at_any_depth_of_any_resource(block: dict[str, Any]) -> None:
    (message,) = found("ENC-012", resources(**block))
    assert "kJ8sPq2vbnTT" not in message


def test_the_default_of_a_variable_is_hard_coded() -> None:
    document = resources(aws_elasticache_user={"u": {"passwords": ["${var.login}"]}})
    assert len(found("ENC-012", {**document, "variable": {"login": {"default": "kJ8sPq2vbnTT"}}})) == 1
    document["resource"]["aws_elasticache_user"]["u"]["passwords"] = ["${var.password}"]
    assert found("ENC-012", {**document, "variable": {"password": {"default": "kJ8sPq2vbnTT"}}}) == []


@pytest.mark.parametrize(
    "text", ["AKIAIOSFODNN7EXAMPLE", "AKIA", "-----BEGIN PUBLIC KEY-----", "xAKIAQWERTZUIOPASDFGH"]
)
def test_texts_that_are_not_credentials_pass(text: str) -> None:
    assert found("ENC-013", {"locals": {"a": text}}) == []


def test_a_credential_is_reported_once() -> None:
    document = resources(aws_ssm_parameter={"p": {"type": "SecureString", "value": "AKIAQWERTZUIOPASDFGH"}})
    assert found("ENC-012", document) == []
    assert len(found("ENC-013", {**document, "terraform": {}})) == 1


def test_a_rotation_schedule_passes() -> None:
    at = "resource.aws_secretsmanager_secret_rotation.partner.rotation_rules"
    assert found("ENC-009", good("ENC-009", {at: {"schedule_expression": "rate(10 days)"}})) == []


def test_a_random_string_for_a_name_passes() -> None:
    document = resources(
        random_string={"suffix": {"length": 4}},
        aws_ssm_parameter={"p": {"name": "x", "type": "String", "value": "${random_string.suffix.result}"}},
    )
    assert found("ENC-014", document) == []
