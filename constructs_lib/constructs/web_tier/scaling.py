"""Scaling policies of an Auto Scaling group: simple scaling by two CPU alarms, or target tracking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from constructs_lib._engine import aws
from constructs_lib.foundation.deprecation import renamed_fields
from constructs_lib.foundation.errors import Problems

Metric = Literal["cpu", "requests"]

PERCENT: Final = range(10, 91)
COOLDOWN: Final = range(60, 3601)
MAX_STEP: Final = 20
LEAST_REQUESTS: Final = 1


@dataclass(frozen=True)
class SimpleScaling:
    """Simple scaling: one CPU alarm adds instances, another one removes them.

    The alarm that removes instances stays in the ALARM state while the group has its minimum size; it notifies no
    topic. AWS recommends `TargetTracking`.

    Attributes:
        high: Average CPU utilization in percent, 10 to 90: instances are added after two minutes above it.
        low: Average CPU utilization in percent, 10 to 90 and at most half of `high`: instances are removed after 15
            minutes below it. The load per instance doubles when one of two is removed.
        step: Instances that are added or removed at a time, 1 to 20.
        cooldown: Cooldown in seconds between two changes, 60 to 3,600.

    See https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html.
    """

    high: int = 70
    low: int = 30
    step: int = 1
    cooldown: int = 300


@renamed_fields(value="target_value", figure="metric")
@dataclass(frozen=True)
class TargetTracking:
    """Target tracking: Auto Scaling keeps a metric close to a target value.

    Attributes:
        target_value: Average CPU utilization in percent, 10 to 90, or requests per minute and instance, at least 1.
        metric: `cpu`: ASGAverageCPUUtilization. `requests`: ALBRequestCountPerTarget.

    See https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html.
    """

    target_value: int = 60
    metric: Metric = "cpu"


def check_scaling(problems: Problems, scaling: object) -> None:
    """Report thresholds that AWS refuses, and those that add and remove instances in turn."""
    if isinstance(scaling, TargetTracking):
        if problems.check(
            scaling.metric in get_args(Metric),
            "scaling.metric",
            scaling.metric,
            f"must be {' or '.join(get_args(Metric))}",
        ):
            _check_value(problems, scaling)
        return
    if not isinstance(scaling, SimpleScaling):
        problems.add("scaling", scaling, "must be SimpleScaling or TargetTracking")
        return
    fine = True
    for name, value, allowed in (
        ("high", scaling.high, PERCENT),
        ("low", scaling.low, PERCENT),
        ("step", scaling.step, range(1, MAX_STEP + 1)),
        ("cooldown", scaling.cooldown, COOLDOWN),
    ):
        fine &= problems.check_whole(f"scaling.{name}", value, allowed[0], allowed[-1])
    problems.check(
        not fine or scaling.low * 2 <= scaling.high,
        "scaling.low",
        scaling.low,
        f"must be at most {scaling.high // 2 if fine else 0}, half of high: the load per instance doubles when one of "
        "two is removed",
    )


def _check_value(problems: Problems, scaling: TargetTracking) -> None:
    if scaling.metric == "cpu":
        problems.check_whole("scaling.target_value", scaling.target_value, PERCENT[0], PERCENT[-1], "percent")
    else:
        problems.check(
            type(scaling.target_value) is int and scaling.target_value >= LEAST_REQUESTS,
            "scaling.target_value",
            scaling.target_value,
            "must be a whole number of requests per minute, at least 1",
        )


def tracking(
    scaling: TargetTracking, resource_label: str
) -> aws.autoscaling_policy.AutoscalingPolicyTargetTrackingConfiguration:
    """Return the configuration of a target tracking policy.

    Args:
        scaling: The metric and its target value.
        resource_label: The ARN suffixes of load balancer and target group, for requests.
    """
    policy = aws.autoscaling_policy
    metric = policy.AutoscalingPolicyTargetTrackingConfigurationPredefinedMetricSpecification
    return policy.AutoscalingPolicyTargetTrackingConfiguration(
        target_value=scaling.target_value,
        predefined_metric_specification=(
            metric(predefined_metric_type="ASGAverageCPUUtilization")
            if scaling.metric == "cpu"
            else metric(predefined_metric_type="ALBRequestCountPerTarget", resource_label=resource_label)
        ),
    )
