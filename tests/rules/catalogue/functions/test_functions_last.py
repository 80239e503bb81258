"""Rules about functions: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good


class TestApiPermission:
    def test_an_integration_with_a_role_needs_no_permission(self) -> None:
        change = {
            "resource.aws_lambda_permission": REMOVED,
            "resource.aws_api_gateway_integration.api.credentials": "arn:aws:iam::111122223333:role/api",
        }
        assert found("LAM-032", good("LAM-032", change)) == []

    def test_a_permission_by_literal_names_counts(self) -> None:
        change = {
            "resource.aws_lambda_permission.api.function_name": "shop-prod-api",
            "resource.aws_lambda_permission.api.qualifier": "live",
        }
        assert found("LAM-032", good("LAM-032", change)) == []

    def test_a_permission_of_another_stack_counts(self) -> None:
        document = good("LAM-032")
        other = {"resource": {"aws_lambda_permission": document["resource"].pop("aws_lambda_permission")}}
        permission = other["resource"]["aws_lambda_permission"]["api"]
        permission |= {"function_name": "shop-prod-api", "qualifier": "live"}
        assert found("LAM-032", document, other) == []

    def test_a_permission_for_the_alias_does_not_serve_the_function(self) -> None:
        uri = "${aws_lambda_function.api.invoke_arn}"
        assert len(found("LAM-032", good("LAM-032", {"resource.aws_api_gateway_integration.api.uri": uri}))) == 1

    def test_a_permission_for_a_function_that_is_not_known_leaves_it_open(self) -> None:
        document = good("LAM-032", {"resource.aws_lambda_permission.api.function_name": "${var.name}"})
        assert doubted("LAM-032", {**document, "variable": {"name": {}}}) == ["var.name has no default"]

    def test_one_finding_is_made_for_all_integrations_of_a_function(self) -> None:
        document = good("LAM-032", {"resource.aws_lambda_permission": REMOVED})
        integrations = document["resource"]["aws_api_gateway_integration"]
        integrations["second"] = integrations["api"]
        assert len(found("LAM-032", document)) == 1

    def test_an_authorizer_needs_a_permission_too(self) -> None:
        authorizer = {"authorizer_uri": "${aws_lambda_function.api.invoke_arn}", "name": "a"}
        document = good("LAM-032", {"resource.aws_api_gateway_authorizer": {"a": authorizer}})
        (message,) = found("LAM-032", document)
        assert message.startswith("aws_api_gateway_authorizer.a: authorizer_uri")
