"""Rules about delivery: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

from typing import Any

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, resources
from tests.rules.catalogue.messaging.documents import ACCOUNT, arn, policy, queue


class TestDelivery:
    def test_a_target_with_a_role_needs_no_policy(self) -> None:
        change: dict[str, Any] = {
            "resource.aws_sqs_queue_policy": REMOVED,
            "resource.aws_cloudwatch_event_target.queue.role_arn": "arn:aws:iam::111122223333:role/events",
        }
        assert found("MSG-014", good("MSG-014", change)) == []

    def test_what_is_not_in_the_estate_is_not_looked_for(self) -> None:
        target = {"rule": "r", "arn": arn("elsewhere")}
        assert found("MSG-014", resources(aws_cloudwatch_event_target={"t": target})) == []

    def test_the_policy_of_a_queue_may_stand_in_another_stack_and_name_it_by_url(self) -> None:
        text = policy(Principal={"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}, Action="sqs:*")
        url = "https://sqs.eu-west-1.amazonaws.com/111122223333/shop-q"
        other = resources(aws_sqs_queue_policy={"p": {"queue_url": url, "policy": text}})
        document = queue()
        document["resource"]["aws_cloudwatch_event_target"] = {"t": {"rule": "r", "arn": "${aws_sqs_queue.q.arn}"}}
        assert found("MSG-014", document, other) == []
        assert len(found("MSG-014", document)) == 1

    def test_a_policy_that_cannot_be_read_leaves_it_open(self) -> None:
        change = {"resource.aws_sqs_queue_policy.jobs.policy": '${file("policy.json")}'}
        assert doubted("MSG-014", good("MSG-014", change))

    def test_a_policy_for_a_queue_that_is_not_known_leaves_it_open(self) -> None:
        document = good("MSG-014", {"resource.aws_sqs_queue_policy.jobs.queue_url": "${var.queue}"})
        assert doubted("MSG-014", {**document, "variable": {"queue": {}}}) == ["var.queue has no default"]

    def test_a_schedule_of_a_module_that_is_not_known_is_left_alone(self) -> None:
        target = {"rule": "r", "arn": "${module.jobs.queue_arn}"}
        document = {**resources(aws_cloudwatch_event_target={"t": target}), "module": {"jobs": {"source": "./jobs"}}}
        assert found("MSG-014", document) == []

    def test_mail_has_no_queue_for_what_is_not_delivered(self) -> None:
        subscription = {"protocol": "email", "endpoint": "ops@example.com", "topic_arn": "t"}
        assert found("MSG-025", resources(aws_sns_topic_subscription={"s": subscription})) == []
        assert found("MSG-022", resources(aws_sns_topic_subscription={"s": subscription})) == []


class TestKeys:
    def test_encryption_by_sqs_itself_needs_no_right(self) -> None:
        change = {"resource.aws_sqs_queue.jobs": {"name": "shop-prod-jobs", "sqs_managed_sse_enabled": True}}
        assert found("MSG-023", good("MSG-023", change)) == []

    def test_a_queue_that_no_service_sends_to_may_have_any_key(self) -> None:
        assert found("MSG-023", queue(kms_master_key_id="alias/aws/sqs")) == []

    def test_a_key_is_followed_through_its_alias_and_its_separate_policy(self) -> None:
        document = good("MSG-023", {"resource.aws_sqs_queue.jobs.kms_master_key_id": "${aws_kms_alias.a.name}"})
        key = document["resource"]["aws_kms_key"]["k"]
        document["resource"]["aws_kms_alias"] = {"a": {"name": "alias/shop", "target_key_id": "${aws_kms_key.k.id}"}}
        document["resource"]["aws_kms_key_policy"] = {
            "k": {"key_id": "${aws_kms_key.k.id}", "policy": key.pop("policy")}
        }
        assert found("MSG-023", document) == []
        document["resource"]["aws_kms_key_policy"]["k"]["policy"] = policy(Principal={"AWS": ACCOUNT}, Action="kms:*")
        assert len(found("MSG-023", document)) == 2

    def test_a_key_of_somebody_else_is_left_alone(self) -> None:
        change = {"resource.aws_sqs_queue.jobs.kms_master_key_id": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"}
        assert found("MSG-023", good("MSG-023", change)) == []

    def test_an_alarm_needs_the_key_of_its_topic(self) -> None:
        document = resources(
            aws_sns_topic={"t": {"kms_master_key_id": "alias/aws/sns"}},
            aws_cloudwatch_metric_alarm={"a": {"alarm_actions": ["${aws_sns_topic.t.arn}"]}},
        )
        (message,) = found("MSG-023", document)
        assert "cloudwatch.amazonaws.com cannot use an AWS managed key" in message
