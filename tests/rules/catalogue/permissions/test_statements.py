"""Statements of identity-based policies: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.rules.facts.permissions import RESOURCE_OF, SCOPED
from tests.rules.asking import doubted, found
from tests.rules.catalogue.permissions.documents import allow, policy


@pytest.mark.parametrize(
    "action",
    [
        "ec2:Describe*",
        "s3:ListAllMyBuckets",
        "xray:PutTraceSegments",
        "cloudwatch:PutMetricData",
        "ec2:CreateNetworkInterface",
        "logs:CreateLogDelivery",
        "ecr:GetAuthorizationToken",
        "sts:GetCallerIdentity",
        "kms:GenerateRandom",
        "ssm:UpdateInstanceInformation",
        "states:SendTaskSuccess",
        "sns:Publish",
        "unheardof:Anything",
    ],
)
def test_actions_without_resource_level_permissions_may_have_all_resources(action: str) -> None:
    assert found("IAM-003", policy(allow(action))) == []


@pytest.mark.parametrize(
    "action", ["s3:ListBucket", "LOGS:putlogevents", "sqs:*", "dynamodb:Batch*", "lambda:Invoke?unction"]
)
@pytest.mark.parametrize("resource", ["*", ["arn:aws:s3:::x", "*"], "arn:aws:*:*:*:*", "arn:aws:logs:*:*:*"])
def test_actions_with_resource_level_permissions_may_not(action: str, resource: object) -> None:
    assert len(found("IAM-003", policy(allow(action, resource)))) == 1


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:s3:::shop-*",
        "arn:aws:logs:*:*:log-group:/shop/*",
        "${aws_sqs_queue.q.arn}",
        "arn:${data.aws_partition.p.partition}:sqs:*:*:shop-*",
    ],
)
def test_prefixes_of_names_are_specific_resources(resource: str) -> None:
    made = policy(allow("sqs:SendMessage", resource), data={"aws_partition": {"p": {}}})
    made["resource"]["aws_sqs_queue"] = {"q": {"name": "shop"}}
    assert found("IAM-003", made) == []


def test_a_condition_on_a_resource_tag_restricts_the_resources() -> None:
    condition = {"StringEquals": {"aws:ResourceTag/Project": "shop"}}
    assert found("IAM-003", policy(allow("ec2:StopInstances", Condition=condition))) == []
    other = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    assert len(found("IAM-003", policy(allow("ec2:StopInstances", Condition=other)))) == 1


def test_deny_statements_are_clean() -> None:
    deny = {**allow(["*", "s3:*", "s3:GetObject", "iam:PassRole", "kms:Decrypt"]), "Effect": "Deny"}
    for id_ in ("IAM-001", "IAM-002", "IAM-003", "IAM-004", "IAM-005", "IAM-007", "IAM-008"):
        assert found(id_, policy(deny)) == [], id_


def test_each_mistake_is_reported_once() -> None:
    wide = policy(allow(["*"]), allow("kms:Decrypt"), allow("iam:PassRole"), allow("iam:PutRolePolicy"))
    findings = [len(found(id_, wide)) for id_ in ("IAM-001", "IAM-003", "IAM-004", "IAM-007", "IAM-008")]
    assert findings == [1, 0, 1, 1, 1]


def test_an_unknown_resource_is_undecided() -> None:
    variable: dict[str, Any] = {"variable": {"given": {}}}
    assert doubted("IAM-003", policy(allow("s3:GetObject", "${var.given}"), **variable)) == ["var.given has no default"]
    assert found("IAM-003", policy(allow("s3:GetObject", "arn:aws:s3:::${var.given}/*"), **variable)) == []


def test_the_message_has_the_only_resource_of_the_stack_as_an_example() -> None:
    (message,) = found("IAM-003", {**policy(allow("sqs:SendMessage")), "data": {}} | _with_queue())
    assert message.endswith("set Resource to ARNs, such as ${aws_sqs_queue.q.arn}")


def test_every_service_with_an_example_has_actions() -> None:
    assert set(RESOURCE_OF) <= set(SCOPED)


def test_a_condition_on_kms_via_service_is_clean() -> None:
    condition = {"StringEquals": {"kms:ViaService": "sqs.eu-west-1.amazonaws.com"}}
    assert found("IAM-008", policy(allow("kms:Decrypt", Condition=condition))) == []


def test_a_prefix_of_role_names_is_specific() -> None:
    assert found("IAM-004", policy(allow("iam:PassRole", "arn:aws:iam::*:role/shop-*"))) == []


def _with_queue() -> dict[str, Any]:
    made = policy(allow("sqs:SendMessage"))
    made["resource"]["aws_sqs_queue"] = {"q": {"name": "shop"}}
    return made
