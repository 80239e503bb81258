"""Alarms of a topic."""

from __future__ import annotations

from typing import Final

from constructs_lib.constructs.queue.alarms import dead_letter_alarm
from constructs_lib.constructs.shared.alarms import occurrence_alarm

TOPIC_DEAD_LETTER_ALARM: Final = dead_letter_alarm(
    "A message could not be delivered to a subscriber: fix the cause, then send it to the subscriber again within 14 "
    "days (a redrive is for SQS sources only)"
)

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
