"""Paths and output that the commands share."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OUTPUT: Final = Path("cdktf.out")
"""The output folder of `cdktf synth`."""
SAMPLE_EVENTS: Final = Path("sample_events")
"""Sample events of an app, one for each function: `STACK/FUNCTION.json`, by the function's name or a part of it."""

_WIDEST: Final = 120
_CLOSED_PIPE: Final = (errno.EPIPE, errno.EINVAL)
"""What writing to a closed pipe raises, on Windows the second one."""


def width() -> int:
    """Return the columns of the terminal; `COLUMNS` sets them."""
    return min(shutil.get_terminal_size().columns, _WIDEST)


def show(text: str) -> None:
    """Print text, with a replacement for characters that the terminal does not have; a closed pipe is no error."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except OSError as error:
        _ignore(error)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, right: int = 0) -> list[str]:
    """Return the lines of a table, the header first; the last `right` columns are aligned to the right."""
    cells = [headers, *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    first = len(widths) - right
    return [
        "  ".join(
            cell.ljust(size) if column < first else cell.rjust(size)
            for column, (cell, size) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def close() -> None:
    """Write what is buffered, so that Python does not report a closed pipe when it exits."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _ignore(error)


def _ignore(error: OSError) -> None:
    if error.errno not in _CLOSED_PIPE:
        raise error
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def synthesized(paths: Sequence[Path]) -> list[Path]:
    """Return paths to read, by default `cdktf.out`.

    Raises:
        ConfigurationError: No path is given and `cdktf.out` does not exist.
    """
    if paths:
        return list(paths)
    if not OUTPUT.exists():
        raise ConfigurationError(str(OUTPUT), "folder not found; run `cdktf synth` first, or name another path")
    return [OUTPUT]
