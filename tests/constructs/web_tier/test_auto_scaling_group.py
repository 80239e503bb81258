from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from constructs_lib import (
    App,
    Environment,
    HardenedStack,
    Image,
    MultiRegionKey,
    RegionalBucket,
    RegionalVpc,
    SimpleScaling,
    TargetTracking,
    WebTier,
)
from constructs_lib.constructs.web_tier.image import architecture
from constructs_lib.constructs.web_tier.user_data import render
from tests.constructs.web_tier.tiers import (
    ACCOUNT,
    BALANCER,
    EXISTING,
    FLEET,
    GROUP,
    KEY,
    TARGETS,
    build,
    make_tier,
    make_user_data,
    statements,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

    Synth = Callable[..., SynthesizedStack]

TAGS = {"Environment": "prod", "ManagedBy": "terraform", "Owner": "team-shop", "Project": "shop", "Stack": "shop"}


@pytest.fixture(scope="module")
def prod(synth_stack: Synth) -> SynthesizedStack:
    return synth_stack(build, "prod")


@pytest.fixture(scope="module")
def dev(synth_stack: Synth) -> SynthesizedStack:
    return synth_stack(lambda stack: make_tier(stack, certificate=None))


def test_the_launch_template_is_private_encrypted_and_requires_imdsv2(prod: SynthesizedStack) -> None:
    tags = {**TAGS, "Name": "shop-prod-web-fleet-eu-west-1"}
    template = prod.resource("aws_launch_template")
    template.assert_config(
        {
            "block_device_mappings": [
                {
                    "device_name": "/dev/xvda",
                    "ebs": {
                        "delete_on_termination": "true",
                        "encrypted": "true",
                        "kms_key_id": KEY,
                        "volume_size": 20,
                        "volume_type": "gp3",
                    },
                }
            ],
            "iam_instance_profile": {"arn": "${aws_iam_instance_profile.web_fleet_profile_eu_west_1.arn}"},
            "image_id": "${data.aws_ssm_parameter.web_fleet_image_eu_west_1.insecure_value}",
            "instance_type": "m7g.large",
            "metadata_options": {
                "http_endpoint": "enabled",
                "http_put_response_hop_limit": 1,
                "http_tokens": "required",
            },
            "monitoring": {"enabled": True},
            "name": "shop-prod-web-fleet-eu-west-1",
            "network_interfaces": [
                {
                    "associate_public_ip_address": "false",
                    "delete_on_termination": "true",
                    "device_index": 0,
                    "security_groups": [FLEET],
                }
            ],
            "tag_specifications": [
                {"resource_type": "network-interface", "tags": tags},
                {"resource_type": "volume", "tags": tags},
            ],
            "update_default_version": True,
            "user_data": template["user_data"],
        }
    )


def test_the_launch_template_contains_the_user_data(prod: SynthesizedStack) -> None:
    script = base64.b64decode(prod.resource("aws_launch_template")["user_data"]).decode()
    assert script == render(
        make_user_data(
            facts={"Region": "eu-west-1", "Environment": "prod"},
            group="shop-prod-web-eu-west-1",
            namespace="shop-prod-web-eu-west-1",
            log_group="shop-prod-web-application-eu-west-1",
        )
    )


def test_the_group_replaces_unhealthy_old_and_outdated_instances(prod: SynthesizedStack) -> None:
    prod.resource("aws_autoscaling_group").assert_config(
        {
            "default_instance_warmup": 180,
            "depends_on": [
                "aws_lb_listener.web_balancer_https_eu_west_1",
                "aws_iam_role_policy.web_fleet_role_policy_eu_west_1",
                "aws_cloudwatch_log_group.web_application_eu_west_1",
                "aws_security_group.web_fleet_security_group_eu_west_1",
                "aws_vpc_security_group_egress_rule.web_fleet_security_group_to_0_0_0_0_0_443_eu_west_1",
            ],
            "enabled_metrics": [
                "GroupMinSize",
                "GroupMaxSize",
                "GroupDesiredCapacity",
                "GroupInServiceInstances",
                "GroupPendingInstances",
                "GroupStandbyInstances",
                "GroupTerminatingInstances",
                "GroupTotalInstances",
            ],
            "health_check_grace_period": 300,
            "health_check_type": "ELB",
            "instance_maintenance_policy": {"max_healthy_percentage": 150, "min_healthy_percentage": 100},
            "instance_refresh": {
                "preferences": {
                    "auto_rollback": True,
                    "max_healthy_percentage": 150,
                    "min_healthy_percentage": 100,
                },
                "strategy": "Rolling",
            },
            "launch_template": {
                "id": "${aws_launch_template.web_fleet_template_eu_west_1.id}",
                "version": "${aws_launch_template.web_fleet_template_eu_west_1.latest_version}",
            },
            "max_instance_lifetime": 2592000,
            "max_size": 12,
            "min_size": 2,
            "name": "shop-prod-web-eu-west-1",
            "tag": [
                {"key": key, "propagate_at_launch": True, "value": value}
                for key, value in sorted({**TAGS, "Name": "shop-prod-web-fleet-eu-west-1"}.items())
            ],
            "target_group_arns": [TARGETS % "arn"],
            "vpc_zone_identifier": EXISTING[3:],
        }
    )


def test_the_group_depends_on_the_routes_of_the_private_subnets(synth_stack: Synth) -> None:
    def build(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        vpc = RegionalVpc(stack, "vpc", region=region, cidr="10.0.0.0/16", key=key)
        logs = RegionalBucket(stack, "logs", region=region, log_delivery=True)
        WebTier(stack, "web", region=region, vpc=vpc, key=key, logs=logs)

    stack = synth_stack(build)
    waits = set(stack.resource("aws_autoscaling_group")["depends_on"])
    ways = {
        *(f"aws_route.vpc_private_default_{letter}_eu_west_1" for letter in "ab"),
        *(f"aws_route_table_association.vpc_private_association_{letter}_eu_west_1" for letter in "ab"),
        "aws_vpc_endpoint.vpc_s3_gateway_eu_west_1",
    }
    assert {address for address in waits if ".vpc_" in address} == ways
    assert stack.resource("aws_lb")["subnets"] == [
        f"${{aws_subnet.vpc_public_{letter}_eu_west_1.id}}" for letter in "ab"
    ]


def test_the_group_does_not_depend_on_a_vpc_in_another_stack(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]],
) -> None:
    def build(app: App) -> None:
        net = HardenedStack(app, "net", environment="dev", owner="team-shop")
        key = MultiRegionKey(net, "key", region=net.region("eu-west-1"))
        vpc = RegionalVpc(net, "vpc", region=net.region("eu-west-1"), cidr="10.0.0.0/16", key=key)
        make_tier(HardenedStack(app, "shop", environment="dev", owner="team-shop"), vpc=vpc)

    waits = synthesize(build)["shop"].resource("aws_autoscaling_group")["depends_on"]
    assert [address for address in waits if ".vpc_" in address] == []


def test_an_image_resolved_at_plan_has_auto_rollback(synth_stack: Synth) -> None:
    stack = synth_stack(lambda s: make_tier(s, image=Image(resolved="plan"), instance_type="m6i.large"))
    stack.resource("data.aws_ssm_parameter").assert_config(
        {"name": "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"}
    )
    reference = "${data.aws_ssm_parameter.web_fleet_image_eu_west_1.insecure_value}"
    assert stack.resource("aws_launch_template")["image_id"] == reference
    assert stack.resource("aws_autoscaling_group")["instance_refresh"]["preferences"]["auto_rollback"] is True


def test_dev_resolves_the_image_at_each_launch_and_prod_at_the_plan(
    dev: SynthesizedStack, prod: SynthesizedStack, synth_stack: Synth
) -> None:
    name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
    assert dev.resource("aws_launch_template")["image_id"] == f"resolve:ssm:{name}"
    assert dev.resource("aws_autoscaling_group")["instance_refresh"]["preferences"]["auto_rollback"] is False
    assert dev.find("data.aws_ssm_parameter") == []
    prod.resource("data.aws_ssm_parameter").assert_config({"name": name})
    stack = synth_stack(lambda s: make_tier(s, image=Image(resolved="launch")), "prod")
    assert stack.resource("aws_launch_template")["image_id"] == f"resolve:ssm:{name}"


def test_the_ssm_parameter_of_the_image_is_an_argument(synth_stack: Synth) -> None:
    stack = synth_stack(lambda s: make_tier(s, image=Image("/shop/images/web")))
    assert stack.resource("aws_launch_template")["image_id"] == "resolve:ssm:/shop/images/web"


def test_the_role_allows_sessions_and_the_tiers_own_logs_and_metrics(prod: SynthesizedStack) -> None:
    assert statements(prod, "*/role/policy-document") == {
        "Register": {
            "effect": "Allow",
            "actions": ["ssm:UpdateInstanceInformation"],
            "resources": [f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/*"],
        },
        "Sessions": {
            "effect": "Allow",
            "actions": [
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ],
            "resources": ["*"],
        },
        "WriteLogs": {
            "effect": "Allow",
            "actions": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "resources": ["${aws_cloudwatch_log_group.web_application_eu_west_1.arn}:*"],
        },
        "WriteMetrics": {
            "effect": "Allow",
            "actions": ["cloudwatch:PutMetricData"],
            "resources": ["*"],
            "condition": [
                {
                    "test": "StringEquals",
                    "variable": "cloudwatch:namespace",
                    "values": ["shop-prod-web-eu-west-1"],
                }
            ],
        },
        "ReadOrders": {
            "effect": "Allow",
            "actions": ["sqs:ReceiveMessage"],
            "resources": ["arn:aws:sqs:eu-west-1:123456789012:orders"],
        },
    }
    trust = statements(prod, "*/role/trust")["AssumeRole"]
    assert trust["principals"] == [{"type": "Service", "identifiers": ["ec2.amazonaws.com"]}]
    prod.resource("aws_iam_instance_profile").assert_config(
        {"name": "shop-prod-web-fleet-eu-west-1", "role": "${aws_iam_role.web_fleet_role_eu_west_1.name}"}
    )


def test_the_key_policy_allows_auto_scaling(prod: SynthesizedStack) -> None:
    found = json.loads(prod.resource("aws_kms_key")["policy"])["Statement"]
    policy = {statement["Sid"]: statement for statement in found}
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    whom = {"ArnEquals": {"aws:PrincipalArn": [role]}}
    use = policy["AutoScaling"]
    assert (use["Principal"], use["Condition"]) == ({"AWS": ["*"]}, whom)
    assert "kms:GenerateDataKeyWithoutPlaintext" in use["Action"]
    grant = policy["AutoScalingVolumes"]
    assert (grant["Action"], grant["Principal"]) == (["kms:CreateGrant"], {"AWS": ["*"]})
    assert grant["Condition"] == {**whom, "Bool": {"kms:GrantIsForAWSResource": ["true"]}}


@pytest.fixture(scope="module")
def simple(synth_stack: Synth) -> SynthesizedStack:
    return synth_stack(lambda s: make_tier(s, scaling=SimpleScaling()))


def test_the_default_cooldown_is_that_of_simple_scaling(simple: SynthesizedStack, dev: SynthesizedStack) -> None:
    assert simple.resource("aws_autoscaling_group")["default_cooldown"] == 300
    assert "default_cooldown" not in dev.resource("aws_autoscaling_group")


@pytest.mark.parametrize(("id_", "step", "threshold", "minutes"), [("grow", 1, 70, 2), ("shrink", -1, 30, 15)])
def test_simple_scaling_has_two_policies_with_alarms(
    simple: SynthesizedStack, id_: str, step: int, threshold: int, minutes: int
) -> None:
    comparison, text = {
        "grow": ("GreaterThanThreshold", "over 70 %: grows it"),
        "shrink": ("LessThanThreshold", "under 30 %: shrinks it"),
    }[id_]
    simple.resource("aws_autoscaling_policy", f"*/{id_}").assert_config(
        {
            "adjustment_type": "ChangeInCapacity",
            "autoscaling_group_name": GROUP,
            "cooldown": 300,
            "name": f"shop-dev-web-fleet-{id_}-eu-west-1",
            "policy_type": "SimpleScaling",
            "scaling_adjustment": step,
        }
    )
    simple.resource("aws_cloudwatch_metric_alarm", f"*/{id_}-alarm").assert_config(
        {
            "actions_enabled": True,
            "alarm_actions": [f"${{aws_autoscaling_policy.web_fleet_{id_}_eu_west_1.arn}}"],
            "alarm_description": f"Average CPU of the group is {text}",
            "alarm_name": f"shop-dev-web-fleet-{id_}-alarm-eu-west-1",
            "comparison_operator": comparison,
            "datapoints_to_alarm": minutes,
            "dimensions": {"AutoScalingGroupName": GROUP},
            "evaluation_periods": minutes,
            "metric_name": "CPUUtilization",
            "namespace": "AWS/EC2",
            "period": 60,
            "statistic": "Average",
            "threshold": threshold,
            "treat_missing_data": "missing",
        }
    )


@pytest.mark.parametrize(
    ("scaling", "metric"),
    [
        (TargetTracking(), {"predefined_metric_type": "ASGAverageCPUUtilization"}),
        (
            TargetTracking(1000, "requests"),
            {
                "predefined_metric_type": "ALBRequestCountPerTarget",
                "resource_label": f"{BALANCER % 'arn_suffix'}/{TARGETS % 'arn_suffix'}",
            },
        ),
    ],
)
def test_target_tracking_has_one_policy_and_no_alarms(
    synth_stack: Synth, scaling: TargetTracking, metric: dict[str, str]
) -> None:
    stack = synth_stack(lambda s: make_tier(s, scaling=scaling))
    stack.resource("aws_autoscaling_policy").assert_config(
        {
            "autoscaling_group_name": GROUP,
            "name": "shop-dev-web-fleet-tracking-eu-west-1",
            "policy_type": "TargetTrackingScaling",
            "target_tracking_configuration": {
                "predefined_metric_specification": metric,
                "target_value": scaling.target_value,
            },
        }
    )
    assert TargetTracking().target_value == 60
    assert stack.find("aws_cloudwatch_metric_alarm") == []
    assert "default_cooldown" not in stack.resource("aws_autoscaling_group")


def test_target_tracking_is_the_default(dev: SynthesizedStack) -> None:
    policy = dev.resource("aws_autoscaling_policy")
    assert (policy["policy_type"], policy["target_tracking_configuration"]["target_value"]) == (
        "TargetTrackingScaling",
        60,
    )
    assert dev.find("aws_cloudwatch_metric_alarm") == []


def test_sizes_and_instance_type_depend_on_the_environment(synth_stack: Synth, environment: Environment) -> None:
    stack = synth_stack(make_tier, environment)
    group = stack.resource("aws_autoscaling_group")
    expected = {"dev": (1, 2, "t4g.small"), "staging": (2, 4, "t4g.small"), "prod": (2, 12, "m7g.large")}[environment]
    type_ = stack.resource("aws_launch_template")["instance_type"]
    assert (group["min_size"], group["max_size"], type_) == expected
    assert stack.resource("aws_lb")["enable_deletion_protection"] is (environment == "prod")


def test_sizes_volume_and_health_path_are_arguments(synth_stack: Synth) -> None:
    stack = synth_stack(lambda s: make_tier(s, minimum=3, maximum=9, volume_gb=50, health_path="/app/up"))
    group = stack.resource("aws_autoscaling_group")
    assert (group["min_size"], group["max_size"]) == (3, 9)
    assert stack.resource("aws_launch_template")["block_device_mappings"][0]["ebs"]["volume_size"] == 50
    assert stack.resource("aws_lb_target_group")["health_check"]["path"] == "/app/up"


def test_minimum_and_maximum_can_be_equal(synth_stack: Synth) -> None:
    group = synth_stack(lambda s: make_tier(s, minimum=3, maximum=3)).resource("aws_autoscaling_group")
    assert (group["min_size"], group["max_size"]) == (3, 3)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        *((type_, "arm64") for type_ in ("t4g.nano", "c7gn.16xlarge", "x2gd.metal", "im4gn.large", "a1.large")),
        *((type_, "arm64") for type_ in ("g5g.xlarge", "p6e-gb200.36xlarge", "m8g.metal-24xl")),
        *((type_, "x86_64") for type_ in ("t3.micro", "m6i.large", "g4dn.xlarge", "m7a.medium", "p5.48xlarge")),
    ],
)
def test_the_architecture_is_that_of_the_instance_type(type_: str, expected: str) -> None:
    assert architecture(type_) == expected


def test_ebs_optimization_is_left_to_the_instance_type(synth_stack: Synth) -> None:
    template = synth_stack(lambda s: make_tier(s, instance_type="t2.micro")).resource("aws_launch_template")
    assert template["instance_type"] == "t2.micro"
    assert "ebs_optimized" not in template
