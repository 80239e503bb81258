"""The pages generated from the rules: docs/rules and docs/lessons.md."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.reports.explaining import example, facts_of
from constructs_lib.rules.rule import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from constructs_lib.rules.rule import Rule

Lesson = tuple[str, str, str]
"""Title, what prevents it, and why no rule is possible."""

_TYPES_SHOWN: Final = 3
_HEADING: Final = re.compile(r"# ((?:[A-Z]+-[0-9]+(?:, )?)+): ")
_TEST: Final = re.compile(r"def (test_\w+)")
_ID: Final = re.compile(r"\b[A-Z]+-[0-9]+\b")


def rule_pages(rules: Iterable[Rule]) -> dict[str, str]:
    """Return the pages of docs/rules by file name: one for each family, and README.md that lists them."""
    families: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        families[_page(rule)].append(rule)
    return {
        "README.md": _index(families),
        **{page: "\n".join(_family(own)) + "\n" for page, own in families.items()},
    }


def lessons_page(lessons: Mapping[str, Lesson], rules: Iterable[Rule], tests: Mapping[str, Sequence[str]]) -> str:
    """Return the table of lessons.

    Args:
        lessons: By id.
        rules: Every rule.
        tests: Names of tests by the lesson that they are about, as `lesson_tests` finds them.

    Raises:
        ValueError: A lesson has neither a rule nor a reason, or a rule names a lesson that is not defined.
    """
    by_lesson: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        for lesson in rule.lessons:
            by_lesson[lesson].append(rule)
    unknown = sorted(by_lesson.keys() - lessons.keys())
    bare = [id_ for id_, (_, _, reason) in lessons.items() if not by_lesson[id_] and not reason]
    if unknown or bare:
        raise ValueError(f"lessons that are not defined: {unknown}; lessons with neither a rule nor a reason: {bare}")
    rows = []
    for id_, (title, prevented, reason) in lessons.items():
        found = ", ".join(map(_link, by_lesson[id_]))
        held = "<br>".join(part for part in (found, _cell(reason)) if part)
        rows.append([id_, _cell(title), _cell(prevented), held, "<br>".join(tests.get(id_, ()))])
    table = _table(["Lesson", "Mistake", "Prevented by", "Rules", "Tests"], rows)
    return (
        "# Lessons\n\nEvery mistake of the post-mortems that the library comes from: what in the constructs prevents "
        "or rejects it, which [rules](rules/README.md) find it in other code, and the tests. Each rule is also tested "
        "with its own bad and good documents (`tests/rules/test_rules.py`). Where no rule is possible, the table gives "
        f"the reason.\n\n{table}\n\nGenerated from `constructs_lib/rules/lessons.py` by `make docs`.\n"
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


def _page(rule: Rule) -> str:
    """Return the file name of the page of a rule's family: the name of the folder that defines it."""
    return f"{rule.check.__module__.split('.')[-2]}.md"


def _link(rule: Rule) -> str:
    return f"[{rule.id}](rules/{_page(rule)}#{rule.id.lower()})"


def _index(families: Mapping[str, Sequence[Rule]]) -> str:
    rows = [
        [f"[{FAMILIES[own[0].family]}]({page})", f"`{own[0].family}`", str(len(own))]
        for page, own in sorted(families.items())
    ]
    total = sum(map(len, families.values()))
    fence = "```"
    return (
        f"# Rules\n\n{total} rules over Terraform JSON and Terraform plans, in {len(families)} families. The id of "
        f"a rule never changes and is never reused.\n\n{_table(['Family', 'Ids', 'Rules'], rows)}\n\n"
        f"{fence}console\n"
        "$ constructs-lib check cdktf.out               # run every rule\n"
        "$ constructs-lib check cdktf.out --rule NET    # run one family, or one rule by its id\n"
        "$ constructs-lib check --explain NET-001       # show a rule with its examples\n"
        f"{fence}\n\n"
        "A finding is accepted with `acknowledge` in code or with an entry in `waivers.toml`. [Checks](../checks.md) "
        "describes both, the report formats and baselines. [Lessons](../lessons.md) lists the mistakes that the rules "
        "come from.\n\nGenerated from `constructs_lib/rules/catalogue` by `make docs`.\n"
    )


def _family(rules: Sequence[Rule]) -> Iterator[str]:
    first = rules[0]
    rows = [
        [
            f"[{rule.id}](#{rule.id.lower()})",
            _cell(rule.title),
            facts_of(rule)["severity"],
            _looks_at(rule),
            ", ".join(rule.lessons),
        ]
        for rule in rules
    ]
    yield f"# {FAMILIES[first.family]}"
    yield ""
    yield f"{len(rules)} rules. [All families](README.md)."
    yield ""
    yield _table(["Rule", "Title", "Severity", "Looks at", "Lessons"], rows)
    for rule in rules:
        yield from ("", f"## {rule.id}", "", f"**{_text(rule.title)}.** {_text(rule.why)}", "")
        yield from (f"Fix: {_text(rule.fix)}", "", f"[Documentation]({rule.page})")
        if rule is first:
            yield from _example(rule)
    yield ""
    yield "Generated from the rules by `make docs`."


def _looks_at(rule: Rule) -> str:
    if rule.types == ("*",):
        return "every resource and data source"
    shown = ", ".join(f"`{type_}`" for type_ in rule.types[:_TYPES_SHOWN])
    more = len(rule.types) - _TYPES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _example(rule: Rule) -> Iterator[str]:
    """Yield the difference between the two documents of a rule."""
    bad, good = example(rule.bad).splitlines(), example(rule.good).splitlines()
    difference = list(difflib.unified_diff(bad, good, n=len(bad) + len(good), lineterm=""))[3:]
    yield from (
        "",
        "Example, bad (-) and good (+); `check --explain ID` shows the examples of every rule:",
        "",
        "```diff",
    )
    yield from (line.rstrip() for line in difference)
    yield "```"


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table without padding: a row that changes leaves the other lines as they are."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")


def _text(text: str) -> str:
    """Return text with Markdown's HTML and emphasis characters escaped."""
    return re.sub(r"([*<>])", r"\\\1", " ".join(text.split()))
