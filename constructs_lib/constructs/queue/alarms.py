"""Alarms of a queue and of dead-letter queues; the dimension is QueueName.

See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html.
"""

from __future__ import annotations

from typing import Final

from constructs_lib.core.alarms import Alarm

_NAMESPACE: Final = "AWS/SQS"


def age_alarm(seconds: int) -> Alarm:
    """Return the alarm on the age of the oldest message."""
    return Alarm(
        _NAMESPACE,
        "ApproximateAgeOfOldestMessage",
        "GreaterThanThreshold",
        seconds,
        f"A message has waited for more than {seconds} seconds: look at the consumer's errors and throttles",
        statistic="Maximum",
        missing_data="notBreaching",
    )


def depth_alarm(messages: int) -> Alarm:
    """Return the alarm on the number of visible messages."""
    return Alarm(
        _NAMESPACE,
        "ApproximateNumberOfMessagesVisible",
        "GreaterThanThreshold",
        messages,
        f"More than {messages} messages wait: the consumers do not keep up with the senders",
        statistic="Maximum",
        missing_data="notBreaching",
    )


def dead_letter_alarm(description: str) -> Alarm:
    """Return the alarm on messages in a dead-letter queue; the description says how they are processed again."""
    return Alarm(
        _NAMESPACE,
        "ApproximateNumberOfMessagesVisible",
        "GreaterThanThreshold",
        0,
        description,
        statistic="Maximum",
        period=60,
        evaluation_periods=1,
        missing_data="notBreaching",
    )


REDRIVE_ALARM: Final = dead_letter_alarm(
    "A message could not be processed: find out why, fix the cause, then start a redrive within 14 days"
)
"""Only the dead-letter queue of an SQS queue has a redrive.

See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html.
"""
