"""The command `check`: lint Terraform JSON from any source."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from constructs_lib.cli.terminal import show, synthesized, width
from constructs_lib.foundation.errors import ConfigurationError

if TYPE_CHECKING:
    import argparse

    from constructs_lib.rules.checking import Report
    from constructs_lib.rules.reports import Options

CLEAN: Final = 0
FOUND: Final = 1
UNUSABLE: Final = 2

_ENVIRONMENTS: Final = ("dev", "staging", "prod")
_FAIL_ON: Final = ("error", "warning", "info", "never")
_FORMATS: Final = ("text", "json", "sarif", "junit", "markdown", "github")


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    check = commands.add_parser(
        "check",
        help="lint Terraform JSON from any source",
        description="Lint Terraform JSON from any source: synthesized stacks, *.tf.json files, plans.",
        epilog="Exit code: 0 no findings at or above --fail-on, 1 findings, 2 an error of input.",
    )
    check.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="cdktf.out, a folder or file of Terraform JSON, or a plan as JSON (default: cdktf.out)",
    )
    check.add_argument("--verbose", action="store_true", help="show notes, coverage and undecided checks in full")
    rules = check.add_argument_group("rules")
    rules.add_argument("--rule", action="append", metavar="ID", help="run only this rule or family; repeatable")
    rules.add_argument("--skip", action="append", metavar="ID", help="skip this rule or family; repeatable")
    rules.add_argument("--explain", metavar="ID", help="show the documentation of a rule and exit")
    rules.add_argument(
        "--env", choices=_ENVIRONMENTS, help="environment that decides the severity (default: from tags and names)"
    )
    rules.add_argument(
        "--fail-on", choices=_FAIL_ON, help="lowest level that fails the check (default: pyproject.toml, else error)"
    )
    report = check.add_argument_group("report")
    report.add_argument("--format", choices=_FORMATS, default="text", help="format of the report (default: text)")
    report.add_argument("--output", type=Path, metavar="FILE", help="write the report to FILE")
    accepted = check.add_argument_group("accepted findings")
    accepted.add_argument(
        "--waivers", type=Path, metavar="FILE", help="file of waivers (default: waivers.toml beside PATH, else here)"
    )
    accepted.add_argument("--baseline", type=Path, metavar="FILE", help="report only findings that FILE does not list")
    accepted.add_argument("--update-baseline", action="store_true", help="write all findings to the baseline and exit")
    check.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    from constructs_lib.rules.reports import Options  # noqa: PLC0415  --help does without
    from constructs_lib.rules.reports.common import broken, has_colours  # noqa: PLC0415

    options = Options(
        fail_on=given.fail_on or "error",
        verbose=given.verbose,
        colour=given.output is None and has_colours(sys.stdout),
        width=width(),
    )
    if given.explain:
        from constructs_lib.rules.reports.explaining import explain  # noqa: PLC0415

        show(explain(given.explain, options))
        return CLEAN
    report, fail_on = _check(given)
    if given.update_baseline:
        from constructs_lib.rules import baseline  # noqa: PLC0415

        kept = baseline.write(given.baseline, report.findings)
        show(f"{given.baseline}: {kept} {'finding' if kept == 1 else 'findings'} written\n")
        return CLEAN
    _write(report, given, replace(options, fail_on=fail_on))
    if report.result.broken:
        sys.stderr.write(f"{broken(report)}\n")
        return UNUSABLE
    return FOUND if report.failing(fail_on) else CLEAN


def _check(given: argparse.Namespace) -> tuple[Report, str]:
    """Return the report, and the level from which on findings fail the check."""
    from constructs_lib.rules import baseline, checking, waivers  # noqa: PLC0415  some 50 ms that --help does without
    from constructs_lib.rules.estate.loading import load  # noqa: PLC0415
    from constructs_lib.rules.settings import read_settings  # noqa: PLC0415

    if given.update_baseline and not given.baseline:
        raise ConfigurationError("check", "--update-baseline: requires --baseline FILE")
    paths = synthesized(given.paths)
    settings = read_settings(paths)
    rules = checking.choose(given.rule) if given.rule else None
    file = given.waivers or waivers.find_file(paths)
    report = checking.check(
        load(paths, environment=given.env),
        rules=rules,
        waivers=waivers.read_file(file) if file else (),
        baseline=baseline.read(given.baseline) if given.baseline and not given.update_baseline else None,
        settings=settings.and_skip(given.skip or ()),
    )
    return report, given.fail_on or settings.fail_on or "error"


def _write(report: Report, given: argparse.Namespace, options: Options) -> None:
    from constructs_lib.rules.reports import render  # noqa: PLC0415
    from constructs_lib.rules.reports.common import checked, counted  # noqa: PLC0415

    text = render(report, given.format, options)
    if given.output is None:
        show(text)
        return
    try:
        given.output.parent.mkdir(parents=True, exist_ok=True)
        given.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(str(given.output), f"cannot be written: {error.strerror or error}") from error
    show(f"{counted(report).capitalize()}. {checked(report)}. Written to {given.output}.\n")
