"""Reads values that Terraform JSON allows in several forms."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from constructs_lib.rules.estate.values import Encoded, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def step(value: object, path: tuple[Any, ...], text: str) -> object:
    """Return the element at a path in a resolved value."""
    for part in path:
        if isinstance(value, Unknown | None):
            return value
        if isinstance(part, Unknown):
            return Unknown(f"{text} has an unknown index", f"${{{text}}}")
        if part == "*" and isinstance(value, list):
            rest = path[path.index(part) + 1 :]
            return [step(item, rest, text) for item in value]
        if isinstance(value, list) and isinstance(part, str) and not part.isdecimal() and len(value) == 1:
            value = value[0]  # a nested block is written as a list of one and read without index
        if isinstance(value, list) and str(part).isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict):
            value = value.get(str(part))
        else:
            return Unknown(f"{text} does not exist", f"${{{text}}}")
    return value


def merged(value: object) -> dict[str, Any]:
    """Return a block that may be written as an object or as a list of objects as one object."""
    found: dict[str, Any] = {}
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, dict):
            found.update(part)
    return found


def labelled(value: object, depth: int) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the bodies below `depth` labels, which may be in objects or lists of objects at any level."""
    for part in value if isinstance(value, list) else [value]:
        if not isinstance(part, dict):
            continue
        for label, body in part.items():
            if label == "//":
                continue
            if depth == 1:
                yield (label,), body
            else:
                for labels, inner in labelled(body, depth - 1):
                    yield (label, *labels), inner


def place_of_state(kind: str, config: object, folder: Path) -> tuple[object, ...]:
    """Return what identifies a state in its backend; empty when unknown."""
    if not isinstance(config, dict):
        return ()
    if kind == "local":
        path = config.get("path", "terraform.tfstate")
        return (os.path.normpath(folder / path),) if isinstance(path, str) else ()
    place = tuple(config.get(word) for word in ("bucket", "key", "prefix", "container_name", "address"))
    return place if any(place) and all(isinstance(part, str | None) for part in place) else ()


def walk(value: Any, steps: list[str]) -> tuple[Any, list[str]]:  # noqa: ANN401  synthesized JSON has any shape
    """Follow steps into a value; return the value reached and the remaining steps.

    A list of one needs no index; everything below an unknown value is unknown.
    """
    for position, step in enumerate(steps):
        if isinstance(value, list):
            if not step.isdecimal():
                value = value[0] if len(value) == 1 else None
            elif int(step) < len(value):
                value = value[int(step)]
                continue
            else:
                return None, []
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, Unknown):
            return value, []
        else:
            return value, steps[position:]
    return value, []


def weigh(value: object, known: dict[int, tuple[object, int]]) -> int:
    """Return how many parts a value has, and letters in texts with unknown parts.

    A part that was weighed before is not entered again.

    Args:
        value: The value.
        known: What was weighed, by identity; added to.
    """
    if isinstance(value, Encoded):
        value = value.value
    if isinstance(value, Unknown):
        return len(value.text)
    if not isinstance(value, dict | list):
        return 1
    found = known.get(id(value))
    if found is None:
        parts = value.values() if isinstance(value, dict) else value
        found = known[id(value)] = (value, 1 + sum(weigh(part, known) for part in parts))
    return found[1]
