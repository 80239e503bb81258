"""Instance keys of references: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

import pytest

from tests.rules.asking import found


@pytest.mark.parametrize(
    "value",
    [
        "${var.on ? aws_eip.maybe[0].id : null}",
        "${try(aws_eip.two[5].id, null)}",
        "${aws_eip.two.*.id}",
        "${aws_eip.two[var.on].id}",
        "${[for each in aws_eip.two : each.id]}",
        "${aws_eip.unknown[7].id}",
        "${aws_eip.one.id}",
        "${aws_eip.two}",
    ],
)
def test_instances_that_may_exist_are_clean(value: str) -> None:
    document = {
        "variable": {"on": {}},
        "resource": {
            "aws_eip": {"one": {}, "two": {"count": 2}, "maybe": {"count": 0}, "unknown": {"count": "${var.on}"}}
        },
        "output": {"x": {"value": value}},
    }
    assert found("STATE-018", document) == []


def test_an_index_into_a_single_resource_is_found() -> None:
    document = {"resource": {"aws_eip": {"one": {}}}, "output": {"x": {"value": "${aws_eip.one[0].id}"}}}
    assert found("STATE-018", document) == [
        (
            'output.x: value = "${aws_eip.one[0].id}": must not have an index, because aws_eip.one has neither count nor '
            "for_each"
        )
    ]
