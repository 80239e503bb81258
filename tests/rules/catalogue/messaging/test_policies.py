"""Rules about resource policies: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import doubted, found, good, look, resources
from tests.rules.catalogue.messaging.documents import ACCOUNT, arn, policy, queue


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
    def test_a_public_principal_with_a_restricting_condition_passes(self, statement: dict[str, Any]) -> None:
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
    def test_a_condition_that_restricts_nothing_is_reported(self, condition: dict[str, Any]) -> None:
        holder = {"queue_url": "q", "policy": policy(Principal="*", Condition=condition)}
        assert len(found("MSG-006", resources(aws_sqs_queue_policy={"p": holder}))) == 1

    def test_a_policy_from_a_policy_document_is_checked(self) -> None:
        statement = {"sid": "Open", "actions": ["sns:Publish"], "principals": [{"type": "*", "identifiers": ["*"]}]}
        document = resources(aws_sns_topic_policy={"p": {"policy": "${data.aws_iam_policy_document.d.json}"}})
        document["data"] = {"aws_iam_policy_document": {"d": {"statement": statement}}}
        (message,) = found("MSG-010", document)
        assert 'the statement "Open" allows sns:Publish to every AWS account' in message

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
    def test_tls_may_be_required_in_several_ways(self, deny: dict[str, Any]) -> None:
        document = queue()
        text = policy(**{"Effect": "Deny", **deny})
        document["resource"]["aws_sqs_queue_policy"] = {"p": {"queue_url": "${aws_sqs_queue.q.url}", "policy": text}}
        assert found("MSG-007", document) == []

    def test_a_queue_policy_that_cannot_be_read_is_undecided(self) -> None:
        document = {**queue(policy="${var.policy}"), "variable": {"policy": {}}}
        assert doubted("MSG-007", document) == ["var.policy has no default"]

    def test_condition_keys_are_case_insensitive(self) -> None:
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
    def test_account_ids_pass_in_every_notation(self, principal: object) -> None:
        document = resources(aws_cloudwatch_event_permission={"p": {"principal": principal, "statement_id": "p"}})
        document["data"] = {"aws_caller_identity": {"current": {}}, "aws_organizations_organization": {"o": {}}}
        document["locals"] = {"account": ACCOUNT}
        messages, _ = look("MSG-011", document)
        assert messages == []

    def test_an_account_id_in_a_variable_is_undecided(self) -> None:
        document = resources(aws_cloudwatch_event_permission={"p": {"principal": "${var.account}"}})
        assert doubted("MSG-011", {**document, "variable": {"account": {}}}) == ["var.account has no default"]

    def test_a_public_permission_needs_an_organization_condition(self) -> None:
        change = {"resource.aws_cloudwatch_event_permission.all.condition.key": "aws:PrincipalType"}
        assert len(found("MSG-011", good("MSG-011", change))) == 1

    def test_an_event_bus_policy_may_deny_a_role(self) -> None:
        text = policy(Effect="Deny", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}, Action="events:*")
        document = resources(aws_cloudwatch_event_bus_policy={"p": {"policy": text}})
        assert found("MSG-012", document) == []
