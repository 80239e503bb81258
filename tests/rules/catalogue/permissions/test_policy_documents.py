"""Syntax and quotas of IAM policy documents: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

import json
from typing import Any

from tests.rules.asking import found, resources
from tests.rules.catalogue.permissions.documents import allow, document, policy


def test_policies_of_the_data_source_and_policy_variables_are_clean() -> None:
    statement = allow("s3:GetObject", "arn:aws:s3:::home/$${aws:username}/*")
    assert found("IAM-014", policy(statement)) == []
    by_data = {"data": {"aws_iam_policy_document": {"d": {"statement": {"actions": ["s3:GetObject"]}}}}}
    made = resources(aws_iam_role_policy={"p": {"policy": "${data.aws_iam_policy_document.d.json}"}}) | by_data
    for id_ in ("IAM-014", "IAM-015", "IAM-016"):
        assert found(id_, made) == [], id_


def test_policies_in_jsonencode_are_checked() -> None:
    text = '${jsonencode({Version = "2012-10-17", Statement = [{Effekt = "Allow", Action = aws_sqs_queue.q.arn}]})}'
    messages = found("IAM-014", resources(aws_iam_role_policy={"p": {"policy": text}}, aws_sqs_queue={"q": {}}))
    assert any('must not have the element "Effekt": IAM does not support it' in message for message in messages)


def test_a_single_statement_needs_no_list() -> None:
    made = resources(
        aws_iam_policy={"p": {"policy": json.dumps({"Version": "2012-10-17", "Statement": allow("s3:GetObject")})}}
    )
    assert found("IAM-014", made) == []


def test_empty_sids_are_not_duplicates() -> None:
    assert found("IAM-015", policy(allow("s3:GetObject", Sid=""), allow("s3:PutObject", Sid=""))) == []


def test_unknown_values_do_not_count_for_the_size() -> None:
    arns = [f"arn:aws:s3:::${{data.aws_caller_identity.me.account_id}}-{number}" for number in range(200)]
    data: dict[str, Any] = {"data": {"aws_caller_identity": {"me": {}}}}
    made = resources(aws_iam_policy={"p": {"policy": document(allow("s3:GetObject", arns))}}) | data
    assert found("IAM-017", made) == []


def test_white_space_does_not_count_for_the_size() -> None:
    arns = [f"arn:aws:s3:::bucket-{number}" for number in range(200)]
    wide = json.dumps(json.loads(document(allow("s3:GetObject", arns))), indent=30)
    assert len(wide) > 6_144
    assert found("IAM-017", resources(aws_iam_policy={"p": {"policy": wide}})) == []


def test_inline_policies_of_two_roles_are_counted_separately() -> None:
    text = document(allow("s3:GetObject", [f"arn:aws:s3:::bucket-{number:030}" for number in range(150)]))
    made = resources(
        aws_iam_role={name: {"name": name} for name in "ab"},
        aws_iam_role_policy={name: {"role": f"${{aws_iam_role.{name}.id}}", "policy": text} for name in "ab"},
    )
    assert found("IAM-017", made) == []
    made["resource"]["aws_iam_role_policy"]["b"]["role"] = "${aws_iam_role.a.id}"
    assert len(found("IAM-017", made)) == 2
