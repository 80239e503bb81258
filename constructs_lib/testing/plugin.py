"""The pytest plugin: loads before any conftest, so that bindings are lazy, and offers the `synthesize` fixture.

At the end of a run it says how many tests marked `terraform` really ran, as a skipped one is easily taken for one that
passed, and how the local AWS that stacks were applied to is known to differ from AWS.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest

import constructs_lib  # noqa: F401  first of all imports of the test run
from constructs_lib.testing.synthesized import SynthesizedStack, synthesize

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App

_MARKER: Final = "terraform"
_MARKED: Final = pytest.StashKey[frozenset[str]]()
_TOLD: Final = "constructs_lib"


@pytest.fixture(scope="session", name="synthesize")
def synthesize_fixture(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Callable[[App], object]], dict[str, SynthesizedStack]]:
    """Return a function that takes a builder of stacks and returns what the app synthesizes, by stack id.

    The builder gets an App of its own, whose output goes to a temporary folder. Session-scoped, so that a fixture of
    any scope can use it: synthesize a large stack once and share it.
    """

    def run(build: Callable[[App], object]) -> dict[str, SynthesizedStack]:
        return synthesize(build, tmp_path_factory.mktemp("synth"))

    return run


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which of the tests that will run are marked."""
    marked = frozenset(item.nodeid for item in session.items if item.get_closest_marker(_MARKER))
    session.config.stash[_MARKED] = marked


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that prints the summary what happened here, where tests run in several processes."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        applied = {name: sorted(types) for name, types in _applied_here().items()}
        output[_TOLD] = {"marked": sorted(session.config.stash.get(_MARKED, ())), "applied": applied}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401  pytest-xdist may be missing
    """Take what another process tells when pytest-xdist ends it."""
    told = getattr(node, "workeroutput", {}).get(_TOLD, {"marked": (), "applied": {}})
    stash = node.config.stash
    stash[_MARKED] = stash.get(_MARKED, frozenset()) | frozenset(told["marked"])
    if told["applied"]:
        from constructs_lib.testing.workspace import APPLIED  # noqa: PLC0415  most runs apply nothing

        APPLIED.update({name: frozenset(types) for name, types in told["applied"].items()})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what really ran, and what the local AWS is no evidence for; pytest's own closing line comes after it."""
    if marked := config.stash.get(_MARKED, frozenset()):
        terminalreporter.section("the real Terraform")
        terminalreporter.write_line(_really_ran(terminalreporter, marked))
        for line in _applied():
            terminalreporter.write_line(line)


def _really_ran(terminalreporter: pytest.TerminalReporter, marked: frozenset[str]) -> str:
    reasons: dict[str, str] = {}
    ran: set[str] = set()
    for outcome, reports in terminalreporter.stats.items():
        for report in reports:
            # Warnings are here too, and under no name the setups of tests that are skipped later.
            if not outcome or not isinstance(report, pytest.TestReport) or report.nodeid not in marked:
                continue
            if report.skipped and isinstance(report.longrepr, tuple):
                reasons[report.nodeid] = report.longrepr[2].removeprefix("Skipped: ")
            else:
                ran.add(report.nodeid)
    counted = Counter(reason for nodeid, reason in reasons.items() if nodeid not in ran)
    parts = [f"{len(ran)} ran", f"{counted.total()} skipped"]
    if left := len(marked) - len(ran) - counted.total():
        parts.append(f"{left} not reached")
    why = "; ".join(f"{count}: {reason}" for reason, count in counted.most_common())
    return f"marked {_MARKER}: {', '.join(parts)}" + (f" ({why})" if why else "")


def _applied_here() -> dict[str, frozenset[str]]:
    # Most runs apply nothing, and then the module is not imported.
    workspace = sys.modules.get("constructs_lib.testing.workspace")
    applied: dict[str, frozenset[str]] = workspace.APPLIED if workspace else {}
    return applied


def _applied() -> list[str]:
    applied = _applied_here()
    if not applied:
        return []
    from constructs_lib.testing.local_aws.differences import differences_for, summary  # noqa: PLC0415

    types: frozenset[str] = frozenset().union(*applied.values())
    names = ", ".join(sorted(applied))
    lines = summary(differences_for(types))
    known = "known differences of what they hold:" if lines else "no known differences of what they hold"
    return [f"applied to a local AWS, not to AWS: {names}; {known}", *(f"  {line}" for line in lines)]
