"""The page of what an apply on AWS teaches, made from docs/aws_rows.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

ROWS = Path(__file__).with_name("aws_rows.toml")

PAGE = """\
# What AWS does at apply

Synthesis, `terraform validate` and a local AWS accept stacks that AWS refuses, or that fail later in operation or at
the next change. Each section below is one such case: what AWS does, what this library does about it, the tests of it,
and the sources.

{sections}
## See also

- [Known differences of the local AWS](testing.md)
- [Lessons](lessons.md)
- [Rules](rules/README.md)

Generated from `docs/aws_rows.toml` by `make docs`.
"""

SECTIONS = {
    "AWS-0": "Applies that fail",
    "AWS-1": "Applies that fail",
    "AWS-2": "Failures in operation",
    "AWS-3": "Failures in operation",
    "AWS-4": "Later plans, and destroy",
    "AWS-5": "Security, cost and defaults",
    "AWS-6": "Security, cost and defaults",
    "CHG-": "Changes of an existing stack",
}

State = Literal["open", "done", "refused"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case."""

    id: str
    title: str
    state: State
    fault: str
    now: str
    plan: str
    tests: tuple[str, ...]
    pages: tuple[str, ...]

    @property
    def section(self) -> str:
        """The heading of the page that the case stands under."""
        return next(title for prefix, title in SECTIONS.items() if self.id.startswith(prefix))

    def __post_init__(self) -> None:
        """Raise ValueError for a case that says too little."""
        if self.state not in get_args(State):
            raise ValueError(f"{self.id}: state={self.state!r}; expected one of {', '.join(get_args(State))}")
        needed = {"open": (), "done": ("fault", "now", "plan", "tests", "pages"), "refused": ("fault", "now", "pages")}
        if empty := [name for name in needed[self.state] if not getattr(self, name)]:
            raise ValueError(f"{self.id}: {empty[0]} is empty; a {self.state} case needs it")


def rows() -> tuple[Row, ...]:
    """Return every case, in the order of the file."""
    table = tomllib.loads(ROWS.read_text(encoding="utf-8"))["row"]
    return tuple(Row(**{**row, "tests": tuple(row["tests"]), "pages": tuple(row["pages"])}) for row in table)


def aws_page() -> str:
    """Return docs/aws.md."""
    shown = rows()
    sections = []
    for section in dict.fromkeys(SECTIONS.values()):
        inside = [row for row in shown if row.section == section and row.state != "open"]
        if inside:
            sections += [f"## {section}\n", *(_row(row) for row in inside)]
    if waiting := [row for row in shown if row.state == "open"]:
        sections += ["## Not mended yet\n", *(_open(row) for row in waiting), ""]
    return PAGE.format(sections="\n".join(sections))


def _row(row: Row) -> str:
    parts = [f"### {row.id}: {row.title}", row.fault, f"**This library**: {row.now}"]
    if row.plan:
        parts.append(f"**Next plan of an existing stack**: {row.plan}")
    if row.tests:
        parts.append("**Tests**: " + ", ".join(f"`{test.removeprefix('tests/')}`" for test in row.tests))
    parts.append("**Sources**: " + ", ".join(f"<{page}>" for page in row.pages))
    return "\n\n".join(parts) + "\n"


def _open(row: Row) -> str:
    return f"- {row.id}: {row.title}." + (f" {row.now or row.fault}" if row.now or row.fault else "")
