"""The names of resources in AWS."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.names import NAMES

if TYPE_CHECKING:
    from constructs_lib.rules.estate.model import Block, Estate


def name_of(block: Block) -> object:
    """Return the name of a resource of a type in `NAMES`: a text, `Unknown`, or None where it is given none."""
    return _names(block.estate)[block]


def text_of(block: Block) -> str:
    """Return the name with what is not known of it as the expression; empty where it is given none."""
    value = name_of(block)
    text = value.text if isinstance(value, Unknown) else value
    return text if isinstance(text, str) else ""


@lru_cache(maxsize=2)
def _names(estate: Estate) -> dict[Block, object]:
    return {block: block.get(NAMES[block.type].at) for block in estate.of(*NAMES)}


@lru_cache(maxsize=64)
def by_name(estate: Estate, type_: str, at: str) -> dict[str, list[Block]]:
    """Return the blocks of a type by the name at an attribute, expressions of unknown parts included."""
    found: dict[str, list[Block]] = defaultdict(list)
    for block in estate.of(type_):
        name = block.get(at)
        text = name.text if isinstance(name, Unknown) else name
        if isinstance(text, str) and text:
            found[text].append(block)
    return found
