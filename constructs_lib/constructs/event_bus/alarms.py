"""Alarms of a bus's rules; the dimensions are EventBusName and RuleName.

See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html.
"""

from __future__ import annotations

from typing import Final

from constructs_lib.constructs.shared.alarms import occurrence_alarm

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
