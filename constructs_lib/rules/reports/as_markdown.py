"""The report as a comment on a pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.reports.common import WORDS, blind_spots, checked, counted, number, reasons

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.checking import Report
    from constructs_lib.rules.reports import Options

MOST_ROWS: Final = 100
"""The limit of findings shown; a comment on GitHub has at most 65,536 characters."""


def render(report: Report, options: Options) -> str:
    """Return a heading, a table of findings, and the rest in collapsed sections."""
    return "\n".join(_lines(report, options)) + "\n"


def _lines(report: Report, options: Options) -> Iterator[str]:
    failed = report.failing(options.fail_on)
    yield f"### {'❌' if failed else '✅'} {counted(report).capitalize()}"
    yield ""
    if report.findings:
        yield "| | Rule | Location | Finding |"
        yield "| --- | --- | --- | --- |"
        for finding in report.findings[:MOST_ROWS]:
            note = f" {finding.note}." if finding.note else ""
            cells = (
                WORDS[finding.level],
                f"[{finding.id}]({finding.rule.page}) {_cell(finding.rule.title)}",
                f"{_code(str(report.place(finding)))}",
                f"{_cell(finding.message)}{_cell(note)} {_code(finding.fingerprint)}",
            )
            yield f"| {' | '.join(cells)} |"
        if len(report.findings) > MOST_ROWS:
            yield ""
            yield f"And {len(report.findings) - MOST_ROWS} more."
        yield ""
        fixes = {finding.id: finding.rule for finding in report.findings}
        yield from _details("How to fix", [f"- **{id_}**: {_cell(rule.fix)}" for id_, rule in sorted(fixes.items())])
    waived = [
        f"- {w.finding.id} {_code(f'{w.finding.stack}:{w.finding.address}')} until {w.waiver.until} by "
        f"{_cell(w.waiver.owner)}: {_cell(w.waiver.reason)}"
        for w in report.waived
    ]
    yield from _details(f"{len(waived)} waived", waived)
    yield from _details(
        f"{number(len(report.result.doubts), 'check')} undecided",
        [f"- {count}: {_cell(reason)}" for reason, count in reasons(report)],
    )
    without = sorted(report.result.without_rule.items(), key=lambda one: (-one[1], one[0]))
    yield from _details(
        f"{number(len(without), 'resource type')} without rules",
        [f"- {count}: {_code(type_)}" for type_, count in without],
    )
    known = f" {number(len(report.known), 'finding')} in the baseline." if report.known else ""
    yield f"{checked(report)}.{known}{''.join(f' {_cell(spot)}.' for spot in blind_spots(report))}"


def _details(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield from (f"<details><summary>{title}</summary>", "", *lines, "", "</details>", "")


def _cell(text: str) -> str:
    """Return text that a table's cell and Markdown leave as it is."""
    return re.sub(r"([\\|*`<>\[\]])", r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    return "`" + text.replace("`", "'").replace("|", "\\|") + "`"
