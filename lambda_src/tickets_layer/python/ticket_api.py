"""Requests, responses, logs and metrics of the ticket functions; in the layer that they share.

A function is the integration of a REST API method (Lambda proxy integration, payload format 1.0). Every response but
the successful ones has this body, in which `field` is null if no single field is wrong:

    {"error": {"code": "...", "message": "...", "field": "quantity", "details": [{...}]}, "request_id": "..."}

A fault, such as a missing permission, gets the status code 500 and is counted in the metric `Faults`.

Logs are JSON lines on standard output with numbers and codes, never data of a caller. The levels are Lambda's: DEBUG,
INFO, WARN, ERROR and FATAL; Lambda treats a line with any other level as INFO. A line with `metrics` is also a metric
in CloudWatch's embedded metric format, in the namespace `Application` with the dimension `FunctionName`.

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
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TypedDict

EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
REQUEST_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z_-]{1,64}")

NAMESPACE = "Application"
UNITS = {"CacheConnectTime": "Milliseconds"}
"""Units of metrics that are not counts."""
LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}
"""Lambda's names of Python's levels, where they differ."""

logger = logging.getLogger("tickets")
_request_id: ContextVar[str] = ContextVar("request_id", default="unknown")


class Response(TypedDict):
    """The response of a Lambda proxy integration."""

    statusCode: int
    headers: dict[str, str]
    body: str
    isBase64Encoded: bool


@dataclass(frozen=True)
class Problem:
    """A reason for a refusal; its message never contains a value of the request."""

    code: str
    message: str
    field: str | None = None


class RequestError(Exception):
    """The request is refused with a status and problems."""

    def __init__(self, status: int, *problems: Problem, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, *problems)
        self.status = status
        self.problems = problems
        self.headers = headers or {}


def refusal(status: int, code: str, message: str, field: str | None = None, **headers: str) -> RequestError:
    """Return the refusal of a request for one problem."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return RequestError(status, Problem(code, message, field), headers=named)


@dataclass(frozen=True)
class Answer:
    """A successful response, and the facts that are logged."""

    status: int
    content: dict[str, object]
    facts: dict[str, object]


def serve(
    event: object, context: object, service: str, method: str, work: Callable[[dict[str, object]], Answer]
) -> Response:
    """Handle a request of API Gateway; `work` returns the answer or raises `RequestError`."""
    request = event if isinstance(event, dict) else {}
    request_id = request_id_of(request, context)
    _request_id.set(request_id)
    _configure_logging(service)
    try:
        _check_method(request, method)
        answer = work(request)
    except RequestError as error:
        status, problems, headers = error.status, error.problems, error.headers
        codes = sorted({problem.code for problem in problems})
        logger.warning("refused", extra={"facts": {"status": status, "problems": codes}})
    except Exception:
        status, problems, headers = 500, (Problem("internal_error", "the request could not be processed"),), {}
        logger.exception("failed", extra={"facts": {"status": status}, "metrics": {"Faults": 1}})
    else:
        logger.info("answered", extra={"facts": {"status": answer.status, **answer.facts}})
        return _respond(answer.status, {**answer.content, "request_id": request_id}, {})
    details = [asdict(problem) for problem in problems]
    return _respond(status, {"error": {**details[0], "details": details}, "request_id": request_id}, headers)


def request_id_of(request: dict[str, object], context: object) -> str:
    """Return the request id of API Gateway, or else of Lambda; a UUID or a string without digits."""
    gateway = request.get("requestContext")
    of_gateway = gateway.get("requestId") if isinstance(gateway, dict) else None
    for candidate in (of_gateway, getattr(context, "aws_request_id", None)):
        if isinstance(candidate, str) and REQUEST_ID.fullmatch(candidate):
            return candidate
    return "unknown"


def _check_method(request: dict[str, object], method: str) -> None:
    given = request.get("httpMethod")
    if not isinstance(given, str):
        raise refusal(400, "invalid_event", "not an event of an API Gateway REST API (payload format 1.0)")
    if given != method:
        raise refusal(405, "method_not_allowed", f"the method must be {method}", Allow=method)


def _respond(status: int, content: dict[str, object], headers: dict[str, str]) -> Response:
    """Return a JSON response that is neither cached nor sniffed for another media type."""
    always = {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return {"statusCode": status, "headers": always | headers, "body": json.dumps(content), "isBase64Encoded": False}


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON line, with `extra={"facts": {...}, "metrics": {...}}`."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; an exception is logged with its type and stack, without its text."""
        entry: dict[str, object] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": LEVELS.get(record.levelname, record.levelname),
            "message": record.getMessage(),
            "service": self.service,
            "region": os.environ.get("AWS_REGION", "unknown"),
            "request_id": _request_id.get(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[0]:
            entry["exception"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            entry["stack"] = [f"{PurePath(f.filename).name}:{f.lineno} {f.name}" for f in frames]
        metrics = getattr(record, "metrics", None)
        if metrics:
            entry |= _embedded_metrics(metrics, record.created)
        return json.dumps(entry)


def _embedded_metrics(values: dict[str, int], seconds: float) -> dict[str, object]:
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": name, "Unit": UNITS.get(name, "Count")} for name in values],
    }
    return {
        "_aws": {"Timestamp": int(seconds * 1000), "CloudWatchMetrics": [directive]},
        "FunctionName": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "unknown"),
        **values,
    }


def _configure_logging(service: str) -> None:
    """Send log records to standard output only; Lambda's own handler would repeat them as text."""
    output = logging.StreamHandler(sys.stdout)  # created for each invocation: it may be redirected
    output.setFormatter(JsonFormatter(service))
    logger.handlers = [output]
    logger.propagate = False
    levels = logging.getLevelNamesMapping() | {"TRACE": logging.DEBUG}
    logger.setLevel(levels.get(os.environ.get("LOG_LEVEL", "").upper()) or logging.INFO)
