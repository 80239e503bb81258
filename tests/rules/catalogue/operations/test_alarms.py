"""CloudWatch alarms: metrics, actions and resources without alarms: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import doubted, found, resources


@pytest.mark.parametrize(
    "alarm",
    [
        {"metric_name": "Errors", "namespace": "AWS/Lambda", "extended_statistic": "p99"},
        {"metric_name": "${aws_cloudwatch_log_metric_filter.it.id}", "namespace": "Shop", "statistic": "Sum"},
        {"dynamic": {"metric_query": {"for_each": ["a", "b"], "content": {"id": "${metric_query.value}"}}}},
        {"metric_query": [{"id": "m"}, {"id": "e", "expression": "m * 2", "return_data": "true"}]},
    ],
)
def test_other_forms_of_metrics_are_clean(alarm: dict[str, Any]) -> None:
    filters = {"it": {"pattern": "ERROR"}}
    document = resources(aws_cloudwatch_metric_alarm={"it": alarm}, aws_cloudwatch_log_metric_filter=filters)
    assert found("OPS-003", document) == []


def test_two_queries_that_return_data_are_found() -> None:
    queries = [{"id": name, "expression": "1", "return_data": True} for name in ("a", "b")]
    assert len(found("OPS-003", resources(aws_cloudwatch_metric_alarm={"it": {"metric_query": queries}}))) == 1


@pytest.mark.parametrize(
    "user",
    [
        {"aws_cloudwatch_composite_alarm": {"any": {"alarm_rule": "ALARM(shop-errors)", "alarm_actions": ["arn"]}}},
        {"aws_codedeploy_deployment_group": {"it": {"alarm_configuration": {"alarms": ["${local.alarm}"]}}}},
        {"aws_route53_health_check": {"it": {"cloudwatch_alarm_name": "${aws_cloudwatch_metric_alarm.it.alarm_name}"}}},
    ],
)
def test_an_alarm_that_another_block_uses_needs_no_action(user: dict[str, Any]) -> None:
    alarm = {"alarm_name": "shop-errors"}
    document = resources(aws_cloudwatch_metric_alarm={"it": alarm}) | {
        "locals": {"alarm": "${aws_cloudwatch_metric_alarm.it.alarm_name}"}
    }
    document["resource"] |= user
    assert found("OPS-004", document) == []


def test_a_dashboard_is_not_an_action() -> None:
    board = {"it": {"dashboard_body": "${aws_cloudwatch_metric_alarm.it.arn}"}}
    assert len(found("OPS-004", resources(aws_cloudwatch_metric_alarm={"it": {}}, aws_cloudwatch_dashboard=board))) == 1


def test_actions_from_a_variable_are_undecided() -> None:
    document = resources(aws_cloudwatch_metric_alarm={"it": {"alarm_actions": "${var.topics}"}})
    assert doubted("OPS-004", document | {"variable": {"topics": {}}}) == ["var.topics has no default"]


def test_all_resources_of_a_type_in_a_stack_are_one_finding() -> None:
    functions = {name: {"function_name": name} for name in ("a", "b", "c", "d", "e", "f")}
    (message,) = found("OPS-005", resources(aws_lambda_function=functions))
    assert message.startswith(
        "aws_lambda_function.a: must have an alarm; add one for a metric of AWS/Lambda; "
        "other functions without one in this stack: aws_lambda_function.b"
    )
    assert message.endswith("aws_lambda_function.d and 2 more")
    assert found("OPS-005", resources(aws_lambda_function=functions), environment="dev") == []


@pytest.mark.parametrize(
    "alarm",
    [
        {"namespace": "AWS/Lambda", "metric_name": "Errors"},
        {"namespace": "AWS/Lambda", "dimensions": {"FunctionName": "worker"}},
        {"for_each": {"a": "${aws_lambda_function.worker.function_name}"}, "namespace": "AWS/Lambda"},
        {"metric_query": [{"expression": "SEARCH('{AWS/Lambda,FunctionName}', 'Sum')"}]},
    ],
)
def test_other_forms_of_alarms_for_a_function_are_clean(alarm: dict[str, Any]) -> None:
    functions = {"worker": {"function_name": "worker"}}
    assert found("OPS-005", resources(aws_lambda_function=functions, aws_cloudwatch_metric_alarm={"it": alarm})) == []


def test_an_alarm_with_an_unknown_dimension_is_undecided() -> None:
    alarm = {"namespace": "AWS/Lambda", "dimensions": {"FunctionName": "${var.function}"}}
    document = resources(aws_lambda_function={"w": {"function_name": "w"}}, aws_cloudwatch_metric_alarm={"it": alarm})
    assert doubted("OPS-005", document | {"variable": {"function": {}}}) == ["var.function has no default"]


def test_an_alarm_on_an_instance_covers_its_cluster_and_one_in_another_stack_a_function() -> None:
    cluster = resources(
        aws_rds_cluster={"shop": {}},
        aws_rds_cluster_instance={"a": {"cluster_identifier": "${aws_rds_cluster.shop.id}"}},
        aws_cloudwatch_metric_alarm={
            "cpu": {"namespace": "AWS/RDS", "dimensions": {"DBInstanceIdentifier": "${aws_rds_cluster_instance.a.id}"}}
        },
    )
    assert found("OPS-005", cluster) == []
    alarm = {"namespace": "AWS/Lambda", "dimensions": {"FunctionName": "shop-worker"}}
    function = resources(aws_lambda_function={"worker": {"function_name": "shop-worker"}})
    assert found("OPS-005", function, resources(aws_cloudwatch_metric_alarm={"errors": alarm})) == []
