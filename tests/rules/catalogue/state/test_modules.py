"""Module sources and versions: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import found


@pytest.mark.parametrize(
    "module",
    [
        {"source": "../shared"},
        {"source": "git@github.com:example/vpc.git?ref=v1"},
        {"source": "https://example.com/vpc.zip"},
        {"source": "s3::https://s3.amazonaws.com/bucket/vpc.zip"},
        {"source": "app.terraform.io/example/vpc/aws", "version": "1.0.0"},
    ],
)
def test_modules_with_a_version_and_archives_are_clean(module: dict[str, Any]) -> None:
    assert found("STATE-017", {"module": {"m": module}}) == []


@pytest.mark.parametrize(
    "origin", ["git@github.com:example/vpc.git", "git::ssh://x/y.git?depth=1", "bitbucket.org/a/b"]
)
def test_every_form_of_git_source_needs_a_ref(origin: str) -> None:
    assert len(found("STATE-017", {"module": {"m": {"source": origin}}})) == 1
