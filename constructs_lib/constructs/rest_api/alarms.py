"""Alarms of an API's stage; the dimensions are ApiName and Stage.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Best_Practice_Recommended_Alarms_AWS_Services.html.
"""

from __future__ import annotations

from typing import Final

from constructs_lib.core.alarms import Alarm

_NAMESPACE: Final = "AWS/ApiGateway"

SERVER_ERRORS: Final = Alarm(
    _NAMESPACE,
    "5XXError",
    "GreaterThanThreshold",
    0.05,
    "More than 5% of the API's requests fail with a 5xx status: the access log says which and why",
    period=60,
    missing_data="notBreaching",
)
"""The average of the metric is the error rate; the threshold and the three minutes are those that AWS recommends."""


def latency_alarm(milliseconds: int) -> Alarm:
    """Return the alarm on the 99th percentile of the latency, which clients with the slowest responses see."""
    return Alarm(
        _NAMESPACE,
        "Latency",
        "GreaterThanThreshold",
        milliseconds,
        f"The slowest 1% of the responses take more than {milliseconds} ms; API Gateway waits 29 s for a function",
        statistic=None,
        percentile="p99",
        period=60,
        evaluation_periods=5,
        missing_data="notBreaching",
    )
