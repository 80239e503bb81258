"""What is watched of a function in production."""

from __future__ import annotations

from typing import Final

from constructs_lib.core.alarms import Alarm

_NAMESPACE: Final = "AWS/Lambda"

FUNCTION_ALARMS: Final = {
    "errors": Alarm(
        _NAMESPACE,
        "Errors",
        "GreaterThanThreshold",
        0,
        "A call of the function failed: its log group says why, its dead-letter queue keeps asynchronous ones",
        statistic="Sum",
        evaluation_periods=1,
        missing_data="notBreaching",
    ),
    "throttles": Alarm(
        _NAMESPACE,
        "Throttles",
        "GreaterThanThreshold",
        0,
        "Calls were turned away: the reserved concurrency, or the account's, is used up",
        statistic="Sum",
        evaluation_periods=1,
        missing_data="notBreaching",
    ),
}
"""Alarms by name.

See https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html.
"""
