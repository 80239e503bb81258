"""Permissions that Lambda requires of an execution role: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

import pytest

from tests.rules.asking import found, good, look

FUNCTION = "resource.aws_lambda_function.worker"


def test_permissions_may_be_in_an_attached_policy() -> None:
    made = good("IAM-024")
    inline = made["resource"].pop("aws_iam_role_policy")["worker"]["policy"]
    made["resource"]["aws_iam_policy"] = {"p": {"policy": inline}}
    attach = {"role": "${aws_iam_role.worker.name}", "policy_arn": "${aws_iam_policy.p.arn}"}
    made["resource"]["aws_iam_role_policy_attachment"]["p"] = attach
    assert found("IAM-024", made) == []
    made["resource"]["aws_iam_role_policy_attachment"].pop("p")
    assert len(found("IAM-024", made)) == 2


def test_permissions_may_be_in_inline_policy_of_the_role() -> None:
    made = good("IAM-024")
    inline = made["resource"].pop("aws_iam_role_policy")["worker"]["policy"]
    made["resource"]["aws_iam_role"]["worker"]["inline_policy"] = [{"name": "p", "policy": inline}]
    assert found("IAM-024", made) == []


@pytest.mark.parametrize(
    "arn", ["arn:aws:iam::aws:policy/AmazonSQSFullAccess", "arn:aws:iam::1:policy/ours", "${var.given}"]
)
def test_an_unknown_managed_policy_is_undecided(arn: str) -> None:
    made = good("IAM-024", {"resource.aws_iam_role_policy_attachment.vpc.policy_arn": arn})
    messages, doubts = look("IAM-024", made | {"variable": {"given": {}}})
    assert messages == []
    assert doubts


def test_an_unreadable_policy_is_undecided() -> None:
    made = good("IAM-024", {"resource.aws_iam_role_policy.worker.policy": '${file("policy.json")}'})
    messages, doubts = look("IAM-024", made)
    assert messages == []
    assert doubts


def test_a_policy_for_a_literal_role_name_is_undecided() -> None:
    made = good("IAM-024")
    made["resource"]["aws_iam_role_policy"]["worker"]["role"] = "shop-prod-worker"
    messages, doubts = look("IAM-024", made)
    assert messages == []
    assert doubts


def test_a_role_outside_these_stacks_is_not_checked() -> None:
    role = {f"{FUNCTION}.role": "arn:aws:iam::111122223333:role/elsewhere"}
    assert found("IAM-024", good("IAM-024", role)) == []


def test_a_table_stream_needs_the_permissions_for_streams() -> None:
    at = "resource.aws_lambda_event_source_mapping.jobs.event_source_arn"
    made = good("IAM-024", {at: "${aws_dynamodb_table.t.stream_arn}"})
    made["resource"]["aws_dynamodb_table"] = {"t": {"name": "t"}}
    (message,) = found("IAM-024", made)
    assert "must be allowed dynamodb:GetRecords, dynamodb:GetShardIterator, dynamodb:DescribeStream" in message
