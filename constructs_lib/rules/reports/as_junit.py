"""The report as JUnit XML: a test suite for each stack, a test case for each rule."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from constructs_lib.rules.checking import Report
    from constructs_lib.rules.engine import Finding
    from constructs_lib.rules.reports import Options

_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not allow."""


def render(report: Report, options: Options) -> str:
    """Return the report as XML; findings that do not fail the check are the output of a test case that passes."""
    found: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in report.findings:
        found[finding.stack, finding.id].append(finding)
    failing = set(report.failing(options.fail_on))
    suites = ET.Element("testsuites", name="constructs-lib check")
    about_waivers = {finding.id: finding.rule for finding in report.findings if not finding.stack}
    groups = [(stack.name, stack.name, report.rules) for stack in report.estate.stacks]
    groups += [("waivers", "", tuple(about_waivers[id_] for id_ in sorted(about_waivers)))] if about_waivers else []
    totals = [0, 0]
    for name, stack, rules in groups:
        suite = ET.SubElement(suites, "testsuite", name=_clean(name), errors="0", skipped="0")
        failures = 0
        for rule in rules:
            case = ET.SubElement(suite, "testcase", classname=_clean(name), name=f"{rule.id} {rule.title}")
            failures += _fill(case, report, found.get((stack, rule.id), []), failing)
        suite.set("tests", str(len(rules)))
        suite.set("failures", str(failures))
        totals = [totals[0] + len(rules), totals[1] + failures]
    suites.set("tests", str(totals[0]))
    suites.set("failures", str(totals[1]))
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _fill(case: ET.Element, report: Report, findings: list[Finding], failing: set[Finding]) -> bool:
    """Write findings into the test case of their rule; returns whether it failed."""
    bad = [finding for finding in findings if finding in failing]
    if bad:
        text = "\n".join(f"{report.place(finding)}: {finding.message}" for finding in bad)
        failure = ET.SubElement(case, "failure", type=bad[0].level, message=_clean(bad[0].message))
        failure.text = _clean(f"{text}\nfix: {bad[0].rule.fix}")
    light = [
        f"{finding.level}: {report.place(finding)}: {finding.message}" for finding in findings if finding not in bad
    ]
    if light:
        ET.SubElement(case, "system-out").text = _clean("\n".join(light))
    return bool(bad)


def _clean(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
