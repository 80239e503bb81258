"""How a group grows and shrinks: by two alarms on the CPU, or by aiming at one figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from constructs_lib._engine import aws
from constructs_lib.foundation.errors import Problems

Figure = Literal["cpu", "requests"]

PERCENT: Final = range(10, 91)
COOLDOWN: Final = range(60, 3601)
MAX_STEP: Final = 20
LEAST_REQUESTS: Final = 1


@dataclass(frozen=True)
class CpuAlarms:
    """One alarm starts instances, another one ends them, and after each change the group waits.

    Attributes:
        high: Average CPU in percent above which the group grows, after two minutes; 10 to 90.
        low: Below which it shrinks, after 15 minutes; 10 to 90, and at most half of `high`: of two instances one that
            goes doubles the load of the other.
        step: Instances that come or go at a time, 1 to 20.
        cooldown: Seconds after a change before the next, 60 to 3,600.

    See https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html.
    """

    high: int = 70
    low: int = 30
    step: int = 1
    cooldown: int = 300


@dataclass(frozen=True)
class TargetTracking:
    """AWS keeps one figure near a value, with alarms of its own.

    Attributes:
        value: CPU in percent, 10 to 90, or requests of each instance in a minute, at least 1.
        figure: `cpu` (default), or `requests` for what the load balancer sends.

    See https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html.
    """

    value: int = 60
    figure: Figure = "cpu"


def check_scaling(problems: Problems, scaling: object) -> None:
    """Note figures that AWS refuses, or with which a group never rests."""
    if isinstance(scaling, TargetTracking):
        if problems.check(
            scaling.figure in get_args(Figure),
            "scaling.figure",
            scaling.figure,
            f"must be {' or '.join(get_args(Figure))}",
        ):
            _check_value(problems, scaling)
        return
    if not isinstance(scaling, CpuAlarms):
        problems.add("scaling", scaling, "must be CpuAlarms(...) or TargetTracking(...)")
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
        f"must be at most {scaling.high // 2 if fine else 0}, half of high: one instance of two that goes doubles the "
        "load of the other",
    )


def _check_value(problems: Problems, scaling: TargetTracking) -> None:
    if scaling.figure == "cpu":
        problems.check_whole("scaling.value", scaling.value, PERCENT[0], PERCENT[-1], "percent")
    else:
        problems.check(
            type(scaling.value) is int and scaling.value >= LEAST_REQUESTS,
            "scaling.value",
            scaling.value,
            "must be a whole number of requests in a minute, at least 1",
        )


def tracking(
    scaling: TargetTracking, resource_label: str
) -> aws.autoscaling_policy.AutoscalingPolicyTargetTrackingConfiguration:
    """Return what a target tracking policy aims at.

    Args:
        scaling: The figure and its value.
        resource_label: Load balancer and target group, as AWS names them together for requests.
    """
    policy = aws.autoscaling_policy
    metric = policy.AutoscalingPolicyTargetTrackingConfigurationPredefinedMetricSpecification
    return policy.AutoscalingPolicyTargetTrackingConfiguration(
        target_value=scaling.value,
        predefined_metric_specification=(
            metric(predefined_metric_type="ASGAverageCPUUtilization")
            if scaling.figure == "cpu"
            else metric(predefined_metric_type="ALBRequestCountPerTarget", resource_label=resource_label)
        ),
    )
