"""Requests and responses of an API Gateway REST API (Lambda proxy integration, payload format 1.0).

A request that is refused as a whole gets the same response body as from the other reference functions:

    {"error": {"code": "...", "message": "...", "field": null, "details": [{...}]}, "request_id": "..."}
"""

import base64
import json
import re
from dataclasses import asdict
from typing import TypedDict

from events_shared.schema import Problem

JSON_MEDIA_TYPE = re.compile(r'application/json\s*(?:;\s*charset=(?:utf-8|"utf-8")\s*)?', re.IGNORECASE)


class Response(TypedDict):
    """The response of a Lambda proxy integration."""

    statusCode: int
    headers: dict[str, str]
    body: str
    isBase64Encoded: bool


class RequestError(Exception):
    """The request is refused with a status and problems."""

    def __init__(self, status: int, *problems: Problem) -> None:
        super().__init__(status, *problems)
        self.status = status
        self.problems = problems


def respond(status: int, content: dict[str, object], **headers: str) -> Response:
    """Return a JSON response that is neither cached nor sniffed for another media type."""
    always = {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"statusCode": status, "headers": always | more, "body": json.dumps(content), "isBase64Encoded": False}


def refuse(status: int, problems: tuple[Problem, ...], request_id: str) -> Response:
    """Return the response to a request that is refused as a whole."""
    details = [asdict(problem) for problem in problems]
    content: dict[str, object] = {"error": {**details[0], "details": details}, "request_id": request_id}
    return respond(status, content, Allow="POST") if status == 405 else respond(status, content)  # noqa: PLR2004


def gateway_id(event: object) -> object:
    """Return the request id of API Gateway, or None."""
    context = event.get("requestContext") if isinstance(event, dict) else None
    return context.get("requestId") if isinstance(context, dict) else None


def headers_named(event: dict[str, object], name: str) -> set[str]:
    """Return the distinct values of a header; its name is given in lower case."""
    values: set[str] = set()
    for group in (event.get("headers"), event.get("multiValueHeaders")):
        for key, value in group.items() if isinstance(group, dict) else ():
            if str(key).lower() == name:
                listed = value if isinstance(value, list) else [value]
                values.update(item.strip() for item in listed if isinstance(item, str))
    return values


def read_post(event: object, max_bytes: int) -> str:
    """Return the JSON body of a POST request.

    Raises:
        RequestError: Another method or media type, no body, a body that is too large, or not UTF-8.
    """
    if not isinstance(event, dict) or not isinstance(event.get("httpMethod"), str):
        message = "not an event of an API Gateway REST API (payload format 1.0)"
        raise RequestError(400, Problem("invalid_event", message))
    if event["httpMethod"] != "POST":
        raise RequestError(405, Problem("method_not_allowed", "the method must be POST"))
    media_types = headers_named(event, "content-type")
    if len(media_types) != 1 or not JSON_MEDIA_TYPE.fullmatch(media_types.pop()):
        message = "Content-Type must be application/json, with no charset but utf-8"
        raise RequestError(415, Problem("unsupported_media_type", message))
    body = event.get("body")
    if not isinstance(body, str) or not body:
        raise RequestError(400, Problem("missing_body", "the body must be JSON"))
    try:
        content = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
        text = content.decode()
    except ValueError:
        message = "the body must be UTF-8, in base64 where the event says so"
        raise RequestError(400, Problem("invalid_encoding", message)) from None
    if len(content) > max_bytes:
        raise RequestError(413, Problem("body_too_large", f"the body may have {max_bytes} bytes at most"))
    return text
