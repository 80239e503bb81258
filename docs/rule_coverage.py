"""Write build/rule_coverage.md: how many blocks of the reference stacks each rule looked at, or why it skipped them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabulate import tabulate

from constructs_lib.rules.checking import all_rules
from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import load
from estates import ROOT, estates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from constructs_lib import Environment
    from constructs_lib.rules.engine import Result
    from constructs_lib.rules.rule import Rule


def coverage(rules: Sequence[Rule], folders: Mapping[Environment, Path]) -> str:
    """Return the page.

    Args:
        rules: The rules to run.
        folders: The output folder of each environment.
    """
    estates = [load([folder]) for folder in folders.values()]
    results = [run(estate, rules) for estate in estates]
    types = {type_ for estate in estates for type_ in estate.by_type}
    rows = [
        [rule.id, *(result.looked_at[rule.id] for result in results), _why_none(rule, results, types)] for rule in rules
    ]
    table = tabulate(rows, headers=["Rule", *folders, "Why none"], tablefmt="github", disable_numparse=True)
    bare = sorted({type_ for result in results for type_ in result.without_rule})
    return (
        "# Rule coverage of the reference stacks\n\nBlocks of the reference stacks that each rule looked at, by "
        f"environment.\n\n{table}\n\nResource types without a rule: "
        + ", ".join(f"`{type_}`" for type_ in bare)
        + ".\n"
    )


def _why_none(rule: Rule, results: Sequence[Result], types: set[str]) -> str:
    if any(result.looked_at[rule.id] for result in results):
        return ""
    if "*" not in rule.types and not types & set(rule.types):
        shown = ", ".join(f"`{type_}`" for type_ in rule.types[:3])
        return f"no reference stack has {shown}" + (" or the like" if len(rule.types) > 3 else "")  # noqa: PLR2004
    return "; ".join(sorted({reason for result in results for reason in result.passed_over.get(rule.id, ())}))


if __name__ == "__main__":
    page = ROOT / "build/rule_coverage.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text(coverage(all_rules(), estates()), encoding="utf-8")
    print(page.relative_to(ROOT))
