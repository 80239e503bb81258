"""Rules about dead-letter queues: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rules.asking import doubted, found, good
from tests.rules.catalogue.messaging.documents import arn, queue


class TestDeadLetterQueues:
    @pytest.mark.parametrize(
        "user",
        [
            {"aws_sqs_queue": {"source": {"redrive_policy": '{"deadLetterTargetArn": "%s", "maxReceiveCount": 3}'}}},
            {"aws_lambda_function": {"fn": {"dead_letter_config": {"target_arn": "%s"}}}},
            {"aws_cloudwatch_event_target": {"t": {"dead_letter_config": [{"arn": "%s"}]}}},
            {"aws_sns_topic_subscription": {"s": {"redrive_policy": '{"deadLetterTargetArn": "%s"}'}}},
            {"aws_scheduler_schedule": {"s": {"target": {"dead_letter_config": {"arn": "%s"}}}}},
        ],
    )
    @pytest.mark.parametrize("link", ["${aws_sqs_queue.q.arn}", arn("shop-q")])
    def test_a_referenced_dead_letter_queue_needs_no_dead_letter_queue(self, user: dict[str, Any], link: str) -> None:
        document = json.loads(json.dumps(user).replace("%s", link))
        own = document.get("aws_sqs_queue", {})
        document["aws_sqs_queue"] = {**own, "q": {"name": "shop-q"}}
        assert found("MSG-003", {"resource": document}) == []

    @pytest.mark.parametrize(
        "given", [{"name": "shop-jobs-DLQ"}, {"redrive_allow_policy": "{}"}, {"name": "failed-jobs"}]
    )
    def test_a_dead_letter_queue_is_recognized_by_name_or_redrive_allow_policy(self, given: dict[str, str]) -> None:
        assert found("MSG-003", queue(**given)) == []

    def test_a_separate_redrive_policy_resource_counts(self) -> None:
        document = queue()
        document["resource"]["aws_sqs_queue_redrive_policy"] = {
            "q": {
                "queue_url": "https://sqs.eu-west-1.amazonaws.com/111122223333/shop-q",
                "redrive_policy": json.dumps({"deadLetterTargetArn": arn("x"), "maxReceiveCount": 3}),
            }
        }
        assert found("MSG-003", document) == []

    def test_a_redrive_policy_in_a_variable_is_undecided(self) -> None:
        document = {**queue(redrive_policy="${var.redrive}"), "variable": {"redrive": {}}}
        assert doubted("MSG-003", document) == ["var.redrive has no default"]
        assert doubted("MSG-004", document) == ["var.redrive has no default"]

    @pytest.mark.parametrize("count", [1, 1000, "5"])
    def test_receive_counts_in_range_pass(self, count: object) -> None:
        document = queue(redrive_policy=json.dumps({"deadLetterTargetArn": arn("other"), "maxReceiveCount": count}))
        assert found("MSG-004", document) == []

    def test_a_literal_arn_of_the_source_queue_is_reported(self) -> None:
        document = queue(redrive_policy=json.dumps({"deadLetterTargetArn": arn("shop-q"), "maxReceiveCount": 3}))
        (message,) = found("MSG-004", document)
        assert "must name another queue" in message

    def test_a_queue_of_the_same_name_in_another_region_passes(self) -> None:
        far = json.dumps({"deadLetterTargetArn": arn("shop-q", region="us-east-1"), "maxReceiveCount": 3})
        document = {**queue(redrive_policy=far), "provider": {"aws": {"region": "eu-west-1"}}}
        assert found("MSG-004", document) == []

    def test_fifo_dead_letter_queues_may_have_a_shorter_retention(self) -> None:
        change = {"resource.aws_sqs_queue.ordered_dlq.message_retention_seconds": 86400}
        assert found("MSG-005", good("MSG-005", change)) == []
