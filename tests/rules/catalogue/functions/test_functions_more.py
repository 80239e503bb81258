"""Rules about functions: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from constructs_lib.rules.estate.plan_document import plan_document
from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import RULES, doubted, found, good, look, resources
from tests.rules.catalogue.functions.documents import FN, function


class TestEnvironment:
    @pytest.mark.parametrize(
        "variables",
        [
            {"DB_SECRET": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db"},
            {"API_TOKEN": "/shop/prod/token", "USE_PASSWORD": "true", "TOKEN": ""},
            {"TOKEN_TTL": "3600", "PASSWORD_MIN_LENGTH": "twelve", "SECRET_NAME": "shop-db"},
            {
                "DB_SECRET": "shop/prod/db",
                "API_SECRET": "shop-api",
                "DB_CREDENTIALS": "${aws_secretsmanager_secret.db.name}",
            },
            {"MAX_TOKEN": "4096", "AUTH_URL": "https://login.example.com/token"},
            {"DB_PASSWORD": "${aws_secretsmanager_secret.db.arn}"},
        ],
    )
    def test_names_and_places_of_secrets_are_no_secrets(self, variables: dict[str, str]) -> None:
        document = function(environment={"variables": variables})
        document["resource"]["aws_secretsmanager_secret"] = {"db": {"name": "shop-db"}, "api": {"name": "shop-api"}}
        assert found("LAM-012", document) == []

    def test_a_secret_through_a_local_value_is_found_and_not_shown(self) -> None:
        document = function(environment=[{"variables": {"DB_PASSWORD": "${local.password}"}}])
        (message,) = found("LAM-012", {**document, "locals": {"password": "hunter2-of-shop"}})
        assert "hunter2" not in message
        assert "looks like a secret" in message

    def test_a_sensitive_variable_is_a_secret(self) -> None:
        document = function(environment={"variables": {"DB": "${var.db}"}})
        (message,) = found("LAM-012", {**document, "variable": {"db": {"sensitive": True}, "d": {}}})
        assert "is the secret var.db" in message

    def test_what_secrets_manager_holds_is_not_copied(self) -> None:
        document = function(
            environment={"variables": {"DB": "${data.aws_secretsmanager_secret_version.db.secret_string}"}}
        )
        document["data"] = {"aws_secretsmanager_secret_version": {"db": {"secret_id": "db"}}}
        assert len(found("LAM-012", document)) == 1

    def test_a_function_without_variables_needs_no_key(self) -> None:
        assert found("LAM-011", function()) == []

    def test_variables_are_counted_in_bytes(self) -> None:
        assert found("LAM-014", function(environment={"variables": {"A": "x" * 4095}})) == []
        assert len(found("LAM-014", function(environment={"variables": {"A": "ü" * 2048}}))) == 1


def trust(principal: object, **more: object) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class TestAccess:
    @pytest.mark.parametrize(
        "policy",
        [
            trust({"Service": ["edgelambda.amazonaws.com", "lambda.amazonaws.com"]}),
            '${jsonencode({Statement = [{Effect = "Allow", Action = "sts:*", Principal = local.lambda}]})}',
            "${data.aws_iam_policy_document.trust.json}",
        ],
    )
    def test_a_trust_may_be_written_in_any_way(self, policy: str) -> None:
        document = good("LAM-015", {"resource.aws_iam_role.worker.assume_role_policy": policy})
        statement = {
            "actions": ["sts:AssumeRole"],
            "principals": [{"type": "Service", "identifiers": ["lambda.amazonaws.com"]}],
        }
        document["data"] = {"aws_iam_policy_document": {"trust": {"statement": statement}}}
        document["locals"] = {"lambda": {"Service": "lambda.amazonaws.com"}}
        assert found("LAM-015", document) == []

    def test_a_role_that_two_functions_share_is_found_once_and_by_its_literal_arn(self) -> None:
        bad = trust({"Service": "ecs-tasks.amazonaws.com"})
        document = good("LAM-015", {"resource.aws_iam_role.worker.assume_role_policy": bad})
        document["resource"]["aws_lambda_function"]["second"] = {
            "function_name": "second",
            "role": "arn:aws:iam::111122223333:role/shop-prod-worker",
        }
        assert len(found("LAM-015", document)) == 1

    def test_a_trusted_service_that_is_a_variable_is_undecided(self) -> None:
        change = {"resource.aws_iam_role.worker.assume_role_policy": trust({"Service": "${var.service}"})}
        document = {**good("LAM-015", change), "variable": {"service": {}}}
        assert doubted("LAM-015", document) == ["var.service has no default"]

    def test_a_source_that_is_a_variable_is_undecided(self) -> None:
        document = good("LAM-018", {"resource.aws_lambda_permission.orders.source_arn": "${var.source}"})
        assert doubted("LAM-018", {**document, "variable": {"source": {}}}) == ["var.source has no default"]

    def test_an_organisation_that_is_a_variable_is_undecided(self) -> None:
        change = {"resource.aws_lambda_layer_version_permission.common.organization_id": "${var.organisation}"}
        document = {**good("LAM-019", change), "variable": {"organisation": {}}}
        assert doubted("LAM-019", document) == ["var.organisation has no default"]

    @pytest.mark.parametrize("id_", ["LAM-018", "LAM-019"])
    def test_the_principal_of_an_account_that_is_not_known_is_an_account(self, id_: str) -> None:
        principal = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:root"
        document = resources(aws_lambda_permission={"p": {"principal": principal, "function_name": "x"}})
        document["data"] = {"aws_caller_identity": {"current": {}}}
        assert (found(id_, document), doubted(id_, document)) == ([], [])

    def test_a_role_of_another_stack_is_followed(self) -> None:
        role = resources(aws_iam_role={"r": {"name": "shop-r", "assume_role_policy": trust({"AWS": "111122223333"})}})
        assert len(found("LAM-015", function(role="arn:aws:iam::111122223333:role/shop-r"), role)) == 1
        assert found("LAM-015", function(role="arn:aws:iam::111122223333:role/elsewhere"), role) == []

    def test_a_public_url_is_only_noted_in_dev(self) -> None:
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
    def test_a_service_with_any_kind_of_source_passes(self, given: dict[str, str]) -> None:
        permission = {
            "principal": "sns.amazonaws.com",
            "function_name": "x",
            "action": "lambda:InvokeFunction",
            **given,
        }
        document = resources(aws_lambda_permission={"p": permission}, aws_sns_topic={"orders": {}})
        document["data"] = {"aws_api_gateway_rest_api": {"a": {"name": "a"}}}
        assert found("LAM-018", document) == []

    def test_a_public_function_url_has_a_public_permission(self) -> None:
        permission = {
            "principal": "*",
            "action": "lambda:InvokeFunctionUrl",
            "function_url_auth_type": "NONE",
            "function_name": "x",
        }
        assert found("LAM-019", resources(aws_lambda_permission={"p": permission})) == []

    def test_everyone_of_an_organisation_may_call(self) -> None:
        permission = {"principal": "*", "principal_org_id": "o-a1b2c3d4e5", "function_name": "x"}
        assert found("LAM-019", resources(aws_lambda_permission={"p": permission})) == []


class TestOrder:
    def test_a_log_group_that_the_function_names_comes_first(self) -> None:
        document = good("LAM-021", {f"{FN}.depends_on": REMOVED})
        group = {"log_format": "JSON", "log_group": "${aws_cloudwatch_log_group.worker.name}"}
        document["resource"]["aws_lambda_function"]["worker"]["logging_config"] = group
        document["resource"]["aws_cloudwatch_log_group"]["worker"]["name"] = "/shop/anything"
        assert found("LAM-021", document) == []

    def test_a_log_group_that_comes_before_through_another_block_passes(self) -> None:
        document = good("LAM-021", {f"{FN}.depends_on": ["aws_iam_role_policy.worker"]})
        policy = "${aws_cloudwatch_log_group.worker.arn}"
        document["resource"]["aws_iam_role_policy"]["worker"]["policy"] = policy
        assert found("LAM-021", document) == []

    def test_names_with_the_same_variable_belong_together(self) -> None:
        change = {
            f"{FN}.function_name": "${var.env}-worker",
            "resource.aws_cloudwatch_log_group.worker.name": "/aws/lambda/${var.env}-worker",
        }
        document = {**good("LAM-021", change), "variable": {"env": {}}}
        assert look("LAM-021", document) == ([], [])

    def test_a_log_group_whose_name_is_not_known_may_be_the_functions(self) -> None:
        document = good("LAM-021", {"resource.aws_cloudwatch_log_group.worker.name": "${var.group}"})
        assert doubted("LAM-021", {**document, "variable": {"group": {}}}) == ["var.group has no default"]

    def test_a_log_group_of_another_stack_is_there_before(self) -> None:
        group = resources(aws_cloudwatch_log_group={"g": {"name": "/aws/lambda/shop-worker"}})
        assert found("LAM-021", function(), group) == []

    def test_a_log_group_of_another_region_is_no_log_group(self) -> None:
        document = {
            **good("LAM-021", {"resource.aws_cloudwatch_log_group.worker.provider": "aws.us"}),
            "provider": {"aws": [{"region": "eu-west-1"}, {"alias": "us", "region": "us-east-1"}]},
        }
        (message,) = found("LAM-021", document)
        assert "needs an aws_cloudwatch_log_group with the name /aws/lambda/shop-prod-worker" in message

    def test_a_function_that_depends_on_a_module_may_depend_on_anything(self) -> None:
        document = good("LAM-021", {f"{FN}.depends_on": ["module.logs"]})
        assert found("LAM-021", document) == []
        assert found("LAM-022", document) == []

    def test_a_policy_that_speaks_of_the_function_cannot_come_before_it(self) -> None:
        document = good("LAM-022")
        document["resource"]["aws_iam_role_policy"]["self"] = {
            "role": "${aws_iam_role.worker.id}",
            "policy": "${jsonencode({Statement = [{Resource = aws_lambda_function.worker.arn}]})}",
        }
        assert found("LAM-022", document) == []

    def test_a_role_of_another_stack_has_its_policies_already(self) -> None:
        role = good("LAM-022", {"resource.aws_lambda_function": REMOVED, "resource.aws_cloudwatch_log_group": REMOVED})
        assert found("LAM-022", function(role="arn:aws:iam::111122223333:role/shop-prod-worker"), role) == []

    def test_what_a_plan_says_of_the_order_is_read(self) -> None:
        names = ("aws_cloudwatch_log_group.g", "aws_lambda_function.worker")
        values = ({"name": "/aws/lambda/shop-worker"}, {"function_name": "shop-worker"})
        planned = [
            {
                "address": name,
                "mode": "managed",
                "type": name.split(".")[0],
                "name": name.split(".")[1],
                "values": value,
            }
            for name, value in zip(names, values, strict=True)
        ]
        configured = [{key: value for key, value in one.items() if key != "values"} for one in planned]
        configured[1]["depends_on"] = [names[0]]
        plan = {
            "format_version": "1.2",
            "planned_values": {"root_module": {"resources": planned}},
            "configuration": {"root_module": {"resources": configured}},
        }
        assert found("LAM-021", plan_document(Path("plan.json"), plan)) == []
        del configured[1]["depends_on"]
        assert len(found("LAM-021", plan_document(Path("plan.json"), plan))) == 1
