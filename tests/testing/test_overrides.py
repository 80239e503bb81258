"""The override file of a stack's copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib.testing import overrides
from constructs_lib.testing.errors import HarnessError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_override_reaches_every_provider_and_nothing_else(tmp_path: Path) -> None:
    document = {
        "provider": {"aws": [{"region": "eu-west-1"}, {"alias": "us", "allowed_account_ids": ["111122223333"]}]},
        "resource": {"aws_sqs_queue": {"q": {}}},
    }
    assert overrides.override(document, state=tmp_path, account_id="123456789012", left_out={}) == {
        "terraform": {"backend": {"local": {"path": str(tmp_path)}}},
        "provider": {
            "aws": [{"max_retries": 2}, {"max_retries": 2, "alias": "us", "allowed_account_ids": ["123456789012"]}]
        },
    }


def test_a_type_that_the_local_aws_lacks_is_left_out(tmp_path: Path) -> None:
    named = {"one": {"depends_on": ["aws_a.b"]}, "many": {"for_each": "${local.all}"}}
    left_out = overrides.find_left_out(
        {"resource": {"aws_lacking": named, "aws_a": {"b": {}}}}, frozenset({"aws_lacking"})
    )
    change = overrides.override({}, state=tmp_path, account_id="1", left_out=left_out)
    assert change["resource"] == {"aws_lacking": {"one": {"count": 0}, "many": {"for_each": {}}}}


def test_a_resource_that_others_use_cannot_be_left_out() -> None:
    document = {"resource": {"aws_lacking": {"one": {}}}, "output": {"arn": {"value": "${aws_lacking.one.arn}"}}}
    with pytest.raises(
        HarnessError, match=r"^aws_lacking.one: the local AWS does not support aws_lacking, and output refers to it, so"
    ):
        overrides.find_left_out(document, frozenset({"aws_lacking"}))


def test_protections_are_lifted_and_only_attributes_need_an_apply() -> None:
    by_terraform = {"resource": {"aws_a": {"x": {"lifecycle": [{"prevent_destroy": True}]}, "y": {}}}}
    assert overrides.unprotect(by_terraform) == (
        {"resource": {"aws_a": {"x": {"lifecycle": {"prevent_destroy": False}}}}},
        False,
    )
    by_aws = {"resource": {"aws_b": {"x": {"deletion_protection": True}}}}
    assert overrides.unprotect(by_aws) == ({"resource": {"aws_b": {"x": {"deletion_protection": False}}}}, True)
    assert overrides.unprotect({"resource": {"aws_a": {"y": {"deletion_protection": False}}}}) == ({}, False)
