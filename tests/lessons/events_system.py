"""The events system as its post-mortem found it, and as the stack makes it, for the tests of its lessons."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from constructs_lib import App, ConfigurationError, HardenedStack, InlineSource, MultiRegionKey, PaymentLambda
from constructs_lib.rules.catalogue import rules
from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import load
from stacks.events import REGION, EventsStack

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.rules.engine import Finding
    from constructs_lib.testing import SynthesizedStack

RAW: Final = Path(__file__).parent.parent / "rules" / "seeds" / "events" / "bad"
HANDLER: Final = "def handler(event, context):\n    return {'statusCode': 200}\n"
PLACE: Final = REGION.replace("-", "_")
ENVIRONMENTS: Final = ("dev", "staging", "prod")


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    """What the rules say about the system as the post-mortem found it, in production."""
    folder = tmp_path_factory.mktemp("prod") / "events"
    shutil.copytree(RAW, folder)
    (folder / "terraform.tfvars.json").write_text('{"environment_suffix": "prod"}', encoding="utf-8")
    return list(run(load([folder]), rules()).findings)


@pytest.fixture(scope="module")
def every(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]],
) -> dict[str, SynthesizedStack]:
    return {
        name: synthesize(lambda app, name=name: EventsStack(app, "events", environment=name))["events"]  # type: ignore[misc]
        for name in ENVIRONMENTS
    }


@pytest.fixture(params=ENVIRONMENTS)
def events(request: pytest.FixtureRequest, every: dict[str, SynthesizedStack]) -> SynthesizedStack:
    return every[request.param]


@pytest.fixture
def stack(tmp_path: Path) -> HardenedStack:
    return HardenedStack(App(outdir=str(tmp_path / "out")), "shop", environment="dev", owner="me")


@pytest.fixture
def key(stack: HardenedStack) -> MultiRegionKey:
    return MultiRegionKey(stack, "key", region=stack.region("eu-west-1"))


def found(raw: list[Finding], rule: str, address: str) -> list[str]:
    """Return what a rule says about one block, without the block's address."""
    about = [one for one in raw if (one.id, one.address) == (rule, address)]
    return [one.message.removeprefix(f"{address}: ") for one in about]


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as error:
        call()
    return str(error.value)


def function(key: MultiRegionKey, **changes: Any) -> PaymentLambda:
    arguments = {"source": InlineSource(HANDLER), "handler": "index.handler", "reserved_concurrency": 1, **changes}
    return PaymentLambda(key.region.stack, "fn", region=key.region, key=key, **arguments)
