"""Rules about EventBridge rules: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rules.asking import doubted, found, good, resources
from tests.rules.catalogue.messaging.documents import ACCOUNT, arn


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
    def test_every_comparison_operator_passes(self, pattern: dict[str, Any]) -> None:
        document = resources(aws_cloudwatch_event_rule={"r": {"event_pattern": json.dumps(pattern)}})
        assert found("MSG-015", document) == []

    def test_a_pattern_with_references_is_parsed(self) -> None:
        text = '{"source": ["aws.s3"], "detail": {"bucket": {"name": ["${aws_s3_bucket.b.id}"], "owner": "me"}}}'
        document = resources(aws_cloudwatch_event_rule={"r": {"event_pattern": text}}, aws_s3_bucket={"b": {}})
        (message,) = found("MSG-015", document)
        assert 'detail.bucket.owner must be a list; write ["me"]' in message

    def test_a_scheduled_rule_may_name_the_default_event_bus(self) -> None:
        change = {"resource.aws_cloudwatch_event_rule.nightly.event_bus_name": "default"}
        assert found("MSG-016", good("MSG-016", change)) == []

    def test_a_disabled_rule_needs_no_target(self) -> None:
        for off in ({"state": "DISABLED"}, {"is_enabled": "false"}):
            assert found("MSG-017", resources(aws_cloudwatch_event_rule={"r": {"name": "r", **off}})) == []

    def test_a_target_in_another_stack_counts(self) -> None:
        target = resources(aws_cloudwatch_event_target={"t": {"rule": "r", "arn": "x"}})
        assert found("MSG-017", resources(aws_cloudwatch_event_rule={"r": {"name": "r"}}), target) == []

    def test_a_target_of_an_unknown_rule_is_undecided(self) -> None:
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
    def test_valid_schedule_expressions_pass(self, type_: str, text: str) -> None:
        assert found("MSG-018", {"resource": {type_: {"s": {"schedule_expression": text}}}}) == []

    def test_at_expressions_are_for_eventbridge_scheduler_only(self) -> None:
        rule = {"schedule_expression": "at(2030-01-01T00:00:00)"}
        assert len(found("MSG-018", resources(aws_cloudwatch_event_rule={"s": rule}))) == 1


class TestLoops:
    def test_the_default_event_bus_of_another_region_is_not_a_loop(self) -> None:
        target = {"rule": "r", "arn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"}
        document = {
            **resources(aws_cloudwatch_event_target={"t": target}),
            "provider": {"aws": {"region": "eu-west-1"}},
        }
        assert found("MSG-021", document) == []
        target["arn"] = target["arn"].replace("us-east-1", "eu-west-1")
        assert len(found("MSG-021", document)) == 1

    def test_a_rule_that_sends_to_its_own_event_bus_by_name_is_reported(self) -> None:
        change = {
            "resource.aws_cloudwatch_event_target.paid.arn": f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/shop-prod-orders",
            "resource.aws_cloudwatch_event_target.paid.event_bus_name": "shop-prod-orders",
        }
        assert len(found("MSG-021", good("MSG-021", change))) == 1

    def test_a_subscription_with_a_filter_policy_is_not_a_loop(self) -> None:
        at = "resource.aws_lambda_function_event_invoke_config.worker.destination_config.on_success.destination"
        change = {
            at: "${aws_sns_topic.orders.arn}",
            "resource.aws_sns_topic_subscription.worker.filter_policy": '{"kind": ["new"]}',
        }
        assert found("MSG-021", good("MSG-021", change)) == []

    def test_a_function_that_is_not_defined_in_the_stacks_is_skipped(self) -> None:
        config = {"function_name": "elsewhere", "destination_config": {"on_success": {"destination": arn("q")}}}
        assert found("MSG-021", resources(aws_lambda_function_event_invoke_config={"c": config})) == []
