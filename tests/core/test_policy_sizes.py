"""Policies stay within AWS's quotas: statements that differ in their source are merged, larger policies are refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib import EventBus, HardenedStack, Queue
from constructs_lib.core.iam import Condition, PolicyDocument, Statement, merge_sources
from constructs_lib.foundation.policy_quotas import POLICY_QUOTAS, excess, policy_json, rendered_size
from tests.constructs.queues import function, key_in, statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

DOCS = "https://docs.aws.amazon.com"
EVENT: dict[str, Any] = {"source": "shop.orders"}


def sender(service: str, source: str, test: str = "ArnEquals", effect: str = "Allow") -> Statement:
    return Statement(
        sid=service.title(),
        actions=("sqs:SendMessage",),
        resources=("queue",),
        principals=(("Service", (f"{service}.amazonaws.com",)),),
        conditions=(Condition(test, "aws:SourceArn", (source,)),),
        effect=effect,
    )


SENDERS = st.builds(
    sender,
    st.sampled_from(["events", "sns"]),
    st.sampled_from("abcdef"),
    st.sampled_from(["ArnEquals", "ArnNotEquals"]),
    st.sampled_from(["Allow", "Deny"]),
)


@given(st.lists(SENDERS, max_size=20))
def test_merged_statements_decide_as_the_statements_did(given_statements: list[Statement]) -> None:
    def decisions(found: list[Statement]) -> set[tuple[object, ...]]:
        return {
            (one.effect, one.principals, source)
            for one in found
            for source in "abcdefg"
            for condition in one.conditions
            if (source in condition.values) == (condition.test == "ArnEquals")
        }

    merged = merge_sources(given_statements)
    assert decisions(merged) == decisions(given_statements)
    assert len({one.sid for one in merged}) == len(merged)
    assert sum(one.conditions[0].test == "ArnEquals" for one in merged) <= 4


def test_a_bus_with_60_rules_has_two_sources_in_the_policy_of_its_dead_letter_queue(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    def fill(stack: HardenedStack) -> None:
        key = key_in(stack)
        bus = EventBus(stack, "orders", region=key.region, key=key)
        jobs = [Queue(stack, f"jobs-{number}", region=key.region, key=key) for number in range(2)]
        for number in range(60):
            bus.add_rule(
                f"rule-{number}", pattern={"source": ["shop.orders"]}, samples=[EVENT], targets=[jobs[number % 2]]
            )

    stack = synth_stack(fill)
    found = statements(stack, "shop/orders/dead-letter/policy-document")
    assert {sid: len(one["condition"][0]["values"]) for sid, one in found.items()} == {"TlsOnly": 1, "Events": 2}
    found = statements(stack, "shop/jobs-0/policy-document")
    assert {sid: len(one["condition"][0]["values"]) for sid, one in found.items()} == {"TlsOnly": 1, "Events": 30}


def refused(synth_stack: Callable[..., SynthesizedStack], fill: Callable[[HardenedStack], object]) -> str:
    with pytest.raises(RuntimeError) as error:
        synth_stack(fill)
    found = re.search(r"\[shop/jobs\] (.*)", str(error.value))
    assert found, str(error.value)
    return found[1]


def test_a_queue_policy_above_the_quota_of_bytes_is_refused(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        key = key_in(stack)
        queue = Queue(stack, "jobs", region=key.region, key=key)
        for number in range(120):
            queue.allow_service("sns.amazonaws.com", f"arn:aws:sns:eu-west-1:123456789012:topic-{number:0>30}")

    text = refused(synth_stack, fill)
    assert text == (
        "the queue policy has about 9370 bytes; AWS allows 8192 "
        f"({DOCS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html)"
    )


def test_a_queue_policy_above_the_quota_of_statements_is_refused(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        key = key_in(stack)
        queue = Queue(stack, "jobs", region=key.region, key=key)
        for number in range(20):
            queue.allow_service(f"service-{number}.amazonaws.com", "arn:aws:sns:eu-west-1:123456789012:topic")

    assert refused(synth_stack, fill) == (
        "the queue policy has 21 statements; AWS allows 20 "
        f"({DOCS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html)"
    )


def test_a_functions_policy_above_the_quota_is_refused(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        key = key_in(stack)
        worker = function(key, "jobs")
        for number in range(70):
            arn = key.region.arn("events", f"rule/shop-dev-orders-eu-west-1/shop-dev-orders-{number}-eu-west-1")
            worker.allow_invoke(f"rule-{number}", service="events.amazonaws.com", source_arn=arn)

    text = refused(synth_stack, fill)
    assert text.endswith(f"; AWS allows 20480 ({DOCS}/lambda/latest/dg/gettingstarted-limits.html)")


@pytest.mark.parametrize("kind", ["role", "trust", "managed", "bucket", "event-bus", "topic", "logs"])
def test_every_kind_of_policy_has_a_quota(synth_stack: Callable[..., SynthesizedStack], kind: Any) -> None:
    quota = POLICY_QUOTAS[kind]
    statement = Statement("Many", ("sqs:SendMessage",), ("x" * quota.size,))

    def fill(stack: HardenedStack) -> None:
        key = key_in(stack)
        queue = Queue(stack, "jobs", region=key.region, key=key)
        PolicyDocument(queue, "other", [statement], kind=kind)

    assert refused(synth_stack, fill).startswith(f"the {quota.name} has about ")


def test_the_size_of_a_policy_is_the_one_that_aws_counts() -> None:
    arn = "${aws_cloudwatch_event_rule.orders_paid_eu_west_1.arn}"
    text = policy_json([Statement("A", ("a:B",), (arn, "${data.aws_caller_identity.x.account_id}")).as_json()])
    assert text == (
        '{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"a:B","Resource":'
        f'["{arn}","${{data.aws_caller_identity.x.account_id}}"]}}]}}'
    )
    rendered = "arn:aws:events:eu-central-1:000000000000:rule/shop/shop-dev-orders-paid-eu-west-1"
    expected = len(text) - len(arn) - len("${data.aws_caller_identity.x.account_id}") + len(rendered) + 12
    assert abs(rendered_size(text, "shop-dev-") - expected) < 10


def test_a_policy_at_its_quota_fits() -> None:
    assert excess("queue", 8192, 20) is None
    assert excess("queue", 8193, 20)
    assert excess("queue", 8192, 21)
