"""Every rule by the same questions: bad found with its exact message, good clean, each breakage found, unknown decided."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.rules.catalogue import rules
from constructs_lib.rules.engine import Result, run
from constructs_lib.rules.estate import Estate
from constructs_lib.rules.loading import Source
from constructs_lib.rules.rule import FAMILIES, REMOVED, changed

if TYPE_CHECKING:
    from constructs_lib.rules.rule import Rule

MESSAGES = Path(__file__).parent / "messages"
"""One file a family: the messages of every breakage. UPDATE_MESSAGES=1 rewrites them; read the difference."""

RULES = [pytest.param(rule, id=rule.id) for rule in rules()]


def look(rule: Rule, document: dict[str, Any], environment: str = "prod") -> Result:
    return run(Estate([Source(name="shop", folder=Path(), document=document)], environment), [rule])


def pinned(rule: Rule) -> dict[str, list[str]]:
    """Read the pinned messages of a family: a heading `NET-001 0` for each breakage, a line for each finding."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in (MESSAGES / f"{rule.family}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            found[heading].append(line.removeprefix("  "))
        elif line:
            heading = line
            found[heading] = []
    return found


@pytest.fixture(scope="session", autouse=True)
def rewritten_messages() -> None:
    if not os.environ.get("UPDATE_MESSAGES"):
        return
    for family in FAMILIES:
        lines: list[str] = []
        for rule in (rule for rule in rules() if rule.family == family):
            for number, change in enumerate(rule.breaks):
                messages = [finding.message for finding in look(rule, changed(rule.good, change)).findings]
                lines += [f"{rule.id} {number}", *(f"  {message}" for message in messages), ""]
        if lines:
            (MESSAGES / f"{family}.txt").write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.parametrize("rule", RULES)
def test_good_is_clean_and_looked_at(rule: Rule) -> None:
    result = look(rule, changed(rule.good, {}))
    assert result.findings == []
    assert result.doubts == []
    assert result.looked_at[rule.id] > 0


@pytest.mark.parametrize("rule", RULES)
def test_each_breakage_is_found_with_its_exact_message(rule: Rule) -> None:
    expected = pinned(rule)
    for number, change in enumerate(rule.breaks):
        found = look(rule, changed(rule.good, change)).findings
        assert found, f"{rule.id} {number}: {change} is not found"
        assert [finding.message for finding in found] == expected[f"{rule.id} {number}"], number
        assert {finding.level for finding in found} == {rule.severity.prod}


@pytest.mark.parametrize("rule", RULES)
def test_a_value_that_is_not_known_is_decided(rule: Rule) -> None:
    if rule.unknown_passes:
        assert len(rule.unknown_passes) > 20
        return
    for change in rule.breaks:
        given = {path: "${var.given}" for path, value in change.items() if value is not REMOVED and _is_leaf(path)}
        if given:
            result = look(rule, changed(changed(rule.good, {"variable": {"given": {}}}), given))
            assert result.doubts or result.findings, f"{given} passes in silence"


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_all_that_a_reader_needs(rule: Rule) -> None:
    assert rule.family in FAMILIES
    assert rule.id.partition("-")[2].isdecimal()
    assert rule.title[0].isupper()
    assert not rule.title.endswith(".")
    assert rule.why.endswith(".")
    assert rule.fix.endswith(".")
    assert rule.page.startswith("https://")
    assert rule.breaks


@pytest.mark.parametrize("family", sorted({rule.family for rule in rules()}))
def test_numbers_of_a_family_run_without_gaps(family: str) -> None:
    ids = [rule.id for rule in rules() if rule.family == family]
    assert ids == [f"{family}-{number:03}" for number in range(1, len(ids) + 1)]


def _is_leaf(path: str) -> bool:
    """Whether the path ends at an attribute: whole blocks and labels cannot be a variable."""
    return len(path.split(".")) > 3
