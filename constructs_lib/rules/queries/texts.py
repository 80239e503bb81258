"""The strings in a block with their paths, and whether blocks are in different regions."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate

_NOT_ARGUMENTS: Final = frozenset(
    {"//", "provider", "depends_on", "count", "for_each", "lifecycle", "provisioner", "connection"}
)


def texts(block: Block) -> list[tuple[str, str]]:
    """Return the raw texts of a resource's or data source's arguments with their dotted paths."""
    return _texts(block.estate).get(block, [])


@lru_cache(maxsize=2)
def _texts(estate: Estate) -> dict[Block, list[tuple[str, str]]]:
    return {
        block: [
            found
            for name, value in block.body.items()
            if name not in _NOT_ARGUMENTS
            for found in ([(name, value)] if isinstance(value, str) else _below(value, name))
        ]
        for block in estate.blocks
        if block.type.startswith(("aws_", "data.aws_"))
    }


def _below(value: Any, at: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401  synthesized JSON has any shape
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _below(item, f"{at}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _below(item, f"{at}.{number}")


@cache
def without_positions(path: str) -> str:
    """Return `rule.filter` for `rule.0.filter`, and for `dynamic.rule.content.filter`."""
    if "." not in path:
        return path
    parts = [part for part in path.split(".") if not part.isdecimal()]
    return ".".join(part for part in parts if part not in ("dynamic", "content"))


def elsewhere(block: Block, other: Block) -> bool | Unknown:
    """Return whether two blocks are in different regions."""
    here, there = block.region, other.region
    if isinstance(here, str) and isinstance(there, str):
        return here != there
    same_provider = block.provider is other.provider and block.stack is other.stack
    if same_provider and block.raw("region") == other.raw("region"):
        return False
    return next(region for region in (here, there) if isinstance(region, Unknown))
