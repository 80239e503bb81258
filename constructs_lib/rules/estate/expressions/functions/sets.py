"""Functions on sets, and the conversions between types."""

from __future__ import annotations

from constructs_lib.rules.estate.expressions.conversions import (
    LARGEST,
    Distinct,
    boolean,
    equal,
    items,
    make_set,
    mapping,
    number,
    text,
    unify,
)
from constructs_lib.rules.estate.expressions.errors import UndecidedError
from constructs_lib.rules.estate.expressions.functions.registry import function, known


@function("own")
def _tostring(value: object, /) -> object:
    return None if value is None else text(value)


@function("own")
def _tonumber(value: object, /) -> object:
    return None if value is None else number(value)


@function("own")
def _tobool(value: object, /) -> object:
    return None if value is None else boolean(value)


@function("own")
def _tolist(value: object, /) -> object:
    return None if value is None else unify(list(items(value)))


@function("own")
def _tomap(value: object, /) -> object:
    if value is None:
        return None
    given = mapping(value)
    return dict(zip(given, unify(list(given.values())), strict=True))


@function("own")
def _toset(value: object, /) -> object:
    return None if value is None else make_set(known(items(value)))


@function()
def _setunion(first: object, /, *others: object) -> object:
    return make_set([item for given in (first, *others) for item in items(given)])


@function()
def _setintersection(first: object, /, *others: object) -> object:
    everything, *sets = _alike(first, *others)
    return Distinct(item for item in everything if all(_within(item, given) for given in sets))


@function()
def _setsubtract(first: object, second: object, /) -> object:
    _, mine, theirs = _alike(first, second)
    return Distinct(item for item in mine if not _within(item, theirs))


def _alike(*given: object) -> list[list[object]]:
    """Return the union of lists and each of them, as sets of one type."""
    union = make_set([item for each in given for item in items(each)])
    textual = any(isinstance(item, str) for item in union)
    return [union, *(make_set([*map(text, items(each))] if textual else items(each)) for each in given)]


def _within(item: object, given: list[object]) -> bool:
    return any(equal(item, other) is True for other in given)


@function("own")
def _setproduct(first: object, second: object, /, *others: object) -> object:
    """Return every combination of an element of each list."""
    lists = [items(given) for given in (first, second, *others)]
    size = len(lists)
    for given in lists:
        size *= len(given)
    if size > LARGEST:
        raise UndecidedError("too large")
    found: list[list[object]] = [[]]
    for given in lists:
        found = [[*before, item] for before in found for item in unify(given)]
    return Distinct(found) if all(isinstance(given, Distinct) for given in lists) else found


@function("none")
def _sensitive(value: object, /) -> object:
    return value


@function("none")
def _nonsensitive(value: object, /) -> object:
    return value
