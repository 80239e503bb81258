"""Topics with every kind of subscription for real: validated in every environment, applied, planned again, destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib import AlarmTopic, Environment, HardenedStack, NotificationTopic, Queue
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.terraform import Terraform, Workspace
from tests.constructs.queues import function, key_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

    Synthesize = Callable[[Callable[[App], object]], dict[str, SynthesizedStack]]

pytestmark = pytest.mark.terraform


def build(stack: HardenedStack) -> None:
    key = key_in(stack)
    region = key.region
    alarms = AlarmTopic(stack, "alarms", region=region, key=key, subscribers=["on-call@example.com"])
    topic = NotificationTopic(
        stack, "orders", region=region, key=key, display_name="Orders", alarms=True, alarm_topics=[alarms.arn]
    )
    topic.subscribe(Queue(stack, "jobs", region=region, key=key), raw_message_delivery=True)
    topic.subscribe(function(key, "worker"), filter_policy={"kind": ["paid", {"prefix": "re"}]})
    body = {"detail": {"amount": [{"numeric": [">", 0]}]}}
    topic.subscribe("https://hooks.example.com/sns", filter_policy=body, filter_policy_scope="MessageBody")
    topic.grant_publish(function(key, "shop"))
    topic.allow_service("events.amazonaws.com", "arn:aws:events:eu-west-1:123456789012:rule/nightly")


def topics(synthesize: Synthesize, environment: str) -> SynthesizedStack:
    return synthesize(lambda app: build(HardenedStack(app, "shop", environment=environment, owner="me")))["shop"]


@pytest.mark.parametrize("environment", list(Environment))
def test_the_real_provider_finds_the_stack_valid(
    synthesize: Synthesize, aws_provider: Terraform, environment: Environment
) -> None:
    with Workspace(topics(synthesize, environment), terraform=aws_provider) as workspace:
        workspace.init()
        assert workspace.validate() == ()


@pytest.mark.apply
@pytest.mark.parametrize("environment", list(Environment))
def test_it_is_applied_once_and_destroyed(
    synthesize: Synthesize, aws_provider: Terraform, environment: Environment
) -> None:
    with (
        LocalAws() as local,
        Workspace(topics(synthesize, environment), aws=local, terraform=aws_provider) as workspace,
    ):
        workspace.init()
        workspace.plan()
        made = workspace.apply()
        drift = workspace.drift()
        assert (drift.unexpected, drift.known, workspace.left_out) == ((), (), ())
        assert workspace.destroy().destroy.total() == made.add.total()
