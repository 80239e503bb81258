"""Errors and warnings of the library, and the collector that reports all problems of a construct at once."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass, field
from typing import NoReturn

from constructs_lib.foundation.frames import is_library


class ConfigurationError(ValueError):
    """Invalid input.

    Attributes:
        path: The path of the construct, or the name of the object or file, that has the invalid input.
        problems: All problems, each with the argument, the given value and the allowed values.
    """

    def __init__(self, path: str, *problems: str) -> None:
        self.path = path
        self.problems = problems
        super().__init__("\n".join(f"{path}: {problem}" for problem in problems))


class ConfigurationWarning(UserWarning):
    """Input that works now but is likely to cause problems later."""


def warn(text: str, category: type[Warning] = ConfigurationWarning) -> None:
    """Warn at the line of the caller: the nearest frame outside of the library and the engine."""
    level, frame = 1, sys._getframe()  # noqa: SLF001  as in `warnings` itself
    while frame.f_back is not None and is_library(frame.f_globals.get("__name__") or ""):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)


def translate(error: RuntimeError, path: str, id_: str) -> Exception:
    """Return a `ConfigurationError` for an engine error that has one, else the error itself."""
    if "already a Construct with name" in str(error):
        return ConfigurationError(path, f"id_={id_!r}: already used in this scope; choose another id")
    return error


@dataclass
class Problems:
    """Collects the problems of a construct's arguments and raises them together."""

    path: str
    found: list[str] = field(default_factory=list)

    def add(self, argument: str, given: object, allowed: str) -> None:
        """Add a problem: the argument, the given value, and a sentence on what is allowed."""
        self.found.append(f"{argument}={given!r}: {allowed}")

    def check(self, ok: object, argument: str, given: object, allowed: str) -> bool:
        """Add a problem unless `ok`; returns whether it was."""
        if not ok:
            self.add(argument, given, allowed)
        return bool(ok)

    def check_whole(self, argument: str, given: object, low: int, high: int, unit: str = "") -> bool:
        """Add a problem unless the value is a whole number from `low` to `high`; returns whether it was."""
        of = f" of {unit}" if unit else ""
        # A bool is an int too.
        ok = type(given) is int and low <= given <= high
        return self.check(ok, argument, given, f"must be a whole number{of} from {low} to {high}")

    def raise_if_any(self) -> None:
        """Raise one `ConfigurationError` with all problems so far."""
        if self.found:
            raise ConfigurationError(self.path, *self.found)

    def stop(self, argument: str, given: object, allowed: str) -> NoReturn:
        """Add a problem and raise at once, where later checks would make no sense."""
        self.add(argument, given, allowed)
        raise ConfigurationError(self.path, *self.found)
