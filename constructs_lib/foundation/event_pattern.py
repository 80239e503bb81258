"""Event patterns of EventBridge rules and filter patterns of Lambda event source mappings: validation and matching."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.foundation.regions import is_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

EVENT_FIELDS: Final = frozenset(
    {
        *("account", "detail", "detail-type", "id", "region", "replay-name"),
        *("resources", "source", "time", "trace-header", "version"),
    }
)
"""Top-level fields of an EventBridge event."""
EVENT_OPERATORS: Final = frozenset(
    {"anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard"}
)
FILTER_OPERATORS: Final = frozenset({"anything-but", "equals-ignore-case", "exists", "numeric", "prefix", "suffix"})
"""Operators of the filter criteria of a Lambda event source mapping, a subset of EventBridge's.

See https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html.
"""
MAX_EVENT_PATTERN: Final = 2048
"""Characters of an EventBridge event pattern; the default of a quota that can be increased."""
MAX_FILTER_PATTERN: Final = 4096
"""Characters of a filter pattern of an event source mapping."""

_MISSING: Final = object()
_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "=": lambda value, limit: value == limit,
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
    ">": lambda value, limit: value > limit,
    ">=": lambda value, limit: value >= limit,
}
_TEXTS: Final = ("equals-ignore-case", "prefix", "suffix", "wildcard")
_PAIR: Final = 2
_RANGE: Final = 4


def check_pattern(
    pattern: object,
    *,
    fields: frozenset[str] | None,
    operators: frozenset[str],
    limit: int,
) -> list[tuple[str, object, str]]:
    """Return the problems of a pattern: the place in it, the value given, and what is allowed.

    Args:
        pattern: A dictionary; values are lists of plain values and operators.
        fields: Allowed top-level fields; None allows any.
        operators: Operators that the service supports.
        limit: Maximum length of the pattern as JSON, in characters.

    See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html.
    """
    if not isinstance(pattern, dict) or not pattern:
        return [("", pattern, "must be a dictionary with at least one field")]
    found = list(_check_fields(pattern, "", operators))
    if fields is not None:
        names = [name for part in _alternatives(pattern) for name in part]
        found += [
            (f"[{name!r}]", name, f"is not a field of an event; use {', '.join(sorted(fields))}")
            for name in names
            if name not in fields
        ]
    if not found and len(text := as_json(pattern)) > limit:
        found.append(("", text, f"has {len(text)} characters; {limit} are allowed"))
    return found


def as_json(pattern: Mapping[str, Any]) -> str:
    """Return the pattern as JSON, the same text in every run."""
    return json.dumps(pattern, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Return whether an event matches a pattern."""
    return mismatch(pattern, event) is None


def mismatch(pattern: Mapping[str, Any], event: Mapping[str, Any], at: str = "") -> str | None:
    """Return the first field that does not match and why; None if the event matches."""
    for name, wanted in pattern.items():
        where = f"{at}.{name}" if at else name
        if name == "$or":
            if not any(mismatch(part, event, at) is None for part in wanted):
                return f"{where}: no alternative matches"
            continue
        value = event.get(name, _MISSING)
        if isinstance(wanted, dict):
            # A list of objects matches when one of them does as a whole.
            inner = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]
            reasons = [mismatch(wanted, item, where) for item in inner or [{}]]
            if None not in reasons:
                return reasons[0]
        elif not _leaf_matches(wanted, value):
            has = "is not in the event" if value is _MISSING else f"is {json.dumps(value, default=str)}"
            return f"{where} {has}, expected {json.dumps(wanted)}"
    return None


def could_match(pattern: Mapping[str, Any], known: Mapping[str, str]) -> bool:
    """Return whether an event could match a pattern if only some of its top-level fields are known."""
    for name, wanted in pattern.items():
        if name == "$or":
            if not any(could_match(part, known) for part in wanted):
                return False
        elif name in known and not _leaf_matches(wanted, known[name]):
            return False
    return True


def _alternatives(pattern: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the top-level fields, including those of `$or` alternatives."""
    yield {name: value for name, value in pattern.items() if name != "$or"}
    for part in pattern.get("$or", ()):
        if isinstance(part, dict):
            yield from _alternatives(part)


def _check_fields(pattern: dict[str, Any], at: str, operators: frozenset[str]) -> Iterator[tuple[str, object, str]]:
    for name, value in pattern.items():
        where = f"{at}[{name!r}]"
        if name == "$or":
            yield from _check_alternatives(value, where, at, operators)
        elif isinstance(value, dict) and value:
            yield from _check_fields(value, where, operators)
        elif isinstance(value, list) and value:
            for item in value:
                problem = _item_problem(item, operators)
                if problem:
                    yield where, item, problem
        else:
            yield where, value, "must be a non-empty list of values, or a non-empty dictionary of nested fields"


def _check_alternatives(
    value: object, where: str, at: str, operators: frozenset[str]
) -> Iterator[tuple[str, object, str]]:
    if not isinstance(value, list) or len(value) < _PAIR or not all(isinstance(part, dict) and part for part in value):
        yield where, value, "must be a list of at least two dictionaries"
        return
    for part in value:
        yield from _check_fields(part, at, operators)


def _item_problem(item: object, operators: frozenset[str]) -> str:
    if is_token(item):
        return "must be a plain value, because the pattern is tested at synth"
    if item is None or isinstance(item, (str, bool, int, float)):
        return ""
    if not isinstance(item, dict) or len(item) != 1:
        return "must be a plain value or one operator, such as {'prefix': 'eu-'}"
    ((operator, operand),) = item.items()
    if operator not in operators:
        return f"must be one of the operators {', '.join(sorted(operators))}"
    return "" if _operand_fits(operator, operand) else _OPERANDS[operator]


_OPERANDS: Final = {
    "anything-but": "takes a value, a list of strings or of numbers, or one operator on strings",
    "cidr": "takes a CIDR range, such as '10.0.0.0/24'",
    "equals-ignore-case": "takes a string",
    "exists": "takes True or False",
    "numeric": "takes a comparison and a number, or a range such as ['>', 0, '<=', 5]",
    "prefix": "takes a string, or {'equals-ignore-case': a string}",
    "suffix": "takes a string, or {'equals-ignore-case': a string}",
    "wildcard": "takes a string with *, without consecutive * characters",
}


def _operand_fits(operator: str, operand: Any) -> bool:  # noqa: ANN401  JSON
    if operator == "exists":
        return isinstance(operand, bool)
    if operator == "cidr":
        return _network(operand) is not None
    if operator == "numeric":
        return _is_comparison(operand)
    if operator == "anything-but":
        return _is_exclusion(operand)
    if operator in ("prefix", "suffix") and isinstance(operand, dict):
        return list(operand) == ["equals-ignore-case"] and isinstance(operand["equals-ignore-case"], str)
    return isinstance(operand, str) and (operator != "wildcard" or "**" not in operand)


def _is_comparison(operand: object) -> bool:
    if not isinstance(operand, list) or len(operand) not in (_PAIR, _RANGE):
        return False
    signs, numbers = operand[::2], operand[1::2]
    if not all(_is_number(number) for number in numbers) or not all(sign in _COMPARE for sign in signs):
        return False
    return len(signs) == 1 or (signs[0] in (">", ">=") and signs[1] in ("<", "<=") and numbers[0] < numbers[1])


def _is_exclusion(operand: object) -> bool:
    if isinstance(operand, dict):
        if len(operand) != 1:
            return False
        ((operator, texts),) = operand.items()
        listed = texts if isinstance(texts, list) else [texts]
        return operator in _TEXTS and bool(listed) and all(_operand_fits(operator, text) for text in listed)
    listed = operand if isinstance(operand, list) else [operand]
    same = all(isinstance(item, str) for item in listed) or all(_is_number(item) for item in listed)
    return bool(listed) and same


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _leaf_matches(wanted: list[Any], value: object) -> bool:
    """Return whether one of the entries matches; a list in the event matches if one of its elements does."""
    values = [item for item in (value if isinstance(value, list) else [value]) if not isinstance(item, dict)]
    present = [item for item in values if item is not _MISSING]
    for item in wanted:
        if isinstance(item, dict) and "exists" in item:
            if item["exists"] == bool(present):
                return True
        elif any(_value_matches(item, each) for each in present):
            return True
    return False


def _value_matches(wanted: Any, value: Any) -> bool:  # noqa: ANN401  JSON
    if not isinstance(wanted, dict):
        # EventBridge compares numbers as strings: 300 does not match 300.0.
        return type(wanted) is type(value) and bool(wanted == value)
    ((operator, operand),) = wanted.items()
    if operator == "anything-but":
        return not _is_excluded(operand, value)
    if operator == "numeric":
        pairs = zip(operand[::2], operand[1::2], strict=True)
        return _is_number(value) and all(_COMPARE[sign](value, limit) for sign, limit in pairs)
    if not isinstance(value, str):
        return False
    if operator == "cidr":
        return _is_within(value, operand)
    return _text_matches(operator, operand, value)


def _text_matches(operator: str, operand: Any, value: str) -> bool:  # noqa: ANN401  JSON
    if isinstance(operand, dict):
        operand, value = operand["equals-ignore-case"].lower(), value.lower()
    if operator == "prefix":
        return value.startswith(operand)
    if operator == "suffix":
        return value.endswith(operand)
    if operator == "equals-ignore-case":
        return value.lower() == str(operand).lower()
    parts = re.findall(r"\\.|.", operand, re.DOTALL)
    text = "".join(".*" if part == "*" else re.escape(part[-1]) for part in parts)
    return re.fullmatch(text, value, re.DOTALL) is not None


def _is_excluded(operand: Any, value: Any) -> bool:  # noqa: ANN401  JSON
    if isinstance(operand, dict):
        ((operator, texts),) = operand.items()
        listed = texts if isinstance(texts, list) else [texts]
        return isinstance(value, str) and any(_text_matches(operator, text, value) for text in listed)
    return any(_value_matches(item, value) for item in (operand if isinstance(operand, list) else [operand]))


def _network(text: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if isinstance(text, str) and "/" in text else None
    except ValueError:
        return None


def _is_within(value: str, operand: str) -> bool:
    network = _network(operand)
    try:
        return network is not None and ipaddress.ip_address(value) in network
    except ValueError:
        return False
