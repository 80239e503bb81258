"""The command `cost`: the monthly cost of an estate without traffic."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from constructs_lib.cli.terminal import show, synthesized, table, width

if TYPE_CHECKING:
    import argparse

    from constructs_lib.analysis.cost import Cost, Item


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "cost",
        help="estimate the fixed monthly cost of the synthesized stacks",
        description="Estimate what the synthesized stacks cost in a month without any usage, at list prices.",
    )
    command.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="cdktf.out, a folder or file of Terraform JSON, or a plan as JSON (default: cdktf.out)",
    )
    command.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> None:
    from constructs_lib.analysis.cost import cost_of  # noqa: PLC0415  only when the command runs
    from constructs_lib.rules.estate.loading import load  # noqa: PLC0415

    show(render(cost_of(load(synthesized(given.paths))), width()))


def render(cost: Cost, columns: int) -> str:
    """Return the cost as a table, followed by what it does not include."""
    from constructs_lib.analysis.cost import NOT_INCLUDED  # noqa: PLC0415  only when the command runs
    from constructs_lib.analysis.prices import HOME, READ_ON  # noqa: PLC0415

    groups: dict[tuple[str, str, str], list[Item]] = defaultdict(list)
    for item in cost.items:
        groups[item.stack, item.name, item.region].append(item)
    rows = [(*group, *_amounts(items)) for group, items in sorted(groups.items())]
    lines = table(
        ("stack", "item", "region", "units", "each", "USD/month"),
        [*rows, ("total", "", "", "", "", f"{cost.total:,.2f}")],
        right=3,
    )
    notes = [f"AWS list prices of {READ_ON}."]
    if any(not item.own_price for item in cost.items):
        notes.append(f"~ No price for the region is known; the price of {HOME} is used.")
    if cost.unpriced:
        unpriced = ", ".join(f"{count} {name}" for name, count in sorted(cost.unpriced.items()))
        notes.append(f"Without a price: {unpriced}.")
    notes.append(NOT_INCLUDED)
    return "\n".join([*lines, "", *(textwrap.fill(note, columns) for note in notes)]) + "\n"


def _amounts(items: list[Item]) -> tuple[str, str, str]:
    """Return how many units there are, the price of one and of all."""
    units, total = sum(item.units for item in items), sum(item.monthly for item in items)
    mark = "" if items[0].own_price else "~"
    return str(units), f"{mark}{total / units if units else 0:,.2f}", f"{total:,.2f}"
