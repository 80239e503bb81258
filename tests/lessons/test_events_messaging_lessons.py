"""Lessons of the events post-mortem about functions, the bus and the queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    EventBus,
    LambdaLayer,
    MultiRegionKey,
    Queue,
)
from tests.lessons.events_system import PLACE, events, every, found, function, key, raw, refusal, stack

if TYPE_CHECKING:
    from pathlib import Path

    from constructs_lib.rules.engine import Finding
    from constructs_lib.testing import SynthesizedStack

__all__ = ["events", "every", "key", "raw", "stack"]


# EVT-2: four packages that do not exist


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("authorizer", "authorizer.zip"),
        ("event_ingestion", "event_ingestion.zip"),
        ("event_processing", "event_processing.zip"),
        ("event_storage", "event_storage.zip"),
    ],
)
def test_evt_2_a_package_that_nothing_builds_is_found(raw: list[Finding], name: str, package: str) -> None:
    assert found(raw, "LAM-001", f"aws_lambda_function.{name}") == [
        (
            f'filename = "{package}": file not found, and nothing builds it; must be the output_path of a '
            "data.archive_file, which packages the code in the same plan"
        )
    ]


def test_evt_2_a_source_that_is_not_there_is_refused(key: MultiRegionKey, tmp_path: Path) -> None:
    message = refusal(lambda: function(key, source=tmp_path / "authorizer.zip"))
    assert message.endswith(f"directory not found: {tmp_path / 'authorizer.zip'}")


def test_evt_2_each_function_is_packed_in_the_same_plan(events: SynthesizedStack) -> None:
    for name in ("auth_fn", "ingest_fn", "process_fn", "store_fn"):
        archive = f"data.archive_file.{name}_package_{PLACE}"
        assert events.at(archive)["type"] == "zip"
        assert events.at(f"aws_lambda_function.{name}_{PLACE}")["filename"] == f"${{{archive}.output_path}}"


# EVT-5: reserved concurrency eats the account's pool


def test_evt_5_more_than_the_account_has_is_found_with_who_reserves_what(raw: list[Finding]) -> None:
    assert found(raw, "LAM-023", "aws_lambda_function.event_archive") == [
        (
            "reserved_concurrent_executions = 700: the functions of this account and region must reserve at most 900 of "
            "1000 concurrent executions; they reserve 925: aws_lambda_function.event_archive 700, "
            "aws_lambda_function.event_ingestion 100, aws_lambda_function.event_storage 75, "
            "aws_lambda_function.event_processing 50"
        )
    ]


def test_evt_5_more_than_is_left_is_refused_with_who_reserves_what(key: MultiRegionKey) -> None:
    key.region.concurrency.reserve("shop/ingest-fn", 225, key.region.name)
    assert refusal(lambda: function(key, reserved_concurrency=700)) == (
        "shop/fn: reserved_concurrency=700: only 675 of the 1000 concurrent executions in eu-west-1 are left (100 stay "
        "unreserved; reserved by shop/ingest-fn 225): reserve less, or raise the account's quota and give "
        "region(..., concurrency_limit=). Request the increase in Service Quotas, of Lambda's "
        "Concurrent executions (L-B99A9384)"
    )


# EVT-10: a role as principal of the bus


def test_evt_10_a_role_as_principal_is_found(raw: list[Finding]) -> None:
    assert found(raw, "MSG-011", "aws_cloudwatch_event_permission.organization_access") == [
        (
            'principal = "${aws_iam_role.event_ingestion.arn}": must be a 12-digit account ID, or * with a condition on '
            "aws:PrincipalOrgID; EventBridge rejects ARNs"
        )
    ]


def test_evt_10_a_role_as_principal_is_refused(key: MultiRegionKey) -> None:
    role = "arn:aws:iam::123456789012:role/ingest"
    assert refusal(lambda: EventBus(key.region.stack, "bus", region=key.region, key=key, accounts=[role])) == (
        f"shop/bus: accounts={role!r}: is an ARN; expected an account id of 12 digits. When a role in a policy is "
        "deleted, AWS replaces its ARN with an id and refuses later changes of the policy. Allow the account; its IAM "
        "policies decide which roles may put events"
    )


# EVT-11: a queue without encryption


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            "MSG-001",
            (
                "sqs_managed_sse_enabled = false: must be true if kms_master_key_id is not set; prefer kms_master_key_id with "
                "a customer managed key"
            ),
        ),
        (
            "MSG-003",
            (
                'redrive_policy = null: must contain "deadLetterTargetArn" and "maxReceiveCount"; without a dead-letter '
                "queue, messages that always fail are lost"
            ),
        ),
        (
            "MSG-007",
            "policy = null: must deny sqs:* to * if aws:SecureTransport is false, here or in an aws_sqs_queue_policy",
        ),
    ],
)
def test_evt_11_an_open_queue_is_found(raw: list[Finding], rule: str, message: str) -> None:
    assert found(raw, rule, "aws_sqs_queue.event_queue") == [message]


def test_evt_11_a_queue_without_a_key_is_refused(key: MultiRegionKey) -> None:
    none: Any = None
    assert refusal(lambda: Queue(key.region.stack, "jobs", region=key.region, key=none)) == (
        "shop/jobs: key=None: expected a MultiRegionKey, or SqsManagedKey(reason)"
    )


def test_evt_11_every_queue_is_encrypted(events: SynthesizedStack) -> None:
    for queue in events.resources("aws_sqs_queue"):
        if queue["name"].endswith("-bus-dead-letter-eu-central-1"):  # for events of a lost key
            assert queue["sqs_managed_sse_enabled"] is True
        else:
            assert queue["kms_master_key_id"] == f"${{aws_kms_key.key_{PLACE}.arn}}"


# EVT-16: a layer's package that does not exist


def test_evt_16_a_layer_that_nothing_builds_is_found(raw: list[Finding]) -> None:
    assert found(raw, "LAM-003", "aws_lambda_layer_version.common_dependencies") == [
        (
            'filename = "common-dependencies-layer.zip": file not found, and nothing builds it; must be the '
            "output_path of a data.archive_file, which packages the code in the same plan"
        )
    ]


def test_evt_16_a_folder_that_is_not_there_is_refused(key: MultiRegionKey, tmp_path: Path) -> None:
    nothing = tmp_path / "common-dependencies"
    message = refusal(lambda: LambdaLayer(key.region.stack, "common", region=key.region, source=nothing))
    assert message.endswith(f"directory not found: {nothing}")


def test_evt_16_every_function_has_the_layer(events: SynthesizedStack) -> None:
    layer = events.resource("aws_lambda_layer_version")
    assert layer["filename"] == f"${{data.archive_file.shared_package_{PLACE}.output_path}}"
    layers = [function["layers"] for function in events.resources("aws_lambda_function")]
    assert layers == [[f"${{aws_lambda_layer_version.shared_{PLACE}.arn}}"]] * 4
