"""Alarms of a topic."""

from __future__ import annotations

from typing import Final

from constructs_lib.core.alarms import Alarm


def _alarm(metric: str, description: str) -> Alarm:
    return Alarm(
        "AWS/SNS",
        metric,
        "GreaterThanThreshold",
        0,
        description,
        statistic="Sum",
        evaluation_periods=1,
        missing_data="notBreaching",
    )


DELIVERY_ALARMS: Final = {
    "failed": _alarm(
        "NumberOfNotificationsFailed",
        "A notification could not be delivered to a subscriber: read the dead-letter queue of the topic",
    ),
    "lost": _alarm(
        "NumberOfNotificationsFailedToRedriveToDlq",
        "A notification could not be delivered, nor moved to the dead-letter queue, and is lost: check the queue's "
        "policy and key",
    ),
}
"""By name; the dimension is TopicName.

See https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html.
"""
