"""The kind of a stack's document: a plan, synthesized, or a module; and the references that its values consist of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.rules.estate.json_values import merged
from constructs_lib.rules.estate.references import edges
from constructs_lib.rules.estate.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Stack


def is_plan(stack: Stack) -> bool:
    """Whether a stack was read from a plan, which says nothing of the backend and of references by name."""
    return isinstance(stack.terraform.body.get("backend"), Unknown)


def is_synthesized(stack: Stack) -> bool:
    """Whether a program wrote the document: what stands in it need not stand in the code."""
    return bool(merged(merged(stack.source.document.get("//")).get("metadata")))


def is_root(stack: Stack) -> bool:
    """Whether a stack is applied by itself: a module that others call configures no provider."""
    return any(block.type.startswith("provider.") for block in stack.blocks)


def unread(stack: Stack) -> Unknown | None:
    """Return that part of a stack is written in HCL, or None when all of it was read."""
    files = stack.source.unread
    return (
        Unknown(f"{', '.join(files)} {'is' if len(files) == 1 else 'are'} written in HCL, which is not read")
        if files
        else None
    )


def resources(stack: Stack) -> Iterator[Block]:
    """Yield the managed resources of a stack."""
    return (block for block in stack.blocks if "." not in block.type and "_" in block.type)


def once(stack: Stack) -> Iterator[Block]:
    """Yield the blocks of a stack, of several instances the first only: for what is the same in all of them."""
    seen: set[str] = set()
    for block in stack.blocks:
        if block.base not in seen:
            seen.add(block.base)
            yield block


def made_of(stack: Stack, raw: object) -> set[str]:
    """Return what a value is made of, through local values, such as `var.env`, `local.name`, `terraform.workspace`."""
    found: set[str] = set()
    waiting = [raw]
    while waiting:
        for _, reference in edges(waiting.pop(), ""):
            if reference.block in found:
                continue
            found.add(reference.block)
            local = stack.one(reference.block) if reference.kind == "local" else None
            if local is not None:
                waiting.append(local.body.get("value"))
    return found
