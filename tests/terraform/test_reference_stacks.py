"""Every reference stack for the real Terraform and provider: valid in every environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib import Environment
from constructs_lib.testing.terraform import Terraform, Workspace
from stacks.events import EventsStack
from stacks.payments import PaymentsStack
from stacks.platform import PlatformStack
from stacks.state_backend import StateBackendStack
from stacks.ticketing import TicketingStack
from stacks.trading import TradingStack
from tests.stacks.trading_systems import certificates

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

    Synthesize = Callable[[Callable[[App], object]], dict[str, SynthesizedStack]]

pytestmark = pytest.mark.terraform

STACKS = ("events", "payments", "platform", "state-backend", "ticketing", "trading")
ENVIRONMENTS = [
    pytest.param(Environment.DEV, marks=pytest.mark.smoke),
    Environment.STAGING,
    pytest.param(Environment.PROD, marks=pytest.mark.smoke),
]


@pytest.fixture(scope="module")
def synthesized(synthesize: Synthesize) -> Callable[[Environment], dict[str, SynthesizedStack]]:
    """The stacks of an environment, synthesized once."""
    made: dict[Environment, dict[str, SynthesizedStack]] = {}

    def of(environment: Environment) -> dict[str, SynthesizedStack]:
        def build(app: App) -> None:
            EventsStack(app, "events", environment=environment)
            PaymentsStack(app, "payments", environment=environment)
            PlatformStack(app, "platform", environment=environment)
            StateBackendStack(app, "state-backend", environment=environment)
            TicketingStack(app, "ticketing", environment=environment)
            TradingStack(app, "trading", environment=environment, certificates=certificates())

        if environment not in made:
            made[environment] = synthesize(build)
        return made[environment]

    return of


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("name", STACKS)
def test_the_real_provider_finds_the_stack_valid(
    synthesized: Callable[[Environment], dict[str, SynthesizedStack]],
    aws_provider: Terraform,
    name: str,
    environment: Environment,
) -> None:
    with Workspace(synthesized(environment)[name], terraform=aws_provider) as workspace:
        workspace.init()
        assert workspace.validate() == ()
