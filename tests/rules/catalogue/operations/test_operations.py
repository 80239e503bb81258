"""Rules about operations: legal unusual code that stays clean, other forms of each mistake."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, look, resources
from tests.rules.catalogue.operations.documents import GROUP, instance


@pytest.mark.parametrize("group", [{"retention_in_days": "3653"}, {"log_group_class": "DELIVERY"}])
def test_legal_retentions_are_clean(group: dict[str, Any]) -> None:
    assert found("OPS-001", resources(aws_cloudwatch_log_group={"it": group})) == []


@pytest.mark.parametrize(("days", "nearest"), [(2, "1 or 3"), (5000, "3653"), (-1, "1")])
def test_the_nearest_legal_retention_is_named(days: int, nearest: str) -> None:
    (message,) = found("OPS-001", resources(aws_cloudwatch_log_group={"it": {"retention_in_days": days}}))
    assert message.endswith(f"the nearest that it takes: {nearest}")


@pytest.mark.parametrize(
    "script",
    [
        '#!/bin/sh\necho \'{"log_group_name": "/shop/${var.environment}/web"}\'\n',
        "#!/bin/sh\nlog_group_name = {instance_id}\n",
        "#cloud-config\nwrite_files: []\n",
    ],
)
def test_names_that_the_writer_or_a_variable_makes_up_are_not_compared(script: str) -> None:
    assert look("OPS-002", instance(script) | {"variable": {"environment": {}}})[0] == []


def test_an_agents_group_in_base64_and_in_another_stack_is_seen() -> None:
    script = base64.b64encode(b'#!/bin/sh\n{"log_group_name": "/shop/web"}\n').decode()
    document = resources(aws_launch_template={"web": {"user_data": script}})
    (message,) = found("OPS-002", document)
    assert 'writes to the log group "/shop/web"' in message
    assert found("OPS-002", document, resources(aws_cloudwatch_log_group={"web": {"name": "/shop/web"}})) == []


def test_a_group_whose_name_is_not_known_may_be_the_one() -> None:
    document = good("OPS-002", {"resource.aws_cloudwatch_log_group.web.name": "/shop/${var.env}/web"})
    assert doubted("OPS-002", document | {"variable": {"env": {}}}) == ["var.env has no default"]
    other = good("OPS-002", {"resource.aws_cloudwatch_log_group.web.name": "/books/${var.env}/web"})
    assert len(found("OPS-002", other | {"variable": {"env": {}}})) == 1


def test_a_stage_that_does_not_log_writes_to_no_group() -> None:
    quiet = {
        "resource.aws_api_gateway_method_settings.all.settings.logging_level": "OFF",
        "resource.aws_cloudwatch_log_group.api": REMOVED,
    }
    assert found("OPS-002", good("OPS-002", quiet)) == []


@pytest.mark.parametrize(
    "alarm",
    [
        {"metric_name": "Errors", "namespace": "AWS/Lambda", "extended_statistic": "p99"},
        {"metric_name": "${aws_cloudwatch_log_metric_filter.it.id}", "namespace": "Shop", "statistic": "Sum"},
        {"dynamic": {"metric_query": {"for_each": ["a", "b"], "content": {"id": "${metric_query.value}"}}}},
        {"metric_query": [{"id": "m"}, {"id": "e", "expression": "m * 2", "return_data": "true"}]},
    ],
)
def test_alarms_may_measure_in_other_ways(alarm: dict[str, Any]) -> None:
    filters = {"it": {"pattern": "ERROR"}}
    document = resources(aws_cloudwatch_metric_alarm={"it": alarm}, aws_cloudwatch_log_metric_filter=filters)
    assert found("OPS-003", document) == []


def test_two_queries_that_return_data_are_refused() -> None:
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
def test_an_alarm_may_act_through_another_block(user: dict[str, Any]) -> None:
    alarm = {"alarm_name": "shop-errors"}
    document = resources(aws_cloudwatch_metric_alarm={"it": alarm}) | {
        "locals": {"alarm": "${aws_cloudwatch_metric_alarm.it.alarm_name}"}
    }
    document["resource"] |= user
    assert found("OPS-004", document) == []


def test_a_dashboard_does_not_act() -> None:
    board = {"it": {"dashboard_body": "${aws_cloudwatch_metric_alarm.it.arn}"}}
    assert len(found("OPS-004", resources(aws_cloudwatch_metric_alarm={"it": {}}, aws_cloudwatch_dashboard=board))) == 1


def test_topics_that_a_variable_lists_are_not_decided() -> None:
    document = resources(aws_cloudwatch_metric_alarm={"it": {"alarm_actions": "${var.topics}"}})
    assert doubted("OPS-004", document | {"variable": {"topics": {}}}) == ["var.topics has no default"]


def test_one_finding_stands_for_all_of_a_type_in_a_stack() -> None:
    functions = {name: {"function_name": name} for name in ("a", "b", "c", "d", "e", "f")}
    (message,) = found("OPS-005", resources(aws_lambda_function=functions))
    assert message.startswith("aws_lambda_function.a: has no alarm; add one on a metric of AWS/Lambda; neither have")
    assert message.endswith("aws_lambda_function.d and 2 more of the stack's functions")
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
def test_alarms_that_cover_a_function_in_other_ways(alarm: dict[str, Any]) -> None:
    functions = {"worker": {"function_name": "worker"}}
    assert found("OPS-005", resources(aws_lambda_function=functions, aws_cloudwatch_metric_alarm={"it": alarm})) == []


def test_an_alarm_of_an_unknown_dimension_may_be_about_it() -> None:
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


def test_thresholds_are_compared_by_metric_and_group() -> None:
    low = "resource.aws_cloudwatch_metric_alarm.low"
    assert found("OPS-006", good("OPS-006", {f"{low}.threshold": 5, f"{low}.metric_name": "RequestCount"})) == []
    assert found("OPS-006", good("OPS-006", {f"{low}.threshold": 5, f"{low}.alarm_actions": ["arn"]})) == []
    other = {"resource.aws_autoscaling_policy.down.autoscaling_group_name": "${aws_autoscaling_group.api.name}"}
    document = good("OPS-006", {f"{low}.threshold": 5} | other)
    document["resource"]["aws_autoscaling_group"]["api"] = {}
    assert found("OPS-006", document) == []


def test_thresholds_of_services_are_compared_too() -> None:
    policy = {"resource_id": "${aws_appautoscaling_target.tasks.resource_id}", "policy_type": "StepScaling"}
    document = good("OPS-006", {"resource.aws_cloudwatch_metric_alarm.low.threshold": 60})
    document["resource"]["aws_appautoscaling_policy"] = {"up": policy, "down": policy}
    for name, way in (("high", "up"), ("low", "down")):
        alarm = document["resource"]["aws_cloudwatch_metric_alarm"][name]
        alarm["alarm_actions"] = [f"${{aws_appautoscaling_policy.{way}.arn}}"]
    (message,) = found("OPS-006", document)
    assert "must be at most 35" in message


@pytest.mark.parametrize(
    "policy",
    [
        {"policy_type": "TargetTrackingScaling", "estimated_instance_warmup": 120},
        {"policy_type": "PredictiveScaling"},
        {"cooldown": "60"},
    ],
)
def test_policies_that_wait_or_look_ahead_are_clean(policy: dict[str, Any]) -> None:
    group = {"autoscaling_group_name": "${aws_autoscaling_group.web.name}"}
    document = resources(aws_autoscaling_group={"web": {}}, aws_autoscaling_policy={"it": group | policy})
    assert found("OPS-008", document) == []


def test_a_policy_of_a_group_from_elsewhere_is_not_decided() -> None:
    document = resources(aws_autoscaling_policy={"it": {"autoscaling_group_name": "shop-web"}})
    assert doubted("OPS-008", document) == ["the group is not in these stacks"]


def test_a_group_behind_no_load_balancer_asks_none() -> None:
    empty = {f"{GROUP}.target_group_arns": [], f"{GROUP}.health_check_type": REMOVED}
    assert found("OPS-009", good("OPS-009", empty)) == []
    source = {f"{GROUP}.traffic_source": [{"identifier": "arn", "type": "elbv2"}]}
    assert len(found("OPS-009", good("OPS-009", empty | source))) == 1


@pytest.mark.parametrize(
    "group",
    [
        {"availability_zones": ["eu-west-1a", "eu-west-1b"]},
        {"vpc_zone_identifier": "${data.aws_subnets.private.ids}"},
        {"vpc_zone_identifier": "${aws_subnet.private[*].id}"},
        {"vpc_zone_identifier": ["subnet-0a", "subnet-0b"]},
    ],
)
def test_zones_may_be_given_in_other_ways(group: dict[str, Any]) -> None:
    subnet = {"count": 2, "availability_zone": "${data.aws_availability_zones.all.names[count.index]}"}
    document = resources(aws_autoscaling_group={"web": group}, aws_subnet={"private": subnet})
    document["data"] = {"aws_subnets": {"private": {}}, "aws_availability_zones": {"all": {}}}
    assert look("OPS-022", document)[0] == []


def test_a_refresh_starts_with_a_number_and_in_mixed_groups_too() -> None:
    assert found("OPS-023", good("OPS-023", {f"{GROUP}.launch_template.version": "7"})) == []
    mixed = {
        "launch_template_specification": {"launch_template_id": "${aws_launch_template.web.id}", "version": "$Latest"}
    }
    document = good(
        "OPS-023",
        {f"{GROUP}.launch_template": REMOVED, f"{GROUP}.mixed_instances_policy": [{"launch_template": [mixed]}]},
    )
    (message,) = found("OPS-023", document)
    assert "must be ${aws_launch_template.web.latest_version}" in message


@pytest.mark.parametrize(
    "sizes",
    [
        {"min_size": 2, "max_size": 2},
        {"min_size": "0", "desired_capacity": 0, "max_size": "4"},
        {"min_size": 1, "desired_capacity": "${local.size}", "max_size": 4},
    ],
)
def test_sizes_that_agree_are_clean(sizes: dict[str, Any]) -> None:
    assert found("OPS-024", resources(aws_autoscaling_group={"web": sizes}) | {"locals": {"size": 3}}) == []
