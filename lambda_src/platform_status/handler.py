"""Reports whether the platform's database can be reached: its host name, its port, and an IAM authentication token.

The function has a function URL (payload format 2.0), which requires signed requests. It needs only Lambda's Python
runtime and no password: the token is signed with the function's role.

    GET /

    {"status": "ok", "checks": {"address": "ok", "port": "ok", "token": "ok"}, "request_id": "..."}

503 with `"status": "unavailable"` if a check failed, with one of `timeout`, `refused`, `unknown_host` or `failed` for
each failed check, never an address or a token. Other methods and paths get 405 and 404.

A failed check is counted in the metric `Faults`, in CloudWatch's embedded metric format, in the namespace `Application`
with the dimension `FunctionName`. Logs are JSON lines on standard output with the levels of Lambda.

Environment variables: `DATABASE_HOST`, `DATABASE_PORT`, `DATABASE_USER`, `LOG_LEVEL` (`TRACE`, `DEBUG`, `INFO`, `WARN`,
`ERROR` or `FATAL`; INFO by default), `AWS_REGION` and `AWS_LAMBDA_FUNCTION_NAME` (set by Lambda).
IAM: `rds-db:connect` for the user.

See https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html.
"""

import json
import logging
import os
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3

CONNECT_SECONDS = 2.0
LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}
"""Lambda's names of Python's levels, where they differ."""
FAULTS_METRIC = {
    "Namespace": "Application",
    "Dimensions": [["FunctionName"]],
    "Metrics": [{"Name": "Faults", "Unit": "Count"}],
}

logger = logging.getLogger("platform_status")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  Lambda's context has no type
    """Handle a request of the function URL."""
    _configure_logging()
    http = event.get("requestContext", {}).get("http", {})
    request_id = getattr(context, "aws_request_id", "") or event.get("requestContext", {}).get("requestId", "")
    if event.get("rawPath", "/") != "/":
        return _answer(404, {"error": {"code": "not_found", "message": "The only path is /"}, "request_id": request_id})
    if http.get("method") != "GET":
        body = {"error": {"code": "method_not_allowed", "message": "Use GET"}, "request_id": request_id}
        return _answer(405, body, {"Allow": "GET"})
    host, port = os.environ["DATABASE_HOST"], int(os.environ["DATABASE_PORT"])
    causes: dict[str, str] = {}
    checks = {
        "address": _outcome("address", causes, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)),
        "port": _outcome("port", causes, lambda: socket.create_connection((host, port), CONNECT_SECONDS).close()),
        "token": _outcome("token", causes, lambda: _token(host, port)),
    }
    facts = {"checks": checks, "request_id": request_id}
    if causes:
        facts |= {"exceptions": causes, "Faults": len(causes)}
        logger.error("unavailable", extra={"facts": facts})
        return _answer(503, {"status": "unavailable", "checks": checks, "request_id": request_id})
    logger.info("ok", extra={"facts": facts})
    return _answer(200, {"status": "ok", "checks": checks, "request_id": request_id})


def _token(host: str, port: int) -> None:
    client = boto3.client("rds", region_name=os.environ["AWS_REGION"])
    token = client.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=os.environ["DATABASE_USER"])
    if "X-Amz-Signature" not in token:
        raise ValueError("the token is not signed")


def _outcome(name: str, causes: dict[str, str], check: Callable[[], object]) -> str:
    """Return the outcome of a check, and add the type of its exception to the causes."""
    try:
        check()
    except Exception as error:  # noqa: BLE001  the caller gets the outcome, the log the type
        causes[name] = type(error).__name__
        outcomes = {TimeoutError: "timeout", ConnectionRefusedError: "refused", socket.gaierror: "unknown_host"}
        return next((outcome for type_, outcome in outcomes.items() if isinstance(error, type_)), "failed")
    return "ok"


def _answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})},
        "body": json.dumps(body),
    }


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON line, with `extra={"facts": {...}}`; the fact `Faults` makes it a metric."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry: dict[str, object] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": LEVELS.get(record.levelname, record.levelname),
            "message": record.getMessage(),
            "service": record.name,
            "region": os.environ.get("AWS_REGION", "unknown"),
            **getattr(record, "facts", {}),
        }
        if "Faults" in entry:
            entry["_aws"] = {"Timestamp": int(record.created * 1000), "CloudWatchMetrics": [FAULTS_METRIC]}
            entry["FunctionName"] = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "unknown")
        return json.dumps(entry)


def _configure_logging() -> None:
    """Send log records to standard output only; Lambda's own handler would repeat them as text."""
    output = logging.StreamHandler(sys.stdout)  # created for each invocation: it may be redirected
    output.setFormatter(JsonFormatter())
    logger.handlers = [output]
    logger.propagate = False
    levels = logging.getLevelNamesMapping() | {"TRACE": logging.DEBUG}
    logger.setLevel(levels.get(os.environ.get("LOG_LEVEL", "").upper()) or logging.INFO)
