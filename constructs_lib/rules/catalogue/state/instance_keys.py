"""Instance keys of references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import TERRAFORM
from constructs_lib.rules.queries.documents import is_plan, once
from constructs_lib.rules.queries.networks import may_be_absent
from constructs_lib.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.expressions import Reference
    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome


def _wrong_index(block: Block, at: str, reference: Reference) -> str:
    """Return what is wrong with the instance key of a reference; empty if nothing is."""
    found = block.stack.all(reference.block) if reference.kind in ("resource", "data") else []
    if not found:
        return ""
    target, step = found[0], next(iter(reference.path), None)
    rest = reference.text.removeprefix(reference.block)
    counted, mapped = "count" in target.body, "for_each" in target.body
    if rest.startswith(".") and not rest.startswith(".*") and (counted or mapped) and not rest[1:2].isdecimal():
        word, key = ("count", "0") if counted else ("for_each", "each.key")
        return f"must have an instance key, such as {reference.block}[{key}], because {reference.block} has {word}"
    plain = block.raw(at) == f"${{{reference.text}}}"
    if not rest.startswith("[") or isinstance(step, Unknown) or step == "*" or not plain or may_be_absent(target):
        return ""
    if not (counted or mapped):
        plain = f"must not have an index, because {reference.block} has neither count nor for_each"
        return "" if isinstance(step, str) else plain
    keys = [each.key for each in found]
    wrong = f"must have one of the instance keys of {reference.block}: {', '.join(map(repr, keys))}"
    return "" if step in keys else wrong


@rule(
    "STATE-018",
    "Reference has a valid instance key",
    why="Terraform fails with Missing resource instance key or Invalid index.",
    fix="Refer to one instance with its key, or to all instances with [*].",
    page=f"{TERRAFORM}/language/expressions/references",
    types=["terraform"],
    good={
        "resource": {
            "aws_subnet": {"private": {"count": 2, "cidr_block": "10.0.${count.index}.0/24"}},
            "aws_eip": {"nat": {"for_each": {"a": "x", "b": "y"}}},
            "aws_nat_gateway": {
                "a": {"subnet_id": "${aws_subnet.private[1].id}", "allocation_id": '${aws_eip.nat["a"].id}'}
            },
        },
        "output": {"subnets": {"value": "${aws_subnet.private[*].id}"}},
    },
    breaks=[
        {"resource.aws_nat_gateway.a.subnet_id": "${aws_subnet.private[2].id}"},
        {"resource.aws_nat_gateway.a.subnet_id": "${aws_subnet.private.id}"},
        {"resource.aws_nat_gateway.a.allocation_id": '${aws_eip.nat["c"].id}'},
        {"output.subnets.value": '${join(",", aws_subnet.private.id)}'},
    ],
    unknown_passes="a variable is not an instance key",
)
def instance_keys_are_valid(root: Block) -> Iterator[Outcome]:
    """Accept missing instances in conditions and functions, but not a missing key."""
    if is_plan(root.stack):
        yield NotApplicable("it is a plan, in which every instance exists")
        return
    repeated = {block.base for block in once(root.stack) if "count" in block.body or "for_each" in block.body}
    for block in once(root.stack):
        for at, reference in block.edges:
            if "[" not in reference.text and (not repeated or reference.block not in repeated):
                continue
            wrong = _wrong_index(block, at, reference)
            if wrong:
                yield block.fail(wrong, at)
