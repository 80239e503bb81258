"""The report in the Static Analysis Results Interchange Format, 2.1.0, for code scanning and editors."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from constructs_lib.rules.reports.common import TOOL, tool_version

if TYPE_CHECKING:
    from constructs_lib.rules.checking import Place, Report
    from constructs_lib.rules.engine import Finding
    from constructs_lib.rules.reports import Options
    from constructs_lib.rules.rule import Rule
    from constructs_lib.rules.waivers import Waiver

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"

_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}


def render(report: Report, options: Options) -> str:  # noqa: ARG001  reports are called alike
    """Return the report as SARIF."""
    return json.dumps(document(report), indent=2, ensure_ascii=False) + "\n"


def document(report: Report) -> dict[str, Any]:
    """Return the report as an object, with the rules that were run, and waived findings as suppressed results."""
    found = [*report.findings, *(waived.finding for waived in report.waived)]
    rules = {rule.id: rule for rule in (*report.rules, *(finding.rule for finding in found))}
    index = {id_: number for number, id_ in enumerate(sorted(rules))}
    results = [_result(report, finding, index) for finding in report.findings]
    results += [
        {**_result(report, waived.finding, index), "suppressions": [_suppression(waived.waiver)]}
        for waived in report.waived
    ]
    driver = {
        "name": TOOL,
        "version": tool_version(),
        "rules": [_rule(rules[id_]) for id_ in sorted(rules)],
    }
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": results,
                "properties": {
                    "withoutRule": dict(sorted(report.result.without_rule.items())),
                    "skippedRules": {one.rule.id: one.skip.reason for one in report.skipped},
                },
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    frameworks = rule.frameworks
    tags = [f"{name}:{id_}" for name in ("fsbp", "cis", "pci", "checkov") for id_ in getattr(frameworks, name)]
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": f"{rule.why}\n\nFix: {rule.fix}\n\n{rule.page}",
            "markdown": f"{rule.why}\n\n**Fix:** {rule.fix}\n\n[Documentation]({rule.page})",
        },
        "helpUri": rule.page,
        "defaultConfiguration": {"level": _LEVELS[rule.severity.prod]},
        "properties": {"tags": ["security", *tags, *rule.lessons]},
    }


def _result(report: Report, finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    who = f"{finding.id}\n{finding.stack}\n{finding.address}\n{finding.at}"
    logical = [{"fullyQualifiedName": f"{finding.stack}:{finding.address}", "kind": "resource"}]
    if finding.path:
        logical.append({"fullyQualifiedName": finding.path, "kind": "construct"})
    note = f"\n{finding.note}." if finding.note else ""
    return {
        "ruleId": finding.id,
        "ruleIndex": index[finding.id],
        "level": _LEVELS[finding.level],
        "message": {"text": f"{finding.message}{note}\n{finding.rule.fix}"},
        "locations": [{"physicalLocation": _physical(report.place(finding)), "logicalLocations": logical}],
        "partialFingerprints": {
            "place/v1": hashlib.sha256(who.encode()).hexdigest()[:16],
            "value/v1": finding.fingerprint,
        },
        "properties": {"environment": finding.environment, "attribute": finding.at},
    }


def _physical(place: Place) -> dict[str, Any]:
    if PurePath(place.file).is_absolute():
        artifact = {"uri": PurePath(place.file).as_uri()}
    else:
        artifact = {"uri": quote(place.file), "uriBaseId": "%SRCROOT%"}
    region = {"region": {"startLine": place.line}} if place.line else {}
    return {"artifactLocation": artifact, **region}


def _suppression(waiver: Waiver) -> dict[str, Any]:
    kind = "inSource" if ".py:" in waiver.origin else "external"
    return {
        "kind": kind,
        "status": "accepted",
        "justification": f"{waiver.reason} ({waiver.owner}, until {waiver.until})",
    }
