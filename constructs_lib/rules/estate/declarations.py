"""The blocks that a Terraform JSON document declares, and the instances of each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.json_values import labelled, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_INSTANCES: Final = 200
"""Instances of a block that are checked one by one; with more, the block is checked once, with unknown keys."""


Declaration = tuple[str, str, dict[str, Any]]
"""Type, name and body of a block."""


def settings(document: Mapping[str, Any]) -> Iterator[Declaration]:
    """Yield the `terraform` block, variables, outputs, modules, local values and providers."""
    yield "terraform", "", merged(document.get("terraform"))
    for word, type_ in (("variable", "var"), ("output", "output"), ("module", "module")):
        for (name,), body in labelled(document.get(word), 1):
            yield type_, name, merged(body)
    for name, value in merged(document.get("locals")).items():
        if name != "//":
            yield "local", name, {"value": value}
    for (kind,), value in labelled(document.get("provider"), 1):
        for body in value if isinstance(value, list) else [value]:
            if isinstance(body, dict):
                yield f"provider.{kind}", str(body.get("alias") or ""), body


def resources(document: Mapping[str, Any]) -> Iterator[Declaration]:
    """Yield the data sources and resources."""
    for word, prefix in (("data", "data."), ("resource", "")):
        for (type_, name), value in labelled(document.get(word), 2):
            for body in value if isinstance(value, list) else [value]:
                if isinstance(body, dict):
                    yield prefix + type_, name, body


def instances(for_each: object, count: object) -> list[tuple[object, object]]:
    """Return the key and `each.value` of each instance of a block.

    A block without `for_each` and `count`, with unknown ones, or with more than `MAX_INSTANCES` instances is one
    instance without a key.
    """
    keyed: Iterable[tuple[object, object]] = [(None, None)]
    if isinstance(for_each, dict):
        keyed = for_each.items()
    elif isinstance(for_each, list) and all(isinstance(item, str) for item in for_each):
        keyed = ((item, item) for item in dict.fromkeys(for_each))
    elif isinstance(count, int | float | str) and re.fullmatch(r"[0-9]+", str(count)):
        keyed = ((number, None) for number in range(min(int(count), MAX_INSTANCES + 1)))
    found = list(keyed)
    return found if len(found) <= MAX_INSTANCES else [(None, None)]
