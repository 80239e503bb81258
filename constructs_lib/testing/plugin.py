"""The pytest plugin: loads before any conftest, so that bindings are lazy, and provides the fixture `synthesize`.

The terminal summary reports how many tests marked `terraform` ran, because skipped tests are easily overlooked, and the
known differences between the local AWS and AWS that concern the applied stacks.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest

import constructs_lib  # noqa: F401  before every other import of the test run
from constructs_lib.testing.synthesized import SynthesizedStack, synthesize

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App

_MARKER: Final = "terraform"
_MARKED: Final = pytest.StashKey[frozenset[str]]()
_OUTPUT_KEY: Final = "constructs_lib"


@pytest.fixture(scope="session", name="synthesize")
def synthesize_fixture(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Callable[[App], object]], dict[str, SynthesizedStack]]:
    """Synthesize the stacks that a function adds to an App, and return them by stack id.

    Each call creates an App that writes to a temporary folder. The fixture has session scope, so that a fixture of any
    scope can use it: synthesize a large stack once and share it.
    """

    def run(build: Callable[[App], object]) -> dict[str, SynthesizedStack]:
        return synthesize(build, tmp_path_factory.mktemp("synth"))

    return run


def pytest_collection_finish(session: pytest.Session) -> None:
    """Record the selected tests that are marked."""
    marked = frozenset(item.nodeid for item in session.items if item.get_closest_marker(_MARKER))
    session.config.stash[_MARKED] = marked


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the records of a pytest-xdist worker to the controller, which prints the summary."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        applied = {name: sorted(types) for name, types in _applied_here().items()}
        output[_OUTPUT_KEY] = {"marked": sorted(session.config.stash.get(_MARKED, ())), "applied": applied}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401  pytest-xdist may be missing
    """Add the records of a pytest-xdist worker."""
    reported = getattr(node, "workeroutput", {}).get(_OUTPUT_KEY, {"marked": (), "applied": {}})
    stash = node.config.stash
    stash[_MARKED] = stash.get(_MARKED, frozenset()) | frozenset(reported["marked"])
    if reported["applied"]:
        from constructs_lib.testing.workspace import APPLIED  # noqa: PLC0415  most runs apply nothing

        APPLIED.update({name: frozenset(types) for name, types in reported["applied"].items()})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Report the marked tests that ran, and the known differences of the applied stacks."""
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
            # The stats also have warnings, and, without a name, successful setups.
            if not outcome or not isinstance(report, pytest.TestReport) or report.nodeid not in marked:
                continue
            if report.skipped and isinstance(report.longrepr, tuple):
                reasons[report.nodeid] = report.longrepr[2].removeprefix("Skipped: ")
            else:
                ran.add(report.nodeid)
    counted = Counter(reason for nodeid, reason in reasons.items() if nodeid not in ran)
    parts = [f"{len(ran)} ran", f"{counted.total()} skipped"]
    if left := len(marked) - len(ran) - counted.total():
        parts.append(f"{left} not run")
    why = "; ".join(f"{count}: {reason}" for reason, count in counted.most_common())
    return f"marked {_MARKER}: {', '.join(parts)}" + (f" ({why})" if why else "")


def _applied_here() -> dict[str, frozenset[str]]:
    # Most runs apply nothing and do not import the module.
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
    known = "known differences:" if lines else "no known differences"
    return [f"applied to a local AWS, not to AWS: {names}; {known}", *(f"  {line}" for line in lines)]
