"""What is watched of a bus's rules in production."""

from __future__ import annotations

from typing import Final

from constructs_lib.core.alarms import Alarm


def _alarm(metric: str, description: str) -> Alarm:
    return Alarm(
        "AWS/Events",
        metric,
        "GreaterThanThreshold",
        0,
        description,
        statistic="Sum",
        evaluation_periods=1,
        missing_data="notBreaching",
    )


RULE_ALARMS: Final = {
    "failed": _alarm(
        "FailedInvocations", "An event was not delivered and will not be: look at the target's permissions"
    ),
    "sent-to-dlq": _alarm(
        "InvocationsSentToDlq", "An event could not be delivered and waits in the dead-letter queue, with the reason"
    ),
    "lost": _alarm(
        "InvocationsFailedToBeSentToDlq",
        "An event could not be delivered, nor put into the dead-letter queue: it is lost",
    ),
}
"""See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html."""
