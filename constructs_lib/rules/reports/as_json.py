"""The report as JSON, complete, with a version of its format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.reports.common import TOOL, tool_version

if TYPE_CHECKING:
    from constructs_lib.rules.checking import Report
    from constructs_lib.rules.engine import Finding
    from constructs_lib.rules.reports import Options

VERSION: Final = 1


def render(report: Report, options: Options) -> str:
    """Return the report as JSON; the same estate gives the same bytes."""
    return json.dumps(document(report, options), indent=2, ensure_ascii=False) + "\n"


def document(report: Report, options: Options) -> dict[str, Any]:
    """Return the report as an object."""
    result = report.result
    return {
        "version": VERSION,
        "tool": {"name": TOOL, "version": tool_version()},
        "fail_on": options.fail_on,
        "failed": bool(report.failing(options.fail_on)),
        "counts": report.counts,
        "stacks": [
            {
                "name": stack.name,
                "environment": stack.terraform.environment,
                "resources": sum("_" in block.type for block in stack.blocks),
                "unread": stack.source.unread,
            }
            for stack in report.estate.stacks
        ],
        "findings": [_finding(report, finding) for finding in report.findings],
        "waived": [
            {**_finding(report, waived.finding), "waiver": waived.waiver.as_document()} for waived in report.waived
        ],
        "baseline": {"known": [_finding(report, finding) for finding in report.known], "mended": report.resolved},
        "opt_outs": [vars(opt_out) for opt_out in report.opt_outs],
        "skipped": [
            {"rule": one.rule.id, "reason": one.skip.reason, "source": one.skip.source} for one in report.skipped
        ],
        "severity": [
            {
                "rule": one.rule.id,
                "level": one.override.level,
                "reason": one.override.reason,
                "source": one.override.source,
            }
            for one in report.changed
        ],
        "undecided": [
            {
                "rule": doubt.rule.id,
                "stack": doubt.stack,
                "address": doubt.address,
                "attribute": doubt.at,
                "reason": doubt.reason,
            }
            for doubt in result.doubts
        ],
        "broken": [
            {"rule": one.rule.id, "stack": one.stack, "address": one.address, "error": one.reason}
            for one in result.broken
        ],
        "coverage": {
            "resources": report.resources,
            "looked_at": dict(sorted(result.looked_at.items())),
            "without_rule": dict(sorted(result.without_rule.items())),
        },
    }


def _finding(report: Report, finding: Finding) -> dict[str, Any]:
    place = report.place(finding)
    return {
        "rule": finding.id,
        "title": finding.rule.title,
        "level": finding.level,
        "environment": finding.environment,
        "stack": finding.stack,
        "address": finding.address,
        "path": finding.path,
        "attribute": finding.at,
        "message": finding.message,
        "note": finding.note,
        "fix": finding.rule.fix,
        "page": finding.rule.page,
        "file": place.file,
        "line": place.line,
        "fingerprint": finding.fingerprint,
    }
