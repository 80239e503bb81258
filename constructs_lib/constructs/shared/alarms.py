"""Alarms that several constructs declare."""

from __future__ import annotations

from constructs_lib.core.alarms import Alarm


def occurrence_alarm(namespace: str, metric: str, description: str) -> Alarm:
    """Return an alarm that is raised when the metric's sum is above 0 in one period of 5 minutes."""
    return Alarm(
        namespace,
        metric,
        "GreaterThanThreshold",
        0,
        description,
        statistic="Sum",
        evaluation_periods=1,
        missing_data="notBreaching",
    )
