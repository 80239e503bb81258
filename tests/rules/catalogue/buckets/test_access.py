"""Rules of buckets/access: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import doubted, found, look, resources
from tests.rules.catalogue.buckets.documents import BUCKET, policy

ACCOUNT = "111122223333"
TLS = {"Effect": "Deny", "Action": "s3:*", "Resource": ["arn:aws:s3:::shop-data", "arn:aws:s3:::shop-data/*"]}
NO_TLS = {"Bool": {"aws:SecureTransport": "false"}}


def bucket_policy(**more: object) -> dict[str, Any]:
    return resources(
        aws_s3_bucket=BUCKET, aws_s3_bucket_policy={"p": {"bucket": "shop-data", "policy": policy(**more)}}
    )


def test_a_resource_for_an_unknown_bucket_leaves_the_bucket_undecided() -> None:
    document = resources(
        aws_s3_bucket=BUCKET,
        aws_s3_bucket_public_access_block={"b": {"bucket": "${var.bucket}"}},
    )
    assert doubted("S3-002", {**document, "variable": {"bucket": {}}}) == ["var.bucket has no default"]


def test_each_bucket_of_a_for_each_needs_its_own_public_access_block() -> None:
    document = resources(
        aws_s3_bucket={"all": {"for_each": {"a": 1, "b": 1}, "bucket": "shop-${each.key}"}},
        aws_s3_bucket_public_access_block={"one": {"bucket": '${aws_s3_bucket.all["a"].id}'}},
    )
    (message,) = found("S3-002", document)
    assert message.startswith('aws_s3_bucket.all["b"]: must have an aws_s3_bucket_public_access_block')


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
        {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}},
    ],
)
def test_a_statement_for_everyone_with_a_restricting_condition_is_not_public(condition: object) -> None:
    assert found("S3-003", bucket_policy(Condition=condition)) == []


def test_a_policy_document_data_source_is_read() -> None:
    document = resources(
        aws_s3_bucket=BUCKET,
        aws_s3_bucket_policy={"p": {"bucket": "shop-data", "policy": "${data.aws_iam_policy_document.p.json}"}},
    )
    open_ = {"actions": ["s3:*"], "resources": ["*"], "principals": [{"type": "AWS", "identifiers": ["*"]}]}
    document["data"] = {"aws_iam_policy_document": {"p": {"statement": open_}}}
    (message,) = found("S3-003", document)
    assert "a statement allows s3:* to everyone" in message


@pytest.mark.parametrize(
    "more",
    [
        {**TLS, "Condition": NO_TLS},
        {**TLS, "Condition": {"BoolIfExists": {"aws:SecureTransport": False}}, "Principal": {"AWS": "*"}},
        {**TLS, "Condition": NO_TLS, "Resource": "*"},
        {**TLS, "Condition": NO_TLS, "Action": ["s3:GetObject", "s3:PutObject"]},
    ],
)
def test_tls_may_be_required_in_several_forms(more: dict[str, Any]) -> None:
    assert found("S3-004", bucket_policy(**more)) == []


def test_one_of_two_policies_may_require_tls() -> None:
    document = bucket_policy(**TLS, Condition=NO_TLS)
    document["resource"]["aws_s3_bucket"] = {"data": {"bucket": "shop-data", "policy": policy()}}
    assert found("S3-004", document) == []


@pytest.mark.parametrize(
    "change",
    [
        {"Condition": NO_TLS},
        {"Condition": {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/admin"}}},
        {"Principal": None, "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:role/admin"}},
        {"Principal": {"AWS": "arn:aws:iam::111122223333:role/guest"}},
        {"Resource": "arn:aws:s3:::shop-data/*"},
        {"Action": ["s3:DeleteBucket", "s3:PutBucketPolicy"]},
        {"Action": "s3:*Object*"},
        {"Action": None, "NotAction": ["s3:*BucketPolicy"]},
        {"Action": None, "NotAction": ["${var.spared}"]},
        {"Effect": "Allow"},
    ],
)
def test_a_deny_that_exempts_some_principals_or_actions_passes(change: dict[str, Any]) -> None:
    document = bucket_policy(**{**TLS, **change})
    assert found("S3-022", {**document, "variable": {"spared": {}}}) == []


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"Action": None, "NotAction": "s3:GetObject"},
        {"Resource": "*"},
        {"Resource": "arn:aws:s3:::shop-${var.name}"},
        {"Resource": ["${var.name}", "${aws_s3_bucket.data.arn}"]},
    ],
)
def test_a_deny_of_all_actions_for_everyone_is_found(change: dict[str, Any]) -> None:
    document = bucket_policy(**{**TLS, **change})
    (message,) = found("S3-022", {**document, "variable": {"name": {}}})
    assert "must let administrators change the policy, which a statement denies to everyone" in message


def test_a_deny_for_an_unknown_resource_is_undecided() -> None:
    document = bucket_policy(**{**TLS, "Resource": "${var.arn}"}) | {"variable": {"arn": {}}}
    assert doubted("S3-022", document) == ["var.arn has no default"]


def test_services_that_need_no_source_condition_pass() -> None:
    service = {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert found("S3-007", bucket_policy(Principal=service)) == []
    assert found("S3-007", bucket_policy(Effect="Deny", Principal={"Service": "cloudtrail.amazonaws.com"})) == []


def test_an_unknown_acl_is_undecided() -> None:
    document = resources(aws_s3_object={"logo": {"bucket": "b", "key": "k", "acl": "${var.acl}"}})
    messages, doubts = look("S3-006", document | {"variable": {"acl": {}}})
    assert (messages, doubts) == ([], ["var.acl has no default"])
