"""What functions read from: queues and streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import ConfigurationError, Fifo, HardenedStack, Queue, Unreserved
from tests.constructs.queues import KEY, function, key_in, statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-11-22T00:00:00.000"
ALIAS = "${aws_lambda_alias.worker_live_eu_west_1.arn}"
ORDER = ["aws_iam_role_policy.worker_role_policy_eu_west_1"]
JOBS = "${aws_sqs_queue.jobs_eu_west_1.arn}"


def build(stack: HardenedStack) -> None:
    key = key_in(stack)
    worker, slow = function(key, "worker", timeout=60), function(key, "slow", timeout=300)
    jobs, steps, roomy = (
        Queue(stack, "jobs", region=key.region, key=key),
        Queue(stack, "steps", region=key.region, key=key, fifo=Fifo()),
        Queue(stack, "roomy", region=key.region, key=key, visibility_timeout=365, max_receive_count=1),
    )
    slow.add_queue(jobs)
    worker.add_queue(
        jobs, batch_size=100, batching_window=20, maximum_concurrency=10, filters=[{"body": {"kind": ["job"]}}]
    )
    worker.add_queue(steps)
    worker.add_queue(roomy, batching_window=5, maximum_concurrency=2)
    worker.add_stream("order-stream", STREAM, key=key)
    worker.add_stream(
        "second-stream",
        "${aws_dynamodb_table.t.stream_arn}",
        starting_position="TRIM_HORIZON",
        batch_size=500,
        batching_window=10,
        parallelization_factor=4,
        retries=2,
        maximum_record_age_seconds=60,
        filters=[{"eventName": ["INSERT"]}],
    )


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build)


def mapping(synthesized: SynthesizedStack, path: str) -> Any:
    return synthesized.resource("aws_lambda_event_source_mapping", f"shop/{path}")


def test_the_alias_is_invoked_with_batches_and_reports_partial_batch_failures(synthesized: SynthesizedStack) -> None:
    mapping(synthesized, "worker/from-jobs").assert_config(
        {
            "batch_size": 100,
            "depends_on": ORDER,
            "event_source_arn": JOBS,
            "filter_criteria": {"filter": [{"pattern": '{"body":{"kind":["job"]}}'}]},
            "function_name": ALIAS,
            "function_response_types": ["ReportBatchItemFailures"],
            "maximum_batching_window_in_seconds": 20,
            "scaling_config": {"maximum_concurrency": 10},
        }
    )
    mapping(synthesized, "worker/from-steps").assert_config(
        {
            "batch_size": 10,
            "depends_on": ORDER,
            "event_source_arn": "${aws_sqs_queue.steps_eu_west_1.arn}",
            "function_name": ALIAS,
            "function_response_types": ["ReportBatchItemFailures"],
        }
    )


def test_the_visibility_timeout_is_six_times_the_longest_timeout(synthesized: SynthesizedStack) -> None:
    visibility = {
        id_: synthesized.at(f"aws_sqs_queue.{id_}_eu_west_1")["visibility_timeout_seconds"]
        for id_ in ("jobs", "steps", "roomy")
    }
    assert visibility == {"jobs": 1800, "steps": 360, "roomy": 365}


def test_the_role_may_consume_the_queue_and_decrypt_messages(synthesized: SynthesizedStack) -> None:
    found = statements(synthesized, "shop/worker/role/policy-document")
    assert found["ConsumeJobs"]["resources"] == [JOBS]
    assert found["ConsumeKeyJobs"] == {"effect": "Allow", "actions": ["kms:Decrypt"], "resources": [KEY]}


def test_a_stream_splits_failed_batches_and_skips_old_records(synthesized: SynthesizedStack) -> None:
    common = {
        "bisect_batch_on_function_error": True,
        "depends_on": ORDER,
        "destination_config": {"on_failure": {"destination_arn": "${aws_sqs_queue.worker_dead_letter_eu_west_1.arn}"}},
        "function_name": ALIAS,
        "function_response_types": ["ReportBatchItemFailures"],
    }
    mapping(synthesized, "worker/order-stream").assert_config(
        {
            **common,
            "batch_size": 100,
            "event_source_arn": STREAM,
            "maximum_record_age_in_seconds": 21600,
            "maximum_retry_attempts": 10,
            "parallelization_factor": 1,
            "starting_position": "LATEST",
        }
    )
    mapping(synthesized, "worker/second-stream").assert_config(
        {
            **common,
            "batch_size": 500,
            "event_source_arn": "${aws_dynamodb_table.t.stream_arn}",
            "filter_criteria": {"filter": [{"pattern": '{"eventName":["INSERT"]}'}]},
            "maximum_batching_window_in_seconds": 10,
            "maximum_record_age_in_seconds": 60,
            "maximum_retry_attempts": 2,
            "parallelization_factor": 4,
            "starting_position": "TRIM_HORIZON",
        }
    )


def test_the_role_may_read_the_stream_and_decrypt_it(synthesized: SynthesizedStack) -> None:
    found = statements(synthesized, "shop/worker/role/policy-document")
    assert {sid: found[sid] for sid in found if "Stream" in sid} == {
        "OrderStreamRead": {
            "effect": "Allow",
            "actions": ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            "resources": [STREAM],
        },
        "OrderStreamKey": {"effect": "Allow", "actions": ["kms:Decrypt"], "resources": [KEY]},
        "SecondStreamRead": {
            "effect": "Allow",
            "actions": ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            "resources": ["${aws_dynamodb_table.t.stream_arn}"],
        },
        "ListStreams": {"effect": "Allow", "actions": ["dynamodb:ListStreams"], "resources": ["*"]},
    }


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as error:
        call()
    return str(error.value)


def test_a_visibility_timeout_shorter_than_a_consumer_needs_is_refused(stack: HardenedStack) -> None:
    key = key_in(stack)
    queue = Queue(stack, "jobs", region=key.region, key=key, visibility_timeout=184)
    assert refusal(lambda: function(key, "worker").add_queue(queue, batching_window=5)) == (
        "shop/jobs: visibility_timeout=184: shorter than shop/worker needs, so that messages are received again while "
        "it works on them; expected at least 185, 6 times its timeout=30 plus batching_window=5. Leave "
        "visibility_timeout out to have it follow the consumers"
    )


@pytest.mark.parametrize(
    ("queue", "arguments", "problem"),
    [
        ({}, {"batch_size": 0}, "batch_size=0: must be a whole number of messages from 1 to 10000"),
        ({}, {"batch_size": 10001}, "batch_size=10001: must be a whole number of messages from 1 to 10000"),
        ({}, {"batching_window": 301}, "batching_window=301: must be a whole number of seconds from 0 to 300"),
        ({}, {"batch_size": 11}, "batch_size=11: requires a batching_window of at least 1 second above 10"),
        (
            {"fifo": Fifo()},
            {"batch_size": 11, "batching_window": 1},
            (
                "batch_size=11: expected at most 10 for a FIFO queue\n"
                "shop/worker: batching_window=1: expected 0 for a FIFO queue"
            ),
        ),
        (
            {},
            {"maximum_concurrency": 1},
            "maximum_concurrency=1: must be a whole number of concurrent invocations from 2 to 1000",
        ),
        (
            {},
            {"maximum_concurrency": 11},
            (
                "maximum_concurrency=11: above reserved_concurrency=10, so that invocations are throttled and their messages "
                "go to the dead-letter queue unprocessed; expected at most 10"
            ),
        ),
        (
            {"max_receive_count": 4},
            {},
            (
                "queue='shop/jobs': has max_receive_count=4, and throttled batches count as received; expected at least 5. "
                "Raise it, or give maximum_concurrency"
            ),
        ),
        ({}, {"filters": {"body": ["x"]}}, "filters={'body': ['x']}: expected a list of at most 5 patterns"),
        ({}, {"filters": [{"a": [1]}] * 6}, f"filters={[{'a': [1]}] * 6}: expected a list of at most 5 patterns"),
        (
            {},
            {"filters": [{"body": ["x"]}, {"body": [{"wildcard": "x*"}]}]},
            (
                "filters[1]['body']={'wildcard': 'x*'}: must be one of the operators anything-but, equals-ignore-case, "
                "exists, numeric, prefix, suffix"
            ),
        ),
    ],
)
def test_queue_arguments_that_lambda_refuses_are_refused(
    stack: HardenedStack, queue: dict[str, Any], arguments: dict[str, Any], problem: str
) -> None:
    key = key_in(stack)
    jobs = Queue(stack, "jobs", region=key.region, key=key, **queue)
    worker = function(key, "worker")
    assert refusal(lambda: worker.add_queue(jobs, **arguments)) == f"shop/worker: {problem}"


def test_a_function_without_reserved_concurrency_accepts_a_maximum_concurrency(stack: HardenedStack) -> None:
    key = key_in(stack)
    worker = function(key, "worker", reserved_concurrency=Unreserved("runs once a night and waits for nobody"))
    jobs = Queue(stack, "jobs", region=key.region, key=key)
    worker.add_queue(jobs, maximum_concurrency=1000)
    assert jobs.consumers == [worker]
    assert refusal(lambda: worker.add_queue(jobs)) == (
        "shop/worker/from-jobs: id_='from-jobs': already used in this scope; choose another id"
    )


def test_a_queue_of_another_region_is_refused(stack: HardenedStack) -> None:
    us = stack.region("us-east-1")
    key = key_in(stack, us)
    worker = function(key, "worker")
    far = Queue(stack, "far", region=us, key=key)
    assert refusal(lambda: worker.add_queue(far)) == (
        "shop/worker: queue='shop/far': expected a queue in the function's region and stack, eu-west-1 of shop"
    )
    assert refusal(lambda: worker.add_queue("arn")) == "shop/worker: queue='arn': expected a Queue"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stream", "arguments", "problem"),
    [
        ("orders", {}, "stream_arn='orders': expected the ARN of a DynamoDB stream"),
        (
            STREAM.replace("eu-west-1", "us-east-1"),
            {},
            f"stream_arn={STREAM.replace('eu-west-1', 'us-east-1')!r}: expected a stream in eu-west-1",
        ),
        (
            STREAM,
            {"starting_position": "AT_TIMESTAMP"},
            "starting_position='AT_TIMESTAMP': expected LATEST or TRIM_HORIZON",
        ),
        (
            STREAM,
            {"parallelization_factor": 11},
            "parallelization_factor=11: must be a whole number of concurrent batches from 1 to 10",
        ),
        (STREAM, {"retries": -1}, "retries=-1: must be a whole number of retries from 0 to 10000"),
        (
            STREAM,
            {"maximum_record_age_seconds": 59},
            "maximum_record_age_seconds=59: must be a whole number of seconds from 60 to 604800",
        ),
        (STREAM, {"batch_size": 0}, "batch_size=0: must be a whole number of messages from 1 to 10000"),
        (STREAM, {"batching_window": -1}, "batching_window=-1: must be a whole number of seconds from 0 to 300"),
        (STREAM, {"filters": "x"}, "filters='x': expected a list of at most 5 patterns"),
        (STREAM, {"filters": None}, "filters=None: expected a list of at most 5 patterns"),
    ],
)
def test_stream_arguments_that_lambda_refuses_are_refused(
    stack: HardenedStack, stream: str, arguments: dict[str, Any], problem: str
) -> None:
    worker = function(key_in(stack), "worker")
    assert refusal(lambda: worker.add_stream("orders", stream, **arguments)) == f"shop/worker: {problem}"
