"""Every rule by the same questions: bad found with its exact message, good clean, each breakage found, unknown decided."""

from __future__ import annotations

import copy
import json
import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.rules.catalogue import rules
from constructs_lib.rules.checking import check
from constructs_lib.rules.engine import Result, run
from constructs_lib.rules.estate.loading import Source
from constructs_lib.rules.estate.model import Estate
from constructs_lib.rules.rule import FAMILIES, REMOVED, changed
from constructs_lib.rules.waivers import Waiver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.rule import Rule

MESSAGES = Path(__file__).parent / "messages"
"""One file a family: the messages of every breakage. UPDATE_MESSAGES=1 rewrites them; read the difference."""

ABSENT = Path(__file__).parent / "absent.txt"
"""What each rule says of a missing attribute; UPDATE_MESSAGES=1 rewrites it."""

REASON = "The partner's account cannot do otherwise before its migration ends."
TODAY = date(2026, 11, 22)

ODD: tuple[Any, ...] = (None, 5, {}, [{}], "${var.x}")
"""What a document may hold in place of a value: nothing, another shape, a reference to nothing."""

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
    ABSENT.write_text("\n".join(line for rule in rules() for line in absent(rule)) + "\n", encoding="utf-8")
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
def test_good_is_json(rule: Rule) -> None:
    assert json.loads(json.dumps(rule.good)) == rule.good


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
def test_what_an_attribute_that_is_missing_means_is_pinned(rule: Rule) -> None:
    """Whether AWS's default is right: `found`, `kept`, or `undecided`, for every attribute that the breaks are about."""
    pinned_lines = [line for line in ABSENT.read_text(encoding="utf-8").splitlines() if line.startswith(f"{rule.id} ")]
    assert absent(rule) == pinned_lines


@pytest.mark.parametrize("rule", RULES)
def test_no_shape_of_a_value_makes_a_rule_fail(rule: Rule) -> None:
    for path in paths(rule.good):
        for value in ODD:
            assert isinstance(look(rule, replaced(rule.good, path.split("."), value)), Result), (path, value)


@pytest.mark.parametrize("rule", RULES)
def test_a_waiver_accepts_what_was_found_and_no_other_value(rule: Rule) -> None:
    document = changed(rule.good, rule.breaks[0])
    found = look(rule, document).findings

    def left(accepted: dict[str, set[str]]) -> tuple[list[str], int]:
        waivers = [
            Waiver((rule.id,), target, REASON, "me", TODAY, tuple(sorted(accepts)), "x")
            for target, accepts in accepted.items()
        ]
        estate = Estate([Source(name="shop", folder=Path(), document=document)], "prod")
        report = check(estate, rules=[rule], waivers=waivers, today=TODAY)
        return [finding.id for finding in report.findings if finding.id == rule.id], len(report.waived)

    prints: dict[str, set[str]] = {}
    for finding in found:
        prints.setdefault(f"{finding.stack}:{finding.address}", set()).add(finding.fingerprint)
    assert left({target: {"0" * 12} for target in prints}) == ([rule.id] * len(found), 0)
    assert left(prints) == ([], len(found))


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


def paths(value: Any, at: str = "") -> Iterator[str]:
    """Yield the path of everything in a document, what is inside before what is around it."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from paths(inner, f"{at}.{key}" if at else str(key))
    if at:
        yield at


def replaced(value: Any, path: list[str], new: object) -> Any:
    """Return a document with another value at a path; what is beside it is shared, for there are 100,000 of these."""
    if not path:
        return new
    copied = copy.copy(value)
    key = int(path[0]) if isinstance(value, list) else path[0]
    if path[1:] or new is not REMOVED:
        copied[key] = replaced(value[key], path[1:], new)
    else:
        del copied[key]
    return copied


def absent(rule: Rule) -> list[str]:
    """Return what the rule says when each attribute of its breaks is taken out of the good document."""
    lines = []
    for path in dict.fromkeys(path for change in rule.breaks for path in change if _is_leaf(path)):
        try:
            document = changed(rule.good, {path: REMOVED})
        except (KeyError, IndexError, TypeError):
            continue  # it is missing in the good document already
        result = look(rule, document)
        said = "found" if result.findings else "undecided" if result.doubts else "kept"
        lines.append(f"{rule.id} {path}: {said}")
    return lines


def _is_leaf(path: str) -> bool:
    """Whether the path ends at an attribute: whole blocks and labels cannot be a variable."""
    return len(path.split(".")) > 3
