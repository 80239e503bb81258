"""The command `check`: rules over Terraform JSON, whoever wrote it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.rules.reports import FORMATS, Options
from constructs_lib.rules.reports.common import broken, counted, has_colours, looked_at

if TYPE_CHECKING:
    import argparse

    from constructs_lib.rules.checking import Report
    from constructs_lib.rules.engine import Finding

CLEAN: Final = 0
FOUND: Final = 1
UNUSABLE: Final = 2

_ENVIRONMENTS: Final = ("dev", "staging", "prod")
_FAIL_ON: Final = ("error", "warning", "info", "never")
_WIDEST: Final = 120


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    check = commands.add_parser(
        "check",
        help="find known mistakes in Terraform JSON, whoever wrote it",
        description="Find known mistakes in Terraform JSON. Exit code: 0 clean, 1 findings, 2 unusable input.",
    )
    check.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="a cdktf.out, folder or file of Terraform JSON, or a plan as JSON",
    )
    check.add_argument("--env", choices=_ENVIRONMENTS, help="default: each block's own, from its tags and names")
    check.add_argument("--fail-on", choices=_FAIL_ON, default="error", help="default: error")
    check.add_argument("--format", choices=FORMATS, default="text", help="default: text")
    check.add_argument(
        "--output", type=Path, metavar="FILE", help="write the report there, and a summary to the terminal"
    )
    check.add_argument("--waivers", type=Path, metavar="FILE", help="default: waivers.toml beside PATH or here")
    check.add_argument("--baseline", type=Path, metavar="FILE", help="report only what is not in it")
    check.add_argument("--update-baseline", action="store_true", help="write what is found into the baseline")
    check.add_argument("--rule", action="append", metavar="ID", help="run only this rule or family; may be repeated")
    check.add_argument("--verbose", action="store_true", help="show all of the coverage and of what stayed unknown")
    check.add_argument("--explain", metavar="ID", help="show the page of a rule and check nothing")
    check.set_defaults(run=_check)


def _check(given: argparse.Namespace) -> int:
    options = Options(
        fail_on=given.fail_on,
        verbose=given.verbose,
        colour=given.output is None and has_colours(sys.stdout),
        width=min(shutil.get_terminal_size().columns, _WIDEST),
    )
    if given.explain:
        from constructs_lib.rules.reports.explaining import explain  # noqa: PLC0415  a check does not need it

        _print(explain(given.explain, options))
        return CLEAN
    report, findings = _look(given)
    if given.update_baseline:
        from constructs_lib.rules import baseline  # noqa: PLC0415  only where it is used

        kept = baseline.write(given.baseline, findings)
        _print(f"{given.baseline}: {kept} {'finding' if kept == 1 else 'findings'} accepted as known\n")
        return CLEAN
    _write(report, given, options)
    if report.result.broken:
        sys.stderr.write(f"{broken(report)}\n")
        return UNUSABLE
    return FOUND if report.failing(given.fail_on) else CLEAN


def _look(given: argparse.Namespace) -> tuple[Report, list[Finding]]:
    """Read what there is to read, and check it."""
    from constructs_lib.rules import baseline, checking, waivers  # noqa: PLC0415  some 50 ms that --help does without
    from constructs_lib.rules.estate.loading import load  # noqa: PLC0415

    if not given.paths:
        raise ConfigurationError("check", "PATH: is missing; give a cdktf.out, a folder, a file or a plan as JSON")
    if given.update_baseline and not given.baseline:
        raise ConfigurationError("check", "--update-baseline: needs --baseline FILE, which it writes")
    rules = checking.choose(given.rule) if given.rule else None
    file = given.waivers or waivers.find_file(given.paths)
    accepted = waivers.read_file(file) if file else []
    before = baseline.read(given.baseline) if given.baseline and not given.update_baseline else None
    estate = load(given.paths, environment=given.env)
    report = checking.check(estate, rules=rules, waivers=accepted, baseline=before)
    return report, list(report.findings)


def _write(report: Report, given: argparse.Namespace, options: Options) -> None:
    from constructs_lib.rules.reports import render  # noqa: PLC0415

    text = render(report, given.format, options)
    if given.output is None:
        _print(text)
        return
    try:
        given.output.parent.mkdir(parents=True, exist_ok=True)
        given.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(str(given.output), f"cannot be written: {error.strerror or error}") from error
    _print(f"{counted(report).capitalize()}. {looked_at(report)}. Written to {given.output}.\n")


def _print(text: str) -> None:
    """Print text also where the terminal cannot show all of its characters, or stops reading."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
