"""Backends and state locking: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import found, look
from tests.rules.catalogue.state.documents import PROVIDER, QUEUE, SYNTHESIZED, source


def s3(**body: Any) -> dict[str, Any]:
    return {"terraform": {"backend": {"s3": body}}}


def test_a_synthesized_bucket_with_the_environment_in_the_key_is_clean() -> None:
    by_environment = s3(bucket="acme-state", key="shop/prod/shop/terraform.tfstate")
    assert found("STATE-006", {**SYNTHESIZED, **by_environment}) == []
    assert len(found("STATE-006", by_environment)) == 1
    assert (
        len(found("STATE-006", {**SYNTHESIZED, **s3(bucket="acme-state", key="infrastructure/terraform.tfstate")})) == 1
    )


@pytest.mark.parametrize("backend", [{}, {"s3": {}}, {"s3": [{}]}, {"local": {}}, {"http": {"address": "https://x"}}])
def test_partial_and_other_backends_are_clean(backend: dict[str, Any]) -> None:
    document = {"terraform": {"backend": backend}}
    for id_ in ("STATE-006", "STATE-007", "STATE-009", "STATE-010", "STATE-011"):
        assert found(id_, document) == []


def test_both_stacks_with_one_state_are_found() -> None:
    place = s3(bucket="acme-state", key="shop.tfstate")
    messages, _ = look(
        "STATE-007", source(place, "one"), source(place, "two"), source(s3(bucket="acme-state", key="x"), "three")
    )
    assert messages == [
        'terraform: backend.s3.key = "shop.tfstate": must be unique; the stack two has the same state',
        'terraform: backend.s3.key = "shop.tfstate": must be unique; the stack one has the same state',
    ]


def test_equal_keys_without_buckets_may_be_two_states() -> None:
    place = s3(key="terraform.tfstate")
    assert look("STATE-007", source(place, "one"), source(place, "two")) == ([], [])


def test_local_states_in_two_folders_are_two_states() -> None:
    place = {"terraform": {"backend": {"local": {"path": "terraform.tfstate"}}}}
    assert look("STATE-007", source(place, "one"), source(place, "two")) == ([], [])
    up = {"terraform": {"backend": {"local": {"path": "../terraform.tfstate"}}}}
    assert len(look("STATE-007", source(up, "one"), source(up, "two"))[0]) == 2


def test_the_state_of_another_workspace_may_be_read() -> None:
    state = {"backend": "s3", "workspace": "shared", "config": {"bucket": "acme-state", "key": "shop.tfstate"}}
    document = {**s3(bucket="acme-state", key="shop.tfstate"), "data": {"terraform_remote_state": {"shared": state}}}
    assert found("STATE-007", document) == []


@pytest.mark.parametrize(
    ("body", "findings"),
    [
        ({"bucket": "b"}, 1),
        ({"bucket": "b", "use_lockfile": "true"}, 0),
        ({"bucket": "b", "dynamodb_table": "locks"}, 0),
        ({"use_lockfile": False}, 1),
        ({"key": "k"}, 0),
    ],
)
def test_a_state_without_any_lock_is_found(body: dict[str, Any], findings: int) -> None:
    assert len(found("STATE-009", s3(**body))) == findings


@pytest.mark.parametrize("version", ["< 1.10", "~> 1.9.0", ">= 1.5, < 1.10.0"])
def test_a_table_is_clean_with_terraform_before_1_10(version: str) -> None:
    document = s3(bucket="b", dynamodb_table="locks")
    document["terraform"]["required_version"] = version
    assert found("STATE-010", document) == []


def test_a_table_together_with_a_lock_file_is_clean() -> None:
    assert found("STATE-010", s3(bucket="b", dynamodb_table="locks", use_lockfile=True)) == []
    newer = s3(bucket="b", dynamodb_table="locks")
    newer["terraform"]["required_version"] = ">= 1.11"
    assert len(found("STATE-010", newer)) == 1


@pytest.mark.parametrize(
    "document",
    [
        {"provider": PROVIDER, "resource": {"aws_s3_bucket": {"state": {"bucket": "acme"}}}},
        {"resource": QUEUE},
        {"provider": PROVIDER},
        {"provider": PROVIDER, "resource": QUEUE, "terraform": {"cloud": {"organization": "acme"}}},
    ],
)
def test_bootstrap_stacks_modules_and_empty_stacks_need_no_backend(document: dict[str, Any]) -> None:
    assert found("STATE-012", document, environment="prod") == []


def test_the_backend_may_be_in_an_hcl_file() -> None:
    given = source({"provider": PROVIDER, "resource": QUEUE}, unread=["backend.tf"])
    expected: tuple[list[str], list[str]] = ([], ["backend.tf is written in HCL, which is not read"])
    assert look("STATE-012", given, environment="prod") == expected


def test_only_the_bucket_of_the_backend_is_found() -> None:
    buckets = {"a": {"bucket": "uploads"}, "b": {}, "c": {"bucket": "acme-state"}}
    document = {**s3(bucket="acme-state", key="k"), "resource": {"aws_s3_bucket": buckets}}
    assert len(found("STATE-008", document)) == 1


def test_local_state_is_clean_outside_production() -> None:
    document = {"provider": PROVIDER, "resource": QUEUE}
    assert found("STATE-012", document, environment="dev") == []
    assert len(found("STATE-012", document, environment="prod")) == 1
