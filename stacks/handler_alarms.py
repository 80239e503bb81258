"""Alarms on the metrics that the functions in lambda_src publish, in CloudWatch's embedded metric format.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html.
"""

from __future__ import annotations

from typing import Final

from constructs_lib import Alarm

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
