"""Rules at synth: `attach` fails the synthesis on findings, `acknowledge` accepts a finding in code."""

from __future__ import annotations

import shutil
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

import jsii

from constructs_lib._engine import core
from constructs_lib.core.metadata import caller_here, metadata_below, metadata_of, path_of
from constructs_lib.foundation.errors import ConfigurationError, Problems

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from constructs_lib.rules.checking import Report
    from constructs_lib.rules.rule import Rule

FINDINGS: Final = "findings"
"""Name of the reports in the output folder, `.json` and `.sarif`."""

_ATTACHED: Final = "_constructs_lib_rules"
_ENVIRONMENTS: Final = (None, "dev", "staging", "prod")
_WIDEST: Final = 120
_FAILING: Final = {"error": "errors fail", "warning": "errors and warnings fail", "info": "all findings fail"}


def attach(
    app: core.App,
    *,
    environment: str | None = None,
    fail_on: str | None = None,
    waivers: str | Path | None = None,
    rules: Iterable[Rule] | None = None,
) -> None:
    """Check everything that the app synthesizes, and fail the synthesis on findings.

    After all stacks are written they are checked together. The reports `findings.json` and `findings.sarif` are
    written to the output folder; errors and warnings are printed, notes are counted.

    The table `[tool.constructs-lib]` of the nearest `pyproject.toml`, in or above the current folder, may skip rules,
    change their severity and set the default of `fail_on`.

    Args:
        app: The app.
        environment: dev, staging or prod for all stacks; by default each resource's own, from its tags.
        fail_on: The level from which on findings fail the synthesis: error, warning or info; never to report only.
            Default: error, unless `pyproject.toml` sets another.
        waivers: A file of waivers; by default `waivers.toml` in the current folder, if it exists.
        rules: The rules to run; all by default.

    Raises:
        ConfigurationError: An argument is not allowed, or rules are attached to the app already.
    """
    from constructs_lib.rules.settings import FAIL_ON  # noqa: PLC0415  the rules load where they are used

    problems = Problems("attach")
    problems.check(environment in _ENVIRONMENTS, "environment", environment, "must be dev, staging or prod")
    problems.check(fail_on in (None, *FAIL_ON), "fail_on", fail_on, f"must be one of {', '.join(FAIL_ON)}")
    problems.check(waivers is None or Path(waivers).is_file(), "waivers", str(waivers), "file not found")
    problems.check(_ATTACHED not in vars(app), "app", "App", "rules are attached already; call attach() once")
    problems.check(
        not app.skip_validation, "app", "App", "skip_validation is set, so that the rules would not run; remove it"
    )
    problems.raise_if_any()
    rules = None if rules is None else tuple(rules)
    attached = _Rules(app, environment, fail_on, None if waivers is None else Path(waivers), rules)
    vars(app)[_ATTACHED] = attached
    app.node.add_validation(attached)


def acknowledge(
    construct: core.Construct,
    *rules: str,
    reason: str,
    owner: str,
    until: date | str,
    accepts: str | Iterable[str] | None = None,
    subtree: bool = False,
) -> None:
    """Accept findings at a construct, with a reason, an owner and an expiry date.

    Args:
        construct: The construct or resource; its primary resource is included.
        *rules: Ids of the rules, such as `NET-003`.
        reason: Why the finding is acceptable, in a sentence of at least 20 characters.
        owner: The team or person that is responsible for it.
        until: The last day on which the waiver is valid, within a year: a date, or a string such as `2027-03-31`.
        accepts: One or several fingerprints of findings: another value is reported again. By default any value.
        subtree: Include everything below the construct.

    Raises:
        ConfigurationError: An argument is not allowed, or the construct is not in a stack.
    """
    from constructs_lib.rules.waivers import check_waiver  # noqa: PLC0415  the rules load where they are used

    path = path_of(construct)
    notes = metadata_of(construct)
    problems = Problems(path)
    if notes is None:
        problems.stop("construct", type(construct).__name__, "must be in a stack")
    waiver = check_waiver(
        {
            "rules": rules,
            "scope": f"{path}/**" if subtree else path,
            "reason": reason,
            "owner": owner,
            "until": until,
            "accepts": () if accepts is None else accepts,
            "origin": caller_here(),
        },
        problems,
    )
    problems.raise_if_any()
    assert waiver is not None  # noqa: S101  there were no problems
    notes.waivers.append(waiver)


@jsii.implements(core.IValidation)
class _Rules:
    """The validation of the app, which the engine runs once, after it has written all stacks."""

    def __init__(
        self,
        app: core.App,
        environment: str | None,
        fail_on: str | None,
        waivers: Path | None,
        rules: tuple[Rule, ...] | None,
    ) -> None:
        self._app = app
        self._environment = environment
        self._fail_on = fail_on
        self._waivers = waivers
        self._rules = rules

    def validate(self) -> list[str]:
        """Return why the synthesis fails; an exception would reach the caller without its text."""
        try:
            return self._validate()
        except ConfigurationError as error:
            return [str(error)]
        except Exception:  # noqa: BLE001  the engine would drop the traceback
            return [f"the rules failed:\n{traceback.format_exc()}"]

    def _validate(self) -> list[str]:
        from constructs_lib.rules.checking import check  # noqa: PLC0415
        from constructs_lib.rules.estate.loading import load  # noqa: PLC0415
        from constructs_lib.rules.settings import read_settings  # noqa: PLC0415
        from constructs_lib.rules.waivers import find_file, read_file  # noqa: PLC0415

        out = Path(self._app.outdir)
        stacks = self._app.manifest.stacks.values()
        folders = {stack.construct_path: out / Path(stack.synthesized_stack_path).parent for stack in stacks}
        if not folders:
            return []
        for path, notes in metadata_below(self._app).items():
            if path in folders:
                notes.write(folders[path])
        file = self._waivers or find_file([])
        settings = read_settings()
        report = check(
            load(folders.values(), environment=self._environment),
            rules=self._rules,
            waivers=read_file(file) if file else (),
            settings=settings,
        )
        return self._report(report, out, self._fail_on or settings.fail_on or "error")

    def _report(self, report: Report, out: Path, fail_on: str) -> list[str]:
        from constructs_lib.rules.reports import Options, render  # noqa: PLC0415
        from constructs_lib.rules.reports.common import broken, counted, has_colours  # noqa: PLC0415

        options = Options(
            fail_on=fail_on,
            brief=True,
            colour=has_colours(sys.stderr),
            width=min(shutil.get_terminal_size().columns, _WIDEST),
        )
        for format_ in ("json", "sarif"):
            (out / f"{FINDINGS}.{format_}").write_text(render(report, format_, options), encoding="utf-8")
        if report.findings or report.skipped or report.changed:
            path = "" if out == Path("cdktf.out") else f" {out}"
            details = f"Details: constructs-lib check{path} --verbose"
            print(f"{render(report, 'text', options)}{details}", file=sys.stderr)  # noqa: T201  a report is printed
        if report.result.broken:
            return [broken(report)]
        failing = report.failing(fail_on)
        if not failing:
            return []
        ids = ", ".join(sorted({finding.id for finding in failing}))
        text = (
            f"{counted(report)}; {_FAILING[fail_on]} the synthesis: {ids}. The report is above and in "
            f"{out / FINDINGS}.json. Fix the findings, or accept them with acknowledge() or in waivers.toml."
        )
        return [text]
