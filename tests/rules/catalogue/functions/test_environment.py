"""Rules about environment variables: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

import pytest

from tests.rules.asking import found
from tests.rules.catalogue.functions.documents import function


class TestEnvironment:
    @pytest.mark.parametrize(
        "variables",
        [
            {"DB_SECRET": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db"},
            {"API_TOKEN": "/shop/prod/token", "USE_PASSWORD": "true", "TOKEN": ""},
            {"TOKEN_TTL": "3600", "PASSWORD_MIN_LENGTH": "twelve", "SECRET_NAME": "shop-db"},
            {
                "DB_SECRET": "shop/prod/db",
                "API_SECRET": "shop-api",
                "DB_CREDENTIALS": "${aws_secretsmanager_secret.db.name}",
            },
            {"MAX_TOKEN": "4096", "AUTH_URL": "https://login.example.com/token"},
            {"DB_PASSWORD": "${aws_secretsmanager_secret.db.arn}"},
        ],
    )
    def test_names_paths_and_arns_of_secrets_pass(self, variables: dict[str, str]) -> None:
        document = function(environment={"variables": variables})
        document["resource"]["aws_secretsmanager_secret"] = {"db": {"name": "shop-db"}, "api": {"name": "shop-api"}}
        assert found("LAM-012", document) == []

    def test_a_secret_in_a_local_value_is_reported_and_not_shown(self) -> None:
        document = function(environment=[{"variables": {"DB_PASSWORD": "${local.password}"}}])
        (message,) = found("LAM-012", {**document, "locals": {"password": "hunter2-of-shop"}})
        assert "hunter2" not in message
        assert "looks like a secret" in message

    def test_a_sensitive_variable_is_reported(self) -> None:
        document = function(environment={"variables": {"DB": "${var.db}"}})
        (message,) = found("LAM-012", {**document, "variable": {"db": {"sensitive": True}, "d": {}}})
        assert "must not be the secret var.db" in message

    def test_a_value_from_secrets_manager_is_reported(self) -> None:
        document = function(
            environment={"variables": {"DB": "${data.aws_secretsmanager_secret_version.db.secret_string}"}}
        )
        document["data"] = {"aws_secretsmanager_secret_version": {"db": {"secret_id": "db"}}}
        assert len(found("LAM-012", document)) == 1

    def test_a_function_without_environment_variables_needs_no_key(self) -> None:
        assert found("LAM-011", function()) == []

    def test_the_size_of_environment_variables_is_counted_in_bytes(self) -> None:
        assert found("LAM-014", function(environment={"variables": {"A": "x" * 4095}})) == []
        assert len(found("LAM-014", function(environment={"variables": {"A": "ü" * 2048}}))) == 1
