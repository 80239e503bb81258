"""Arguments that a queue refuses."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib import ConfigurationError, Fifo, HardenedStack, MultiRegionKey, Queue
from tests.constructs.queues import function, key_in

RULE = "${aws_cloudwatch_event_rule.x.arn}"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"retention_days": 15}, "retention_days=15: must be a whole number of days from 1 to 14"),
        ({"retention_days": 0}, "retention_days=0: must be a whole number of days from 1 to 14"),
        ({"delay_seconds": 901}, "delay_seconds=901: must be a whole number of seconds from 0 to 900"),
        ({"max_message_bytes": 1000}, "max_message_bytes=1000: must be a whole number of bytes from 1024 to 262144"),
        ({"max_receive_count": 0}, "max_receive_count=0: must be a whole number of receives from 1 to 1000"),
        ({"max_receive_count": True}, "max_receive_count=True: must be a whole number of receives from 1 to 1000"),
        ({"age_alarm_seconds": 59}, "age_alarm_seconds=59: must be a whole number of seconds from 60 to 1209600"),
        (
            {"depth_alarm_messages": 0},
            "depth_alarm_messages=0: must be a whole number of messages from 1 to 1000000000",
        ),
        (
            {"age_alarm_seconds": 86400, "retention_days": 1},
            (
                "age_alarm_seconds=86400: SQS deletes messages before they are that old; expected less than "
                "retention_days=1, which is 86400 seconds"
            ),
        ),
        *(
            (
                {"visibility_timeout": value},
                (
                    f"visibility_timeout={value!r}: must be a whole number of seconds from 0 to 43200, or None to follow "
                    "the consumers"
                ),
            )
            for value in (-1, 43201, "${var.x}")
        ),
        ({"fifo": True}, "fifo=True: expected Fifo(...) or None"),
        (
            {"fifo": Fifo(deduplication_scope="group")},  # type: ignore[arg-type]
            "fifo.deduplication_scope='group': expected queue or messageGroup",
        ),
        (
            {"fifo": Fifo(throughput_limit="none")},  # type: ignore[arg-type]
            "fifo.throughput_limit='none': expected perQueue or perMessageGroupId",
        ),
        (
            {"fifo": Fifo(throughput_limit="perMessageGroupId")},
            "fifo.throughput_limit='perMessageGroupId': requires deduplication_scope='messageGroup'",
        ),
        ({"alarms": 1}, "alarms=1: expected True, False or NoAlarms(reason)"),
    ],
)
def test_arguments_that_sqs_refuses_are_refused(stack: HardenedStack, arguments: dict[str, Any], problem: str) -> None:
    key = key_in(stack)
    with pytest.raises(ConfigurationError) as error:
        Queue(stack, "jobs", region=key.region, key=key, **arguments)
    assert str(error.value) == f"shop/jobs: {problem}"


def test_a_queue_without_a_key_is_refused(stack: HardenedStack) -> None:
    with pytest.raises(ConfigurationError) as error:
        Queue(stack, "jobs", region=stack.region("eu-west-1"), key=None)  # type: ignore[arg-type]
    assert str(error.value) == "shop/jobs: key=None: expected a MultiRegionKey, or SqsManagedKey(reason)"


def test_a_key_without_replica_in_the_region_is_refused(stack: HardenedStack) -> None:
    key = key_in(stack)
    with pytest.raises(ConfigurationError, match="exists in eu-west-1 and not in us-east-1"):
        Queue(stack, "jobs", region=stack.region("us-east-1"), key=key)


@pytest.mark.parametrize(
    ("fifo", "service", "source", "problem"),
    [
        (
            None,
            "arn:aws:iam::123456789012:role/x",
            RULE,
            ("service='arn:aws:iam::123456789012:role/x': expected a service principal such as 'events.amazonaws.com'"),
        ),
        (None, "*", RULE, "service='*': expected a service principal such as 'events.amazonaws.com'"),
        (
            None,
            "events.amazonaws.com",
            "*",
            "source_arn='*': expected an ARN, arn:partition:service:region:account:resource",
        ),
        (
            None,
            "sns.amazonaws.com",
            "arn:aws:sns:eu-west-1:*:news",
            "source_arn='arn:aws:sns:eu-west-1:*:news': matches resources of other accounts; expected an ARN with an account",
        ),
        (
            Fifo(),
            "s3.amazonaws.com",
            "arn:aws:s3:::uploads",
            "service='s3.amazonaws.com': S3 cannot send to FIFO queues; expected a standard queue",
        ),
    ],
)
def test_services_with_an_unsafe_source_are_refused(
    stack: HardenedStack, fifo: Fifo | None, service: str, source: str, problem: str
) -> None:
    key = key_in(stack)
    jobs = Queue(stack, "jobs", region=key.region, key=key, fifo=fifo)
    with pytest.raises(ConfigurationError) as error:
        jobs.allow_service(service, source)
    assert str(error.value) == f"shop/jobs: {problem}"


def test_a_grant_to_a_function_of_another_stack_is_refused(stack: HardenedStack) -> None:
    key = key_in(stack)
    jobs = Queue(stack, "jobs", region=key.region, key=key)
    other = HardenedStack(stack.node.scope, "other", environment="dev", owner="team-shop")  # type: ignore[arg-type]
    there = other.region("eu-west-1")
    foreign = function(MultiRegionKey(other, "key", region=there), "worker")
    for grant in (jobs.grant_send, jobs.grant_consume):
        with pytest.raises(ConfigurationError) as error:
            grant(foreign)
        assert str(error.value) == (
            "shop/jobs: grantee='other/worker': belongs to another stack; expected a role or function of shop. Add a "
            "statement with the queue's arn to the role there"
        )
