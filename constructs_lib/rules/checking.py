"""Checks an estate: runs the rules, then applies settings, waivers and a baseline."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from constructs_lib.foundation import dates
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.rules import baseline as baselines
from constructs_lib.rules.catalogue import rules as catalogue
from constructs_lib.rules.engine import Result, run
from constructs_lib.rules.rule import LEVELS, Severity
from constructs_lib.rules.settings import DEFAULTS
from constructs_lib.rules.waivers import WAIVER_RULES, Waived, apply, from_notes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from constructs_lib.rules.engine import Finding
    from constructs_lib.rules.estate.model import Estate, Stack
    from constructs_lib.rules.rule import Level, Rule
    from constructs_lib.rules.settings import Override, Settings, Skip
    from constructs_lib.rules.waivers import Waiver

_CALLER: Final = re.compile(r"(.+):([0-9]+)")
_OPENING: Final = re.compile(r'(\s*)"((?:[^"\\]|\\.)+)"\s*:\s*[\[{]')


@dataclass(frozen=True)
class Place:
    """A file, and a line in it where one is known."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class OptOutNote:
    """A hardened default that the code opts out of."""

    path: str
    name: str
    reason: str


@dataclass(frozen=True)
class SkippedRule:
    """A rule that was not run because the project or the command line skips it."""

    rule: Rule
    skip: Skip


@dataclass(frozen=True)
class ChangedSeverity:
    """A rule that reports another level because the project says so."""

    rule: Rule
    override: Override


@dataclass
class Report:
    """The result of a check.

    Attributes:
        estate: The stacks that were checked.
        rules: The rules that were run.
        result: The engine's own result: matched blocks, types without rules, undecided checks.
        findings: New findings, those about waivers included, by level and place.
        waived: Findings that a waiver accepts.
        known: Findings that the baseline accepts.
        resolved: How many entries of the baseline no longer match a finding.
        opt_outs: Hardened defaults that the code opts out of.
        skipped: Rules that were not run because they are skipped.
        changed: Rules whose severity is changed.
    """

    estate: Estate
    rules: tuple[Rule, ...]
    result: Result
    findings: list[Finding] = field(default_factory=list)
    waived: list[Waived] = field(default_factory=list)
    known: list[Finding] = field(default_factory=list)
    resolved: int = 0
    opt_outs: list[OptOutNote] = field(default_factory=list)
    skipped: tuple[SkippedRule, ...] = ()
    changed: tuple[ChangedSeverity, ...] = ()

    @property
    def counts(self) -> dict[Level, int]:
        """The number of findings of each level, from error to info."""
        counted = Counter(finding.level for finding in self.findings)
        return {level: counted[level] for level in reversed(LEVELS)}

    @cached_property
    def resources(self) -> int:
        """The number of resources and data sources."""
        return sum("_" in block.type for block in self.estate.blocks)

    def failing(self, fail_on: str) -> list[Finding]:
        """Return the findings at or above a level; empty for `never`."""
        if fail_on == "never":
            return []
        heavy = LEVELS[LEVELS.index(fail_on) :]
        return [finding for finding in self.findings if finding.level in heavy]

    def place(self, finding: Finding) -> Place:
        """Return the line of Python that created the block, else the line of the block in the Terraform JSON."""
        called = _CALLER.fullmatch(finding.caller)
        if called:
            return Place(called[1], int(called[2]))
        return self._lines.place(finding.stack, finding.address) or Place(finding.caller or ".")

    @cached_property
    def _lines(self) -> _Lines:
        return _Lines(self.estate.stacks)


def check(
    estate: Estate,
    *,
    rules: Iterable[Rule] | None = None,
    waivers: Iterable[Waiver] = (),
    baseline: Iterable[baselines.Entry] | None = None,
    settings: Settings = DEFAULTS,
    today: date | None = None,
) -> Report:
    """Run rules over an estate and apply settings, waivers and a baseline.

    Args:
        estate: The stacks, as `load` returns them.
        rules: All rules of the catalogue by default.
        waivers: In addition to those that the code of the stacks acknowledges.
        baseline: Findings that are accepted as known.
        settings: Rules to skip and severities to change.
        today: For the expiry of waivers; the current day in UTC by default.

    Raises:
        ConfigurationError: The settings name a rule that does not exist.
    """
    selected = tuple(catalogue() if rules is None else rules)
    chosen, skipped, changed = _configure(selected, settings)
    result = run(estate, chosen, strict=False)
    for type_ in {type_ for rule in catalogue() for type_ in rule.types}:
        del result.without_rule[type_]  # a rule that was not run covers it
    outcome = apply(
        result.findings,
        [*from_notes(estate), *waivers],
        today=today or dates.today(),
        run={rule.id for rule in chosen},
        known={rule.id for rule in (*catalogue(), *selected)},
    )
    report = Report(
        estate, chosen, result, waived=outcome.waived, opt_outs=_opt_outs(estate), skipped=skipped, changed=changed
    )
    findings = outcome.findings
    if baseline is not None:
        present = {(block.stack.name, block.address) for block in estate.blocks}
        compared = baselines.compare(findings, baseline, present)
        findings, report.known, report.resolved = compared.new, compared.known, compared.resolved
    weight = {level: number for number, level in enumerate(reversed(LEVELS))}
    report.findings = sorted(
        findings,
        key=lambda one: (weight[one.level], one.stack, one.address, one.id, one.at),
    )
    return report


def _configure(
    rules: tuple[Rule, ...], settings: Settings
) -> tuple[tuple[Rule, ...], tuple[SkippedRule, ...], tuple[ChangedSeverity, ...]]:
    """Return the rules to run, those that are skipped and those whose severity is changed."""
    known = {rule.id: rule for rule in (*catalogue(), *rules)}.values()
    entries: list[Skip | Override] = [*settings.skip, *settings.severity]
    for entry in entries:
        if any(entry.matches(rule) for rule in WAIVER_RULES):
            raise ConfigurationError(entry.source, f"{entry.where}: rules about waivers cannot be skipped or changed")
        if not any(entry.matches(rule) for rule in known):
            raise ConfigurationError(entry.source, f"{entry.where}: rule not found; {_nearest(entry.rule)}")
    run_: list[Rule] = []
    skipped: list[SkippedRule] = []
    changed: list[ChangedSeverity] = []
    for rule in rules:
        skip = next((entry for entry in settings.skip if entry.matches(rule)), None)
        override = next((entry for entry in reversed(settings.severity) if entry.matches(rule)), None)
        if skip:
            skipped.append(SkippedRule(rule, skip))
        elif override:
            changed.append(ChangedSeverity(rule, override))
            run_.append(replace(rule, severity=Severity(override.level, override.level, override.level)))
        else:
            run_.append(rule)
    return tuple(run_), tuple(skipped), tuple(changed)


def all_rules() -> tuple[Rule, ...]:
    """Return the rules of the catalogue and those about waivers."""
    return (*catalogue(), *WAIVER_RULES)


def choose(ids: Iterable[str]) -> tuple[Rule, ...]:
    """Return rules of the catalogue by id or by family.

    Raises:
        ConfigurationError: A rule is not found.
    """
    known = catalogue()
    chosen: dict[str, Rule] = {}
    for id_ in ids:
        found = [rule for rule in known if id_.upper() in (rule.id, rule.family)]
        if not found:
            raise no_such_rule(id_)
        chosen.update((rule.id, rule) for rule in found)
    return tuple(chosen[id_] for id_ in sorted(chosen))


def no_such_rule(id_: str) -> ConfigurationError:
    """Return the error for an id that no rule has."""
    return ConfigurationError("rules", f"{id_!r}: rule not found; {_nearest(id_)}")


def _nearest(id_: str) -> str:
    """Return a question with the rule that has the most similar id, or else the families."""
    import difflib  # noqa: PLC0415  only here

    ids = [rule.id for rule in all_rules()]
    near = difflib.get_close_matches(id_.upper(), ids, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"families are {', '.join(sorted({i.split('-')[0] for i in ids}))}"


def _opt_outs(estate: Estate) -> list[OptOutNote]:
    return [
        OptOutNote(*(str(entry.get(name, "")) for name in ("path", "name", "reason")))
        for stack in estate.stacks
        for entry in stack.source.notes.get("opt_outs", ())
        if isinstance(entry, dict)
    ]


class _Lines:
    """Finds blocks in the files that they were read from."""

    def __init__(self, stacks: Iterable[Stack]) -> None:
        self._files = {stack.name: _file(stack) for stack in stacks}
        self._known: dict[Path, dict[tuple[str, str], int]] = {}

    def place(self, stack: str, address: str) -> Place | None:
        """Return the line on which a block begins, the file alone where the line is not known, None without a stack."""
        file = self._files.get(stack)
        if file is None:
            return None
        parts = re.split(r"[.\[]", address.removeprefix("data."))
        parts[0] = f"data.{parts[0]}" if address.startswith("data.") else parts[0]
        if file not in self._known:
            self._known[file] = _opening_lines(file) if file.is_file() else {}
        return Place(_relative(file), self._known[file].get((parts[0], parts[1])) if len(parts) > 1 else None)


def _opening_lines(file: Path) -> dict[tuple[str, str], int]:
    """Return the lines of an indented JSON file on which an object or list opens, by its type and name."""
    found: dict[tuple[str, str], int] = {}
    around: list[tuple[int, str]] = [(-1, "")]
    for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        opening = _OPENING.match(line)
        if opening:
            indent, key = len(opening[1]), opening[2]
            while around[-1][0] >= indent:
                around.pop()
            data = "data." if len(around) > 1 and around[-2][1] == "data" else ""
            found.setdefault((data + around[-1][1], key), number)
            around.append((indent, key))
    return found


def _file(stack: Stack) -> Path:
    """Return the file that a stack was read from, or its folder when there are several."""
    folder = stack.source.folder
    named = [
        folder / "cdk.tf.json",
        folder / f"{stack.name}.tf.json",
        folder / f"{stack.name}.json",
        folder / stack.name,
    ]
    found = next((file for file in named if file.is_file()), None)
    files = [found] if found else sorted(folder.glob("*.tf.json"))
    return files[0] if len(files) == 1 else folder


def _relative(file: Path) -> str:
    whole, here = file.resolve(), Path.cwd()
    return (whole.relative_to(here) if whole.is_relative_to(here) else whole).as_posix()
