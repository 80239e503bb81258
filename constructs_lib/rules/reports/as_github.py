"""The report as workflow commands of GitHub Actions, which annotate the lines of a pull request."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.reports.common import blind_spots, checked, counted

if TYPE_CHECKING:
    from constructs_lib.rules.checking import Report
    from constructs_lib.rules.engine import Finding
    from constructs_lib.rules.reports import Options

_COMMANDS: Final = {"error": "error", "warning": "warning", "info": "notice"}


def render(report: Report, options: Options) -> str:  # noqa: ARG001  reports are called alike
    """Return a command for each finding, errors first because GitHub shows ten of each kind, and a summary."""
    commands = [_command(report, finding) for finding in report.findings]
    skipped = "".join(f" {spot}." for spot in blind_spots(report, brief=True))
    return "\n".join([*commands, f"{counted(report)}. {checked(report)}.{skipped}"]) + "\n"


def _command(report: Report, finding: Finding) -> str:
    place = report.place(finding)
    properties = {"title": f"{finding.id} {finding.rule.title}"}
    if not PurePath(place.file).is_absolute():
        properties = {"file": place.file, **({"line": str(place.line)} if place.line else {}), **properties}
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    note = f"\n{finding.note}." if finding.note else ""
    text = f"{finding.message}{note}\n{finding.rule.fix}\nfingerprint: {finding.fingerprint}"
    return f"::{_COMMANDS[finding.level]} {shown}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
