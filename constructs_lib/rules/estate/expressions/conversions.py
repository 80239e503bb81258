"""Terraform's types in Python: equality and type conversion."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.expressions.errors import RefusedError, UndecidedError
from constructs_lib.rules.estate.values import Unknown, unknown_in

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST: Final = 1 << 21
"""Characters of the longest text that is built."""
LARGEST: Final = 50_000
"""Elements of the largest structure that is built."""
_DIGITS: Final = 150
"""Digits of the longest number; Terraform's have 154."""

_NUMBER: Final = re.compile(r"([+-]?+(?:\d++(?:\.\d*+)?+|\.\d++))(?:[eE]([+-]?+\d++))?+")

Number = int | float

_KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "bool",
    int: "number",
    float: "number",
    str: "string",
    list: "list",
    dict: "object",
    Unknown: "unknown",
}


class Distinct(list[object]):
    """A set: distinct elements in Terraform's order, without indexes."""


def kind_of(value: object) -> str:
    """Return the name of a value's type."""
    found = _KINDS.get(type(value))
    return found or next((kind for type_, kind in _KINDS.items() if isinstance(value, type_)), type(value).__name__)


def read_number(text: str) -> Number:
    """Return the number that a text is.

    Raises:
        RefusedError: It is none.
        UndecidedError: It has too many digits.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise RefusedError(f"{text[:50]!r} is not a number")
    if len(match[1]) > _DIGITS or len(match[2] or "") > 4 or abs(int(match[2] or 0)) > _DIGITS:  # noqa: PLR2004
        raise UndecidedError("too large a number")
    return tidy(Decimal(text))


def tidy(value: Decimal | float) -> Number:
    """Return a number as an int if it is whole, else as a float."""
    if isinstance(value, int):
        if value.bit_length() > 512:  # noqa: PLR2004  the precision of Terraform's numbers
            raise UndecidedError("too large a number")
        return value
    if not math.isfinite(value):
        raise UndecidedError("too large a number")
    rounded = value if value == int(value) else float(value)
    return tidy(int(rounded)) if rounded == int(rounded) else float(rounded)


def is_number(value: object) -> bool:
    """Whether a value is a number, which true and false are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def number(value: object) -> Number:
    """Return a value as a number."""
    if isinstance(value, str):
        return read_number(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise RefusedError(f"expected a number, not {_short(value)}")


def whole(value: object) -> int:
    """Return a value as a whole number."""
    found = number(value)
    if found != int(found):
        raise RefusedError(f"expected a whole number, not {found}")
    return int(found)


def boolean(value: object) -> bool:
    """Return a value as true or false."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in {"true", "false"}:
        return value == "true"
    raise RefusedError(f"expected true or false, not {_short(value)}")


def text(value: object) -> str:
    """Return a value as text, as Terraform writes it into a template."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(tidy(value))
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    raise RefusedError(f"expected a string, not {_short(value)}")


def items(value: object) -> list[object]:
    """Return a value as a list."""
    if isinstance(value, (list, tuple)):
        return list(value) if isinstance(value, tuple) else value
    raise RefusedError(f"expected a list, not {_short(value)}")


def mapping(value: object) -> dict[str, object]:
    """Return a value as a map."""
    if isinstance(value, dict):
        return value
    raise RefusedError(f"expected a map, not {_short(value)}")


def equal(left: object, right: object) -> bool | Unknown:
    """Whether two values are equal, which parts that are unknown may leave open."""
    if unknown := next((side for side in (left, right) if isinstance(side, Unknown)), None):
        return Unknown(unknown.reason)
    if kind_of(left) != kind_of(right):
        return False
    if isinstance(left, list) and isinstance(right, list):
        alike = len(left) == len(right)
        pairs = list(zip(left, right, strict=False))
    elif isinstance(left, dict) and isinstance(right, dict):
        alike = left.keys() == right.keys()
        pairs = [(left[key], right[key]) for key in left] if alike else []
    else:
        return bool(left == right)
    answers = [equal(one, other) for one, other in pairs]
    if not alike or False in answers:
        return False
    return next((answer for answer in answers if isinstance(answer, Unknown)), True)


def unify(values: list[object]) -> list[object]:
    """Return values of one type: numbers, true and false become text where there is text among them."""
    kinds = {kind_of(value) for value in values} - {"null", "unknown"}
    if len(kinds) > 1 and kinds <= {"string", "number", "bool"}:
        return [text(value) if kind_of(value) in {"number", "bool"} else value for value in values]
    return values


def distinct(values: list[object]) -> list[object]:
    """Return known values without repetitions."""
    found: dict[object, object] = {}
    for value in unify(values):
        found.setdefault(_fingerprint(value), value)
    return list(found.values())


def make_set(values: list[object]) -> Distinct:
    """Return known values as a set, in Terraform's order."""
    kept = distinct(values)
    kinds = {kind_of(value) for value in kept}
    if kinds <= {"string"}:
        return Distinct(sorted(kept, key=text))
    if kinds <= {"number"}:
        return Distinct(sorted(kept, key=number))
    return Distinct(sorted(kept, key=repr) if kinds <= {"bool"} else kept)


def bounded(value: object) -> object:
    """Return a value that is not too large.

    Raises:
        UndecidedError: It is.
    """
    if isinstance(value, str):
        if len(value) > LONGEST:
            raise UndecidedError("too large")
        return value
    if isinstance(value, (list, dict)):
        left = LARGEST
        waiting: list[object] = [value]
        while waiting:
            item = waiting.pop()
            if isinstance(item, (list, dict)):
                left -= len(item) + 1
                if left < 0:
                    raise UndecidedError("too large")
                waiting.extend(item.values() if isinstance(item, dict) else item)
    return value


def text_of(unknown: Unknown) -> str:
    """Return what stands for an unknown value in a text."""
    return unknown.text if "${" in unknown.text or "%{" in unknown.text else f"${{{unknown.text or 'unknown'}}}"


def written(pieces: Iterable[str | Unknown]) -> str:
    """Return a template that pieces stand in."""
    return "".join(text_of(piece) if isinstance(piece, Unknown) else escape(piece) for piece in pieces)


def escape(known: str) -> str:
    """Return the template that a known text is."""
    return known.replace("${", "$${").replace("%{", "%%{")


def first_unknown(values: list[object]) -> Unknown | None:
    """Return the first unknown part of some values, or None."""
    return next((found for value in values if (found := unknown_in(value))), None)


def _fingerprint(value: object) -> object:
    """Return something hashable that is equal for equal values of the same type only."""
    if isinstance(value, list):
        return ("list", *map(_fingerprint, value))
    if isinstance(value, dict):
        return ("object", *((key, _fingerprint(value[key])) for key in sorted(value)))
    return kind_of(value), value


def _short(value: object) -> str:
    return repr(value)[:50] if isinstance(value, (str, int, float)) and not isinstance(value, bool) else kind_of(value)
