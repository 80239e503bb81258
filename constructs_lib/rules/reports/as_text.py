"""The report for a terminal."""

from __future__ import annotations

import textwrap
from itertools import groupby
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.reports.common import WORDS, blind_spots, checked, counted, number, reasons
from constructs_lib.rules.rule import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from constructs_lib.rules.checking import Report
    from constructs_lib.rules.engine import Finding
    from constructs_lib.rules.reports import Options
    from constructs_lib.rules.rule import Rule

COLOURS: Final = {"error": "31", "warning": "33", "info": "36", "clean": "32", "bold": "1", "dim": "2"}

_FEW: Final = 5
"""Lines of a list without --verbose."""
_TIMES: Final = "\N{MULTIPLICATION SIGN}"


def render(report: Report, options: Options) -> str:
    """Return the findings by level and rule, what is waived and undecided, and how much was checked.

    Notes are only counted, unless they fail the check or the report is verbose. A brief report has no more than the
    findings.
    """
    return "\n".join(_Page(report, options).lines()) + "\n"


def paint(text: str, colour: str, *, on: bool) -> str:
    """Return text in a colour of a terminal."""
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if on and text else text


class _Page:
    def __init__(self, report: Report, options: Options) -> None:
        self.report = report
        self.options = options

    def lines(self) -> Iterator[str]:
        in_full = self.options.verbose or self.options.fail_on == LEVELS[0]
        for level, of_level in groupby(self.report.findings, key=lambda finding: finding.level):
            found = list(of_level)
            yield self.paint(number(len(found), WORDS[level]).upper(), level)
            rules = _by_rule(found)
            if level != LEVELS[0] or in_full:
                for rule, of_rule in rules:
                    yield from self._rule(rule, of_rule)
            else:
                width = max(len(rule.id) for rule, _ in rules)
                for rule, of_rule in rules:
                    times = f"{_TIMES}{len(of_rule)}"
                    title = _short(rule.title, self.options.width - width - len(times) - 6)
                    yield f"  {self.paint(rule.id.ljust(width), level)}  {title}  {times}"
            yield ""
        if not self.options.brief:
            yield from self._waived()
            yield from self._opt_outs()
            yield from self._undecided()
            yield from self._coverage()
        if self.options.verbose:
            yield from self._settings()
        yield from (f"{spot}." for spot in blind_spots(self.report, brief=self.options.brief))
        yield from self._summary()

    def paint(self, text: str, colour: str) -> str:
        return paint(text, colour, on=self.options.colour)

    def _rule(self, rule: Rule, findings: list[Finding]) -> Iterator[str]:
        yield f"  {self.paint(rule.id, findings[0].level)}  {self.paint(rule.title, 'bold')}"
        for finding in findings:
            where = f"{finding.stack}:{finding.address}" if finding.stack else finding.address
            path = self.paint(f"  {finding.path}", "dim") if finding.path else ""
            yield f"    {where}  {self.report.place(finding)}{path}"
            yield from self._wrapped(self._message(finding))
            if finding.note:
                yield from self._wrapped(f"note: {finding.note}")
            if not self.options.brief:
                yield self.paint(f"      fingerprint: {finding.fingerprint}", "dim")
        yield from self._wrapped(f"fix: {rule.fix}", "    ")

    def _message(self, finding: Finding) -> str:
        text = finding.message.removeprefix(f"{finding.address}: ")
        head, cut, told = text.partition("…: ")
        # A value that is cut off says little and takes a line.
        return f"{finding.at}: {told}" if self.options.brief and cut and head.startswith(f"{finding.at} = ") else text

    def _waived(self) -> Iterator[str]:
        for waived in self.report.waived:
            finding, waiver = waived.finding, waived.waiver
            where = f"{finding.stack}:{finding.address}"
            yield f"{self.paint('waived', 'dim')} {finding.id} {where}, until {waiver.until} by {waiver.owner}:"
            yield from self._wrapped(waiver.reason, "  ")
        if self.report.waived:
            yield ""

    def _opt_outs(self) -> Iterator[str]:
        if self.options.verbose:
            for opt_out in self.report.opt_outs:
                yield f"{self.paint('opt-out', 'dim')} {opt_out.name} {opt_out.path}:"
                yield from self._wrapped(opt_out.reason, "  ")
            if self.report.opt_outs:
                yield ""

    def _undecided(self) -> Iterator[str]:
        doubts = self.report.result.doubts
        if not doubts:
            return
        yield f"{number(len(doubts), 'check')} undecided: a value is not known before apply"
        if self.options.verbose:
            for doubt in doubts:
                yield f"  {doubt.rule.id} {doubt.stack}:{doubt.address} {doubt.at}: {doubt.reason}"
        else:
            yield from self._few([f"{count:5,}  {reason}" for reason, count in reasons(self.report)], "reasons")
        yield ""

    def _coverage(self) -> Iterator[str]:
        result = self.report.result
        if self.options.verbose:
            for rule in self.report.rules:
                yield f"  {rule.id:<10} {result.looked_at[rule.id]:6,}  {rule.title}"
            yield ""
        if result.without_rule:
            types = sorted(result.without_rule.items(), key=lambda one: (-one[1], one[0]))
            yield f"{number(len(types), 'resource type')} without rules:"
            yield from self._few([f"{count:5,}  {type_}" for type_, count in types], "types")
            yield ""

    def _few(self, rows: list[str], word: str) -> Iterator[str]:
        shown = rows if self.options.verbose else rows[:_FEW]
        yield from (f"  {row}" for row in shown)
        if len(rows) > len(shown):
            yield f"         and {len(rows) - len(shown)} more {word}; list them with --verbose"

    def _settings(self) -> Iterator[str]:
        for one in self.report.skipped:
            yield f"{self.paint('skipped', 'dim')} {one.rule.id} by {one.skip.source}"
            yield from self._wrapped(one.skip.reason, "  ")
        for changed in self.report.changed:
            yield f"{self.paint(changed.override.level, 'dim')} {changed.rule.id} by {changed.override.source}"
            yield from self._wrapped(changed.override.reason, "  ")
        if self.report.skipped or self.report.changed:
            yield ""

    def _summary(self) -> Iterator[str]:
        report = self.report
        worst = next((level for level, count in report.counts.items() if count), "clean")
        accepted = [f"{len(report.waived)} waived"] if report.waived else []
        accepted += [f"{len(report.known)} in the baseline"] if report.known else []
        accepted += [number(len(report.opt_outs), "opt-out")] if report.opt_outs else []
        beside = f" ({', '.join(accepted)})" if accepted else ""
        yield f"{self.paint(counted(report).capitalize(), worst)}{beside}. {checked(report)}."
        if report.resolved:
            entries = number(report.resolved, "entry", "entries")
            yield f"{entries} of the baseline no longer found; remove with --update-baseline."

    def _wrapped(self, text: str, indent: str = "      ") -> list[str]:
        return textwrap.wrap(
            text,
            max(self.options.width, 40),
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _short(text: str, width: int) -> str:
    return text if len(text) <= max(width, 20) else f"{text[: max(width, 20) - 1].rstrip()}…"


def _by_rule(findings: Iterable[Finding]) -> list[tuple[Rule, list[Finding]]]:
    """Return findings by the id of their rule, each rule's in the order that they have."""
    ordered = sorted(findings, key=lambda finding: finding.id)
    groups = [list(of_rule) for _, of_rule in groupby(ordered, key=lambda finding: finding.id)]
    return [(group[0].rule, group) for group in groups]
