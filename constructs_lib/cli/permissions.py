"""The command `permissions`: IAM policies of the role that deploys the stacks."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from constructs_lib.cli.terminal import show, synthesized

if TYPE_CHECKING:
    import argparse

    from constructs_lib.analysis.permissions import Deployment


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "permissions",
        help="print the IAM policies that deploying the synthesized stacks needs",
        description="Print the IAM policies of the role that plans, applies, changes and destroys each stack: the "
        "actions that the AWS provider calls for the stack's resource types, on the stack's names and in its regions.",
    )
    command.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="cdktf.out, or a folder or file of Terraform JSON (default: cdktf.out)",
    )
    command.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="write one file for each policy, for `aws iam create-policy`"
    )
    command.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> None:
    from constructs_lib.analysis.permissions import deployment  # noqa: PLC0415  only when the command runs
    from constructs_lib.rules.estate.loading import load  # noqa: PLC0415

    found = [deployment(stack) for stack in load(synthesized(given.paths)).stacks]
    for one in found:
        if one.unrecorded:
            types = ", ".join(one.unrecorded)
            print(f"{one.stack}: no permissions are recorded for {types}; add theirs", file=sys.stderr)  # noqa: T201
    if given.output:
        _write(found, given.output)
    else:
        show(f"{json.dumps({one.stack: one.policies() for one in found}, indent=2)}\n")


def _write(found: list[Deployment], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for one in found:
        policies = one.policies()
        for number, policy in enumerate(policies, 1):
            file = folder / (f"{one.stack}-{number}.json" if len(policies) > 1 else f"{one.stack}.json")
            file.write_text(f"{json.dumps(policy, indent=2)}\n", encoding="utf-8")
            show(f"{file}\n")
