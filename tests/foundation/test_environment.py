from __future__ import annotations

from dataclasses import MISSING, fields

import pytest

from constructs_lib.foundation.environment import PROFILES, Environment, Profile
from constructs_lib.foundation.errors import ConfigurationError


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_the_three_environments_are_known_by_name(name: str) -> None:
    assert Environment.parse(name).value == name


@pytest.mark.parametrize("name", ["production", "DEV", "", "qa", None, 3])
def test_any_other_environment_is_refused(name: object) -> None:
    with pytest.raises(ConfigurationError) as error:
        Environment.parse(name, path="shop")
    assert str(error.value) == f"shop: environment={name!r}: must be one of dev, staging, prod"


def test_every_environment_has_a_profile_and_no_field_has_a_default() -> None:
    assert set(PROFILES) == set(Environment)
    assert [field.name for field in fields(Profile) if field.default is not MISSING] == []


@pytest.mark.parametrize(
    ("variable", "context", "expected"),
    [
        (None, None, "dev"),
        ("", None, "dev"),
        ("prod", None, "prod"),
        (None, "staging", "staging"),
        ("prod", "prod", "prod"),
    ],
)
def test_an_app_takes_its_environment_from_the_variable_or_the_context(
    variable: str | None, context: str | None, expected: str
) -> None:
    assert Environment.choose(variable, context).value == expected


def test_a_variable_and_a_context_that_disagree_are_refused() -> None:
    with pytest.raises(ConfigurationError) as error:
        Environment.choose("dev", "prod")
    assert str(error.value) == (
        "main.py: environment: the variable ENVIRONMENT is 'dev' but the cdktf context is 'prod'; set one of them, "
        "or both to the same value"
    )


def test_production_is_never_laxer_than_the_others() -> None:
    prod = PROFILES[Environment.PROD]
    for profile in PROFILES.values():
        assert prod.zones >= profile.zones
        assert prod.log_retention_days >= profile.log_retention_days
        assert prod.key_deletion_window_days >= profile.key_deletion_window_days
        assert prod.web_acl >= profile.web_acl
        assert prod.function_url_must_be_signed >= profile.function_url_must_be_signed
        assert prod.database_instances >= profile.database_instances
        assert prod.backup_retention_days >= profile.backup_retention_days
        assert prod.deletion_protection >= profile.deletion_protection
        assert prod.alarms >= profile.alarms
    assert [PROFILES[environment].nat for environment in Environment] == ["single", "single", "per_zone"]
