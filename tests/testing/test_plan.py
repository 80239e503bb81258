"""What Terraform prints, as objects."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.testing import plan

if TYPE_CHECKING:
    from pathlib import Path


def changed(actions: list[str], **sides: Any) -> dict[str, Any]:
    resource = {"address": "aws_thing.a[0]", "type": "aws_thing", "mode": "managed"}
    return {"resource_changes": [{**resource, "change": {"actions": actions, **sides}}]}


def read(document: dict[str, Any]) -> list[tuple[str, object, object]]:
    return [(found.attribute, found.before, found.after) for found in plan.read_differences(document, {})]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, [("b", 2, 3)]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {}}}, [("a.b.c", 1, None)]),
        ({"rule": [{"x": 1}, {"x": 2}]}, {"rule": [{"x": 1}, {"x": 3}]}, [("rule[1].x", 2, 3)]),
        ({"ids": ["a"]}, {"ids": ["a", "b"]}, [("ids", ["a"], ["a", "b"])]),
    ],
)
def test_an_update_is_told_by_attribute(before: Any, after: Any, expected: list[Any]) -> None:
    assert read(changed(["update"], before=before, after=after)) == expected


def test_a_sensitive_attribute_is_told_without_its_value() -> None:
    document = changed(
        ["update"],
        before={"value": "old", "list": [{"key": "old"}]},
        after={"value": "new", "list": [{"key": "new"}, {"key": "more"}]},
        before_sensitive={"value": True, "list": [{"key": True}]},
        after_sensitive={"value": True, "list": [{"key": True}, {"key": True}]},
    )
    assert read(document) == [
        ("list", [{"key": plan.REDACTED}], [{"key": plan.REDACTED}, {"key": plan.REDACTED}]),
        ("value", plan.REDACTED, plan.REDACTED),
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"before": {"a": 1, "b": 2}, "after": {"b": 2}, "after_unknown": {"a": True}}, [("a", 1, plan.UNKNOWN)]),
        ({"before": {"a": 1}, "after": {"a": 1}}, [("*", {"a": 1}, {"a": 1})]),
        ({"actions": ["create"], "before": None, "after": {"a": 1}}, [("*", None, {"a": 1})]),
        ({"actions": ["no-op"], "before": {"a": 1}, "after": {"a": 1}}, []),
    ],
    ids=["known after apply", "no visible reason", "gone", "unchanged"],
)
def test_what_has_no_two_values_is_told_too(change: dict[str, Any], expected: list[Any]) -> None:
    assert read(changed(**{"actions": ["update"], **change})) == expected


def test_a_difference_names_its_type_and_its_construct_and_outputs_differ_too() -> None:
    document = changed(["update"], before={"a": 1}, after={"a": 2})
    document["output_changes"] = {"arn": {"actions": ["update"], "before": "a", "after": "b"}}
    resource, output = plan.read_differences(document, {"aws_thing.a": plan.Origin("shop/a/Resource")})
    assert resource.type == "aws_thing"
    assert str(resource) == "aws_thing.a[0] [shop/a/Resource] a: 1 -> 2"
    assert output == plan.Difference("output.arn", "*", "a", "b")


def test_changes_are_counted_by_type_and_a_replacement_twice() -> None:
    messages = [
        {"type": "planned_change", "change": {"action": action, "resource": {"resource_type": type_}}}
        for action, type_ in [("create", "aws_a"), ("create", "aws_a"), ("replace", "aws_b"), ("update", "aws_c")]
    ]
    counted = plan.planned([*messages, {"type": "change_summary"}])
    assert counted == plan.Changes(Counter(aws_a=2, aws_b=1), Counter(aws_c=1), Counter(aws_b=1))
    assert str(counted) == "3 to add, 1 to change, 1 to destroy"


def test_an_error_names_the_construct_and_the_line_that_made_it(tmp_path: Path) -> None:
    (tmp_path / "constructs.json").write_text('{"callers": {"shop": "main.py:3", "shop/key": "main.py:12"}}')
    metadata = {"metadata": {"path": "shop/key/Resource"}}
    known = plan.origins({"resource": {"aws_kms_key": {"key": {"//": metadata}}}}, tmp_path)
    by_address = {"severity": "error", "summary": "no", "detail": "because", "address": "aws_kms_key.key"}
    by_context = {"severity": "error", "summary": "no", "snippet": {"context": "resource.aws_kms_key.key"}}
    first, second = plan.diagnostics([{"diagnostic": by_address}, {"diagnostics": [by_context, by_context]}], known)
    assert str(first) == "error: no [aws_kms_key.key, shop/key/Resource, main.py:12]\n  because"
    assert second.origin == first.origin


def test_errors_for_people_are_read_too() -> None:
    text = "Initializing...\n╷\n│ Error: First\n│ \n│ one\n│ two\n╵\n╷\n│ Error: Second\n│ \n│ three\n╵\n"
    assert plan.text_errors(text) == (
        plan.Diagnostic("error", "First", "one\ntwo"),
        plan.Diagnostic("error", "Second", "three"),
    )


def test_an_object_is_found_behind_warnings() -> None:
    assert plan.read_object('# a comment\nWarning: something\n{\n  "valid": true\n}\nmore\n') == {"valid": True}
