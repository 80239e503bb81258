from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    Environment,
    Fifo,
    HardenedStack,
    NoAlarms,
    Queue,
    SqsManagedKey,
)
from constructs_lib.core.iam import ServiceRole
from tests.constructs.other_stacks import read_from_another_stack
from tests.constructs.queues import ACCOUNT, KEY, TLS_ONLY, TOPIC, key_in, key_statements, statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize

REASON = "holds nothing but public prices"
RULE = "${aws_cloudwatch_event_rule.x.arn}"
JOBS, FAILED = "aws_sqs_queue.jobs_eu_west_1", "aws_sqs_queue.jobs_dead_letter_eu_west_1"


def arn(address: str) -> str:
    return f"${{{address}.arn}}"


def build(stack: HardenedStack) -> None:
    key = key_in(stack)
    region = key.region
    jobs = Queue(stack, "jobs", region=region, key=key, alarm_topics=[TOPIC])
    Queue(
        stack,
        "tuned",
        region=region,
        key=key,
        visibility_timeout=600,
        retention_days=7,
        delay_seconds=30,
        max_message_bytes=65536,
        max_receive_count=3,
        age_alarm_seconds=60,
        depth_alarm_messages=10,
    )
    Queue(
        stack,
        "steps",
        region=region,
        key=key,
        fifo=Fifo(
            content_based_deduplication=True,
            deduplication_scope="messageGroup",
            throughput_limit="perMessageGroupId",
        ),
    )
    Queue(stack, "prices", region=region, key=SqsManagedKey(REASON)).allow_service("events.amazonaws.com", RULE)
    role = ServiceRole(
        stack, "worker", region=region, service="lambda.amazonaws.com", description="Works", statements=[]
    )
    jobs.grant_send(role)
    jobs.grant_consume(role)
    jobs.dead_letter_queue.grant_send(role)
    jobs.allow_service("events.amazonaws.com", RULE)
    jobs.allow_service("events.amazonaws.com", RULE)
    jobs.allow_service("sns.amazonaws.com", "arn:aws:sns:eu-west-1:123456789012:news")
    jobs.allow_service("s3.amazonaws.com", "arn:aws:s3:::uploads")


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build, "prod")


def queue(synthesized: SynthesizedStack, path: str) -> Any:
    return synthesized.resource("aws_sqs_queue", f"shop/{path}/Resource")


def test_a_queue_is_encrypted_and_has_long_polling_and_a_redrive_policy(synthesized: SynthesizedStack) -> None:
    block = queue(synthesized, "jobs")
    assert block.address == JOBS
    block.assert_config(
        {
            "delay_seconds": 0,
            "kms_data_key_reuse_period_seconds": 300,
            "kms_master_key_id": KEY,
            "max_message_size": 262144,
            "message_retention_seconds": 345600,
            "name": "shop-prod-jobs-eu-west-1",
            "receive_wait_time_seconds": 20,
            "redrive_policy": json.dumps({"deadLetterTargetArn": arn(FAILED), "maxReceiveCount": 5}),
            "visibility_timeout_seconds": 30,
        }
    )


def test_the_dead_letter_queue_keeps_messages_for_14_days_and_serves_this_queue_only(
    synthesized: SynthesizedStack,
) -> None:
    queue(synthesized, "jobs/dead-letter").assert_config(
        {
            "kms_data_key_reuse_period_seconds": 300,
            "kms_master_key_id": KEY,
            "message_retention_seconds": 1209600,
            "name": "shop-prod-jobs-dead-letter-eu-west-1",
            "visibility_timeout_seconds": 1800,
        }
    )
    synthesized.resource("aws_sqs_queue_redrive_allow_policy", "shop/jobs/*").assert_config(
        {
            "queue_url": f"${{{FAILED}.id}}",
            "redrive_allow_policy": json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [arn(JOBS)]}),
        }
    )


def test_arguments_are_set_on_the_queue(synthesized: SynthesizedStack) -> None:
    block = queue(synthesized, "tuned")
    expected = {
        "delay_seconds": 30,
        "max_message_size": 65536,
        "message_retention_seconds": 604800,
        "visibility_timeout_seconds": 600,
    }
    assert {name: block[name] for name in expected} == expected
    assert json.loads(block["redrive_policy"])["maxReceiveCount"] == 3


def test_a_fifo_queue_has_the_suffix_and_so_has_its_dead_letter_queue(synthesized: SynthesizedStack) -> None:
    block = queue(synthesized, "steps")
    expected = {
        "content_based_deduplication": True,
        "deduplication_scope": "messageGroup",
        "fifo_queue": True,
        "fifo_throughput_limit": "perMessageGroupId",
        "name": "shop-prod-steps-eu-west-1.fifo",
    }
    assert {name: block[name] for name in expected} == expected
    failed = queue(synthesized, "steps/dead-letter")
    assert (failed["name"], failed["fifo_queue"]) == ("shop-prod-steps-dead-letter-eu-west-1.fifo", True)


def test_a_long_name_leaves_room_for_the_suffix(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        key = key_in(stack)
        Queue(stack, "steps-" + "of-a-very-long-story-" * 4 + "end", region=key.region, key=key, fifo=Fifo())

    names = [block["name"] for block in synth_stack(fill).resources("aws_sqs_queue")]
    assert [len(name) for name in names] == [80, 80]
    assert all(name.endswith(".fifo") for name in names)


def test_an_sqs_managed_key_encrypts_both_queues_and_is_recorded_as_an_opt_out(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    stacks = []

    def fill(stack: HardenedStack) -> None:
        stacks.append(stack)
        Queue(stack, "prices", region=stack.region("eu-west-1"), key=SqsManagedKey(REASON))

    synthesized = synth_stack(fill)
    for block in synthesized.resources("aws_sqs_queue"):
        assert block["sqs_managed_sse_enabled"] is True
        assert "kms_master_key_id" not in block
    assert stacks[0].opt_outs == [("shop/prices", SqsManagedKey(REASON))]


def test_the_access_policy_allows_named_sources_and_denies_connections_without_tls(
    synthesized: SynthesizedStack,
) -> None:
    def sender(service: str, source: str, *more: dict[str, Any]) -> dict[str, Any]:
        condition = {"test": "ArnEquals", "variable": "aws:SourceArn", "values": [source]}
        return {
            "effect": "Allow",
            "actions": ["sqs:SendMessage"],
            "resources": [arn(JOBS)],
            "principals": [{"type": "Service", "identifiers": [service]}],
            "condition": [condition, *more],
        }

    own = {"test": "StringEquals", "variable": "aws:SourceAccount", "values": [ACCOUNT]}
    assert statements(synthesized, "shop/jobs/policy-document") == {
        "TlsOnly": {**TLS_ONLY, "resources": [arn(JOBS)]},
        "Events": sender("events.amazonaws.com", RULE),
        "Sns": sender("sns.amazonaws.com", "arn:aws:sns:eu-west-1:123456789012:news"),
        "S3": sender("s3.amazonaws.com", "arn:aws:s3:::uploads", own),
    }
    assert statements(synthesized, "shop/jobs/dead-letter/policy-document") == {
        "TlsOnly": {**TLS_ONLY, "resources": [arn(FAILED)]}
    }
    synthesized.resource("aws_sqs_queue_policy", "shop/jobs/policy").assert_config(
        {
            "policy": "${data.aws_iam_policy_document.jobs_policy_document_eu_west_1.json}",
            "queue_url": f"${{{JOBS}.id}}",
        }
    )


def test_the_key_policy_allows_services_for_queues_of_the_project_only(synthesized: SynthesizedStack) -> None:
    found = key_statements(synthesized)
    assert list(found) == ["AccountPolicies", "CloudWatchLogs", "Events", "Events2", "Sns", "S3"]
    for sid, service in (("Events2", "events"), ("Sns", "sns"), ("S3", "s3")):
        assert found[sid]["Principal"] == {"Service": [f"{service}.amazonaws.com"]}
        assert found[sid]["Condition"] == {
            "StringLike": {"kms:EncryptionContext:aws:sqs:arn": [f"arn:aws:sqs:eu-west-1:{ACCOUNT}:shop-prod-*"]}
        }


def test_grants_include_the_permissions_on_the_key(synthesized: SynthesizedStack) -> None:
    assert statements(synthesized, "shop/worker/policy-document") == {
        "SendJobs": {"effect": "Allow", "actions": ["sqs:SendMessage"], "resources": [arn(JOBS)]},
        "SendKeyJobs": {"effect": "Allow", "actions": ["kms:Decrypt", "kms:GenerateDataKey"], "resources": [KEY]},
        "ConsumeJobs": {
            "effect": "Allow",
            "actions": [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",
                "sqs:ReceiveMessage",
            ],
            "resources": [arn(JOBS)],
        },
        "ConsumeKeyJobs": {"effect": "Allow", "actions": ["kms:Decrypt"], "resources": [KEY]},
        "SendJobsDeadLetter": {"effect": "Allow", "actions": ["sqs:SendMessage"], "resources": [arn(FAILED)]},
        "SendKeyJobsDeadLetter": {
            "effect": "Allow",
            "actions": ["kms:Decrypt", "kms:GenerateDataKey"],
            "resources": [KEY],
        },
    }


def test_age_depth_and_the_dead_letter_queue_have_alarms_in_prod(synthesized: SynthesizedStack) -> None:
    common = {
        "actions_enabled": True,
        "alarm_actions": [TOPIC],
        "comparison_operator": "GreaterThanThreshold",
        "namespace": "AWS/SQS",
        "ok_actions": [TOPIC],
        "statistic": "Maximum",
        "treat_missing_data": "notBreaching",
    }
    steady = {"datapoints_to_alarm": 3, "evaluation_periods": 3, "period": 300}
    expected = {
        "age-alarm": {
            **steady,
            "alarm_description": (
                "A message has waited for more than 900 seconds: look at the consumer's errors and throttles"
            ),
            "alarm_name": "shop-prod-jobs-age-alarm-eu-west-1",
            "dimensions": {"QueueName": f"${{{JOBS}.name}}"},
            "metric_name": "ApproximateAgeOfOldestMessage",
            "threshold": 900,
        },
        "depth-alarm": {
            **steady,
            "alarm_description": "More than 1000 messages wait: the consumers do not keep up with the senders",
            "alarm_name": "shop-prod-jobs-depth-alarm-eu-west-1",
            "dimensions": {"QueueName": f"${{{JOBS}.name}}"},
            "metric_name": "ApproximateNumberOfMessagesVisible",
            "threshold": 1000,
        },
        "dead-letter-alarm": {
            "alarm_description": (
                "A message could not be processed: find out why, fix the cause, then start a redrive within 14 days"
            ),
            "alarm_name": "shop-prod-jobs-dead-letter-alarm-eu-west-1",
            "datapoints_to_alarm": 1,
            "dimensions": {"QueueName": f"${{{FAILED}.name}}"},
            "evaluation_periods": 1,
            "metric_name": "ApproximateNumberOfMessagesVisible",
            "period": 60,
            "threshold": 0,
        },
    }
    for id_, config in expected.items():
        synthesized.resource("aws_cloudwatch_metric_alarm", f"shop/jobs/{id_}").assert_config({**common, **config})
    thresholds = [alarm["threshold"] for alarm in synthesized.resources("aws_cloudwatch_metric_alarm", "shop/tuned/*")]
    assert thresholds == [60, 0, 10]


def test_only_prod_has_alarms(synth_stack: Callable[..., SynthesizedStack], environment: Environment) -> None:
    def fill(stack: HardenedStack) -> None:
        key = key_in(stack)
        Queue(stack, "jobs", region=key.region, key=key)
        Queue(stack, "quiet", region=key.region, key=key, alarms=NoAlarms("is looked at by hand every morning"))

    found = synth_stack(fill, environment).find("aws_cloudwatch_metric_alarm")
    assert [alarm.path for alarm in found] == (
        ["shop/jobs/age-alarm", "shop/jobs/dead-letter-alarm", "shop/jobs/depth-alarm"] if environment == "prod" else []
    )


def test_outputs_name_the_queue_and_its_dead_letter_queue(synthesized: SynthesizedStack) -> None:
    expected = {
        "jobs_url_eu_west_1": f"${{{JOBS}.id}}",
        "jobs_arn_eu_west_1": arn(JOBS),
        "jobs_dead_letter_url_eu_west_1": f"${{{FAILED}.id}}",
    }
    assert {name: synthesized.outputs[name] for name in expected} == expected


def test_attributes_work_in_other_stacks(synthesize: Synthesize) -> None:
    def build_one(stack: HardenedStack) -> dict[str, str]:
        key = key_in(stack)
        jobs = Queue(stack, "jobs", region=key.region, key=key)
        failed = jobs.dead_letter_queue
        return {"arn": jobs.arn, "url": jobs.url, "failed_arn": failed.arn, "failed_url": failed.url}

    assert read_from_another_stack(synthesize, build_one) == {
        "arn": arn(JOBS),
        "url": f"${{{JOBS}.id}}",
        "failed_arn": arn(FAILED),
        "failed_url": f"${{{FAILED}.id}}",
    }


def test_old_names_work_and_warn(synth_stack: Callable[..., SynthesizedStack]) -> None:
    old: dict[str, Any] = {"max_age_seconds": 60, "max_depth": 10}

    def fill(stack: HardenedStack) -> None:
        key = key_in(stack)
        with pytest.deprecated_call(match="use age_alarm_seconds|use depth_alarm_messages"):
            jobs = Queue(stack, "jobs", region=key.region, key=key, **old)
        with pytest.deprecated_call(match="EncryptedQueue.qualified_arn is deprecated .* use arn"):
            assert jobs.qualified_arn == jobs.arn

    alarms = synth_stack(fill, "prod").resources("aws_cloudwatch_metric_alarm")
    assert [alarm["threshold"] for alarm in alarms] == [60, 0, 10]
