"""Alarms of a function; the dimension is FunctionName.

See https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html.
"""

from __future__ import annotations

from typing import Final

from constructs_lib.constructs.shared.alarms import occurrence_alarm

FUNCTION_ALARMS: Final = {
    "errors": occurrence_alarm(
        "AWS/Lambda",
        "Errors",
        "A call of the function failed: its log group says why, its dead-letter queue keeps asynchronous ones",
    ),
    "throttles": occurrence_alarm(
        "AWS/Lambda",
        "Throttles",
        "Calls were turned away: the reserved concurrency, or the account's, is used up",
    ),
}
