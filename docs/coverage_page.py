"""The page that says what each rule looked at in the reference stacks, or why it looked at nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabulate import tabulate

from constructs_lib import Environment
from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import load
from estates import estates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs_lib.rules.engine import Result
    from constructs_lib.rules.rule import Rule


def coverage_page(rules: Iterable[Rule]) -> str:
    """Return the page, made from the reference stacks as they are synthesized now."""
    rules = tuple(rules)
    results, types = _look(rules)
    rows = [
        [
            f"[{rule.id}](rules.md#{rule.id.lower()})",
            *(result.looked_at[rule.id] for result in results),
            _why(rule, results, types),
        ]
        for rule in rules
    ]
    table = tabulate(rows, headers=["rule", *Environment, "why nothing"], tablefmt="github", disable_numparse=True)
    bare = sorted({type_ for result in results for type_ in result.without_rule})
    return (
        "# What the rules looked at\n\nBlocks of the reference stacks that each rule looked at, by environment. A rule "
        "that looked at nothing has proved nothing there; its own documents in [rules.md](rules.md) prove it.\n\n"
        f"{table}\n\nTypes of the reference stacks that no rule looks at: "
        + ", ".join(f"`{type_}`" for type_ in bare)
        + ".\n\nMade by `make docs`.\n"
    )


def _look(rules: tuple[Rule, ...]) -> tuple[list[Result], set[str]]:
    results: list[Result] = []
    types: set[str] = set()
    for place in estates().values():
        estate = load([place])
        types |= set(estate.by_type)
        results.append(run(estate, rules))
    return results, types


def _why(rule: Rule, results: list[Result], types: set[str]) -> str:
    if any(result.looked_at[rule.id] for result in results):
        return ""
    if "*" not in rule.types and not types & set(rule.types):
        shown = ", ".join(f"`{type_}`" for type_ in rule.types[:3])
        return f"no reference stack has {shown}" + (" or the like" if len(rule.types) > 3 else "")  # noqa: PLR2004
    reasons = {reason for result in results for reason in result.passed_over.get(rule.id, ())}
    if not reasons:
        raise ValueError(f"{rule.id} looked at nothing and does not say why")
    return "; ".join(sorted(reasons))
