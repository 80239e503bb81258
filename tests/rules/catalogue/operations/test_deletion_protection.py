"""Deletion protection of stateful resources: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import doubted, found, resources


@pytest.mark.parametrize(
    ("type_", "body", "clean"),
    [
        ("aws_docdb_cluster", {"deletion_protection": "true"}, True),
        ("aws_docdb_cluster", {"lifecycle": [{"prevent_destroy": True}]}, True),
        ("aws_cognito_user_pool", {"deletion_protection": "INACTIVE"}, False),
        ("aws_secretsmanager_secret", {"recovery_window_in_days": 7}, True),
        ("aws_ecr_repository", {}, True),
        ("aws_ecr_repository", {"force_delete": True}, False),
        ("aws_redshift_cluster", {"skip_final_snapshot": True}, False),
        ("aws_kinesis_stream", {}, False),
    ],
)
def test_either_protection_is_enough(type_: str, body: dict[str, Any], *, clean: bool) -> None:
    assert (found("OPS-028", {"resource": {type_: {"it": body}}}) == []) is clean
    assert found("OPS-028", {"resource": {type_: {"it": body}}}, environment="staging") == []


def test_protection_from_a_variable_is_undecided() -> None:
    document = resources(aws_docdb_cluster={"shop": {"deletion_protection": "${var.keep}"}})
    assert doubted("OPS-028", document | {"variable": {"keep": {}}}) == ["var.keep has no default"]
