"""How the ticket functions are asked, answer and log; in the layer that they share.

A function stands behind an API Gateway REST API (Lambda proxy integration, payload format 1.0). Every answer but the
successful ones has one shape, in which `field` is null where no single field is wrong:

    {"error": {"code": "...", "message": "...", "field": "quantity", "details": [{...}]}, "request_id": "..."}

Logs are JSON lines on standard output; they hold figures and codes, and nothing that a caller sent.
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

logger = logging.getLogger("tickets")
_request_id: ContextVar[str] = ContextVar("request_id", default="unknown")


class Response(TypedDict):
    """What API Gateway expects of a proxy integration."""

    statusCode: int
    headers: dict[str, str]
    body: str
    isBase64Encoded: bool


@dataclass(frozen=True)
class Problem:
    """One reason why a request is refused; the message never repeats a value of the request."""

    code: str
    message: str
    field: str | None = None


class RequestError(Exception):
    """The request is refused with this status, for these problems."""

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
    """What a request is answered with when it is not refused, and what is logged of it."""

    status: int
    content: dict[str, object]
    facts: dict[str, object]


def serve(
    event: object, context: object, service: str, method: str, work: Callable[[dict[str, object]], Answer]
) -> Response:
    """Answer one request of API Gateway with what the work for it returns or raises."""
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
        logger.exception("failed", extra={"facts": {"status": status}})
    else:
        logger.info("answered", extra={"facts": {"status": answer.status, **answer.facts}})
        return _respond(answer.status, {**answer.content, "request_id": request_id}, {})
    details = [asdict(problem) for problem in problems]
    return _respond(status, {"error": {**details[0], "details": details}, "request_id": request_id}, headers)


def request_id_of(request: dict[str, object], context: object) -> str:
    """Return API Gateway's request id, else Lambda's, if it is a UUID or a text without digits."""
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
    """Return a JSON answer that no cache keeps and no browser reads as something else."""
    always = {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return {"statusCode": status, "headers": always | headers, "body": json.dumps(content), "isBase64Encoded": False}


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON line, with the figures and codes given as `extra={"facts": {...}}`."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; an exception appears by its type and place, never by its text."""
        entry: dict[str, object] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
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
        return json.dumps(entry)


def _configure_logging(service: str) -> None:
    """Send the records to standard output only; Lambda's own handler would repeat them as text."""
    output = logging.StreamHandler(sys.stdout)  # made anew: whoever calls may have redirected it since
    output.setFormatter(JsonFormatter(service))
    logger.handlers = [output]
    logger.propagate = False
    level = logging.getLevelNamesMapping().get(os.environ.get("LOG_LEVEL", "").upper())
    logger.setLevel(level or logging.INFO)
