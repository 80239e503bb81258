"""Types of variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.queries.common import TERRAFORM
from constructs_lib.rules.rule import Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome


_NESTING: Final = re.compile(r"\b(?:map|object)\(|[()]")


_DEEPEST: Final = 2


def _depth(kind: str) -> int:
    """Return how deep a type nests maps and objects."""
    deepest = 0
    open_: list[bool] = []
    for mark in _NESTING.findall(kind):
        if mark == ")":
            if open_:
                open_.pop()
        else:
            open_.append(mark != "(")
            deepest = max(deepest, sum(open_))
    return deepest


@rule(
    "STATE-026",
    f"Variable type nests maps and objects at most {_DEEPEST} levels deep",
    why="Values of deeply nested types are error-prone, and Terraform's type errors do not show the wrong element.",
    fix="Define one variable with a default per value, and a local map for values that depend on the region.",
    page=f"{TERRAFORM}/language/expressions/type-constraints",
    types=["var"],
    severity=Severity("info", "info", "info"),
    lessons=["TRD-9"],
    good={
        "variable": {
            "subnets": {"type": "map(object({cidr = string, zones = list(string)}))"},
            "rules": {"type": "${list(object({port = number, source = string}))}"},
        }
    },
    breaks=[
        {"variable.subnets.type": "map(object({cidr = string, subnets = map(object({cidr = string}))}))"},
        {"variable.rules.type": "${object({web = object({listener = object({port = number})})})}"},
    ],
)
def variables_are_simple(variable: Block) -> Iterator[Outcome]:
    """Count nested maps and objects, but not lists."""
    kind = variable.raw("type")
    if isinstance(kind, str) and _depth(kind) > _DEEPEST:
        yield variable.fail(f"must nest maps and objects at most {_DEEPEST} levels deep, not {_depth(kind)}", "type")
