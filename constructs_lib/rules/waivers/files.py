"""Reads waivers from `waivers.toml`, and those that `acknowledge` writes beside synthesized stacks."""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.foundation.errors import ConfigurationError, Problems
from constructs_lib.rules.waivers.model import Waiver, check_waiver

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from constructs_lib.rules.estate.model import Estate

FILE: Final = "waivers.toml"

_ENTRY: Final = re.compile(r"^[ \t]*\[\[[ \t]*waiver[ \t]*\]\]", re.MULTILINE)


def find_file(paths: Iterable[Path]) -> Path | None:
    """Return the `waivers.toml` in or beside one of the paths, else in the current folder; None if not found."""
    with suppress(PermissionError):  # reported when the estate is read
        for path in paths:
            for folder in [path, path.parent] if path.is_dir() else [path.parent]:
                if (folder / FILE).is_file():
                    return folder / FILE
    return Path(FILE) if Path(FILE).is_file() else None


def read_file(file: Path) -> list[Waiver]:
    """Read a file of `[[waiver]]` tables.

    Raises:
        ConfigurationError: The file cannot be read, or has invalid entries, which are named by their line.
    """
    try:
        text = file.read_bytes().decode()
        document = tomllib.loads(text)
    except OSError as error:
        raise ConfigurationError(str(file), f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(str(file), f"invalid UTF-8: byte 0x{error.object[error.start]:02x}") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(str(file), f"invalid TOML: {error}") from error
    entries = document.pop("waiver", [])
    problems = Problems(str(file))
    if document:
        problems.add(next(iter(document)), next(iter(document.values())), "unknown key; expected [[waiver]] tables")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        problems.add("waiver", entries, "must be [[waiver]] tables")
        entries = []
    lines = [text.count("\n", 0, found.start()) + 1 for found in _ENTRY.finditer(text)]
    if len(lines) != len(entries):  # an inline list, or a string that looks like a table
        lines = [1] * len(entries)
    waivers = list(_entries(file, zip(entries, lines, strict=True), problems))
    problems.raise_if_any()
    return waivers


def from_notes(estate: Estate) -> list[Waiver]:
    """Return the waivers that the code of the stacks acknowledges.

    Raises:
        ConfigurationError: A `constructs.json` has an invalid waiver.
    """
    found = []
    for stack in estate.stacks:
        problems = Problems(str(stack.source.folder / "constructs.json"))
        for entry in stack.source.notes.get("waivers", ()):
            waiver = check_waiver(entry if isinstance(entry, dict) else {"waiver": entry}, problems)
            if waiver:
                found.append(waiver)
        problems.raise_if_any()
    return found


def _entries(file: Path, entries: Iterable[tuple[dict[str, Any], int]], problems: Problems) -> Iterator[Waiver]:
    for number, (entry, line) in enumerate(entries, 1):
        own = Problems(str(file))
        waiver = check_waiver({**entry, "origin": f"{file.as_posix()}:{line}"}, own, globs=True)
        problems.found += [f"waiver {number}, line {line}: {problem}" for problem in own.found]
        if waiver:
            yield waiver
