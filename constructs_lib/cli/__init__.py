"""The command line `constructs-lib`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.cli import check, cost, init, local, permissions, summary
from constructs_lib.cli.terminal import close
from constructs_lib.foundation.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM: Final = "constructs-lib"

_DESCRIPTION: Final = "Create, check and try out AWS infrastructure as code with CDK for Terraform."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 success, 1 findings, 2 an error of input or environment."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        formatter_class=_Help,
        description=_DESCRIPTION,
        epilog=f"Run `{PROGRAM} <command> --help` for the options of a command.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="<command>")
    # Modules of commands import little: each imports what it needs when it runs.
    for command in (init, check, summary, cost, permissions, local):
        command.add_command(commands)
    try:
        given = parser.parse_args(arguments)
        if "run" not in given:
            parser.print_help()
            return 2
        return given.run(given) or 0
    except KeyboardInterrupt:
        return 130
    except ConfigurationError as error:
        print(error, file=sys.stderr)  # noqa: T201  a command line prints
        return 2
    finally:
        close()


class _Help(argparse.HelpFormatter):
    """Lists the commands without a line for their placeholder, and the help of all beside their names."""

    def format_help(self) -> str:
        self._action_max_length += 2  # argparse does not count the indentation of commands
        return super().format_help()

    def _format_action(self, action: argparse.Action) -> str:
        text = super()._format_action(action)
        return text.partition("\n")[2] if action.nargs == argparse.PARSER else text


class _Version(argparse.Action):
    """Prints the version, which is looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:  # noqa: ANN401  of no interest
        from constructs_lib.rules.reports.common import tool_version  # noqa: PLC0415  slow to import

        print(PROGRAM, tool_version())  # noqa: T201  a command line prints
        parser.exit()
