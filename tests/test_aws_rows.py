"""docs/aws_rows.toml: each case names tests that exist."""

from __future__ import annotations

import ast
from pathlib import Path

from docs.aws_page import Row, rows

ROOT = Path(__file__).parent.parent


def _tests_of(path: Path) -> set[str]:
    """Return the names of the tests of a module as pytest writes them after the path."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
    return names


def _lacks(row: Row) -> list[str]:
    return [
        test
        for test in row.tests
        if not (path := ROOT / test.partition("::")[0]).exists() or test.partition("::")[2] not in _tests_of(path)
    ]


def test_every_test_that_a_case_names_exists() -> None:
    assert {row.id: lacks for row in rows() if (lacks := _lacks(row))} == {}


def test_ids_are_unique() -> None:
    ids = [row.id for row in rows()]
    assert len(ids) == len(set(ids))
