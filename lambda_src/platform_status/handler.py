"""Tells whether the platform's database can be reached: name, port, and an IAM token to log in with.

The function stands behind its own URL (payload format 2.0), which takes signed requests only. It needs nothing but
Lambda's Python runtime, and no password: the token is signed with the function's role.

    GET /

    {"status": "ok", "checks": {"address": "ok", "port": "ok", "token": "ok"}, "request_id": "..."}

503 with `"status": "unavailable"` when a check failed; each failed check says which of `timeout`, `refused`,
`unknown_host` or `failed` it was, never an address or a token. Every other method or path is answered with 405 or 404.

Environment variables: `DATABASE_HOST`, `DATABASE_PORT`, `DATABASE_USER`, `LOG_LEVEL` (INFO where missing) and
`AWS_REGION` (set by Lambda).
"""

import json
import logging
import os
import socket
from collections.abc import Callable
from typing import Any

import boto3

CONNECT_SECONDS = 2.0

logger = logging.getLogger(__name__)
logger.setLevel(os.environ.get("LOG_LEVEL", "INFO"))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  Lambda's context has no type
    """Answer one request of the function's URL."""
    http = event.get("requestContext", {}).get("http", {})
    request_id = getattr(context, "aws_request_id", "") or event.get("requestContext", {}).get("requestId", "")
    if event.get("rawPath", "/") != "/":
        return _answer(404, {"error": {"code": "not_found", "message": "The only path is /"}, "request_id": request_id})
    if http.get("method") != "GET":
        body = {"error": {"code": "method_not_allowed", "message": "Use GET"}, "request_id": request_id}
        return _answer(405, body, {"Allow": "GET"})
    host, port = os.environ["DATABASE_HOST"], int(os.environ["DATABASE_PORT"])
    checks = {
        "address": _outcome(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)),
        "port": _outcome(lambda: socket.create_connection((host, port), CONNECT_SECONDS).close()),
        "token": _outcome(lambda: _token(host, port)),
    }
    well = set(checks.values()) == {"ok"}
    logger.info("checked", extra={"checks": checks, "request_id": request_id})
    status = "ok" if well else "unavailable"
    return _answer(200 if well else 503, {"status": status, "checks": checks, "request_id": request_id})


def _token(host: str, port: int) -> None:
    client = boto3.client("rds", region_name=os.environ["AWS_REGION"])
    token = client.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=os.environ["DATABASE_USER"])
    if "X-Amz-Signature" not in token:
        raise ValueError("the token is not signed")


def _outcome(check: Callable[[], object]) -> str:
    try:
        check()
    except TimeoutError:
        return "timeout"
    except ConnectionRefusedError:
        return "refused"
    except socket.gaierror:
        return "unknown_host"
    except Exception as error:  # noqa: BLE001  the caller is told that it failed, the log what failed
        logger.warning("a check failed: %s", type(error).__name__)
        return "failed"
    return "ok"


def _answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})},
        "body": json.dumps(body),
    }
