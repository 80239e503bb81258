"""Generated passwords: their characters, their length, and the resources that use them."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import Fail

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

GENERATORS: Final = ("random_password", "random_string", "data.aws_secretsmanager_random_password")

_SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"
"""What random_password takes when it is not told; https://registry.terraform.io/providers/hashicorp/random."""


def specials_of(generator: Block) -> tuple[str, str | Unknown]:
    """Return the attribute that decides about a password's special characters, and which it may hold."""
    if generator.type.startswith("data."):
        return _excluded(generator)
    special = generator.flag("special", default=True)
    if special is False:
        return "special", ""
    chosen = generator.text("override_special")
    if isinstance(special, Unknown):
        return "special", special
    return "override_special", chosen if chosen is not None else _SPECIAL


def length_of(generator: Block) -> tuple[str, float | Unknown]:
    """Return the attribute that decides about a password's length, and the length."""
    if generator.type.startswith("data."):
        length = generator.number("password_length")
        return "password_length", 32 if length is None else length
    length = generator.number("length")
    return "length", 0 if length is None else length


def used_by(generator: Block, places: Mapping[str, tuple[str, ...]]) -> Block | None:
    """Return the first block that takes the password at one of the places of its type."""
    for block in generator.referrers(*places):
        if any(generator in block.targets(at) for at in places[block.type]):
            return block
    return None


def literal(block: Block, ats: tuple[str, ...], text: str) -> Iterator[Outcome]:
    """Fail where a password is written in the code; one that another block, or nobody yet, gives is none."""
    for at in ats:
        value = block.get(at)
        if value not in (None, "") and not isinstance(value, Unknown):
            yield Fail(block, at, text, "(not shown)")


def _excluded(generator: Block) -> tuple[str, str | Unknown]:
    if generator.flag("exclude_punctuation") is True:
        return "exclude_punctuation", ""
    excluded = generator.text("exclude_characters")
    if isinstance(excluded, Unknown):
        return "exclude_characters", excluded
    return "exclude_characters", "".join(sign for sign in string.punctuation if sign not in (excluded or ""))
