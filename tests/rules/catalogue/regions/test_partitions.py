"""Partitions of ARNs: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

from tests.rules.asking import found


def test_partitions_from_data_sources_and_conditions_are_clean() -> None:
    document = {
        "provider": {"aws": {"region": "cn-north-1"}},
        "data": {"aws_partition": {"current": {}}},
        "resource": {
            "aws_iam_role_policy_attachment": {
                "a": {"policy_arn": "arn:${data.aws_partition.current.partition}:iam::aws:policy/ReadOnlyAccess"},
                "b": {"policy_arn": '${var.china ? "arn:aws-cn:iam::aws:policy/A" : "arn:aws:iam::aws:policy/A"}'},
            }
        },
    }
    assert found("REG-010", document) == []


def test_policy_documents_of_a_stack_in_two_partitions_are_not_checked() -> None:
    document: dict[str, Any] = {
        "provider": {"aws": [{"region": "eu-west-1"}, {"region": "cn-north-1", "alias": "cn"}]},
        "data": {"aws_iam_policy_document": {"a": {"statement": {"resources": ["arn:aws-cn:s3:::logs"]}}}},
    }
    assert found("REG-010", document) == []
    del document["provider"]["aws"][1]
    assert len(found("REG-010", document)) == 1
