"""Principals of trust policies and resource-based policies: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import found, resources
from tests.rules.catalogue.permissions.documents import document

GITHUB = "token.actions.githubusercontent.com"


def trust(principal: object, action: str = "sts:AssumeRole", **more: object) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, **more}
    return resources(aws_iam_role={"r": {"name": "shop-role", "assume_role_policy": document(statement)}})


@pytest.mark.parametrize("key", ["aws:PrincipalOrgID", "aws:PrincipalArn", "aws:PrincipalAccount"])
def test_a_condition_on_the_principal_is_not_public_access(key: str) -> None:
    assert found("IAM-009", trust("*", Condition={"StringEquals": {key: "x"}})) == []


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "arn:aws:iam::${data.aws_caller_identity.me.account_id}:root"},
        {"AWS": "arn:aws:iam::444455556666:role/deployer"},
        {"Service": "ec2.amazonaws.com"},
    ],
)
def test_roles_services_and_this_account_need_no_external_id(principal: object) -> None:
    data: dict[str, Any] = {"data": {"aws_caller_identity": {"me": {}}}}
    assert found("IAM-011", trust(principal) | data) == []


@pytest.mark.parametrize("key", ["aws:PrincipalOrgID", "aws:MultiFactorAuthPresent", "sts:ExternalId"])
def test_another_account_with_a_condition_is_clean(key: str) -> None:
    assert found("IAM-011", trust({"AWS": "444455556666"}, Condition={"StringEquals": {key: "x"}})) == []


@pytest.mark.parametrize(
    ("key", "value", "findings"),
    [
        (f"{GITHUB}:sub", "repo:shop/web:*", 0),
        (f"{GITHUB}:sub", "repo:*/web:ref:refs/heads/main", 1),
        (f"{GITHUB}:sub", "*", 1),
        (f"{GITHUB}:repository", "shop/web", 0),
        (f"{GITHUB}:sub", "${var.subject}", 0),
    ],
)
def test_github_trust_needs_a_condition_on_the_repository(key: str, value: str, findings: int) -> None:
    federated = {"Federated": f"arn:aws:iam::1:oidc-provider/{GITHUB}"}
    made = trust(federated, "sts:AssumeRoleWithWebIdentity", Condition={"StringLike": {key: value}})
    assert len(found("IAM-012", made | {"variable": {"subject": {}}})) == findings


def test_cognito_trust_needs_a_condition_on_the_audience() -> None:
    condition = {"StringEquals": {"cognito-identity.amazonaws.com:aud": "eu-west-1:1"}}
    made = trust({"Federated": "cognito-identity.amazonaws.com"}, "sts:AssumeRoleWithWebIdentity", Condition=condition)
    assert found("IAM-012", made) == []


def test_services_without_a_source_need_no_condition() -> None:
    assert found("IAM-010", trust({"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]})) == []


@pytest.mark.parametrize("service", ["states.amazonaws.com", "states.eu-west-1.amazonaws.com", "*"])
def test_regional_service_principals_are_trusted(service: str) -> None:
    made = trust({"Service": service})
    made["resource"]["aws_sfn_state_machine"] = {"m": {"role_arn": "${aws_iam_role.r.arn}"}}
    assert found("IAM-013", made) == []


def test_a_role_in_another_stack_is_found_by_its_arn() -> None:
    user = resources(aws_flow_log={"f": {"iam_role_arn": "arn:aws:iam::111122223333:role/shop-role"}})
    (message,) = found("IAM-013", trust({"Service": "ec2.amazonaws.com"}), user)
    assert message.endswith(
        "must allow sts:AssumeRole for vpc-flow-logs.amazonaws.com, because aws_flow_log.f of the stack shop1 uses the role"
    )
    assert found("IAM-013", user) == []
