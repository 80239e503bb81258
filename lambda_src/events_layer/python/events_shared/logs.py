"""Structured logs and metrics: JSON lines on standard output, each with the correlation id of its request.

A line has a fixed message, numbers and codes, never data of a caller. An exception is logged with its type, its stack
and the error code of AWS, without its text. The levels are Lambda's: DEBUG, INFO, WARN, ERROR and FATAL; Lambda treats
a line with any other level as INFO.

A line with `metrics` is also a metric in CloudWatch's embedded metric format, in the namespace `Application` with the
dimension `FunctionName`. Such lines have the level ERROR, so that a log level of WARN or ERROR does not drop them.

Environment variables: `LOG_LEVEL` (`TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR` or `FATAL`; INFO by default), `AWS_REGION`
and `AWS_LAMBDA_FUNCTION_NAME` (set by Lambda).

See https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html.
"""

import json
import logging
import os
import re
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import PurePath

from events_shared.errors import error_code

UNKNOWN = "unknown"
NAMESPACE = "Application"
FAULT = {"Faults": 1}
"""The metric of a line about a fault; an alarm watches it."""
LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}
"""Lambda's names of Python's levels, where they differ."""
# A UUID, or a name without digits: a correlation id is logged, and must not be personal data.
CORRELATION_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z_-]{1,64}")

logger = logging.getLogger("events")
_correlation: ContextVar[str] = ContextVar("correlation_id", default=UNKNOWN)


def correlate(*candidates: object) -> str:
    """Set the correlation id of the next lines to the first candidate that is one, and return it."""
    fitting = (c for c in candidates if isinstance(c, str) and CORRELATION_ID.fullmatch(c))
    chosen = next(fitting, UNKNOWN)
    _correlation.set(chosen)
    return chosen


def configure(service: str) -> None:
    """Send log records to standard output only; Lambda's own handler would repeat them as text."""
    output = logging.StreamHandler(sys.stdout)  # created for each invocation: standard output may be redirected
    output.setFormatter(JsonFormatter(service))
    logger.handlers = [output]
    logger.propagate = False
    levels = logging.getLevelNamesMapping() | {"TRACE": logging.DEBUG}
    logger.setLevel(levels.get(os.environ.get("LOG_LEVEL", "").upper()) or logging.INFO)


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON line, with `extra={"facts": {...}, "metrics": {...}}`."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry: dict[str, object] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": LEVELS.get(record.levelname, record.levelname),
            "message": record.getMessage(),
            "service": self.service,
            "region": os.environ.get("AWS_REGION", UNKNOWN),
            "correlation_id": _correlation.get(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            entry["exception"] = type(error).__name__
            code = error_code(error)
            if code:
                entry["error_code"] = code
            frames = traceback.extract_tb(record.exc_info[2])
            entry["stack"] = [f"{PurePath(f.filename).name}:{f.lineno} {f.name}" for f in frames]
        metrics = getattr(record, "metrics", None)
        if metrics:
            entry |= embedded_metrics(metrics, record.created)
        return json.dumps(entry)


def embedded_metrics(values: dict[str, int], seconds: float) -> dict[str, object]:
    """Return what makes a line a metric."""
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in values],
    }
    return {
        "_aws": {"Timestamp": int(seconds * 1000), "CloudWatchMetrics": [directive]},
        "FunctionName": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", UNKNOWN),
        **values,
    }
