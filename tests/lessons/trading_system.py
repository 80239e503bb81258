"""The trading system as its post-mortem found it, and as the stack makes it, for the tests of its lessons."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from constructs_lib import (
    App,
    ConfigurationError,
    HardenedStack,
    MultiRegionKey,
    RegionalBucket,
    WebTier,
)
from constructs_lib.rules.catalogue import rules
from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import load
from tests.constructs.web_tier.tiers import make_vpc
from tests.stacks.trading_systems import trading

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.rules.engine import Finding
    from constructs_lib.testing import SynthesizedStack

RAW: Final = Path(__file__).parent.parent / "rules" / "seeds" / "trading" / "bad"
ENVIRONMENTS: Final = ("dev", "staging", "prod")


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    """What the rules say about the system as the post-mortem found it, in production."""
    folder = tmp_path_factory.mktemp("prod") / "trading"
    shutil.copytree(RAW, folder)
    return list(run(load([folder]), rules()).findings)


@pytest.fixture(scope="module")
def every(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]],
) -> dict[str, SynthesizedStack]:
    return {name: trading(synthesize, name) for name in ENVIRONMENTS}


@pytest.fixture(params=ENVIRONMENTS)
def system(request: pytest.FixtureRequest, every: dict[str, SynthesizedStack]) -> SynthesizedStack:
    return every[request.param]


@pytest.fixture
def stack(tmp_path: Path) -> HardenedStack:
    return make_stack(tmp_path)


def make_stack(folder: Path, environment: str = "dev", **arguments: Any) -> HardenedStack:
    return HardenedStack(App(outdir=str(folder)), "shop", environment=environment, owner="me", **arguments)


def add_tier(stack: HardenedStack, **arguments: Any) -> WebTier:
    """Add a web tier without a certificate."""
    region = stack.region("eu-west-1")
    logs = RegionalBucket(stack, "logs", region=region, log_delivery=True)
    key = MultiRegionKey(stack, "key", region=region)
    return WebTier(stack, "web", region=region, vpc=make_vpc(stack), key=key, logs=logs, **arguments)


def found(raw: list[Finding], rule: str, address: str = "") -> list[str]:
    """Return what a rule says about one block, or about all, without the block's address."""
    about = [one for one in raw if one.id == rule and address in ("", one.address)]
    return [one.message.removeprefix(f"{address}: ") for one in about]


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as error:
        call()
    return str(error.value)
