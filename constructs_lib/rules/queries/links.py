"""Links between blocks: by reference, or by an equal name, URL or ARN."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.expressions import references
from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.queries.common import is_partly_known
from constructs_lib.rules.queries.names import by_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate, Section

FUNCTION: Final = "aws_lambda_function"
ALIAS: Final = "aws_lambda_alias"
QUEUE: Final = "aws_sqs_queue"
TOPIC: Final = "aws_sns_topic"
BUS: Final = "aws_cloudwatch_event_bus"
EVENT_RULE: Final = "aws_cloudwatch_event_rule"
LOG_GROUP: Final = "aws_cloudwatch_log_group"
ROLE: Final = "aws_iam_role"

_NAME_AT: Final = {
    FUNCTION: "function_name",
    QUEUE: "name",
    TOPIC: "name",
    BUS: "name",
    EVENT_RULE: "name",
    LOG_GROUP: "name",
    ROLE: "name",
}
_PART: Final = r"[^:/]*"
_ARN: Final = {
    FUNCTION: re.compile(rf"arn:{_PART}:lambda:({_PART}):{_PART}:function:({_PART})"),
    QUEUE: re.compile(rf"arn:{_PART}:sqs:({_PART}):{_PART}:({_PART})$"),
    TOPIC: re.compile(rf"arn:{_PART}:sns:({_PART}):{_PART}:({_PART})$"),
    BUS: re.compile(rf"arn:{_PART}:events:({_PART}):{_PART}:event-bus/(.*)$"),
    EVENT_RULE: re.compile(rf"arn:{_PART}:events:({_PART}):{_PART}:rule/(?:.*/)?({_PART})$"),
    LOG_GROUP: re.compile(rf"arn:{_PART}:logs:({_PART}):{_PART}:log-group:([^:]*)"),
    ROLE: re.compile(rf"arn:{_PART}:iam:({_PART}):{_PART}:role/(?:.*/)?({_PART})$"),
}


def meant(section: Section, at: str, type_: str) -> Block | None:
    """Return the block of a type that a value refers to, or None if the estate has no such block."""
    found = section.target(at, type_)
    if found is not None or section.raw(at) is None:
        return found
    value = section.get(at)
    text = value.text if isinstance(value, Unknown) else value
    if not isinstance(text, str) or not text:
        return None
    region, name = _named(text, type_)
    return with_name(section.block, type_, name, region)


def with_name(viewer: Block, type_: str, name: str, region: str = "") -> Block | None:
    """Return the block of a type and name, in a region or the viewer's own; one of the viewer's stack before others."""
    place = region or viewer.region
    same = [block for block in by_name(viewer.estate, type_, _NAME_AT[type_]).get(name, ()) if _may_be_in(block, place)]
    own = [block for block in same if block.stack is viewer.stack]
    return next(iter(own or same), None)


def function_of(section: Section, at: str) -> Block | None:
    """Return the function that a value means, also through an alias of it; None when the estate has none."""
    alias = section.target(at, ALIAS)
    return meant(alias, "function_name", FUNCTION) if alias else meant(section, at, FUNCTION)


def pointing(block: Block, type_: str, at: str) -> list[Block]:
    """Return the blocks of a type whose value at a path means this block, by reference or by name."""
    return _pointing(block.estate, type_, at, block.type).get(block, [])


def called(block: Block, viewer: Block) -> str:
    """Return the address of a block for a message about another one, with the stack if it is in another stack."""
    return block.address if block.stack is viewer.stack else f"{block.address} of the stack {block.stack.name}"


def predecessors(block: Block) -> set[str]:
    """Return the addresses, without instance keys, of everything that Terraform creates before a block in its stack."""
    found: set[str] = set()
    waiting = [block]
    while waiting:
        for base in before(waiting.pop()):
            if base not in found:
                found.add(base)
                waiting.extend(block.stack.all(base)[:1])
    return found


def has_module(addresses: set[str]) -> bool:
    """Return whether a module is among addresses: what it holds is not known."""
    return any(address.startswith("module.") for address in addresses)


def before(block: Block) -> Iterator[str]:
    """Yield the addresses, without instance keys, of what a block refers to or depends on."""
    for _, reference in block.edges:
        yield reference.block
    given = block.body.get("depends_on")
    for address in given if isinstance(given, list) else ():
        text = str(address)
        for reference in references(text if "${" in text else f"${{{text}}}"):
            yield reference.block


def sources(section: Section, at: str) -> list[Block]:
    """Return the blocks that a value is made from, variables aside."""
    return [block for block in section.targets(at) if block.type != "var"]


def is_given(value: object) -> bool:
    """Return whether a value is set: a known value, a text with a known part, or an attribute of a known block."""
    if isinstance(value, Unknown):
        return isinstance(value, Computed) or is_partly_known(value)
    return value not in (None, "", [], {})


def undecidable(value: object) -> Unknown | None:
    """Return the value when neither it nor a block that it comes from is known."""
    return value if isinstance(value, Unknown) and not isinstance(value, Computed) else None


def _named(text: str, type_: str) -> tuple[str, str]:
    """Return the region and name in an ARN or URL; any other text is a name."""
    found = _ARN[type_].search(text)
    if found:
        return found[1], found[2]
    return "", text.rpartition("/")[2] if text.startswith("https://") else text


def _may_be_in(block: Block, region: str | Unknown) -> bool:
    known = isinstance(block.region, str) and isinstance(region, str) and "${" not in region
    return not known or block.region == region


@lru_cache(maxsize=32)
def _pointing(estate: Estate, type_: str, at: str, target: str) -> dict[Block, list[Block]]:
    found: dict[Block, list[Block]] = defaultdict(list)
    for block in estate.of(type_):
        other = function_of(block, at) if target == FUNCTION else meant(block, at, target)
        if other is not None:
            found[other].append(block)
    return found
