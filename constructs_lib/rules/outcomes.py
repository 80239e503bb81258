"""What a rule says of one block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from constructs_lib.rules.estate.blocks import Block


@dataclass(frozen=True)
class Fail:
    """The block breaks the rule.

    Attributes:
        block: The block that is at fault.
        at: Dotted path of the attribute, empty for the whole block.
        text: What is allowed, and how to mend it.
        value: The raw value found, which a waiver is bound to.
    """

    block: Block
    at: str
    text: str
    value: object


@dataclass(frozen=True)
class Undecided:
    """A value decides that is not known.

    Attributes:
        block: The block.
        at: Dotted path of the attribute.
        reason: Why the value is not known.
    """

    block: Block
    at: str
    reason: str


@dataclass(frozen=True)
class NotApplicable:
    """The rule does not concern the block, which does not count as looked at.

    Attributes:
        reason: Why not.
    """

    reason: str


Outcome = Fail | Undecided | NotApplicable
