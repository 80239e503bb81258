"""Attributes by dotted path, unresolved or resolved, and in the type that a rule asks for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from constructs_lib.rules.estate.json_values import walk
from constructs_lib.rules.estate.values import Unknown


class Body(ABC):
    """The arguments of a block or of a nested block.

    Attributes:
        body: The arguments, unresolved; `Unknown` where an unknown expression generates the nested block.
    """

    def __init__(self, body: Any) -> None:  # noqa: ANN401  synthesized JSON has any shape
        self.body = body

    @abstractmethod
    def _resolve(self, raw: object) -> Any:  # noqa: ANN401  synthesized JSON has any shape
        """Return a value with its references resolved."""

    def raw(self, path: str) -> Any:  # noqa: ANN401  synthesized JSON has any shape
        """Return the unresolved value at a dotted path such as `rule.0.expiration.days`, or None.

        A nested block in a list of one needs no index.
        """
        value, rest = walk(self.body, path.split("."))
        return None if rest else value

    def get(self, path: str) -> Any:  # noqa: ANN401  synthesized JSON has any shape
        """Return the resolved value at a dotted path; None when it is missing or null, `Unknown` if it is unknown.

        Parts of a list or object may be `Unknown` inside it.
        """
        value, rest = walk(self.body, path.split("."))
        if value is None or isinstance(value, bool | int | float):
            return None if rest else value
        if not rest:
            return self._resolve(value)
        if not isinstance(value, str):
            return None
        # The way leads through an expression, such as `tags.Name` where tags is `${local.tags}`.
        value, rest = walk(self._resolve(value), rest)
        return None if rest else value

    def text(self, path: str) -> str | Unknown | None:
        """Return the value as text: numbers and booleans as Terraform writes them."""
        value = self.get(path)
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if value is None or isinstance(value, str | Unknown) else str(value)

    def number(self, path: str) -> float | Unknown | None:
        """Return the value as a number, also when it is written as text."""
        value = self.get(path)
        if isinstance(value, str):
            try:
                return float(value)
            except ValueError:
                return Unknown(f"{value!r} is not a number")
        return None if isinstance(value, bool | list | dict) else value

    def flag(self, path: str, *, default: bool = False) -> bool | Unknown:
        """Return the value as a boolean, also when it is written as text; `default` when it is missing."""
        value = self.get(path)
        if isinstance(value, str):
            return value == "true"
        if value is None:
            return default
        return value if isinstance(value, Unknown) else bool(value)

    def items(self, path: str) -> list[Any] | Unknown:
        """Return the value as a list: a single value as a list of one, a missing value as an empty list."""
        value = self.get(path)
        if value is None:
            return []
        return value if isinstance(value, list | Unknown) else [value]
