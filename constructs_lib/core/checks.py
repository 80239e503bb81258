"""Rules at synth: `attach` makes it fail on findings, `acknowledge` accepts one where the construct is made."""

from __future__ import annotations

import shutil
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

import jsii

from constructs_lib._engine import core
from constructs_lib.core.metadata import caller_here, notes_below, notes_of, path_of
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
_WHAT_FAILS: Final = {"error": "errors fail", "warning": "errors and warnings fail", "info": "any finding fails"}


def attach(
    app: core.App,
    *,
    environment: str | None = None,
    fail_on: str = "error",
    waivers: str | Path | None = None,
    rules: Iterable[Rule] | None = None,
) -> None:
    """Look at everything that the app synthesizes, and fail the synthesis on findings.

    Once every stack is written, all of them are checked together; `findings.json` and `findings.sarif` are written into
    the output folder, and the report is printed when there is something to say.

    Args:
        app: The App.
        environment: dev, staging or prod for all stacks; by default each block's own, read from its tags.
        fail_on: error, warning or info: the level from which on the synthesis fails; never to report only.
        waivers: A file of waivers; `waivers.toml` in the current folder by default, where there is one.
        rules: All by default.

    Raises:
        ConfigurationError: An argument that cannot be used, or an app that has the rules attached already.
    """
    from constructs_lib.rules.checking import FAIL_ON  # noqa: PLC0415  the rules load where they are used

    problems = Problems("attach")
    problems.check(environment in _ENVIRONMENTS, "environment", environment, "must be dev, staging or prod")
    problems.check(fail_on in FAIL_ON, "fail_on", fail_on, f"must be one of {', '.join(FAIL_ON)}")
    problems.check(waivers is None or Path(waivers).is_file(), "waivers", str(waivers), "is no file")
    problems.check(_ATTACHED not in vars(app), "app", "App", "has the rules attached already")
    problems.check(
        not app.skip_validation, "app", "App", "is told to skip validations, so that the rules would never run"
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
    """Accept findings of rules at a construct, for a reason and until a day.

    Args:
        construct: The construct or resource; its primary resource is meant as well.
        *rules: Ids such as `NET-003`.
        reason: Why, in a sentence of at least 20 characters.
        owner: The team or person who answers for it.
        until: The last day on which it holds, within a year: a date, or a text such as `2027-03-31`.
        accepts: The finding's fingerprint, or several: only this value is accepted, and a later one is found again.
        subtree: Mean everything below the construct too.

    Raises:
        ConfigurationError: An argument that cannot be used, or a construct outside of a stack.
    """
    from constructs_lib.rules.waivers import check_waiver  # noqa: PLC0415  the rules load where they are used

    path = path_of(construct)
    notes = notes_of(construct)
    problems = Problems(path)
    if notes is None:
        problems.stop("construct", type(construct).__name__, "must belong to a stack")
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
    """Asked by the engine once, after it wrote every stack."""

    def __init__(
        self,
        app: core.App,
        environment: str | None,
        fail_on: str,
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
            return [f"the rules cannot be run: {error}"]
        except Exception:  # noqa: BLE001  the engine shows nothing of it
            return [f"the rules cannot be run:\n{traceback.format_exc()}"]

    def _validate(self) -> list[str]:
        from constructs_lib.rules.checking import check  # noqa: PLC0415
        from constructs_lib.rules.estate.loading import load  # noqa: PLC0415
        from constructs_lib.rules.waivers import find_file, read_file  # noqa: PLC0415

        out = Path(self._app.outdir)
        stacks = self._app.manifest.stacks.values()
        folders = {stack.construct_path: out / Path(stack.synthesized_stack_path).parent for stack in stacks}
        if not folders:
            return []
        for path, notes in notes_below(self._app).items():
            if path in folders:
                notes.write(folders[path])
        file = self._waivers or find_file([])
        report = check(
            load(folders.values(), environment=self._environment),
            rules=self._rules,
            waivers=read_file(file) if file else (),
        )
        return self._tell(report, out)

    def _tell(self, report: Report, out: Path) -> list[str]:
        from constructs_lib.rules.reports import Options, render  # noqa: PLC0415
        from constructs_lib.rules.reports.common import broken, counted, has_colours  # noqa: PLC0415

        options = Options(
            fail_on=self._fail_on,
            colour=has_colours(sys.stderr),
            width=min(shutil.get_terminal_size().columns, _WIDEST),
        )
        for format_ in ("json", "sarif"):
            (out / f"{FINDINGS}.{format_}").write_text(render(report, format_, options), encoding="utf-8")
        if report.findings:
            print(render(report, "text", options), file=sys.stderr, end="")  # noqa: T201  a report is printed
        if report.result.broken:
            return [broken(report)]
        failing = report.failing(self._fail_on)
        if not failing:
            return []
        ids = ", ".join(sorted({finding.id for finding in failing}))
        text = (
            f"{counted(report)}; {_WHAT_FAILS[self._fail_on]} the synthesis: {ids}. The report is above and in "
            f"{out / FINDINGS}.json; mend them, or accept one with acknowledge() or in waivers.toml."
        )
        return [text]
