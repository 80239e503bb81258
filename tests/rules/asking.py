"""Asks one rule about documents: what it found, and what stayed undecided."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from constructs_lib.rules.catalogue import rules
from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import Source
from constructs_lib.rules.estate.model import Estate
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.rule import changed

RULES = {rule.id: rule for rule in rules()}


def look(
    id_: str, *documents: dict[str, Any] | Source, environment: str | None = "prod", folder: Path = Path()
) -> tuple[list[str], list[str]]:
    """Return the messages of the findings and the reasons of the doubts, each document being a stack."""
    sources = [
        document if isinstance(document, Source) else Source(f"shop{number or ''}", folder, copy.deepcopy(document))
        for number, document in enumerate(documents)
    ]
    result = run(Estate(sources, environment), [RULES[id_]])
    return [finding.message for finding in result.findings], [doubt.reason for doubt in result.doubts]


def found(id_: str, *documents: dict[str, Any], environment: str | None = "prod", folder: Path = Path()) -> list[str]:
    """Return the messages where everything could be decided."""
    messages, doubts = look(id_, *documents, environment=environment, folder=folder)
    assert doubts == []
    return messages


def doubted(id_: str, *documents: dict[str, Any]) -> list[str]:
    """Return why nothing could be decided."""
    messages, doubts = look(id_, *documents)
    assert messages == []
    return doubts


def good(id_: str, change: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the good document of a rule, changed."""
    return changed(RULES[id_].good, change or {})


def broken(id_: str, **change: object) -> dict[str, Any]:
    """Return the good document of a rule, changed at paths written with `__` for each dot."""
    return good(id_, {path.replace("__", "."): value for path, value in change.items()})


def planned(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document as one that was read from a plan, which does not say what the backend is."""
    return document | {"terraform": {"backend": Unknown("a plan does not say")}}


def resources(**types: dict[str, Any]) -> dict[str, Any]:
    """Return a document of resources by type."""
    return {"resource": types}
