"""What a program prints of errors and warnings about its input: its own lines and the message, no library frames."""

from __future__ import annotations

import re
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.errors import ConfigurationError, ConfigurationWarning
from constructs_lib.foundation.frames import is_library

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

_VALIDATION: Final = re.compile(
    r"validation failed with the following errors?:\n(.*?)(?:\n(?:Validations allow|If you wish to ignore)|\Z)",
    re.IGNORECASE | re.DOTALL,
)
"""What the engine's error says when validations fail: its own advice is to skip them."""
_SIGNATURE: Final = re.compile(r"\w+\.__init__\(\) (got an unexpected|missing|takes) ")


def install() -> None:
    """Show errors and warnings about input shortly, unless the program has hooks of its own."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _show
    if warnings.formatwarning.__module__ == warnings.__name__:
        warnings.formatwarning = _format


_format_other = warnings.formatwarning


def _format(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    if not issubclass(category, ConfigurationWarning):
        return _format_other(message, category, filename, lineno, line)
    file, here = Path(filename), Path.cwd()
    shown = file.relative_to(here) if file.is_relative_to(here) else file
    return f"{shown}:{lineno}: warning: {message}\n"


def _show(type_: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    failed = _VALIDATION.search(str(error)) if type_ is RuntimeError else None
    if failed:
        found = [line.rstrip() for line in failed[1].splitlines() if line.strip()]
        lines = [f"Error: {found[0].strip()}\n"] if len(found) == 1 else ["Errors:\n", *(f"{one}\n" for one in found)]
    elif isinstance(error, ConfigurationError):
        lines = [*_frames(trace), f"{ConfigurationError.__name__}: {error}\n"]
    elif type_ is TypeError and _SIGNATURE.match(str(error)) and _ends_in_library(trace):
        lines = [*_frames(trace), f"{type_.__name__}: {error}\n"]
    else:
        sys.__excepthook__(type_, error, trace)
        return
    sys.stderr.write("".join(lines))


def _frames(trace: TracebackType | None) -> list[str]:
    import traceback  # noqa: PLC0415  slow to import, and most programs end without an error

    stack = traceback.StackSummary.extract(_callers(trace))
    return ["Traceback (most recent call last):\n", *stack.format()] if stack else []


def _callers(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        if not _is_library(trace.tb_frame):
            yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _ends_in_library(trace: TracebackType | None) -> bool:
    last = None
    while trace is not None:
        last, trace = trace, trace.tb_next
    return last is not None and _is_library(last.tb_frame)


def _is_library(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__"))
    return is_library(module) or module.partition(".")[0] in sys.stdlib_module_names
