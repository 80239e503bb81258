"""The pytest plugin: loads before any conftest, so that bindings are lazy, and offers the `synthesize` fixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import constructs_lib  # noqa: F401  first of all imports of the test run
from constructs_lib.testing.synthesized import SynthesizedStack, synthesize

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App


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
