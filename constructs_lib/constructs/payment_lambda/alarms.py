"""Alarms of a function; the dimension is FunctionName, except for its dead-letter queue.

See https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html.
"""

from __future__ import annotations

from typing import Final

from constructs_lib.constructs.queue.alarms import dead_letter_alarm
from constructs_lib.constructs.shared.alarms import occurrence_alarm
from constructs_lib.core.alarms import Alarm

_NAMESPACE: Final = "AWS/Lambda"
_NEAR_TIMEOUT: Final = 0.9
_OLD: Final = 0.5

FUNCTION_ALARMS: Final = {
    "errors": occurrence_alarm(
        _NAMESPACE,
        "Errors",
        "A call of the function failed: its log group says why, its dead-letter queue keeps asynchronous ones",
    ),
    "throttles": occurrence_alarm(
        _NAMESPACE,
        "Throttles",
        "Calls were turned away: the reserved concurrency, or the account's, is used up",
    ),
    "lost": occurrence_alarm(
        _NAMESPACE,
        "DeadLetterErrors",
        "An asynchronous invocation failed and could not be moved to the dead-letter queue: it is lost; check the "
        "queue's policy and key",
    ),
}
"""By name."""

FUNCTION_DEAD_LETTER_ALARM: Final = dead_letter_alarm(
    "An asynchronous invocation or a batch of stream records failed for good: fix the cause, then invoke the function "
    "with it again within 14 days"
)

STREAM_ALARM: Final = occurrence_alarm(
    _NAMESPACE,
    "DestinationDeliveryFailures",
    "Stream records were skipped and their position could not be sent to the dead-letter queue: check the queue's "
    "policy and key",
)


def duration_alarm(timeout: int) -> Alarm:
    """Return the alarm on invocations that last almost as long as the timeout in seconds allows."""
    return Alarm(
        _NAMESPACE,
        "Duration",
        "GreaterThanThreshold",
        _NEAR_TIMEOUT * timeout * 1000,
        f"Invocations last almost as long as the timeout of {timeout} seconds: look at what they wait for, or raise "
        "the timeout",
        statistic=None,
        percentile="p99",
        missing_data="notBreaching",
    )


def age_threshold(maximum_record_age: int) -> float:
    """Return the alarm threshold for the age of stream records, in milliseconds: half of the age that skips them."""
    return _OLD * maximum_record_age * 1000


def iterator_age_alarm(maximum_record_age: int) -> Alarm:
    """Return the alarm on the age of stream records when the function has processed them."""
    return Alarm(
        _NAMESPACE,
        "IteratorAge",
        "GreaterThanThreshold",
        age_threshold(maximum_record_age),
        "Stream records wait for half of the time after which they are skipped: look at the function's errors and "
        "duration",
        statistic="Maximum",
        missing_data="notBreaching",
    )
