"""Functions on lists and maps; unknown elements keep their positions."""

from __future__ import annotations

from constructs_lib.rules.estate.expressions.arithmetic import calculate
from constructs_lib.rules.estate.expressions.conversions import (
    LARGEST,
    Distinct,
    boolean,
    distinct,
    equal,
    items,
    mapping,
    number,
    text,
    tidy,
    whole,
)
from constructs_lib.rules.estate.expressions.errors import RefusedError, UndecidedError
from constructs_lib.rules.estate.expressions.functions.registry import function, known
from constructs_lib.rules.estate.values import Unknown


@function("own")
def _length(value: object, /) -> object:
    return len(value) if isinstance(value, (str, dict)) else len(items(value))


@function("own")
def _concat(first: object, /, *others: object) -> object:
    return [item for given in (first, *others) for item in items(given)]


@function("own")
def _merge(*maps: object) -> object:
    found: dict[str, object] = {}
    for given in maps:
        if given is not None:
            found |= mapping(given)
    return found


@function("own")
def _flatten(value: object, /) -> object:
    found: list[object] = []
    for item in items(value):
        if isinstance(item, Unknown):
            raise UndecidedError(item.reason)
        found += items(_flatten(item)) if isinstance(item, list) else [item]
        if len(found) > LARGEST:
            raise UndecidedError("too large")
    return found


@function()
def _distinct(value: object, /) -> object:
    return distinct(items(value))


@function("own")
def _compact(value: object, /) -> object:
    return [text(item) for item in known(items(value)) if item is not None and item != ""]


@function("own")
def _contains(value: object, wanted: object, /) -> object:
    answers = [equal(item, wanted) for item in items(value)]
    if True in answers:
        return True
    return next((answer for answer in answers if isinstance(answer, Unknown)), False)


@function("own")
def _element(value: object, index: object, /) -> object:
    given, place = items(value), whole(index)
    if not given or place < 0 or isinstance(value, Distinct):
        raise RefusedError(f"no element {place}")
    return given[place % len(given)]


@function()
def _index(value: object, wanted: object, /) -> object:
    for place, item in enumerate(items(value)):
        if equal(item, wanted) is True:
            return place
    raise RefusedError("no such element")


@function("own")
def _keys(value: object, /) -> object:
    return sorted(mapping(value))


@function("own")
def _values(value: object, /) -> object:
    return [item for _, item in sorted(mapping(value).items())]


@function("own")
def _lookup(value: object, key: object, default: object = RefusedError, /) -> object:
    given = mapping(value)
    if text(key) in given:
        return given[text(key)]
    if default is RefusedError:
        raise RefusedError(f"no key {key!r}")
    return default


@function("own")
def _reverse(value: object, /) -> object:
    return list(reversed(items(value)))


@function("own")
def _slice(value: object, start: object, end: object, /) -> object:
    given, begin, stop = items(value), whole(start), whole(end)
    if not 0 <= begin <= stop <= len(given) or isinstance(value, Distinct):
        raise RefusedError(f"no elements {begin} to {stop} in a list of {len(given)}")
    return given[begin:stop]


@function()
def _sort(value: object, /) -> object:
    return sorted(map(text, items(value)))


@function("own")
def _zipmap(names: object, contents: object, /) -> object:
    given, found = known(items(names)), items(contents)
    if len(given) != len(found):
        raise RefusedError(f"{len(given)} keys for {len(found)} values")
    return dict(zip(map(text, given), found, strict=True))


@function("none")
def _coalesce(*candidates: object) -> object:
    """Return the first that is neither null nor empty text, as text if any of them is text."""
    textual = any(isinstance(candidate, str) for candidate in candidates)
    for candidate in candidates:
        if isinstance(candidate, Unknown):
            return Unknown(candidate.reason)
        if candidate is not None and candidate != "":
            return text(candidate) if textual and isinstance(candidate, (int, float)) else candidate
    raise RefusedError("every argument is null or empty")


@function("none")
def _coalescelist(*candidates: object) -> object:
    for candidate in candidates:
        if isinstance(candidate, Unknown):
            return Unknown(candidate.reason)
        if items(candidate):
            return candidate
    raise RefusedError("every argument is null or empty")


@function()
def _range(first: object, second: object = None, third: object = None, /) -> object:
    """Count, up or down, without the limit itself; Terraform stops at 1024 numbers."""
    start, limit = (0, number(first)) if second is None else (number(first), number(second))
    width = (1 if start <= limit else -1) if third is None else number(third)
    if start == limit:
        return []
    if width == 0 or (width > 0) != (start <= limit):
        raise RefusedError(f"a step of {width} does not lead from {start} to {limit}")
    count = -int((start - limit) // width)
    if count > 1024:  # noqa: PLR2004  Terraform's own limit
        raise RefusedError("more than 1024 numbers")
    return [tidy(start + place * width) for place in range(count)]


@function("own")
def _one(value: object, /) -> object:
    given = items(value)
    if len(given) > 1:
        raise RefusedError(f"{len(given)} elements")
    return given[0] if given else None


@function()
def _sum(value: object, /) -> object:
    given = [number(item) for item in items(value)]
    if not given:
        raise RefusedError("the list is empty")
    total: object = 0
    for item in given:
        total = calculate("+", total, item)
    return total


@function("own")
def _alltrue(value: object, /) -> object:
    return _decide(items(value), decisive=False)


@function("own")
def _anytrue(value: object, /) -> object:
    return _decide(items(value), decisive=True)


def _decide(given: list[object], *, decisive: bool) -> object:
    unknown = next((item for item in given if isinstance(item, Unknown)), None)
    if any(item is not None and boolean(item) is decisive for item in given if not isinstance(item, Unknown)):
        return decisive
    if not decisive and None in given:
        return False
    return Unknown(unknown.reason) if unknown else not decisive


@function("own")
def _matchkeys(contents: object, names: object, searched: object, /) -> object:
    found, given, wanted = items(contents), known(items(names)), known(items(searched))
    if len(found) != len(given):
        raise RefusedError(f"{len(given)} keys for {len(found)} values")
    pairs = zip(found, given, strict=True)
    return [item for item, name in pairs if any(equal(name, each) is True for each in wanted)]


@function()
def _transpose(value: object, /) -> object:
    found: dict[str, list[str]] = {}
    for name, given in sorted(mapping(value).items()):
        for item in items(given):
            found.setdefault(text(item), []).append(name)
    return dict(sorted(found.items()))


@function("own")
def _chunklist(value: object, size: object, /) -> object:
    given, width = items(value), whole(size)
    if width < 0:
        raise RefusedError(f"no chunks of {width}")
    return [given[start : start + width] for start in range(0, len(given), width)] if width else [given]
