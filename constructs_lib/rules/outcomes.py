"""The outcomes of a rule for one block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Subject(Protocol):
    """What a report says of the block that an outcome is about; blocks of the estate's model provide it."""

    @property
    def stack_name(self) -> str:
        """The name of its stack."""

    @property
    def address(self) -> str:
        """Its Terraform address in the stack."""

    @property
    def path(self) -> str:
        """Its construct path; empty where the document has none."""

    @property
    def caller(self) -> str:
        """The line of Python that created it; empty where it is not recorded."""

    @property
    def environment(self) -> str:
        """dev, staging or prod."""


@dataclass(frozen=True)
class Fail:
    """The block breaks the rule.

    Attributes:
        block: The block that is at fault.
        at: Dotted path of the attribute, empty for the whole block.
        text: What is allowed, and how to mend it.
        value: The raw value found, which a waiver is bound to.
    """

    block: Subject
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

    block: Subject
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
