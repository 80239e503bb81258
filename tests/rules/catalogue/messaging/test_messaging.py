"""Rules about queues, topics and events: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rules.asking import doubted, found, good, look, planned, resources
from tests.rules.catalogue.messaging.documents import ACCOUNT, arn, policy, queue


class TestEncryption:
    def test_a_key_that_is_a_variable_is_undecided(self) -> None:
        document = {**queue(kms_master_key_id="${var.key}"), "variable": {"key": {}}}
        assert doubted("MSG-001", document) == ["var.key has no default"]


class TestConsumers:
    def test_queue_and_function_may_be_linked_by_name_across_stacks(self) -> None:
        mapping = {
            "event_source_arn": arn("shop-q"),
            "function_name": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:shop-fn:live",
        }
        consumer = resources(
            aws_lambda_event_source_mapping={"m": mapping},
            aws_lambda_function={"fn": {"function_name": "shop-fn", "timeout": 60}},
        )
        (message,) = found("MSG-026", queue(), consumer)
        assert "must be at least 360, six times the timeout of aws_lambda_function.fn of the stack shop1" in message

    def test_a_visibility_that_aws_refuses_is_found_once(self) -> None:
        document = good("MSG-026", {"resource.aws_sqs_queue.jobs.visibility_timeout_seconds": 29})
        assert len(found("MSG-026", document)) == 1
        assert found("MSG-002", document) == []
        document = good("MSG-026", {"resource.aws_sqs_queue.jobs.visibility_timeout_seconds": 30})
        assert found("MSG-026", document) == []
        assert len(found("MSG-002", document)) == 1

    def test_ends_that_are_elsewhere_are_not_compared(self) -> None:
        mapping = {"event_source_arn": arn("q"), "function_name": "f"}
        assert found("MSG-002", resources(aws_lambda_event_source_mapping={"m": mapping})) == []


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
    def test_a_queue_that_keeps_failures_needs_no_other(self, user: dict[str, Any], link: str) -> None:
        document = json.loads(json.dumps(user).replace("%s", link))
        own = document.get("aws_sqs_queue", {})
        document["aws_sqs_queue"] = {**own, "q": {"name": "shop-q"}}
        assert found("MSG-003", {"resource": document}) == []

    @pytest.mark.parametrize(
        "given", [{"name": "shop-jobs-DLQ"}, {"redrive_allow_policy": "{}"}, {"name": "failed-jobs"}]
    )
    def test_a_queue_says_itself_that_it_keeps_failures(self, given: dict[str, str]) -> None:
        assert found("MSG-003", queue(**given)) == []

    def test_a_separate_redrive_policy_counts(self) -> None:
        document = queue()
        document["resource"]["aws_sqs_queue_redrive_policy"] = {
            "q": {
                "queue_url": "https://sqs.eu-west-1.amazonaws.com/111122223333/shop-q",
                "redrive_policy": json.dumps({"deadLetterTargetArn": arn("x"), "maxReceiveCount": 3}),
            }
        }
        assert found("MSG-003", document) == []

    def test_a_queue_with_a_redrive_policy_elsewhere_known_only_by_variable_is_undecided(self) -> None:
        document = {**queue(redrive_policy="${var.redrive}"), "variable": {"redrive": {}}}
        assert doubted("MSG-003", document) == ["var.redrive has no default"]
        assert doubted("MSG-004", document) == ["var.redrive has no default"]

    @pytest.mark.parametrize("count", [1, 1000, "5"])
    def test_counts_in_range_pass_and_queues_elsewhere_are_not_looked_for(self, count: object) -> None:
        document = queue(redrive_policy=json.dumps({"deadLetterTargetArn": arn("other"), "maxReceiveCount": count}))
        assert found("MSG-004", document) == []

    def test_a_literal_arn_of_the_queue_itself_is_found(self) -> None:
        document = queue(redrive_policy=json.dumps({"deadLetterTargetArn": arn("shop-q"), "maxReceiveCount": 3}))
        (message,) = found("MSG-004", document)
        assert "must name another queue" in message

    def test_a_queue_of_the_same_name_in_another_region_is_another_queue(self) -> None:
        far = json.dumps({"deadLetterTargetArn": arn("shop-q", region="us-east-1"), "maxReceiveCount": 3})
        document = {**queue(redrive_policy=far), "provider": {"aws": {"region": "eu-west-1"}}}
        assert found("MSG-004", document) == []

    def test_the_age_starts_anew_in_fifo_queues(self) -> None:
        change = {"resource.aws_sqs_queue.ordered_dlq.message_retention_seconds": 86400}
        assert found("MSG-005", good("MSG-005", change)) == []


class TestPolicies:
    @pytest.mark.parametrize(
        "statement",
        [
            {"Principal": "*", "Condition": {"ArnEquals": {"aws:SourceArn": "${aws_sns_topic.t.arn}"}}},
            {"Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}},
            {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "${var.organisation}"}}},
            {"Principal": "*", "Effect": "Deny"},
            {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
        ],
    )
    def test_everyone_within_a_limit_is_not_everyone(self, statement: dict[str, Any]) -> None:
        holder = {"queue_url": "q", "policy": policy(**statement)}
        document = resources(aws_sqs_queue_policy={"p": holder}, aws_sns_topic={"t": {}})
        document["variable"] = {"organisation": {}}
        assert found("MSG-006", document) == []

    @pytest.mark.parametrize(
        "condition",
        [
            {"Bool": {"aws:SecureTransport": "true"}},
            {"StringNotEquals": {"aws:SourceAccount": ACCOUNT}},
            {"StringLike": {"aws:PrincipalOrgID": "*"}},
        ],
    )
    def test_a_condition_that_limits_nothing_is_no_limit(self, condition: dict[str, Any]) -> None:
        holder = {"queue_url": "q", "policy": policy(Principal="*", Condition=condition)}
        assert len(found("MSG-006", resources(aws_sqs_queue_policy={"p": holder}))) == 1

    def test_a_policy_document_is_read(self) -> None:
        statement = {"sid": "Open", "actions": ["sns:Publish"], "principals": [{"type": "*", "identifiers": ["*"]}]}
        document = resources(aws_sns_topic_policy={"p": {"policy": "${data.aws_iam_policy_document.d.json}"}})
        document["data"] = {"aws_iam_policy_document": {"d": {"statement": statement}}}
        (message,) = found("MSG-010", document)
        assert 'the statement "Open" allows sns:Publish to every account' in message

    @pytest.mark.parametrize(
        "deny",
        [
            {"Principal": {"AWS": "*"}, "Action": "*", "Condition": {"Bool": {"aws:SecureTransport": False}}},
            {
                "Principal": {"AWS": "*"},
                "Action": ["sqs:SendMessage", "sqs:ReceiveMessage"],
                "Condition": {"BoolIfExists": {"AWS:securetransport": ["false"]}},
            },
        ],
    )
    def test_plain_http_may_be_denied_in_several_ways(self, deny: dict[str, Any]) -> None:
        document = queue()
        text = policy(**{"Effect": "Deny", **deny})
        document["resource"]["aws_sqs_queue_policy"] = {"p": {"queue_url": "${aws_sqs_queue.q.url}", "policy": text}}
        assert found("MSG-007", document) == []

    def test_a_queue_policy_that_cannot_be_read_is_undecided(self) -> None:
        document = {**queue(policy="${var.policy}"), "variable": {"policy": {}}}
        assert doubted("MSG-007", document) == ["var.policy has no default"]

    def test_a_service_with_one_source_passes_in_any_case_of_letters(self) -> None:
        source = {"ArnLike": {"AWS:SourceArn": arn("orders", "sns")}}
        text = policy(Principal={"Service": "sns.amazonaws.com"}, Condition=source)
        assert found("MSG-008", queue(policy=text)) == []


class TestBuses:
    @pytest.mark.parametrize(
        "principal",
        [
            "${data.aws_caller_identity.current.account_id}",
            "${data.aws_organizations_organization.o.master_account_id}",
            "${local.account}",
            111122223333,
        ],
    )
    def test_accounts_pass_however_they_are_given(self, principal: object) -> None:
        document = resources(aws_cloudwatch_event_permission={"p": {"principal": principal, "statement_id": "p"}})
        document["data"] = {"aws_caller_identity": {"current": {}}, "aws_organizations_organization": {"o": {}}}
        document["locals"] = {"account": ACCOUNT}
        messages, _ = look("MSG-011", document)
        assert messages == []

    def test_an_account_that_is_a_variable_is_undecided(self) -> None:
        document = resources(aws_cloudwatch_event_permission={"p": {"principal": "${var.account}"}})
        assert doubted("MSG-011", {**document, "variable": {"account": {}}}) == ["var.account has no default"]

    def test_everyone_needs_the_organisation_and_no_other_condition(self) -> None:
        change = {"resource.aws_cloudwatch_event_permission.all.condition.key": "aws:PrincipalType"}
        assert len(found("MSG-011", good("MSG-011", change))) == 1

    def test_roles_may_be_denied_in_a_bus_policy(self) -> None:
        text = policy(Effect="Deny", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}, Action="events:*")
        document = resources(aws_cloudwatch_event_bus_policy={"p": {"policy": text}})
        assert found("MSG-012", document) == []


def test_a_plan_says_0_where_a_queue_has_no_key_to_use_again() -> None:
    document = resources(aws_sqs_queue={"jobs": {"kms_data_key_reuse_period_seconds": 0}})
    assert found("MSG-020", planned(document)) == []
    assert found("MSG-020", document) == [
        "aws_sqs_queue.jobs: kms_data_key_reuse_period_seconds = 0: must be 60 to 86400"
    ]
