"""How an error of input ends a program: the caller's lines and the message, without the library's own frames."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

_LIBRARIES: Final = {"cdktf", "cdktn", "constructs", "constructs_lib", "jsii", "typeguard", *sys.stdlib_module_names}
_GENERATED: Final = ("cdktf_cdktf_provider_", "cdktn_provider_")
_VALIDATION: Final = re.compile(
    r"validation failed with the following errors?:\n(.*?)(?:\n(?:Validations allow|If you wish to ignore)|\Z)",
    re.IGNORECASE | re.DOTALL,
)
"""What the engine's error says when validations fail: its own advice is to skip them."""
_SIGNATURE: Final = re.compile(r"\w+\.__init__\(\) (got an unexpected|missing|takes) ")


def install() -> None:
    """Show errors of input shortly, unless the program has an exception hook of its own."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _show


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
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    return package in _LIBRARIES or package.startswith(_GENERATED)
