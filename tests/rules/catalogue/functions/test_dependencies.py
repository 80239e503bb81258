"""Rules about dependencies of functions: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from constructs_lib.rules.estate.plan_document import plan_document
from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, look, resources
from tests.rules.catalogue.functions.documents import FN, function


class TestDependencies:
    def test_a_log_group_in_logging_config_is_a_dependency(self) -> None:
        document = good("LAM-021", {f"{FN}.depends_on": REMOVED})
        group = {"log_format": "JSON", "log_group": "${aws_cloudwatch_log_group.worker.name}"}
        document["resource"]["aws_lambda_function"]["worker"]["logging_config"] = group
        document["resource"]["aws_cloudwatch_log_group"]["worker"]["name"] = "/shop/anything"
        assert found("LAM-021", document) == []

    def test_an_indirect_dependency_on_the_log_group_counts(self) -> None:
        document = good("LAM-021", {f"{FN}.depends_on": ["aws_iam_role_policy.worker"]})
        policy = "${aws_cloudwatch_log_group.worker.arn}"
        document["resource"]["aws_iam_role_policy"]["worker"]["policy"] = policy
        assert found("LAM-021", document) == []

    def test_names_with_the_same_variable_match(self) -> None:
        change = {
            f"{FN}.function_name": "${var.env}-worker",
            "resource.aws_cloudwatch_log_group.worker.name": "/aws/lambda/${var.env}-worker",
        }
        document = {**good("LAM-021", change), "variable": {"env": {}}}
        assert look("LAM-021", document) == ([], [])

    def test_a_log_group_whose_name_is_not_known_is_undecided(self) -> None:
        document = good("LAM-021", {"resource.aws_cloudwatch_log_group.worker.name": "${var.group}"})
        assert doubted("LAM-021", {**document, "variable": {"group": {}}}) == ["var.group has no default"]

    def test_a_log_group_in_another_stack_needs_no_depends_on(self) -> None:
        group = resources(aws_cloudwatch_log_group={"g": {"name": "/aws/lambda/shop-worker"}})
        assert found("LAM-021", function(), group) == []

    def test_a_log_group_in_another_region_does_not_count(self) -> None:
        document = {
            **good("LAM-021", {"resource.aws_cloudwatch_log_group.worker.provider": "aws.us"}),
            "provider": {"aws": [{"region": "eu-west-1"}, {"alias": "us", "region": "us-east-1"}]},
        }
        (message,) = found("LAM-021", document)
        assert "must have an aws_cloudwatch_log_group named /aws/lambda/shop-prod-worker" in message

    def test_a_dependency_on_a_module_may_contain_the_log_group_and_policies(self) -> None:
        document = good("LAM-021", {f"{FN}.depends_on": ["module.logs"]})
        assert found("LAM-021", document) == []
        assert found("LAM-022", document) == []

    def test_a_policy_that_references_the_function_is_skipped(self) -> None:
        document = good("LAM-022")
        document["resource"]["aws_iam_role_policy"]["self"] = {
            "role": "${aws_iam_role.worker.id}",
            "policy": "${jsonencode({Statement = [{Resource = aws_lambda_function.worker.arn}]})}",
        }
        assert found("LAM-022", document) == []

    def test_a_role_in_another_stack_needs_no_depends_on(self) -> None:
        role = good("LAM-022", {"resource.aws_lambda_function": REMOVED, "resource.aws_cloudwatch_log_group": REMOVED})
        assert found("LAM-022", function(role="arn:aws:iam::111122223333:role/shop-prod-worker"), role) == []

    def test_depends_on_is_read_from_the_configuration_in_a_plan(self) -> None:
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
        configured: list[dict[str, Any]] = [
            {
                **{key: value for key, value in one.items() if key != "values"},
                "expressions": {key: {"constant_value": value} for key, value in values_.items()},
            }
            for one, values_ in zip(planned, values, strict=True)
        ]
        configured[1]["depends_on"] = [names[0]]
        plan = {
            "format_version": "1.2",
            "planned_values": {"root_module": {"resources": planned}},
            "configuration": {"root_module": {"resources": configured}},
        }
        assert found("LAM-021", plan_document(Path("plan.json"), plan)) == []
        del configured[1]["depends_on"]
        assert len(found("LAM-021", plan_document(Path("plan.json"), plan))) == 1
