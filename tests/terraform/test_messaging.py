"""Queues, buses and event sources for real: validated in every environment, applied, planned again, destroyed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    Environment,
    EventBus,
    EventTarget,
    ExternalEventBus,
    Fifo,
    HardenedStack,
    InputTransformer,
    MultiRegionKey,
    Queue,
    SqsManagedKey,
    aws,
)
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.terraform import Terraform, Workspace
from tests.constructs.queues import function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

pytestmark = pytest.mark.terraform

EU, US = "eu-west-1", "us-east-1"
PAID: dict[str, Any] = {"source": "shop.orders", "detail-type": "OrderPaid", "detail": {"id": "1", "amount": 5}}
PATTERN: dict[str, Any] = {"source": ["shop.orders"], "detail": {"amount": [{"numeric": [">", 0]}]}}


def build(stack: HardenedStack) -> None:
    eu, us = stack.region(EU), stack.region(US)
    key = MultiRegionKey(stack, "key", region=eu, replicas=[us])
    worker, pay = function(key, "worker"), function(key, "pay")
    jobs = Queue(stack, "jobs", region=eu, key=key)
    steps = Queue(stack, "steps", region=eu, key=key, fifo=Fifo(content_based_deduplication=True))
    prices = Queue(stack, "prices", region=eu, key=SqsManagedKey("holds nothing but public prices"))
    filters = [{"body": {"kind": ["job"]}}]
    worker.add_queue(prices, batch_size=100, batching_window=5, maximum_concurrency=4, filters=filters)
    worker.add_queue(steps)
    jobs.grant_send(pay)
    table = eu.create(
        stack,
        ("orders-table",),
        aws.dynamodb_table.DynamodbTable,
        name="shop-orders",
        hash_key="id",
        billing_mode="PAY_PER_REQUEST",
        stream_enabled=True,
        stream_view_type="NEW_AND_OLD_IMAGES",
        attribute=[aws.dynamodb_table.DynamodbTableAttribute(name="id", type="S")],
    )
    worker.add_stream("from-table", stack.ref(table, "stream_arn"))
    bus = EventBus(
        stack,
        "orders",
        region=eu,
        key=key,
        accounts=["123456789012"],
        organization="o-a1b2c3d4e5",
        allowed_sources=["partner.orders"],
    )
    bus.grant_put(pay, sources=["shop.orders"], detail_types=["OrderPaid"])
    order = InputTransformer({"id": "$.detail.id"}, '{"order": <id>}')
    theirs = ExternalEventBus(f"arn:aws:events:{EU}:210987654321:event-bus/theirs")
    bus.add_rule(
        "paid",
        pattern=PATTERN,
        samples=[PAID],
        targets=[
            jobs,
            EventTarget(steps, message_group_id="orders", input_transformer=order),
            worker,
            EventBus(stack, "copies", region=us, key=key),
            theirs,
        ],
    )
    bus.add_rule("nightly", schedule="cron(0 3 * * ? *)", targets=[EventTarget(worker, input='{"job": "nightly"}')])


def messaging(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]], environment: str
) -> SynthesizedStack:
    return synthesize(lambda app: build(HardenedStack(app, "shop", environment=environment, owner="team-shop")))["shop"]


@pytest.mark.parametrize("environment", list(Environment))
def test_the_real_provider_finds_the_stack_valid(
    synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform, environment: Environment
) -> None:
    with Workspace(messaging(synthesize, environment), terraform=aws_provider) as workspace:
        workspace.init()
        assert workspace.validate() == ()


@pytest.fixture(scope="module", params=["dev", "prod"])
def deployed(
    request: pytest.FixtureRequest, synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform
) -> Iterator[SimpleNamespace]:
    """The stack, applied to a local AWS of its own; destroyed at the end."""
    with (
        LocalAws() as local,
        Workspace(messaging(synthesize, request.param), aws=local, terraform=aws_provider) as workspace,
    ):
        workspace.init()
        workspace.plan()
        made = workspace.apply()
        yield SimpleNamespace(
            drift=workspace.drift(),
            left_out=workspace.left_out,
        )
        assert workspace.destroy().destroy.total() == made.add.total()


@pytest.mark.apply
def test_a_second_plan_changes_nothing(deployed: SimpleNamespace) -> None:
    assert (deployed.drift.unexpected, deployed.drift.known, deployed.left_out) == ((), (), ())
