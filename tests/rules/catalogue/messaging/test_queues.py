"""Rules about encryption and visibility timeouts: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from tests.rules.asking import doubted, found, good, resources
from tests.rules.catalogue.messaging.documents import ACCOUNT, arn, queue


class TestEncryption:
    def test_a_key_in_a_variable_is_undecided(self) -> None:
        document = {**queue(kms_master_key_id="${var.key}"), "variable": {"key": {}}}
        assert doubted("MSG-001", document) == ["var.key has no default"]


class TestVisibilityTimeout:
    def test_queue_and_function_are_matched_by_name_across_stacks(self) -> None:
        mapping = {
            "event_source_arn": arn("shop-q"),
            "function_name": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:shop-fn:live",
        }
        consumer = resources(
            aws_lambda_event_source_mapping={"m": mapping},
            aws_lambda_function={"fn": {"function_name": "shop-fn", "timeout": 60}},
        )
        (message,) = found("MSG-026", queue(), consumer)
        assert (
            "must be at least 360 seconds, six times the timeout of aws_lambda_function.fn of the stack shop1"
            in message
        )

    def test_a_visibility_timeout_is_reported_by_one_rule_only(self) -> None:
        document = good("MSG-026", {"resource.aws_sqs_queue.jobs.visibility_timeout_seconds": 29})
        assert len(found("MSG-026", document)) == 1
        assert found("MSG-002", document) == []
        document = good("MSG-026", {"resource.aws_sqs_queue.jobs.visibility_timeout_seconds": 30})
        assert found("MSG-026", document) == []
        assert len(found("MSG-002", document)) == 1

    def test_a_queue_and_function_that_are_not_defined_in_the_stacks_are_skipped(self) -> None:
        mapping = {"event_source_arn": arn("q"), "function_name": "f"}
        assert found("MSG-002", resources(aws_lambda_event_source_mapping={"m": mapping})) == []
