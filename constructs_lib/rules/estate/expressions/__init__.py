"""Parses and evaluates the Terraform expressions in the strings of Terraform JSON."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from constructs_lib.rules.estate.expressions.errors import RefusedError, UndecidedError, UnreadableError
from constructs_lib.rules.estate.expressions.navigation import follow
from constructs_lib.rules.estate.expressions.nodes import Node, Scope, resolved
from constructs_lib.rules.estate.expressions.parser import Parser
from constructs_lib.rules.estate.expressions.reference import Reference, Step, plain_reference, scan
from constructs_lib.rules.estate.values import Invalid, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Reference", "Step", "evaluate", "follow", "references"]


@dataclass(slots=True)
class _Parsed:
    """A parsed string: a plain reference, a node, or the reason why it cannot be parsed."""

    references: tuple[Reference, ...]
    plain: Reference | None = None
    node: Node | None = None
    problem: str = ""


@lru_cache(maxsize=1 << 16)
def _parse(text: str) -> _Parsed:
    if plain := plain_reference(text):
        return _Parsed((plain,), plain)
    parser = Parser(text)
    try:
        return _Parsed(node=parser.read(), references=tuple(parser.references))
    except (UnreadableError, RefusedError, UndecidedError) as error:
        return _Parsed(scan(text), problem=str(error))


def references(text: str) -> tuple[Reference, ...]:
    """Return every reference in a template string, in the order of the text.

    Those within arguments, indexes, conditions, for-expressions and strings within expressions too; variables that a
    for-expression declares are none. A text that cannot be read gives what looks like a reference.
    """
    if "${" not in text and "%{" not in text:
        return ()
    try:
        return _parse(text).references
    except RecursionError:
        return scan(text)


def evaluate(text: str, resolve: Callable[[Reference], object]) -> object:
    """Return the value of a template string.

    `"${expression}"` alone keeps its type. What is unknown says why, and as its text what is known of the string.

    Args:
        text: The string, as it stands in Terraform JSON.
        resolve: Returns the value of a reference, such as `follow(value, reference.path)`: a plain value, in which
            leaves may be `Unknown`, or `Unknown`; `Invalid` if Terraform would refuse the reference.

    Returns:
        A plain value, `Unknown`, or `Invalid` if Terraform would refuse the text.
    """
    if "${" not in text and "%{" not in text:
        return text
    try:
        parsed = _parse(text)
        if parsed.plain:
            value = resolved(parsed.plain, text, resolve)
        elif parsed.node:
            value = parsed.node.value(Scope(resolve))
        else:
            value = Invalid(f"cannot be read: {parsed.problem}", text)
    except RefusedError as error:
        value = Invalid(str(error), text)
    except UndecidedError as error:
        value = Unknown(str(error), text)
    except RecursionError:
        value = Unknown("nested too deeply", text)
    return value
