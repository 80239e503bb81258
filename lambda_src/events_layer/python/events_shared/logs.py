"""JSON lines on standard output, each with the correlation id of the request that it belongs to.

A line holds a fixed message, figures and codes, never what a caller sent; an exception appears by its type and
place, and by its code where AWS gave one. Environment variables: `LOG_LEVEL` (INFO where missing or unknown) and
`AWS_REGION` (set by Lambda).
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

UNKNOWN = "unknown"
# A UUID, or a name without digits: nothing else may come into a log under the name of an id.
CORRELATION_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z_-]{1,64}")

logger = logging.getLogger("events")
_correlation: ContextVar[str] = ContextVar("correlation_id", default=UNKNOWN)


def correlate(*candidates: object) -> str:
    """Give the lines that follow the first candidate that is a correlation id, and return it."""
    fitting = (c for c in candidates if isinstance(c, str) and CORRELATION_ID.fullmatch(c))
    chosen = next(fitting, UNKNOWN)
    _correlation.set(chosen)
    return chosen


def configure(service: str) -> None:
    """Send the records to standard output only; Lambda's own handler would repeat them as text."""
    output = logging.StreamHandler(sys.stdout)  # made anew: whoever calls may have redirected it since
    output.setFormatter(JsonFormatter(service))
    logger.handlers = [output]
    logger.propagate = False
    level = logging.getLevelNamesMapping().get(os.environ.get("LOG_LEVEL", "").upper())
    logger.setLevel(level or logging.INFO)


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON line, with the figures and codes given as `extra={"facts": {...}}`."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry: dict[str, object] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
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
        return json.dumps(entry)


def error_code(error: BaseException) -> str | None:
    """Return the code of an error that AWS answered, such as ThrottlingException."""
    response = getattr(error, "response", None)
    details = response.get("Error") if isinstance(response, dict) else None
    code = details.get("Code") if isinstance(details, dict) else None
    return code if isinstance(code, str) else None
