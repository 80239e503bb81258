"""Outputs of stacks: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from tests.rules.asking import found
from tests.rules.catalogue.state.documents import PROVIDER, QUEUE


def test_modules_and_stacks_without_resources_need_no_outputs() -> None:
    assert found("STATE-020", {"resource": QUEUE}) == []
    assert found("STATE-020", {"provider": PROVIDER}) == []


def test_lists_and_unknown_values_are_not_objects() -> None:
    outputs = {"a": {"value": {"x": 1}}, "b": {"value": "${aws_sqs_queue.jobs}"}}
    assert found("STATE-021", {"resource": QUEUE, "output": outputs}) == []
