"""Indexes, keys, splats, and the elements that a for expression iterates over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.expressions.conversions import (
    Distinct,
    is_number,
    kind_of,
    mapping,
    number,
    text,
    tidy,
)
from constructs_lib.rules.estate.expressions.errors import RefusedError
from constructs_lib.rules.estate.values import Invalid, Unknown

if TYPE_CHECKING:
    from constructs_lib.rules.estate.expressions.reference import Step

_DIGITS: Final = 9
"""Digits of the largest index."""


def spread(value: object) -> list[object]:
    """Return the elements of a splat: none for null, one for a single value."""
    return [] if value is None else value if isinstance(value, list) else [value]


def step(index: object) -> str | int:
    """Return an index or key as a step of a path."""
    if isinstance(index, str):
        return index
    if is_number(index):
        found = tidy(number(index))
        if isinstance(found, int):
            return found
    raise RefusedError(f"{kind_of(index)} is not a valid index")


def element(base: object, key: str | int) -> object:
    """Return an element of a known list or map."""
    if isinstance(base, dict):
        if text(key) not in base:
            raise RefusedError(f"no attribute or key {key!r}")
        found: object = base[text(key)]
        return found
    if isinstance(base, list) and not isinstance(base, Distinct):
        index = key if isinstance(key, int) else int(key) if key.isdecimal() and len(key) <= _DIGITS else -1
        if 0 <= index < len(base):
            return base[index]
        raise RefusedError(f"no element {key!r} in a list of {len(base)}")
    raise RefusedError(f"{'a set' if isinstance(base, Distinct) else kind_of(base)} has no attribute or key {key!r}")


def pairs_of(value: object) -> list[tuple[object, object]]:
    """Return the keys and values that a for expression iterates over."""
    if isinstance(value, Distinct):
        return [(item, item) for item in value]
    if isinstance(value, list):
        return list(enumerate(value))
    given = mapping(value)
    return [(key, given[key]) for key in sorted(given)]


def follow(value: object, path: tuple[Step, ...]) -> object:
    """Return what a path leads to within a value, as attributes, indexes and splats of an expression do.

    Returns:
        The value; `Unknown` if a part of the way is unknown; `Invalid` if there is no such attribute or element.
    """
    for position, part in enumerate(path):
        if isinstance(value, Unknown):
            return Unknown(value.reason)
        if isinstance(part, Unknown):
            return part
        if part == "*":
            return [follow(item, path[position + 1 :]) for item in spread(value)]
        try:
            value = element(value, part)
        except RefusedError as error:
            return Invalid(str(error))
    return value
