"""The report for a person at a terminal."""

from __future__ import annotations

import textwrap
from itertools import groupby
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.reports.common import WORDS, blind_spots, counted, looked_at, number, reasons

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.checking import Report
    from constructs_lib.rules.engine import Finding
    from constructs_lib.rules.reports import Options

COLOURS: Final = {"error": "31", "warning": "33", "info": "36", "fine": "32", "bold": "1", "dim": "2"}

_FEW: Final = 5
"""Lines of a list that is shown in full with verbose only."""


def render(report: Report, options: Options) -> str:
    """Return findings by level and stack, what was accepted, what stayed unknown, and what was looked at."""
    return "\n".join(_Page(report, options).lines()) + "\n"


def paint(text: str, colour: str, *, on: bool) -> str:
    """Return text in a colour of a terminal."""
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if on and text else text


class _Page:
    def __init__(self, report: Report, options: Options) -> None:
        self.report = report
        self.options = options

    def lines(self) -> Iterator[str]:
        for level, of_level in groupby(self.report.findings, key=lambda finding: finding.level):
            found = list(of_level)
            yield self.paint(number(len(found), WORDS[level]).upper(), level)
            for stack, in_stack in groupby(found, key=lambda finding: finding.stack):
                yield from self._stack(stack, list(in_stack))
        yield from self._waived()
        yield from self._opt_outs()
        yield from self._unknown()
        yield from self._coverage()
        yield from self._summary()

    def paint(self, text: str, colour: str) -> str:
        return paint(text, colour, on=self.options.colour)

    def _stack(self, stack: str, findings: list[Finding]) -> Iterator[str]:
        environments = sorted({finding.environment for finding in findings if finding.environment})
        about = f" ({', '.join(environments)})" if environments else ""
        yield f"  {self.paint(stack or 'waivers', 'bold')}{about}"
        for finding in findings:
            yield from self._finding(finding)
        yield ""

    def _finding(self, finding: Finding) -> Iterator[str]:
        place = self.report.place(finding)
        yield f"    {self.paint(finding.id, finding.level)} {self.paint(finding.rule.title, 'bold')}"
        yield f"      {place}" + (self.paint(f"  {finding.path}", "dim") if finding.path else "")
        yield from self._wrapped(finding.message)
        if finding.note:
            yield from self._wrapped(f"note: {finding.note}")
        yield from self._wrapped(f"fix: {finding.rule.fix}")
        yield self.paint(f"      fingerprint: {finding.fingerprint}", "dim")

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

    def _unknown(self) -> Iterator[str]:
        doubts = self.report.result.doubts
        if not doubts:
            return
        yield f"{number(len(doubts), 'question')} undecided, because a value is not known before an apply:"
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
            yield f"{number(len(types), 'type')} without any rule:"
            yield from self._few([f"{count:5,}  {type_}" for type_, count in types], "types")
            yield ""

        yield from (f"{spot}." for spot in blind_spots(self.report))

    def _few(self, rows: list[str], word: str) -> Iterator[str]:
        shown = rows if self.options.verbose else rows[:_FEW]
        yield from (f"  {row}" for row in shown)
        if len(rows) > len(shown):
            yield f"         and {len(rows) - len(shown)} more {word}: --verbose lists them"

    def _summary(self) -> Iterator[str]:
        report = self.report
        worst = next((level for level, count in report.counts.items() if count), "fine")
        accepted = [
            f"{len(items)} {word}"
            for items, word in (
                (report.waived, "waived"),
                (report.known, "in the baseline"),
                (report.opt_outs, "opt-outs"),
            )
            if items
        ]
        beside = f" ({', '.join(accepted)})" if accepted else ""
        yield f"{self.paint(counted(report).capitalize(), worst)}{beside}. {looked_at(report)}."
        if report.mended:
            entries = number(report.mended, "entry", "entries")
            yield f"{entries} of the baseline are mended: --update-baseline takes them out."

    def _wrapped(self, text: str, indent: str = "      ") -> list[str]:
        return textwrap.wrap(
            text,
            max(self.options.width, 40),
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
