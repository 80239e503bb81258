"""References and duplicate definitions."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.expressions import references
from constructs_lib.rules.estate.json_values import labelled
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import TERRAFORM
from constructs_lib.rules.queries.documents import is_plan, once, unread
from constructs_lib.rules.rule import ADVICE, REMOVED, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.expressions import Reference
    from constructs_lib.rules.estate.model import Block, Stack
    from constructs_lib.rules.outcomes import Outcome


GOOD: Final[dict[str, Any]] = {
    "terraform": {
        "required_providers": {
            "aws": {"source": "hashicorp/aws", "version": ">= 5.100.0, < 7.0.0"},
            "random": {"source": "hashicorp/random", "version": "~> 3.5"},
        }
    },
    "variable": {"aws_region": {"type": "string", "default": "us-east-1"}},
    "provider": {"aws": {"region": "${var.aws_region}"}},
    "data": {"aws_caller_identity": {"current": {}}},
    "locals": {
        "keys": {"us-east-1": "${aws_kms_key.main.arn}"},
        "account": "${data.aws_caller_identity.current.account_id}",
    },
    "resource": {
        "aws_kms_key": {"main": {"enable_key_rotation": True}},
        "random_id": {"suffix": {"byte_length": 4}},
        "aws_sqs_queue": {
            "jobs": {
                "name": "shop-prod-jobs-${random_id.suffix.hex}",
                "kms_master_key_id": '${local.keys["us-east-1"]}',
                "depends_on": ["aws_kms_key.main"],
            }
        },
    },
}


_DECLARED_BY: Final = {
    "var": "add a variable block",
    "local": "add it to locals",
    "data": "add the data block",
    "module": "add the module block",
    "resource": "add the resource block",
}


_ADDRESSES: Final = ("depends_on", "lifecycle.replace_triggered_by")


_REPEATED_BY: Final = {"each": "for_each", "count": "count"}


def _iterators(value: object) -> set[str]:
    """Return the iterator names of `dynamic` blocks."""
    found: set[str] = set()
    if isinstance(value, list):
        return found.union(*(_iterators(item) for item in value))
    if isinstance(value, dict):
        for (label,), body in labelled(value.get("dynamic"), 1):
            for each in body if isinstance(body, list) else [body]:
                found.add(str(each.get("iterator", label)) if isinstance(each, dict) else label)
        found |= {name for item in value.values() if isinstance(item, dict | list) for name in _iterators(item)}
    return found


def _named(block: Block) -> Iterator[tuple[str, Reference]]:
    """Yield the references of a block, in expressions and in lists of addresses."""
    for at, reference in block.edges:
        if not at.startswith("provider") and not (block.type == "var" and at == "type"):
            yield at, reference
    for at in _ADDRESSES:
        given = block.raw(at)
        for number, address in enumerate(given if isinstance(given, list) else ()):
            if isinstance(address, str) and "${" not in address:
                yield from ((f"{at}.{number}", reference) for reference in references(f"${{{address}}}"))


@lru_cache(maxsize=64)
def _names(stack: Stack, start: str) -> tuple[str, ...]:
    """Return the names of the blocks with this address prefix."""
    return tuple(block.name for block in once(stack) if block.base == f"{start}{block.name}")


def _like(stack: Stack, reference: Reference) -> str:
    """Return the most similar defined name as a question, or else how to define the missing one."""
    start = reference.block.removesuffix(reference.name)
    close = difflib.get_close_matches(reference.name, _names(stack, start), 1)
    return f"; did you mean {start}{close[0]}?" if close else f"; {_DECLARED_BY[reference.kind]}"


@rule(
    "STATE-001",
    "Referenced variable, local value, resource, data source or module is defined",
    why="Terraform fails before the plan with Reference to undeclared resource, input variable or local value.",
    fix="Define the block, or correct the name.",
    page=f"{TERRAFORM}/language/expressions/references",
    types=["terraform"],
    lessons=["EVT-1", "EVT-13"],
    good=GOOD,
    breaks=[
        {"variable.aws_region": REMOVED},
        {"data.aws_caller_identity": REMOVED},
        {"locals.keys": REMOVED},
        {"resource.random_id": REMOVED},
        {"resource.aws_sqs_queue.jobs.depends_on": ["aws_kms_key.mian"]},
        {"resource.aws_sqs_queue.jobs.name": "shop-prod-jobs-${each.key}"},
        {"resource.aws_sqs_queue.jobs.name": "${module.names.jobs}"},
    ],
    unknown_passes="a defined variable is valid, whatever its value",
)
def references_are_defined(root: Block) -> Iterator[Outcome]:
    """Check every reference in the stack."""
    stack = root.stack
    if is_plan(stack):
        yield NotApplicable("it is a plan, in which everything is defined")
        return
    for block in once(stack):
        for at, reference in _named(block):
            if reference.kind in _DECLARED_BY and stack.one(reference.block) is None:
                if reference.type in _iterators(block.body):
                    continue
                doubt = unread(stack)
                if doubt:
                    yield block.undecided(doubt, at)
                else:
                    yield block.fail(f"{reference.block} is not defined{_like(stack, reference)}", at)
            elif reference.kind in _REPEATED_BY and block.raw(_REPEATED_BY[reference.kind]) is None:
                yield block.fail(f"must not use {reference.text}: the block has no {_REPEATED_BY[reference.kind]}", at)


_WORDS: Final = {"resource": 2, "data": 2, "variable": 1, "output": 1, "module": 1}


_BASES: Final = {
    "resource": "",
    "data": "data.",
    "variable": "var.",
    "output": "output.",
    "module": "module.",
    "locals": "local.",
}


def _repeated(document: dict[str, Any]) -> Iterator[str]:
    """Yield the paths of labels with more than one definition in a document."""
    for word, depth in _WORDS.items():
        counted = Counter(
            ".".join((word, *labels))
            for labels, body in labelled(document.get(word), depth)
            for _ in (body if isinstance(body, list) else (body,))
        )
        yield from (path for path, count in counted.items() if count > 1)
    values = document.get("locals")
    parts = values if isinstance(values, list) else [values]
    names = Counter(name for part in parts if isinstance(part, dict) for name in part)
    yield from (f"locals.{name}" for name, count in names.items() if count > 1)


def _at_fault(root: Block, path: str) -> tuple[Block, str, str]:
    """Return the block at a path of a document and the argument in it, or the root and the path as text."""
    word, *rest = path.split(".")
    depth = _WORDS.get(word, 1)
    base = f"{_BASES.get(word, f'{word}.')}{'.'.join(rest[:depth])}"
    block = root.stack.one(base)
    return (block, ".".join(rest[depth:]), "") if block else (root, "", f"{path} ")


@rule(
    "STATE-002",
    "Local value or block is defined once",
    why="Terraform rejects the second definition, or uses one of the two without a warning.",
    fix="Remove one of the definitions, or merge the two.",
    page=f"{TERRAFORM}/language/values/locals",
    types=["terraform"],
    lessons=["PAY-3"],
    good=GOOD,
    breaks=[
        {
            "locals": [
                {"account": "${data.aws_caller_identity.current.account_id}"},
                {"keys": {"us-east-1": "${aws_kms_key.main.arn}"}},
                {"keys": {"us-east-1": "${aws_kms_key.main.key_id}"}},
            ]
        },
        {
            "resource.aws_kms_key": [
                {"main": {"enable_key_rotation": True}},
                {"main": {"enable_key_rotation": True, "description": "again"}},
            ]
        },
        {"variable": [{"aws_region": {"default": "us-east-1"}}, {"aws_region": {"default": "eu-west-1"}}]},
    ],
)
def labels_are_unique(root: Block) -> Iterator[Outcome]:
    """Check the duplicates that the loader found, and the lists of the document."""
    stack = root.stack
    if is_plan(stack):
        yield NotApplicable("it is a plan, which has no duplicates")
        return
    for duplicate in stack.source.duplicates:
        block, at, what = _at_fault(root, duplicate.path)
        more = "more than once " if len(duplicate.files) == 1 else ""
        yield block.fail(f"{what}must be defined once; it is defined {more}in {' and '.join(duplicate.files)}", at)
    for path in _repeated(stack.source.document):
        block, at, what = _at_fault(root, path)
        yield block.fail(f"{what}must be defined once; remove the duplicate", at)


@rule(
    "STATE-003",
    "Local value is not a duplicate of another",
    why="When somebody changes only one of the two, part of the stack keeps the old value.",
    fix="Remove one of the local values, and refer to the other.",
    page=f"{TERRAFORM}/language/values/locals",
    types=["terraform"],
    severity=ADVICE,
    lessons=["PAY-3"],
    good=GOOD,
    breaks=[
        {"locals.kms_keys": {"us-east-1": "${aws_kms_key.main.arn}"}},
        {"locals.account_id": "${data.aws_caller_identity.current.account_id}"},
    ],
)
def local_values_differ(root: Block) -> Iterator[Outcome]:
    """Compare values with references only; equal literals may be a coincidence."""
    first: dict[str, Block] = {}
    for block in once(root.stack):
        if block.type != "local" or not any(reference.kind in ("resource", "data") for _, reference in block.edges):
            continue
        same = first.setdefault(json.dumps(block.body.get("value"), sort_keys=True, default=str), block)
        if same is not block:
            yield block.fail(f"must not be the same as {same.address}; remove one of them", "value")
