"""Unknown values, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Unknown:
    """A value that depends on an apply, a variable or another configuration.

    Attributes:
        reason: Why it is unknown, in a few words such as `var.name has no default`.
        text: The text that it stands in, with what is known of it, such as `logs-${var.name}`.
    """

    reason: str
    text: str = ""

    def __str__(self) -> str:
        return f"unknown ({self.reason})"


@dataclass(frozen=True)
class Encoded(Unknown):
    """A JSON text in which some leaves are unknown: `jsonencode` of a structure with references.

    Attributes:
        value: The structure, with `Unknown` leaves.
    """

    value: Any = field(default=None, compare=False)


@dataclass(frozen=True)
class Invalid(Unknown):
    """A value that Terraform rejects: a missing key, a division by zero, an invalid expression."""


def is_known(value: object) -> bool:
    """Return whether a value has no unknown part at any depth."""
    if isinstance(value, Unknown):
        return False
    if isinstance(value, dict):
        return all(is_known(item) for item in value.values())
    if isinstance(value, list):
        return all(is_known(item) for item in value)
    return True


def unknown_in(value: object) -> Unknown | None:
    """Return the first unknown part of a value, or None."""
    if isinstance(value, Unknown):
        return value
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for item in items if (found := unknown_in(item))), None)
