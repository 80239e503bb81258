"""Alarms of a topic."""

from __future__ import annotations

from typing import Final

from constructs_lib.constructs.shared.alarms import occurrence_alarm

DELIVERY_ALARMS: Final = {
    "failed": occurrence_alarm(
        "AWS/SNS",
        "NumberOfNotificationsFailed",
        "A notification could not be delivered to a subscriber: read the dead-letter queue of the topic",
    ),
    "lost": occurrence_alarm(
        "AWS/SNS",
        "NumberOfNotificationsFailedToRedriveToDlq",
        "A notification could not be delivered, nor moved to the dead-letter queue, and is lost: check the queue's "
        "policy and key",
    ),
}
"""By name; the dimension is TopicName.

See https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html.
"""
