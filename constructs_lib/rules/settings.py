"""The settings of a check: the table `[tool.constructs-lib]` of a `pyproject.toml`, and options of the command line."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.rules.rule import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from constructs_lib.rules.rule import Level, Rule

FAIL_ON: Final = (*reversed(LEVELS), "never")

_FILE: Final = "pyproject.toml"
_TOOL: Final = "constructs-lib"
_TABLE: Final = f"tool.{_TOOL}"


@dataclass(frozen=True)
class _Entry:
    """Settings of a rule or family.

    Attributes:
        rule: An id such as `OPS-003`, or a family such as `OPS`.
        reason: Why; empty on the command line.
        source: Where it is set: the path of the `pyproject.toml`, or `--skip`.
        where: The key and its value, for errors.
    """

    rule: str
    reason: str
    source: str
    where: str

    def matches(self, rule: Rule) -> bool:
        """Whether the entry is about a rule."""
        return self.rule.upper() in (rule.id, rule.family)


class Skip(_Entry):
    """A rule or family that is not run."""


@dataclass(frozen=True)
class Override(_Entry):
    """A rule or family that reports another level, in every environment."""

    level: Level


@dataclass(frozen=True)
class Settings:
    """Settings of a check.

    Attributes:
        skip: Rules that are not run.
        severity: Rules that report another level; of two that name the same rule the last one applies.
        fail_on: The level from which on findings fail the check, `never`, or None where it is not set.
    """

    skip: tuple[Skip, ...] = ()
    severity: tuple[Override, ...] = ()
    fail_on: str | None = None

    def and_skip(self, rules: Iterable[str]) -> Settings:
        """Return these settings with rules skipped that the command line names."""
        given = tuple(Skip(rule, "", "--skip", f"--skip {rule}") for rule in rules)
        return Settings((*self.skip, *given), self.severity, self.fail_on)


DEFAULTS: Final = Settings()


def read_settings(paths: Sequence[Path] = ()) -> Settings:
    """Return the settings of the project that paths belong to; defaults where there is no `[tool.constructs-lib]`.

    Args:
        paths: The nearest `pyproject.toml` with the table, in or above one of them or the current folder, is read.

    Raises:
        ConfigurationError: The file cannot be read, or the table has an unknown key or a bad value.
    """
    for start in (*paths, Path()):
        whole = start.resolve()
        for folder in (whole, *whole.parents):
            file = folder / _FILE
            if file.is_file() and (table := _table(file)) is not None:
                return _settings(_shown(file), table)
    return DEFAULTS


def _table(file: Path) -> object:
    """Return the table of a file, None where it has none."""
    try:
        document = tomllib.loads(file.read_bytes().decode())
    except OSError as error:
        raise ConfigurationError(_shown(file), f"cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(_shown(file), f"invalid TOML: {error}") from error
    tool = document.get("tool", {})
    return tool.get(_TOOL) if isinstance(tool, dict) else None


def _settings(file: str, table: object) -> Settings:
    problems: list[str] = []
    if not isinstance(table, dict):
        raise ConfigurationError(file, f"{_TABLE}={table!r}: expected a table")
    unknown = sorted(table.keys() - {"skip", "severity", "fail-on"})
    problems += [f"{_TABLE}.{key}: unknown key; expected skip, severity or fail-on" for key in unknown]
    skip = [
        Skip(entry["rule"], entry["reason"], file, f"{where}.rule={entry['rule']!r}")
        for where, entry in _entries(table, "skip", ("rule", "reason"), problems)
    ]
    severity = [
        Override(entry["rule"], entry["reason"], file, f"{where}.rule={entry['rule']!r}", level)
        for where, entry in _entries(table, "severity", ("rule", "level", "reason"), problems)
        for level in LEVELS
        if level == entry["level"]
    ]
    fail_on = table.get("fail-on")
    if fail_on is not None and fail_on not in FAIL_ON:
        problems.append(f"{_TABLE}.fail-on={fail_on!r}: expected {', '.join(FAIL_ON)}")
    if problems:
        raise ConfigurationError(file, *problems)
    return Settings(tuple(skip), tuple(severity), fail_on)


def _entries(
    table: Mapping[str, Any], key: str, fields: tuple[str, ...], problems: list[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the valid entries of a list of tables, each with its name for errors."""
    entries = table.get(key, [])
    form = f"{{{', '.join(f'{name} = …' for name in fields)}}}"
    if not isinstance(entries, list):
        problems.append(f"{_TABLE}.{key}={entries!r}: expected a list of {form}")
        return
    for number, entry in enumerate(entries):
        where = f"{_TABLE}.{key}[{number}]"
        if not isinstance(entry, dict):
            problems.append(f"{where}={entry!r}: expected {form}")
            continue
        found = [f"{where}.{name}: unknown key; expected {form}" for name in sorted(entry.keys() - {*fields})]
        for name in fields:
            value = entry.get(name)
            if name not in entry:
                found.append(f"{where}.{name}: required")
            elif not isinstance(value, str) or not value.strip():
                found.append(f"{where}.{name}={value!r}: expected a non-empty string")
            elif name == "level" and value not in LEVELS:
                found.append(f"{where}.level={value!r}: expected {', '.join(reversed(LEVELS))}")
        problems += found
        if not found:
            yield where, entry


def _shown(file: Path) -> str:
    here = Path.cwd()
    return (file.relative_to(here) if file.is_relative_to(here) else file).as_posix()
