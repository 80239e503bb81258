from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib import Environment
from stacks.payments import PaymentsStack

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack


@pytest.fixture(scope="session")
def payments_in(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]],
) -> Callable[[str], SynthesizedStack]:
    """Return the payments stack of an environment, synthesized once."""
    made: dict[str, SynthesizedStack] = {}

    def get(environment: str) -> SynthesizedStack:
        if environment not in made:
            made[environment] = synthesize(lambda app: PaymentsStack(app, "payments", environment=environment))[
                "payments"
            ]
        return made[environment]

    return get


@pytest.fixture(params=list(Environment))
def payments(request: pytest.FixtureRequest, payments_in: Callable[[str], SynthesizedStack]) -> SynthesizedStack:
    """The payments stack in every environment in turn."""
    return payments_in(request.param)
