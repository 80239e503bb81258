"""Auto Scaling groups and scaling policies: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, look, resources
from tests.rules.catalogue.operations.documents import GROUP


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
def test_policies_with_a_cooldown_and_predictive_policies_are_clean(policy: dict[str, Any]) -> None:
    group = {"autoscaling_group_name": "${aws_autoscaling_group.web.name}"}
    document = resources(aws_autoscaling_group={"web": {}}, aws_autoscaling_policy={"it": group | policy})
    assert found("OPS-008", document) == []


def test_a_policy_of_a_group_outside_these_stacks_is_undecided() -> None:
    document = resources(aws_autoscaling_policy={"it": {"autoscaling_group_name": "shop-web"}})
    assert doubted("OPS-008", document) == ["the group is not in these stacks"]


def test_a_group_without_a_load_balancer_needs_no_elb_health_check() -> None:
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
def test_other_forms_of_zones_are_clean(group: dict[str, Any]) -> None:
    subnet = {"count": 2, "availability_zone": "${data.aws_availability_zones.all.names[count.index]}"}
    document = resources(aws_autoscaling_group={"web": group}, aws_subnet={"private": subnet})
    document["data"] = {"aws_subnets": {"private": {}}, "aws_availability_zones": {"all": {}}}
    assert look("OPS-022", document)[0] == []


def test_version_numbers_are_clean_and_mixed_instances_policies_are_checked() -> None:
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
def test_consistent_sizes_are_clean(sizes: dict[str, Any]) -> None:
    assert found("OPS-024", resources(aws_autoscaling_group={"web": sizes}) | {"locals": {"size": 3}}) == []


def test_a_launch_template_may_tag_the_instances() -> None:
    document = good("OPS-027", {f"{GROUP}.tag": REMOVED})
    tags = {"tag_specifications": [{"resource_type": "instance", "tags": {"Project": "shop"}}]}
    document["resource"]["aws_launch_template"]["web"] |= tags
    assert found("OPS-027", document) == []


def test_tags_of_a_dynamic_block_apply_to_instances() -> None:
    content = {"key": "${tag.key}", "value": "${tag.value}", "propagate_at_launch": True}
    dynamic = {"tag": {"for_each": {"Project": "shop"}, "content": content}}
    assert found("OPS-027", resources(aws_autoscaling_group={"web": {"dynamic": dynamic}})) == []
