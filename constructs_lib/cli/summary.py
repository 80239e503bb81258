"""The command `summary`: the stacks of an output folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from constructs_lib.cli.terminal import show, synthesized, table, width

if TYPE_CHECKING:
    import argparse

    from constructs_lib.analysis.summary import StackSummary

_HEADERS: Final = ("stack", "env", "regions", "resources", "outputs")


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "summary",
        help="list the synthesized stacks with their regions, resources and outputs",
        description="List the synthesized stacks with their environment, regions, resources and outputs.",
    )
    command.add_argument("output", nargs="*", type=Path, metavar="DIR", help="output folder (default: cdktf.out)")
    command.add_argument("--verbose", action="store_true", help="list the resource types and the file of each stack")
    command.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> None:
    from constructs_lib.analysis.summary import summarize  # noqa: PLC0415  only when the command runs

    stacks = [stack for folder in synthesized(given.output) for stack in summarize(folder)]
    lines = _table(stacks, width())
    if given.verbose:
        for stack in stacks:
            lines += ["", f"{stack.name}: {stack.file}"]
            lines += [f"  {count:5,}  {type_}" for type_, count in stack.resources.items()]
            lines += [f"  {stack.data_sources:5,}  data sources"] if stack.data_sources else []
    first = stacks[0]
    lines += ["", f"Next: cdktf deploy {first.name}, or terraform -chdir={first.file.parent.as_posix()} init"]
    show("\n".join(lines) + "\n")


def _table(stacks: list[StackSummary], columns: int) -> list[str]:
    """Return one line for each stack; regions are counted where their names do not fit."""
    lines = table(_HEADERS, [_row(stack, ", ".join(stack.regions)) for stack in stacks], right=2)
    if max(map(len, lines)) <= columns:
        return lines
    return table(_HEADERS, [_row(stack, str(len(stack.regions))) for stack in stacks], right=2)


def _row(stack: StackSummary, regions: str) -> tuple[str, ...]:
    return stack.name, stack.environment, regions, f"{sum(stack.resources.values()):,}", f"{stack.outputs:,}"
