"""The command `local`: apply a synthesized stack to a local AWS, which keeps running until `local down`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from constructs_lib.cli.terminal import OUTPUT, SAMPLE_EVENTS

if TYPE_CHECKING:
    import argparse

_UNUSABLE: Final = 2


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    local = commands.add_parser(
        "local",
        help="apply a stack to a local AWS (no AWS account, no cost)",
        description="Apply a synthesized stack with the real Terraform to a local AWS that runs in the background.",
    )
    actions = local.add_subparsers(required=True, title="actions", metavar="<action>")
    up = actions.add_parser("up", help="start the local AWS if it is not running, and apply a stack")
    up.add_argument("stack", nargs="?", metavar="STACK", help="name or folder of the stack (default: the only stack)")
    up.add_argument("--output", type=Path, default=OUTPUT, metavar="DIR", help="output folder (default: cdktf.out)")
    up.add_argument("--environment", metavar="NAME", help="fail unless the stack is synthesized for this environment")
    up.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free port)")
    up.add_argument(
        "--invoke", metavar="FUNCTION", help=f"invoke this function (default: those of {SAMPLE_EVENTS}/STACK)"
    )
    up.add_argument("--event", type=Path, metavar="FILE", help="the event for --invoke, as JSON")
    up.add_argument(
        "--server-only",
        action="store_true",
        help="do not apply; print the environment variables for cdktf or terraform",
    )
    up.set_defaults(run=_run, action="up")
    status = actions.add_parser("status", help="show whether the local AWS is running, and the stacks applied to it")
    status.set_defaults(run=_run, action="status")
    down = actions.add_parser("down", help="destroy the stacks, stop the local AWS and delete its folder")
    down.set_defaults(run=_run, action="down")


def _run(given: argparse.Namespace) -> int:
    try:
        from constructs_lib.cli import local_actions  # noqa: PLC0415  Terraform and moto only for this command
    except ModuleNotFoundError as error:
        if error.name != "fcntl":
            raise
        print(  # noqa: T201  a command line prints
            "local: requires Linux, macOS or WSL, because it locks files with fcntl", file=sys.stderr
        )
        return _UNUSABLE
    return local_actions.run(given)
