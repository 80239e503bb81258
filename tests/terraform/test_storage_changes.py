"""What a change of a bucket, a table or a queue replaces: each planned against what is there, with a function beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    Fifo,
    GlobalTable,
    HardenedStack,
    InlineSource,
    MultiRegionKey,
    PaymentLambda,
    Queue,
    RegionalBucket,
)
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.terraform import Terraform, Workspace
from tests.terraform.changes import change_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

pytestmark = [pytest.mark.terraform, pytest.mark.apply]

BUCKET, TABLE = "aws_s3_bucket.data_eu_west_1", "aws_dynamodb_table.orders_eu_west_1"
QUEUE, DEAD = "aws_sqs_queue.work_eu_west_1", "aws_sqs_queue.work_dead_letter_eu_west_1"
STORES = (BUCKET, TABLE, QUEUE, DEAD)
REPLACED = "delete-create"
"""Destroyed first: the name is taken until then, so that create_before_destroy would fail."""


def system(
    synthesize: Callable[..., dict[str, SynthesizedStack]],
    *,
    bucket: dict[str, Any] | None = None,
    table: dict[str, Any] | None = None,
    queue: dict[str, Any] | None = None,
) -> SynthesizedStack:
    def build(app: App) -> None:
        stack = HardenedStack(app, "shop", environment="dev", owner="me")
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        data = RegionalBucket(stack, "data", region=region, key=key, **(bucket or {}))
        orders = GlobalTable(
            stack, "orders", region=region, key=key, **{"partition_key": "id", "sort_key": "day", **(table or {})}
        )
        work = Queue(stack, "work", region=region, key=key, **(queue or {}))
        function = PaymentLambda(
            stack,
            "fn",
            region=region,
            source=InlineSource("def handler(event, context):\n    return {}\n"),
            handler="index.handler",
            reserved_concurrency=1,
            key=key,
            environment={"BUCKET": data.id, "TABLE": orders.name, "QUEUE": work.url},
        )
        data.grant_write(function)
        orders.grant_write(function)
        work.grant_send(function)

    return synthesize(build)["shop"]


@pytest.fixture(scope="module")
def plan_of(
    synthesize: Callable[..., dict[str, SynthesizedStack]], aws_provider: Terraform
) -> Iterator[Callable[..., dict[str, str]]]:
    """Plan a change, and return the actions on the bucket, the table and the queues."""
    with LocalAws() as aws, Workspace(system(synthesize), aws=aws, terraform=aws_provider) as workspace:
        workspace.init()
        workspace.plan()
        workspace.apply()

        def plan(**changes: dict[str, Any]) -> dict[str, str]:
            found = change_to(workspace, system(synthesize, **changes))
            return {address: action for address, action in found.items() if address in STORES}

        yield plan


@pytest.mark.parametrize(
    ("changes", "actions"),
    [
        ({"bucket": {"noncurrent_days": 60, "expire_days": 90}}, {}),
        ({"bucket": {"protected": True}}, {}),
        ({"bucket": {"account_in_name": False}}, {BUCKET: REPLACED}),
        ({"table": {"ttl_attribute": "gone_at", "max_read_units": 7}}, {TABLE: "update"}),
        ({"table": {"table_class": "STANDARD_INFREQUENT_ACCESS"}}, {TABLE: "update"}),
        ({"table": {"deletion_protection": True}}, {TABLE: "update"}),
        ({"table": {"sort_key": None}}, {TABLE: REPLACED}),
        ({"table": {"partition_key": "customer"}}, {TABLE: REPLACED}),
        ({"queue": {"retention_days": 7, "visibility_timeout": 60}}, {QUEUE: "update"}),
        ({"queue": {"fifo": Fifo()}}, {QUEUE: REPLACED, DEAD: REPLACED}),
    ],
)
def test_what_is_replaced_is_destroyed_first_and_the_rest_changes_in_place(
    plan_of: Callable[..., dict[str, str]], changes: dict[str, dict[str, Any]], actions: dict[str, str]
) -> None:
    assert plan_of(**changes) == actions
