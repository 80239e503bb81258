"""Secrets in outputs and variables: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import found, look
from tests.rules.catalogue.state.documents import source


@pytest.mark.parametrize(
    "value",
    [
        "${nonsensitive(sha256(random_password.p.result))}",
        "${random_password.p.length}",
        "${aws_secretsmanager_secret.s.arn}",
        '${tls_private_key.k["a"].public_key_openssh}',
        "${local.login.user}",
    ],
)
def test_values_derived_from_secrets_are_not_secrets(value: str) -> None:
    document = {
        "locals": {"login": {"user": "app", "password": "${random_password.p.result}"}},
        "resource": {
            "random_password": {"p": {"length": 32}},
            "aws_secretsmanager_secret": {"s": {"name": "s"}},
            "tls_private_key": {"k": {"for_each": {"a": 1}, "algorithm": "RSA"}},
        },
        "output": {"x": {"value": value}},
    }
    assert found("STATE-013", document) == []


@pytest.mark.parametrize(
    "value",
    [
        {"nested": ["${random_password.p.result}"]},
        '${tls_private_key.k["a"].private_key_pem}',
        "${random_password.p}",
        "${local.logins[0].password}",
        "${data.aws_ssm_parameter.token.value}",
        "${[for key in tls_private_key.k : key.id]}",
        "${local.login.password}",
    ],
)
def test_secrets_in_other_forms_are_found(value: Any) -> None:
    document = {
        "locals": {
            "login": {"user": "app", "password": "${random_password.p.result}"},
            "logins": [{"password": "${random_password.p.result}"}],
        },
        "data": {"aws_ssm_parameter": {"token": {"name": "t"}}},
        "resource": {"random_password": {"p": {}}, "tls_private_key": {"k": {"for_each": {"a": 1}}}},
        "output": {"x": {"value": value}},
    }
    assert len(found("STATE-013", document)) == 1


def test_whether_an_output_is_sensitive_may_be_unknown() -> None:
    document = {
        "variable": {"hide": {}},
        "resource": {"random_password": {"p": {}}},
        "output": {"x": {"value": "${random_password.p.result}", "sensitive": "${var.hide}"}},
    }
    assert look("STATE-013", source(document)) == ([], ["var.hide has no default"])


@pytest.mark.parametrize(
    "variable",
    [
        {"password_length": {"default": 32}},
        {"rotate_secret": {"type": "bool", "default": True}},
        {"secret_arn": {"default": "arn:aws:secretsmanager:us-east-1:1:secret:x"}},
        {"token": {"type": "${number}"}},
        {"token": {"ephemeral": True}},
        {"db_password": {"sensitive": True, "default": None}},
        {"db_password": {"sensitive": "true", "default": ""}},
    ],
)
def test_variables_about_secrets_are_not_secrets(variable: dict[str, Any]) -> None:
    assert found("STATE-014", {"variable": variable}) == []


def test_a_secret_default_is_not_repeated_in_the_message() -> None:
    messages = found("STATE-014", {"variable": {"db_password": {"sensitive": True, "default": "hunter2hunter2"}}})
    assert len(messages) == 1
    assert "hunter2" not in messages[0]
