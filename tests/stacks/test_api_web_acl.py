"""The web ACLs of APIs that servers call: one address may use the API's whole rate, and the alarm notifies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stacks.payments import PaymentsStack
from stacks.ticketing import TicketingStack

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

    Synthesize = Callable[[Callable[[App], object]], dict[str, SynthesizedStack]]


@pytest.mark.parametrize("stack", [PaymentsStack, TicketingStack])
def test_one_address_may_use_the_whole_rate_of_the_api(
    synthesize: Synthesize, stack: type[PaymentsStack | TicketingStack]
) -> None:
    made = synthesize(lambda app: stack(app, "shop", environment="prod"))["shop"]
    acls = made.resources("aws_wafv2_web_acl")
    rates = {(one["throttling_rate_limit"]) for one in _settings(made)}
    assert rates == {1000}
    limits = {one["rule"][0]["statement"]["rate_based_statement"]["limit"] for one in acls}
    assert (len(acls), limits) == (len(made.resources("aws_api_gateway_stage")), {1000 * 300})
    alarms = made.resources("aws_cloudwatch_metric_alarm", "*/blocked-alarm")
    assert len(alarms) == len(acls)
    assert all(len(alarm["alarm_actions"]) == 1 for alarm in alarms)


def _settings(stack: SynthesizedStack) -> list[dict[str, int]]:
    return [one["settings"] for one in stack.resources("aws_api_gateway_method_settings")]
