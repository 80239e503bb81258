"""References: what they name is declared, once, by a provider that the stack asks for."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.expressions import references
from constructs_lib.rules.estate.json_values import labelled, merged
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import TERRAFORM
from constructs_lib.rules.queries.documents import is_plan, once, unread
from constructs_lib.rules.rule import ADVICE, REMOVED, WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.expressions import Reference
    from constructs_lib.rules.estate.model import Block, Stack
    from constructs_lib.rules.outcomes import Outcome

_GOOD: Final[dict[str, Any]] = {
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
    """Return the names that `dynamic` blocks give to what they go through."""
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
    """Yield what a block refers to in expressions, and what it names in lists of addresses."""
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
    """Return the names whose address begins so; asked for each mistake, of which a stack may have many."""
    return tuple(block.name for block in once(stack) if block.base == f"{start}{block.name}")


def _like(stack: Stack, reference: Reference) -> str:
    """Return a hint at a declared name that is close."""
    start = reference.block.removesuffix(reference.name)
    close = difflib.get_close_matches(reference.name, _names(stack, start), 1)
    return f"; did you mean {start}{close[0]}?" if close else f"; {_DECLARED_BY[reference.kind]}"


@rule(
    "STATE-001",
    "What an expression refers to is declared",
    why="Terraform stops before the plan: reference to an undeclared input variable, local value or resource.",
    fix="Declare what is referred to, or correct the name.",
    page=f"{TERRAFORM}/language/expressions/references",
    types=["terraform"],
    lessons=["EVT-1", "EVT-13"],
    good=_GOOD,
    breaks=[
        {"variable.aws_region": REMOVED},
        {"data.aws_caller_identity": REMOVED},
        {"locals.keys": REMOVED},
        {"resource.random_id": REMOVED},
        {"resource.aws_sqs_queue.jobs.depends_on": ["aws_kms_key.mian"]},
        {"resource.aws_sqs_queue.jobs.name": "shop-prod-jobs-${each.key}"},
        {"resource.aws_sqs_queue.jobs.name": "${module.names.jobs}"},
    ],
    unknown_passes="a variable that is declared is right here, whatever its value",
)
def references_are_declared(root: Block) -> Iterator[Outcome]:
    """Look at every reference of the stack."""
    stack = root.stack
    if is_plan(stack):
        yield NotApplicable("Terraform has planned it, so everything is declared")
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
                    yield block.fail(f"{reference.block} is not declared{_like(stack, reference)}", at)
            elif reference.kind in _REPEATED_BY and block.raw(_REPEATED_BY[reference.kind]) is None:
                yield block.fail(
                    f"{reference.text} means nothing here: the block has no {_REPEATED_BY[reference.kind]}", at
                )


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
    """Yield the paths of labels that lists of a document give more than once."""
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
    """Return the block that a path of a document means, the attribute in it, and the path where there is no block."""
    word, *rest = path.split(".")
    depth = _WORDS.get(word, 1)
    base = f"{_BASES.get(word, f'{word}.')}{'.'.join(rest[:depth])}"
    block = root.stack.one(base)
    return (block, ".".join(rest[depth:]), "") if block else (root, "", f"{path} ")


@rule(
    "STATE-002",
    "Every local value and every label is given once",
    why="Terraform refuses the second one, or keeps one of both and nobody knows which.",
    fix="Keep one of them; put what belongs together into one locals block.",
    page=f"{TERRAFORM}/language/values/locals",
    types=["terraform"],
    lessons=["PAY-3"],
    good=_GOOD,
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
def labels_are_given_once(root: Block) -> Iterator[Outcome]:
    """Look at what the loader noted, and at the lists of a document that was not loaded."""
    stack = root.stack
    if is_plan(stack):
        yield NotApplicable("Terraform has planned it, so everything is given once")
        return
    for duplicate in stack.source.duplicates:
        block, at, what = _at_fault(root, duplicate.path)
        yield block.fail(f"{what}is given more than once, in {' and '.join(duplicate.files)}; keep one", at)
    for path in _repeated(stack.source.document):
        block, at, what = _at_fault(root, path)
        yield block.fail(f"{what}is given more than once; keep one", at)


@rule(
    "STATE-003",
    "No two local values hold the same",
    why="One of them is changed some day and the other forgotten; half of the stack then uses the old value.",
    fix="Keep one, and let everything refer to it.",
    page=f"{TERRAFORM}/language/values/locals",
    types=["terraform"],
    severity=ADVICE,
    lessons=["PAY-3"],
    good=_GOOD,
    breaks=[
        {"locals.kms_keys": {"us-east-1": "${aws_kms_key.main.arn}"}},
        {"locals.account_id": "${data.aws_caller_identity.current.account_id}"},
    ],
)
def local_values_differ(root: Block) -> Iterator[Outcome]:
    """Compare those that are made of resources; equal figures or names may be equal by chance."""
    first: dict[str, Block] = {}
    for block in once(root.stack):
        if block.type != "local" or not any(reference.kind in ("resource", "data") for _, reference in block.edges):
            continue
        same = first.setdefault(json.dumps(block.body.get("value"), sort_keys=True, default=str), block)
        if same is not block:
            yield block.fail(f"is the same as {same.address}; keep one of them", "value")


def _required(root: Block) -> dict[str, Any]:
    return {name: entry for name, entry in merged(root.raw("required_providers")).items() if name != "//"}


@rule(
    "STATE-004",
    "Every provider that is used is in required_providers",
    why="Terraform guesses where the provider comes from and takes its newest version, which changes.",
    fix="Add the provider with its source and a bounded version to required_providers.",
    page=f"{TERRAFORM}/language/providers/requirements",
    types=["terraform"],
    severity=WARNING,
    lessons=["EVT-17"],
    good=_GOOD,
    breaks=[
        {"terraform.required_providers.random": REMOVED},
        {"terraform.required_providers": REMOVED},
        {"provider.google": {"region": "europe-west1"}},
    ],
)
def providers_are_required(root: Block) -> Iterator[Outcome]:
    """Look at the first block of each provider."""
    stack = root.stack
    if is_plan(stack):
        yield NotApplicable("a plan names the providers that are required only where they have a version")
        return
    required = {*_required(root), "terraform"}
    for block in once(stack):
        kind, _, label = block.type.partition(".")
        if kind == "provider":
            name = label
        elif "_" in block.type:
            given = block.raw("provider")
            name = str(given).strip("${} ").partition(".")[0] if given else (label or kind).partition("_")[0]
        else:
            continue
        if name in required:
            continue
        required.add(name)
        doubt = unread(stack)
        if doubt:
            yield block.undecided(doubt)
        else:
            yield block.fail(
                f"needs the provider {name}, which required_providers lacks; add it with a bounded version"
            )


_ENDS: Final = re.compile(r"\s*(?:<=?|=|~>(?=\s*v?\d+\.\d)|(?=v?\d))\s*v?\d")
"""Constraints that leave an end: `~> 5` alone allows 6 too."""


@rule(
    "STATE-005",
    "Every provider's version has an upper bound",
    why="The next major version of a provider removes arguments; the first init after its release breaks every stack.",
    fix="Set version to a range with an end, such as >= 5.100.0, < 7.0.0 or ~> 3.5.",
    page=f"{TERRAFORM}/language/expressions/version-constraints",
    types=["terraform"],
    severity=ADVICE,
    lessons=["EVT-17"],
    good=_GOOD,
    breaks=[
        {"terraform.required_providers.random.version": REMOVED},
        {"terraform.required_providers.random.version": ">= 3.5"},
        {"terraform.required_providers.random.version": "~> 3"},
        {"terraform.required_providers.random": "hashicorp/random"},
    ],
)
def versions_are_bounded(root: Block) -> Iterator[Outcome]:
    """Look for one part of each constraint that leaves an end."""
    if is_plan(root.stack):
        yield NotApplicable("a plan says which versions it was made with")
        return
    for name, entry in _required(root).items():
        body = merged(entry)
        version = entry if isinstance(entry, str) else body.get("version")
        at = f"required_providers.{name}" if isinstance(entry, str) else f"required_providers.{name}.version"
        if str(body.get("source", "")).startswith("terraform.io/builtin/"):
            continue
        if version is None:
            yield root.fail("must be a range with an end, such as >= 5.100.0, < 7.0.0; any version fits now", at)
        elif "${" in str(version):
            yield root.fail("must be written out: Terraform evaluates nothing here", at)
        elif not any(_ENDS.match(part) for part in str(version).split(",")):
            yield root.fail("must have an end, such as < 7.0.0: the next major version fits as well", at)
