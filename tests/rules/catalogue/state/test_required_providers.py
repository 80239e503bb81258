"""Providers, their sources and versions: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

import pytest

from tests.rules.asking import found


def test_builtin_and_renamed_providers_are_clean() -> None:
    document = {
        "terraform": {"required_providers": [{"aws": {"version": "~> 5.1"}, "google-beta": {"version": "5.0.0"}}]},
        "resource": {
            "terraform_data": {"x": {}},
            "aws_sqs_queue": {"jobs": {"provider": "aws.us"}},
            "google_project": {"p": {"provider": "google-beta"}},
        },
        "data": {"terraform_remote_state": {"n": {"backend": "local"}}},
    }
    assert found("STATE-004", document) == []


def test_a_data_source_needs_its_provider_too() -> None:
    document = {"data": {"archive_file": {"code": {"type": "zip"}, "other": {"type": "zip"}}}}
    assert found("STATE-004", document) == [
        "data.archive_file.code: must have the provider archive in required_providers; add it with source and version"
    ]


@pytest.mark.parametrize(
    "version", ["5.100.0", "= 5.100.0", "~> 5.1", ">= 5.100.0, < 7.0.0", ">=5.1,<=6.0", "~> v5.1.0"]
)
def test_a_version_with_an_upper_bound_is_clean(version: str) -> None:
    assert found("STATE-005", {"terraform": {"required_providers": {"aws": {"version": version}}}}) == []


def test_the_builtin_provider_needs_no_version() -> None:
    entry = {"source": "terraform.io/builtin/terraform"}
    assert found("STATE-005", {"terraform": {"required_providers": {"terraform": entry}}}) == []


@pytest.mark.parametrize("version", [">= 5.0", "> 5", "!= 5.3.0", ">= 5.0, != 5.3.0"])
def test_a_version_without_an_upper_bound_is_found(version: str) -> None:
    assert len(found("STATE-005", {"terraform": {"required_providers": {"aws": {"version": version}}}})) == 1
