"""Rules about execution roles, function URLs and Lambda permissions: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

import json

import pytest

from tests.rules.asking import RULES, doubted, found, good, resources
from tests.rules.catalogue.functions.documents import function


def trust(principal: object, **more: object) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class TestPermissions:
    @pytest.mark.parametrize(
        "policy",
        [
            trust({"Service": ["edgelambda.amazonaws.com", "lambda.amazonaws.com"]}),
            '${jsonencode({Statement = [{Effect = "Allow", Action = "sts:*", Principal = local.lambda}]})}',
            "${data.aws_iam_policy_document.trust.json}",
        ],
    )
    def test_a_trust_policy_passes_in_every_notation(self, policy: str) -> None:
        document = good("LAM-015", {"resource.aws_iam_role.worker.assume_role_policy": policy})
        statement = {
            "actions": ["sts:AssumeRole"],
            "principals": [{"type": "Service", "identifiers": ["lambda.amazonaws.com"]}],
        }
        document["data"] = {"aws_iam_policy_document": {"trust": {"statement": statement}}}
        document["locals"] = {"lambda": {"Service": "lambda.amazonaws.com"}}
        assert found("LAM-015", document) == []

    def test_a_role_of_two_functions_is_reported_once(self) -> None:
        bad = trust({"Service": "ecs-tasks.amazonaws.com"})
        document = good("LAM-015", {"resource.aws_iam_role.worker.assume_role_policy": bad})
        document["resource"]["aws_lambda_function"]["second"] = {
            "function_name": "second",
            "role": "arn:aws:iam::111122223333:role/shop-prod-worker",
        }
        assert len(found("LAM-015", document)) == 1

    def test_a_trusted_service_in_a_variable_is_undecided(self) -> None:
        change = {"resource.aws_iam_role.worker.assume_role_policy": trust({"Service": "${var.service}"})}
        document = {**good("LAM-015", change), "variable": {"service": {}}}
        assert doubted("LAM-015", document) == ["var.service has no default"]

    def test_a_source_arn_in_a_variable_is_undecided(self) -> None:
        document = good("LAM-018", {"resource.aws_lambda_permission.orders.source_arn": "${var.source}"})
        assert doubted("LAM-018", {**document, "variable": {"source": {}}}) == ["var.source has no default"]

    def test_an_organization_in_a_variable_is_undecided(self) -> None:
        change = {"resource.aws_lambda_layer_version_permission.common.organization_id": "${var.organisation}"}
        document = {**good("LAM-019", change), "variable": {"organisation": {}}}
        assert doubted("LAM-019", document) == ["var.organisation has no default"]

    @pytest.mark.parametrize("id_", ["LAM-018", "LAM-019"])
    def test_a_principal_arn_of_an_unknown_account_passes(self, id_: str) -> None:
        principal = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:root"
        document = resources(aws_lambda_permission={"p": {"principal": principal, "function_name": "x"}})
        document["data"] = {"aws_caller_identity": {"current": {}}}
        assert (found(id_, document), doubted(id_, document)) == ([], [])

    def test_a_role_in_another_stack_is_checked(self) -> None:
        role = resources(aws_iam_role={"r": {"name": "shop-r", "assume_role_policy": trust({"AWS": "111122223333"})}})
        assert len(found("LAM-015", function(role="arn:aws:iam::111122223333:role/shop-r"), role)) == 1
        assert found("LAM-015", function(role="arn:aws:iam::111122223333:role/elsewhere"), role) == []

    def test_a_public_function_url_is_an_info_in_dev(self) -> None:
        assert RULES["LAM-016"].severity.dev == "info"
        assert RULES["LAM-017"].severity.dev == "info"

    @pytest.mark.parametrize(
        "given",
        [
            {"source_account": "111122223333"},
            {"source_arn": "${aws_sns_topic.orders.arn}"},
            {"source_arn": "${data.aws_api_gateway_rest_api.a.execution_arn}/*/POST/orders"},
            {"principal": "alexa-appkit.amazon.com", "event_source_token": "amzn1.ask.skill.1"},
        ],
    )
    def test_a_service_principal_with_any_source_condition_passes(self, given: dict[str, str]) -> None:
        permission = {
            "principal": "sns.amazonaws.com",
            "function_name": "x",
            "action": "lambda:InvokeFunction",
            **given,
        }
        document = resources(aws_lambda_permission={"p": permission}, aws_sns_topic={"orders": {}})
        document["data"] = {"aws_api_gateway_rest_api": {"a": {"name": "a"}}}
        assert found("LAM-018", document) == []

    def test_a_public_function_url_may_have_a_public_permission(self) -> None:
        permission = {
            "principal": "*",
            "action": "lambda:InvokeFunctionUrl",
            "function_url_auth_type": "NONE",
            "function_name": "x",
        }
        assert found("LAM-019", resources(aws_lambda_permission={"p": permission})) == []

    def test_everyone_in_an_organization_may_invoke(self) -> None:
        permission = {"principal": "*", "principal_org_id": "o-a1b2c3d4e5", "function_name": "x"}
        assert found("LAM-019", resources(aws_lambda_permission={"p": permission})) == []
