"""CloudWatch alarms of a web tier. The descriptions are resource arguments: a change updates every alarm."""

from __future__ import annotations

from typing import Final

from constructs_lib.core.alarms import Alarm

_NAMESPACE: Final = "AWS/ApplicationELB"
ERRORS: Final = 10
SECONDS: Final = 1
"""Threshold of the p99 latency."""


def _errors(metric: str, description: str) -> Alarm:
    # The metric has no data points without errors.
    return Alarm(
        *(_NAMESPACE, metric, "GreaterThanThreshold", ERRORS, description),
        statistic="Sum",
        period=60,
        evaluation_periods=5,
        datapoints=3,
        missing_data="notBreaching",
    )


BALANCER_ALARMS: Final = {
    "errors": _errors(
        "HTTPCode_ELB_5XX_Count",
        "The load balancer answers with errors of its own: no instance is healthy, or they do not answer in time",
    ),
    "rejected": Alarm(
        *(_NAMESPACE, "RejectedConnectionCount", "GreaterThanThreshold", 0),
        "Connections are refused because the load balancer has reached its maximum",
        statistic="Sum",
        period=60,
        evaluation_periods=5,
        datapoints=3,
        missing_data="notBreaching",
    ),
}
"""Alarms by load balancer."""
TARGET_ALARMS: Final = {
    "target-errors": _errors("HTTPCode_Target_5XX_Count", "Instances answer with errors: look at the error log"),
    "latency": Alarm(
        *(_NAMESPACE, "TargetResponseTime", "GreaterThanThreshold", SECONDS),
        f"One request of a hundred takes more than {SECONDS} second: look at the CPU, and at what instances wait for",
        statistic=None,
        percentile="p99",
        period=60,
        evaluation_periods=15,
        datapoints=10,
        missing_data="notBreaching",
    ),
    "unhealthy": Alarm(
        *(_NAMESPACE, "UnHealthyHostCount", "GreaterThanThreshold", 0),
        "An instance has been unhealthy for 15 minutes, and replacing it has not helped: look at the setup log",
        statistic="Maximum",
        period=60,
        evaluation_periods=15,
        # Without data points the targets are not checked.
        missing_data="breaching",
    ),
}
"""Alarms by load balancer and target group.

See https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html.
"""


def in_service_alarm(minimum: int) -> Alarm:
    """Return the alarm for a group that has had fewer instances than its minimum for 15 minutes.

    See https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html.
    """
    return Alarm(
        *("AWS/AutoScaling", "GroupInServiceInstances", "LessThanThreshold", minimum),
        "Fewer instances are in service than the minimum size, and launching others has not helped: look at the "
        "activity history of the group",
        statistic="Minimum",
        period=60,
        evaluation_periods=15,
        # Without data points there is no group.
        missing_data="breaching",
    )
