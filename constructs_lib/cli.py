"""The command line, `python -m constructs_lib`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tabulate import tabulate

from constructs_lib.analysis.summary import summarize
from constructs_lib.foundation.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 fine, 2 bad input."""
    parser = argparse.ArgumentParser(prog="python -m constructs_lib", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    summary = commands.add_parser("summary", help="list the stacks of an output folder and what they hold")
    summary.add_argument("output", nargs="?", type=Path, default=Path("cdktf.out"), help="default: cdktf.out")
    summary.set_defaults(run=lambda given: _print_summary(given.output))
    given = parser.parse_args(arguments)
    try:
        given.run(given)
    except ConfigurationError as error:
        print(error, file=sys.stderr)  # noqa: T201  a command line prints
        return 2
    return 0


def _print_summary(output: Path) -> None:
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
