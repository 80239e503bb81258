"""Event loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import AcceptedLoop, EventBus, HardenedStack, Queue
from tests.constructs.queues import function, key_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import MultiRegionKey, PaymentLambda
    from constructs_lib.testing import SynthesizedStack

PAID: dict[str, Any] = {"source": "shop.orders", "detail-type": "OrderPaid", "detail": {"id": "1"}}
PATTERN: dict[str, Any] = {"source": ["shop.orders"], "detail-type": ["OrderPaid"]}
REASON = "the third one stops it by its counter"


def looping(fill: Callable[[EventBus, PaymentLambda, MultiRegionKey], object]) -> Callable[[HardenedStack], None]:
    def build(stack: HardenedStack) -> None:
        key = key_in(stack, stack.region("us-east-1"))
        fill(EventBus(stack, "orders", region=key.region, key=key), function(key, "worker"), key)

    return build


def add(bus: EventBus, *targets: Any, **arguments: Any) -> None:
    bus.add_rule("paid", **{"pattern": PATTERN, "samples": [PAID], "targets": list(targets), **arguments})


def direct(bus: EventBus, worker: PaymentLambda, _key: MultiRegionKey) -> None:
    add(bus, worker)
    bus.grant_put(worker, sources=["shop.orders"])


def through_the_role_and_a_queue(bus: EventBus, worker: PaymentLambda, key: MultiRegionKey) -> None:
    jobs = Queue(bus.region.stack, "jobs", region=bus.region, key=key)
    add(bus, jobs)
    worker.add_queue(jobs)
    bus.grant_put(worker.role, sources=["shop.stock", "shop.orders"], detail_types=["OrderPaid", "OrderOpen"])


def through_another_bus(bus: EventBus, _worker: PaymentLambda, key: MultiRegionKey) -> None:
    there = EventBus(bus.region.stack, "copies", region=bus.region.stack.region("us-east-1"), key=key)
    add(bus, there)
    there.add_rule("back", pattern={"source": ["shop.orders"]}, samples=[PAID], targets=[bus])


WAY_OUT = "narrow the pattern, or detail_types of grant_put, or give loop=AcceptedLoop(reason)"


@pytest.mark.parametrize(
    ("fill", "sentence"),
    [
        (
            direct,
            (
                "rule shop/orders/paid: event loop: its target shop/worker may put events with source='shop.orders' into "
                f"the same bus, and the rule matches them again; {WAY_OUT}"
            ),
        ),
        (
            through_the_role_and_a_queue,
            (
                "rule shop/orders/paid: event loop: its target shop/worker may put events with source='shop.orders' and "
                f"detail-type='OrderPaid' into the same bus, and the rule matches them again; {WAY_OUT}"
            ),
        ),
        (
            through_another_bus,
            (
                "rule shop/orders/paid: event loop: it sends samples[0] to shop/copies, whose rule shop/copies/back "
                "sends it back; narrow one of the patterns, or give loop=AcceptedLoop(reason)"
            ),
        ),
    ],
)
def test_an_event_loop_fails_the_synthesis(
    synth_stack: Callable[..., SynthesizedStack], fill: Any, sentence: str
) -> None:
    with pytest.raises(RuntimeError) as error:
        synth_stack(looping(fill))
    assert sentence in str(error.value)
    assert str(error.value).count("[shop/orders] rule shop/orders/paid") == 1


def other_types(bus: EventBus, worker: PaymentLambda, _key: MultiRegionKey) -> None:
    add(bus, worker)
    bus.grant_put(worker, sources=["shop.orders"], detail_types=["OrderShipped"])
    bus.grant_put(worker, sources=["shop.stock"])


def other_function(bus: EventBus, worker: PaymentLambda, key: MultiRegionKey) -> None:
    add(bus, worker)
    bus.grant_put(function(key, "sender"), sources=["shop.orders"])


def accepted(bus: EventBus, worker: PaymentLambda, _key: MultiRegionKey) -> None:
    add(bus, worker, loop=AcceptedLoop(REASON))
    bus.grant_put(worker, sources=["shop.orders"])


def scheduled(bus: EventBus, worker: PaymentLambda, _key: MultiRegionKey) -> None:
    bus.add_rule("nightly", schedule="rate(1 day)", targets=[worker])
    bus.grant_put(worker, sources=["shop.orders"])


def other_events_back(bus: EventBus, _worker: PaymentLambda, key: MultiRegionKey) -> None:
    there = EventBus(bus.region.stack, "copies", region=bus.region.stack.region("us-east-1"), key=key)
    add(bus, there)
    answer = {**PAID, "detail-type": "OrderShipped"}
    there.add_rule("back", pattern={"detail-type": ["OrderShipped"]}, samples=[answer], targets=[bus])


def elsewhere(bus: EventBus, worker: PaymentLambda, key: MultiRegionKey) -> None:
    there = EventBus(bus.region.stack, "second", region=bus.region, key=key)
    add(bus, there)
    there.add_rule("on", pattern=PATTERN, samples=[PAID], targets=[worker])


@pytest.mark.parametrize("fill", [other_types, other_function, accepted, scheduled, other_events_back, elsewhere])
def test_rules_without_an_event_loop_are_accepted(synth_stack: Callable[..., SynthesizedStack], fill: Any) -> None:
    assert synth_stack(looping(fill)).resources("aws_cloudwatch_event_rule")


def test_an_accepted_loop_is_recorded_as_an_opt_out(stack: HardenedStack) -> None:
    looping(accepted)(stack)
    assert ("shop/orders/paid", AcceptedLoop(REASON)) in stack.opt_outs
