"""Alarms on the metrics of the functions in lambda_src, which they publish in CloudWatch's embedded metric format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib import Alarm
from constructs_lib.core.alarms import Alarms
from constructs_lib.foundation.errors import Problems

if TYPE_CHECKING:
    from constructs_lib import AlarmTopic, PaymentLambda

FAULTS: Final = Alarm(
    "Application",
    "Faults",
    "GreaterThanThreshold",
    0,
    "The function has faults that no retry cures, such as a missing permission: its log group has lines of level ERROR",
    statistic="Sum",
    evaluation_periods=1,
    missing_data="notBreaching",
)
"""The metric Errors of Lambda counts exceptions only, not responses with a status code of 500."""

CACHE_AWAY: Final = Alarm(
    "Application",
    "CacheAway",
    "GreaterThanThreshold",
    0,
    "The cache has been away for 5 minutes, and all reads go to the table: compare the metric CacheConnectTime with "
    "the time budget in ticket_cache.py",
    statistic="Sum",
    period=60,
    evaluation_periods=5,
    missing_data="notBreaching",
)


def add_handler_alarms(
    function: PaymentLambda, topic: AlarmTopic, *, cached: bool = False, alarms: bool | None = None
) -> None:
    """Create the alarm on a function's faults, and on its cache if it has one.

    See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html.
    """
    created = Alarms(function, Problems(function.path), alarms=alarms, alarm_topics=[topic.arn])
    dimensions = {"FunctionName": function.resource.function_name}
    created.add("faults-alarm", FAULTS, dimensions)
    if cached:
        created.add("cache-away-alarm", CACHE_AWAY, dimensions)
