"""The command line, `python -m constructs_lib`."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from constructs_lib.analysis.summary import summarize
from constructs_lib.foundation.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 fine, 1 findings, 2 bad input or a machine that lacks something."""
    parser = argparse.ArgumentParser(prog="python -m constructs_lib", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    summary = commands.add_parser("summary", help="list the stacks of an output folder and what they hold")
    summary.add_argument("output", nargs="?", type=Path, default=Path("cdktf.out"), help="default: cdktf.out")
    summary.set_defaults(run=lambda given: _print_summary(given.output))
    _add_commands(commands, sys.argv[1:] if arguments is None else arguments)
    given = parser.parse_args(arguments)
    try:
        return given.run(given) or 0
    except ConfigurationError as error:
        print(error, file=sys.stderr)  # noqa: T201  a command line prints
        return 2


def _add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser], arguments: Sequence[str]) -> None:
    """Add the commands that have a module of their own: all for the usage, else only the one that is called."""
    homes = {
        "check": "constructs_lib.cli.check",
        "cost": "constructs_lib.analysis.cost",
        "local": "constructs_lib.cli.local",
    }
    called = {name: home for name, home in homes.items() if name in arguments[:1]}
    for home in (called or homes).values():
        importlib.import_module(home).add_command(commands)


def _print_summary(output: Path) -> None:
    from tabulate import tabulate  # noqa: PLC0415  slow to import, and no other command needs it

    stacks = summarize(output)
    rows = [
        {
            "stack": stack.name,
            "environment": stack.environment,
            "regions": "\n".join(stack.regions),
            "resources": sum(stack.resources.values()),
            "by kind": ", ".join(f"{type_.removeprefix('aws_')} {count}" for type_, count in stack.resources.items()),
            "data": stack.data_sources,
            "outputs": stack.outputs,
        }
        for stack in stacks
    ]
    widths = [None, None, None, None, 60, None, None]
    print(tabulate(rows, headers="keys", tablefmt="simple", maxcolwidths=widths))  # noqa: T201
    print("\nTerraform JSON:")  # noqa: T201
    for stack in stacks:
        print(f"  {stack.file}")  # noqa: T201
    first = stacks[0].file.parent
    print(  # noqa: T201
        "\nNext, with Terraform and AWS credentials:\n"
        f"  terraform -chdir={first} init && terraform -chdir={first} plan\n"
        f"or with cdktf-cli: cdktf deploy {first.name}"
    )
