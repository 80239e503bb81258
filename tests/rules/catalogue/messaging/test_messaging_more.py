"""Rules about queues, topics and events: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

import json
from typing import Any

import pytest

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
        assert "cloudwatch.amazonaws.com may not use that of AWS" in message


class TestEventRules:
    @pytest.mark.parametrize(
        "pattern",
        [
            {"source": [{"prefix": ""}]},
            {"detail": {"total": [{"numeric": [">", 100]}], "state": [None, {"exists": False}]}},
            {"$or": [{"source": ["a"]}, {"detail": {"$or": [{"x": [1]}, {"y": ["z"]}]}}]},
            {"resources": [{"anything-but": {"prefix": "arn:aws:s3"}}], "replay-name": [{"exists": False}]},
        ],
    )
    def test_every_operator_may_stand_in_a_list(self, pattern: dict[str, Any]) -> None:
        document = resources(aws_cloudwatch_event_rule={"r": {"event_pattern": json.dumps(pattern)}})
        assert found("MSG-015", document) == []

    def test_a_pattern_with_references_is_read(self) -> None:
        text = '{"source": ["aws.s3"], "detail": {"bucket": {"name": ["${aws_s3_bucket.b.id}"], "owner": "me"}}}'
        document = resources(aws_cloudwatch_event_rule={"r": {"event_pattern": text}}, aws_s3_bucket={"b": {}})
        (message,) = found("MSG-015", document)
        assert 'detail.bucket.owner must be a list, such as ["me"]' in message

    def test_the_default_bus_may_be_named(self) -> None:
        change = {"resource.aws_cloudwatch_event_rule.nightly.event_bus_name": "default"}
        assert found("MSG-016", good("MSG-016", change)) == []

    def test_a_rule_that_is_switched_off_needs_no_target(self) -> None:
        for off in ({"state": "DISABLED"}, {"is_enabled": "false"}):
            assert found("MSG-017", resources(aws_cloudwatch_event_rule={"r": {"name": "r", **off}})) == []

    def test_a_target_of_another_stack_counts(self) -> None:
        target = resources(aws_cloudwatch_event_target={"t": {"rule": "r", "arn": "x"}})
        assert found("MSG-017", resources(aws_cloudwatch_event_rule={"r": {"name": "r"}}), target) == []

    def test_a_target_for_a_rule_that_is_not_known_leaves_it_open(self) -> None:
        document = resources(
            aws_cloudwatch_event_rule={"r": {"name": "r"}},
            aws_cloudwatch_event_target={"t": {"rule": "${var.rule}", "arn": "x"}},
        )
        assert doubted("MSG-017", {**document, "variable": {"rule": {}}}) == ["var.rule has no default"]

    @pytest.mark.parametrize(
        ("type_", "text"),
        [
            ("aws_cloudwatch_event_rule", "rate(1 day)"),
            ("aws_cloudwatch_event_rule", "cron(0/15 8-18 ? * MON-FRI *)"),
            ("aws_scheduler_schedule", "rate(1 hours)"),
            ("aws_scheduler_schedule", "at(2030-01-01T00:00:00)"),
        ],
    )
    def test_schedules_that_aws_reads_pass(self, type_: str, text: str) -> None:
        assert found("MSG-018", {"resource": {type_: {"s": {"schedule_expression": text}}}}) == []

    def test_a_single_time_is_for_schedules_only(self) -> None:
        rule = {"schedule_expression": "at(2030-01-01T00:00:00)"}
        assert len(found("MSG-018", resources(aws_cloudwatch_event_rule={"s": rule}))) == 1


class TestLoops:
    def test_the_bus_of_another_region_is_another_bus(self) -> None:
        target = {"rule": "r", "arn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"}
        document = {
            **resources(aws_cloudwatch_event_target={"t": target}),
            "provider": {"aws": {"region": "eu-west-1"}},
        }
        assert found("MSG-021", document) == []
        target["arn"] = target["arn"].replace("us-east-1", "eu-west-1")
        assert len(found("MSG-021", document)) == 1

    def test_a_rule_that_sends_to_its_bus_by_name_is_found(self) -> None:
        change = {
            "resource.aws_cloudwatch_event_target.paid.arn": f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/shop-prod-orders",
            "resource.aws_cloudwatch_event_target.paid.event_bus_name": "shop-prod-orders",
        }
        assert len(found("MSG-021", good("MSG-021", change))) == 1

    def test_a_subscription_with_a_filter_may_end_the_loop(self) -> None:
        at = "resource.aws_lambda_function_event_invoke_config.worker.destination_config.on_success.destination"
        change = {
            at: "${aws_sns_topic.orders.arn}",
            "resource.aws_sns_topic_subscription.worker.filter_policy": '{"kind": ["new"]}',
        }
        assert found("MSG-021", good("MSG-021", change)) == []

    def test_a_function_that_is_elsewhere_is_not_looked_at(self) -> None:
        config = {"function_name": "elsewhere", "destination_config": {"on_success": {"destination": arn("q")}}}
        assert found("MSG-021", resources(aws_lambda_function_event_invoke_config={"c": config})) == []


class TestLimits:
    @pytest.mark.parametrize(
        "arguments",
        [
            {"name": "${local.base}.fifo", "fifo_queue": "true"},
            {"name": None, "name_prefix": "shop-", "fifo_queue": True},
            {"name": None},
            {"name": "${random_pet.p.id}", "fifo_queue": True},
        ],
    )
    def test_names_that_agree_or_are_made_by_terraform_pass(self, arguments: dict[str, object]) -> None:
        document = {**queue(**arguments), "locals": {"base": "shop"}}
        document["resource"]["random_pet"] = {"p": {}}
        assert found("MSG-019", document) == []

    def test_an_ending_shows_although_the_beginning_is_not_known(self) -> None:
        document = {**queue(name="${var.env}-jobs", fifo_queue=True), "variable": {"env": {}}}
        assert len(found("MSG-019", document)) == 1
