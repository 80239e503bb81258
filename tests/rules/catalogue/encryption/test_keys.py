"""Rules of encryption/keys: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rules.asking import doubted, found, resources
from tests.rules.catalogue.encryption.documents import REGION


def key_policy(**more: object) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def logs(principal: str, **more: Any) -> dict[str, Any]:
    document = resources(
        aws_kms_key={"k": {"policy": key_policy(Principal={"Service": principal})}},
        aws_cloudwatch_log_group={"app": {"name": "app", "kms_key_id": "${aws_kms_key.k.arn}"}},
    )
    return {**document, **REGION, **more}


@pytest.mark.parametrize(
    "key",
    [{"customer_master_key_spec": "ECC_NIST_P256"}, {"key_usage": "GENERATE_VERIFY_MAC"}, {"xks_key_id": "x"}],
)
def test_keys_without_automatic_rotation_are_exempt(key: dict[str, str]) -> None:
    assert found("ENC-001", resources(aws_kms_key={"k": key})) == []


@pytest.mark.parametrize(("environment", "days", "findings"), [("dev", 7, 0), ("staging", 7, 1), ("staging", 14, 0)])
def test_the_waiting_period_depends_on_the_environment(environment: str, days: int, findings: int) -> None:
    document = resources(aws_kms_key={"k": {"deletion_window_in_days": days}})
    assert len(found("ENC-002", document, environment=environment)) == findings


@pytest.mark.parametrize("key", ["kms:CallerAccount", "kms:ViaService", "aws:PrincipalOrgID"])
def test_a_condition_may_restrict_a_key_policy_for_everyone(key: str) -> None:
    document = resources(aws_kms_key={"k": {"policy": key_policy(Condition={"StringEquals": {key: "x"}})}})
    assert found("ENC-003", document) == []


def test_a_condition_with_a_wildcard_restricts_nothing() -> None:
    document = resources(aws_kms_key={"k": {"policy": key_policy(Condition={"StringLike": {"kms:ViaService": "*"}})}})
    assert len(found("ENC-003", document)) == 1


@pytest.mark.parametrize(
    "principal",
    [
        "logs.eu-west-1.amazonaws.com",
        "logs.amazonaws.com",
        "logs.${data.aws_region.here.region}.amazonaws.com",
        "logs.eu-west-1.${data.aws_partition.here.dns_suffix}",
    ],
)
def test_the_service_principal_may_be_written_in_several_ways(principal: str) -> None:
    data: dict[str, Any] = {"aws_region": {"here": {}}, "aws_partition": {"here": {}}}
    assert found("ENC-004", logs(principal, data=data)) == []


def test_the_service_of_another_region_does_not_count() -> None:
    assert "logs.eu-west-1.amazonaws.com" in found("ENC-004", logs("logs.us-east-1.amazonaws.com"))[0]


def test_the_key_may_be_in_another_stack_with_a_separate_key_policy() -> None:
    keys = resources(
        aws_kms_key={"k": {}},
        aws_kms_key_policy={
            "k": {
                "key_id": "${aws_kms_key.k.key_id}",
                "policy": key_policy(Principal={"Service": "logs.eu-west-1.amazonaws.com"}),
            }
        },
        aws_kms_alias={"k": {"name": "alias/k", "target_key_id": "${aws_kms_key.k.id}"}},
        aws_cloudwatch_log_group={"app": {"name": "app", "kms_key_id": "${aws_kms_alias.k.target_key_arn}"}},
    )
    assert found("ENC-004", {**keys, **REGION}) == []
    keys["resource"]["aws_kms_key_policy"]["k"]["policy"] = key_policy(Principal={"AWS": "111122223333"})
    assert found("ENC-004", {**keys, **REGION})[0].startswith("aws_kms_key_policy.k: policy")


def test_a_key_outside_of_the_stacks_is_exempt() -> None:
    group = {"name": "app", "kms_key_id": "arn:aws:kms:eu-west-1:111122223333:key/1"}
    assert found("ENC-004", resources(aws_cloudwatch_log_group={"app": group})) == []


def test_an_unknown_key_is_undecided() -> None:
    document = resources(aws_cloudwatch_log_group={"app": {"name": "app", "kms_key_id": "${var.key}"}})
    assert doubted("ENC-004", {**document, "variable": {"key": {}}}) == ["var.key has no default"]
