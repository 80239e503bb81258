"""The errors and warnings of the library, and the collector that reports every problem of one construct at once."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass, field
from typing import Final, NoReturn

_OURS: Final = ("cdktf", "constructs", "constructs_lib", "jsii")


class ConfigurationError(ValueError):
    """Bad input, described so that it can be mended without reading the library.

    Attributes:
        path: The construct path, or the name of the object, that was given the input.
        problems: Every problem found, each with the argument, the value given and what is allowed.
    """

    def __init__(self, path: str, *problems: str) -> None:
        self.path = path
        self.problems = problems
        super().__init__("\n".join(f"{path}: {problem}" for problem in problems))


class ConfigurationWarning(UserWarning):
    """Input that works but is likely to hurt later."""


def warn(text: str, category: type[Warning] = ConfigurationWarning) -> None:
    """Warn on the caller's line: the nearest one that is neither the library's nor the engine's."""
    level, frame = 1, sys._getframe()  # noqa: SLF001  as in `warnings` itself
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _OURS:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)


def translate(error: RuntimeError, path: str, id_: str) -> Exception:
    """Return the clear form of an engine error, or the error itself."""
    if "already a Construct with name" in str(error):
        return ConfigurationError(path, f"id_={id_!r}: already used in this scope; choose another id")
    return error


@dataclass
class Problems:
    """Collects the problems of one construct's arguments and raises them together."""

    path: str
    found: list[str] = field(default_factory=list)

    def add(self, argument: str, given: object, allowed: str) -> None:
        """Note one bad argument: its name, the value given, and a sentence on what is allowed."""
        self.found.append(f"{argument}={given!r}: {allowed}")

    def check(self, ok: object, argument: str, given: object, allowed: str) -> bool:
        """Note the argument unless `ok`; returns whether it was."""
        if not ok:
            self.add(argument, given, allowed)
        return bool(ok)

    def check_whole(self, argument: str, given: object, low: int, high: int, unit: str = "") -> bool:
        """Note the argument unless it is a whole number from `low` to `high`; returns whether it was."""
        of = f" of {unit}" if unit else ""
        # A bool is an int too.
        ok = type(given) is int and low <= given <= high
        return self.check(ok, argument, given, f"must be a whole number{of} from {low} to {high}")

    def raise_if_any(self) -> None:
        """Raise one `ConfigurationError` with everything noted so far."""
        if self.found:
            raise ConfigurationError(self.path, *self.found)

    def stop(self, argument: str, given: object, allowed: str) -> NoReturn:
        """Note one bad argument and raise at once, for when nothing after it can be checked."""
        self.add(argument, given, allowed)
        raise ConfigurationError(self.path, *self.found)
