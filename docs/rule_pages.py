"""The pages made from rules: docs/rules.md and docs/lessons.md."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from tabulate import tabulate

from constructs_lib.rules.reports.explaining import example, facts_of
from constructs_lib.rules.rule import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from constructs_lib.rules.rule import Rule

Lesson = tuple[str, str, str]
"""Title, what prevents it, why no rule can exist."""

_HEADING: Final = re.compile(r"# ((?:[A-Z]+-[0-9]+(?:, )?)+): ")
_TEST: Final = re.compile(r"def (test_\w+)")
_ID: Final = re.compile(r"\b[A-Z]+-[0-9]+\b")


def rules_page(rules: Sequence[Rule]) -> str:
    """Return the page of all rules: a table, then each with its reasons and both documents."""
    return "\n".join(_rules(rules)) + "\n"


def lessons_page(lessons: Mapping[str, Lesson], rules: Iterable[Rule], tests: Mapping[str, Sequence[str]]) -> str:
    """Return the table of lessons.

    Args:
        lessons: By id.
        rules: Every rule.
        tests: Names of tests by the lesson that they are about, as `lesson_tests` finds them.

    Raises:
        ValueError: A lesson that nothing holds, or that a rule names and nobody knows.
    """
    by_lesson: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        for lesson in rule.lessons:
            by_lesson[lesson].append(rule)
    unknown = sorted(by_lesson.keys() - lessons.keys())
    bare = [id_ for id_, (_, _, reason) in lessons.items() if not by_lesson[id_] and not reason]
    if unknown or bare:
        raise ValueError(f"lessons that nobody knows: {unknown}; lessons with neither a rule nor a reason: {bare}")
    rows = []
    for id_, (title, prevented, reason) in lessons.items():
        found = ", ".join(f"[{rule.id}](rules.md#{rule.id.lower()})" for rule in by_lesson[id_])
        held = "<br>".join(part for part in (found, _cell(reason)) if part)
        rows.append([id_, _cell(title), _cell(prevented), held, "<br>".join(tests.get(id_, ()))])
    table = tabulate(
        rows,
        headers=["lesson", "the mistake", "what prevents it", "rule", "tests"],
        tablefmt="github",
        disable_numparse=True,
    )
    return (
        "# Lessons\n\nEvery mistake of the post-mortems that the library comes from: what in the constructs makes it "
        "impossible or refuses it, which [rule](rules.md) finds it in other code, and what tests it. Each rule is "
        "tested with its own bad and good documents too (`tests/rules/test_rules.py`). Where no rule can exist, the "
        f"reason stands in its place.\n\n{table}\n\nMade from `constructs_lib/rules/lessons.py` by `make docs`.\n"
    )


def lesson_tests(folder: Path) -> dict[str, list[str]]:
    """Return the tests of each lesson.

    A comment `# PAY-1: …` in a test module stands over the tests of that lesson; a module that names a lesson otherwise
    counts as a whole.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(folder.rglob("test_*.py")):
        text = file.read_text(encoding="utf-8")
        place = file.relative_to(folder.parent).as_posix()
        headed: set[str] = set()
        heading: list[str] = []
        counts: dict[str, int] = defaultdict(int)
        for line in text.splitlines():
            if above := _HEADING.match(line):
                heading = above[1].split(", ")
                headed |= set(heading)
            elif _TEST.match(line):
                for id_ in heading:
                    counts[id_] += 1
        for id_, count in counts.items():
            found[id_].append(f"`{place}` ({count})")
        for id_ in sorted(set(_ID.findall(text)) - headed):
            found[id_].append(f"`{place}`")
    return found


def _rules(rules: Sequence[Rule]) -> Iterator[str]:
    yield "# Rules"
    yield ""
    yield (
        f"{len(rules)} rules in {len({rule.family for rule in rules})} families. [checks.md](checks.md) says how to "
        "run them and how to accept a finding; `python -m constructs_lib check --explain ID` shows a rule in the "
        "terminal. A rule's number is never given to another one."
    )
    for family, title in FAMILIES.items():
        own = [rule for rule in rules if rule.family == family]
        if not own:
            continue
        rows = [
            [f"[{rule.id}](#{rule.id.lower()})", _cell(rule.title), facts_of(rule)["severity"], ", ".join(rule.lessons)]
            for rule in own
        ]
        yield from ("", f"## {family}: {title}", "")
        yield tabulate(rows, headers=["rule", "holds", "severity", "lessons"], tablefmt="github", disable_numparse=True)
        for rule in own:
            yield from _rule(rule)
    yield from ("", "Made from `constructs_lib/rules/catalogue` by `make docs`.")


def _rule(rule: Rule) -> Iterator[str]:
    facts = facts_of(rule)
    types = (
        ", ".join(f"`{type_}`" for type_ in rule.types) if rule.types != ("*",) else "every resource and data source"
    )
    yield from (
        "",
        f"### {rule.id}",
        "",
        f"**{_text(rule.title)}.** {_text(rule.why)}",
        "",
        f"Fix: {_text(rule.fix)}",
        "",
    )
    yield f"- looks at {types}"
    for name, text in facts.items():
        if text:
            yield f"- {name}: {text}"
    yield f"- [documentation]({rule.page})"
    bad, good = example(rule.bad).splitlines(), example(rule.good).splitlines()
    difference = list(difflib.unified_diff(bad, good, n=len(bad) + len(good), lineterm=""))[3:]
    fence = "```"
    yield from ("", "<details><summary>bad (-) and good (+)</summary>", "", f"{fence}diff")
    yield from (line.rstrip() for line in difference)
    yield from (fence, "", "</details>")


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")


def _text(text: str) -> str:
    """Return text in which Markdown finds no HTML and no emphasis."""
    return re.sub(r"([*<>])", r"\\\1", " ".join(text.split()))
