"""Alarms of a bus; the dimensions of its rules are EventBusName and RuleName.

See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html.
"""

from __future__ import annotations

from typing import Final

from constructs_lib.constructs.queue.alarms import dead_letter_alarm
from constructs_lib.constructs.shared.alarms import occurrence_alarm

BUS_DEAD_LETTER_ALARM: Final = dead_letter_alarm(
    "An event could not be delivered: its message attributes say why and to which target; fix the cause, then send it "
    "to the target again within 14 days (a redrive is for SQS sources only)"
)

RULE_ALARMS: Final = {
    "failed": occurrence_alarm(
        "AWS/Events",
        "FailedInvocations",
        "An event was not delivered and will not be: look at the target's permissions",
    ),
    "sent-to-dlq": occurrence_alarm(
        "AWS/Events",
        "InvocationsSentToDlq",
        "An event could not be delivered and waits in the dead-letter queue, with the reason",
    ),
    "lost": occurrence_alarm(
        "AWS/Events",
        "InvocationsFailedToBeSentToDlq",
        "An event could not be delivered, nor put into the dead-letter queue: it is lost",
    ),
}
