"""Reads a JSON file and reports errors with their position."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.foundation.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAX_DEPTH: Final = 200
"""Nesting of lists and objects; Terraform's own blocks need fewer than 40 levels."""

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class Repeating(dict[str, Any]):
    """An object with duplicate keys.

    Attributes:
        repeated: Every value of each of these keys.
    """

    repeated: dict[str, list[Any]]


def read_json(file: Path) -> Any:  # noqa: ANN401  JSON
    """Read a JSON file; objects that repeat a key are `Repeating`.

    Raises:
        ConfigurationError: The file cannot be read or is not JSON; names the line and the column.
    """
    text = _text(file)
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise ConfigurationError(str(file), _explain(text, error)) from error
    except RecursionError as error:
        raise _too_deep(file) from error
    except ValueError as error:
        reason = "a number has too many digits" if "digits" in str(error) else str(error)
        raise ConfigurationError(str(file), f"not JSON: {reason}") from error
    if _deeper_than(value, MAX_DEPTH):
        raise _too_deep(file)
    if _SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ConfigurationError(str(file), r"contains an unpaired surrogate between \ud800 and \udfff") from error
    return value


def repeated(value: object, at: str = "") -> Iterator[str]:
    """Yield the dotted paths of duplicate keys in a value."""
    if isinstance(value, Repeating):
        for key in value.repeated:
            yield f"{at}.{key}" if at else key
    items: Iterable[tuple[object, object]] = ()
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
    for label, item in items:
        if isinstance(item, dict | list):
            yield from repeated(item, f"{at}.{label}" if at else str(label))


def holds_repeating(value: object) -> bool:
    """Return whether an object in a value has a duplicate key."""
    level = [value]
    while level:
        if any(isinstance(item, Repeating) for item in level):
            return True
        level = _inner(level)
    return False


def _text(file: Path) -> str:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(str(file), f"cannot be read: {error.strerror or error}") from error
    if content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise ConfigurationError(
            str(file), "starts with a byte order mark, which Terraform rejects; save the file as UTF-8 without one"
        )
    if content.startswith(b"PK\x03\x04"):
        raise ConfigurationError(str(file), "a saved plan is binary: pass the output of `terraform show -json`")
    if not content.strip():
        raise ConfigurationError(str(file), "file is empty")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(str(file), f"line {line}: not UTF-8: byte 0x{content[error.start]:02x}") from error


def _explain(text: str, error: json.JSONDecodeError) -> str:
    where = f"line {error.lineno}, column {error.colno}"
    if '"@level"' in text[:1000]:
        return "this is the log of `terraform plan -json`; pass the output of `terraform show -json` for a saved plan"
    if not text[error.pos :].strip() or error.msg.startswith("Unterminated string"):
        return f"{where}: not JSON: unexpected end of file"
    return f"{where}: not JSON: {error.msg[0].lower()}{error.msg[1:]}"


def _too_deep(file: Path) -> ConfigurationError:
    return ConfigurationError(str(file), f"nested more than {MAX_DEPTH} levels deep")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    values: dict[str, list[Any]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    marked = Repeating(found)
    marked.repeated = {key: given for key, given in values.items() if len(given) > 1}
    return marked


def _refuse_constant(word: str) -> float:
    raise ValueError(f"{word} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text} is too large")
    return number


def _deeper_than(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = _inner(level)
        if not level:
            return False
    return True


def _inner(level: list[Any]) -> list[Any]:
    """Return the objects and lists directly within these."""
    return [
        item
        for outer in level
        if isinstance(outer, dict | list)
        for item in (outer.values() if isinstance(outer, dict) else outer)
        if isinstance(item, dict | list)
    ]
