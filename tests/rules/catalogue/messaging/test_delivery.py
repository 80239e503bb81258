"""Rules about delivery: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from typing import Any

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, resources
from tests.rules.catalogue.messaging.documents import ACCOUNT, arn, policy, queue


class TestDelivery:
    def test_a_target_with_a_role_needs_no_resource_policy(self) -> None:
        change: dict[str, Any] = {
            "resource.aws_sqs_queue_policy": REMOVED,
            "resource.aws_cloudwatch_event_target.queue.role_arn": "arn:aws:iam::111122223333:role/events",
        }
        assert found("MSG-014", good("MSG-014", change)) == []

    def test_a_target_that_is_not_defined_in_the_stacks_is_skipped(self) -> None:
        target = {"rule": "r", "arn": arn("elsewhere")}
        assert found("MSG-014", resources(aws_cloudwatch_event_target={"t": target})) == []

    def test_a_queue_policy_in_another_stack_is_matched_by_queue_url(self) -> None:
        text = policy(Principal={"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}, Action="sqs:*")
        url = "https://sqs.eu-west-1.amazonaws.com/111122223333/shop-q"
        other = resources(aws_sqs_queue_policy={"p": {"queue_url": url, "policy": text}})
        document = queue()
        document["resource"]["aws_cloudwatch_event_target"] = {"t": {"rule": "r", "arn": "${aws_sqs_queue.q.arn}"}}
        assert found("MSG-014", document, other) == []
        assert len(found("MSG-014", document)) == 1

    def test_a_policy_that_cannot_be_read_is_undecided(self) -> None:
        change = {"resource.aws_sqs_queue_policy.jobs.policy": '${file("policy.json")}'}
        assert doubted("MSG-014", good("MSG-014", change))

    def test_a_policy_of_an_unknown_queue_is_undecided(self) -> None:
        document = good("MSG-014", {"resource.aws_sqs_queue_policy.jobs.queue_url": "${var.queue}"})
        assert doubted("MSG-014", {**document, "variable": {"queue": {}}}) == ["var.queue has no default"]

    def test_a_target_in_an_unknown_module_is_skipped(self) -> None:
        target = {"rule": "r", "arn": "${module.jobs.queue_arn}"}
        document = {**resources(aws_cloudwatch_event_target={"t": target}), "module": {"jobs": {"source": "./jobs"}}}
        assert found("MSG-014", document) == []

    def test_an_email_subscription_needs_no_dead_letter_queue_or_permission(self) -> None:
        subscription = {"protocol": "email", "endpoint": "ops@example.com", "topic_arn": "t"}
        assert found("MSG-025", resources(aws_sns_topic_subscription={"s": subscription})) == []
        assert found("MSG-022", resources(aws_sns_topic_subscription={"s": subscription})) == []


class TestKeys:
    def test_sse_sqs_needs_no_key_permission(self) -> None:
        change = {"resource.aws_sqs_queue.jobs": {"name": "shop-prod-jobs", "sqs_managed_sse_enabled": True}}
        assert found("MSG-023", good("MSG-023", change)) == []

    def test_a_queue_without_service_senders_may_have_any_key(self) -> None:
        assert found("MSG-023", queue(kms_master_key_id="alias/aws/sqs")) == []

    def test_a_key_is_resolved_through_its_alias_and_its_separate_policy(self) -> None:
        document = good("MSG-023", {"resource.aws_sqs_queue.jobs.kms_master_key_id": "${aws_kms_alias.a.name}"})
        key = document["resource"]["aws_kms_key"]["k"]
        document["resource"]["aws_kms_alias"] = {"a": {"name": "alias/shop", "target_key_id": "${aws_kms_key.k.id}"}}
        document["resource"]["aws_kms_key_policy"] = {
            "k": {"key_id": "${aws_kms_key.k.id}", "policy": key.pop("policy")}
        }
        assert found("MSG-023", document) == []
        document["resource"]["aws_kms_key_policy"]["k"]["policy"] = policy(Principal={"AWS": ACCOUNT}, Action="kms:*")
        assert len(found("MSG-023", document)) == 2

    def test_a_key_that_is_not_defined_in_the_stacks_is_skipped(self) -> None:
        change = {"resource.aws_sqs_queue.jobs.kms_master_key_id": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"}
        assert found("MSG-023", good("MSG-023", change)) == []

    def test_an_alarm_needs_permission_for_the_key_of_its_topic(self) -> None:
        document = resources(
            aws_sns_topic={"t": {"kms_master_key_id": "alias/aws/sns"}},
            aws_cloudwatch_metric_alarm={"a": {"alarm_actions": ["${aws_sns_topic.t.arn}"]}},
        )
        (message,) = found("MSG-023", document)
        assert "cloudwatch.amazonaws.com cannot use an AWS managed key" in message
