from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from constructs_lib import App, Environment, HardenedStack

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

pytest_plugins = ["pytester", "tests.terraform_fixtures"]

# Apps and their trees live on in the engine: looking through them for garbage again and again takes a tenth of the time.
gc.set_threshold(200_000, 50, 100)

# How long an example takes depends on what else the computer does.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(params=list(Environment))
def environment(request: pytest.FixtureRequest) -> Environment:
    """Every environment in turn."""
    value: Environment = request.param
    return value


@pytest.fixture(scope="session")
def synth_stack(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]],
) -> Callable[..., SynthesizedStack]:
    """Synthesize one stack named shop, in dev unless told otherwise, filled by the function given."""

    def run(build: Callable[[HardenedStack], object], environment: Environment | str = "dev") -> SynthesizedStack:
        def fill(app: App) -> None:
            build(HardenedStack(app, "shop", environment=environment, owner="team-shop"))

        return synthesize(fill)["shop"]

    return run


@pytest.fixture
def stack(tmp_path_factory: pytest.TempPathFactory) -> HardenedStack:
    """An empty dev stack named shop, for tests of refused input, which synthesize nothing."""
    app = App(outdir=str(tmp_path_factory.mktemp("stack") / "cdktf.out"))
    return HardenedStack(app, "shop", environment="dev", owner="team-shop")


LONGEST = ("faults", "trading", "aurora_upgrades", "payments", "platform", "ticketing", "events")
"""Modules of tests/terraform that take many minutes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest goes first, and the others fill the time around it: tests of real programs, whole systems."""

    def order(item: pytest.Item) -> tuple[bool, int]:
        name = item.path.stem.removeprefix("test_")
        whole = item.path.parent.name == "terraform" and name in LONGEST
        return item.get_closest_marker("smoke") is None, LONGEST.index(name) if whole else len(LONGEST)

    items.sort(key=order)
