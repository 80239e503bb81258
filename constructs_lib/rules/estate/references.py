"""The references in a value, with the attributes that contain them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.rules.estate.expressions import references

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs_lib.rules.estate.expressions import Reference


def edges(raw: object, at: str) -> list[tuple[str, Reference]]:
    """Return every reference in a raw value with the dotted path that it stands at."""
    found: list[tuple[str, Reference]] = []
    _collect(raw, at, found)
    return found


def _collect(raw: object, at: str, found: list[tuple[str, Reference]]) -> None:
    if isinstance(raw, str):
        if "${" in raw or "%{" in raw:
            found.extend([(at, reference) for reference in references(raw)])
        return
    if isinstance(raw, dict):
        items: Iterable[tuple[object, object]] = raw.items()
    elif isinstance(raw, list):
        items = enumerate(raw)
    else:
        return
    for key, value in items:
        if isinstance(value, str):
            if "${" in value or "%{" in value:
                below = f"{at}.{key}" if at else str(key)
                found.extend([(below, reference) for reference in references(value)])
        elif isinstance(value, dict | list) and key != "//":
            _collect(value, f"{at}.{key}" if at else str(key), found)
