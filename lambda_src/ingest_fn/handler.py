"""Validates events and puts them on the event bus.

The function is the integration of a REST API method (Lambda proxy integration, payload format 1.0).

    POST /events
    Content-Type: application/json

    {"id": "order-4711-created", "type": "order.created", "occurred_at": "2026-11-22T09:30:00Z", "data": {...}}

The body is one event or a list of 1 to 100 (see `events_shared.schema`). Each event has its own result:

    {"accepted": 1, "request_id": "...",
     "results": [{"index": 0, "status": "accepted", "id": "order-4711-created"},
                 {"index": 1, "status": "rejected", "problems": [{"code": "...", "message": "...", "field": "type"}]},
                 {"index": 2, "status": "failed", "id": "order-4713-created"}]}

Status codes:

- 202: all events are accepted. 207: some are.
- 422: all events are rejected; a retry does not help.
- 503: no event is accepted; those that failed can be retried. An event can always be sent again: it is stored once.
- 400, 405, 413, 415, 422: the whole request is refused (see `events_shared.api`).
- 500: a fault.

On the bus an event has the source `SOURCE`, its type as detail type, and as detail the message
`{"event": {...}, "metadata": {"correlation_id": "...", "received_at": "..."}}`. Entries that the bus throttles are put
again, at most twice, with exponential backoff. An entry that there is no time for is `failed`.

Faults, such as a missing permission, are counted in the metric `Faults`; the response is 500, or the events are
`failed`.

Environment variables: `EVENT_BUS` (name or ARN), `SOURCE`, `LOG_LEVEL`, `AWS_REGION`.
IAM: `events:PutEvents` on the bus.
"""

import os
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from events_shared.api import RequestError, Response, gateway_id, read_post, refuse, respond
from events_shared.batch import chunks
from events_shared.clients import client, has_time
from events_shared.errors import TRANSIENT, error_code, is_transient
from events_shared.logs import FAULT, configure, correlate, logger
from events_shared.schema import Event, InvalidError, Message, Problem, now, parse_event, read_json, size

MAX_EVENTS = 100
MAX_BODY_BYTES = 1_048_576
# Limits of PutEvents. See https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html.
MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 262_144

ATTEMPTS = 3
BACKOFF_SECONDS = 0.1
NO_TIME, UNAVAILABLE = "no_time", "ServiceUnavailable"
RETRYABLE = TRANSIENT | {NO_TIME}
"""Codes of entries that a later request can put."""


@dataclass(frozen=True)
class Entry:
    """An entry of PutEvents."""

    index: int
    message: Message

    def arguments(self) -> dict[str, str]:
        """Return the arguments of PutEvents."""
        return {
            "EventBusName": os.environ["EVENT_BUS"],
            "Source": os.environ["SOURCE"],
            "DetailType": self.message.event.type,
            "Detail": self.message.text(),
        }

    def size(self) -> int:
        """Return the bytes that count towards the size limit of a request."""
        arguments = self.arguments()
        return sum(size(arguments[name]) for name in ("Source", "DetailType", "Detail"))


def handler(event: object, context: object) -> Response:
    """Handle a request of API Gateway."""
    configure("ingest_fn")
    request_id = correlate(gateway_id(event), getattr(context, "aws_request_id", None))
    try:
        results = ingest(read_post(event, MAX_BODY_BYTES), request_id, context)
    except RequestError as error:
        status, problems = error.status, error.problems
        codes = sorted({problem.code for problem in problems})
        logger.warning("refused", extra={"facts": {"status": status, "problems": codes}})
        return refuse(status, problems, request_id)
    except Exception:  # noqa: BLE001  logged, by a logger that ruff does not know
        logger.exception("failed", extra={"facts": {"status": 500}, "metrics": FAULT})
        return refuse(500, (Problem("internal_error", "the request could not be processed"),), request_id)
    counts = {name: sum(result["status"] == name for result in results) for name in ("accepted", "rejected", "failed")}
    status = status_of(counts)
    logger.info("ingested", extra={"facts": {"status": status, **counts}})
    content: dict[str, object] = {"accepted": counts["accepted"], "results": results, "request_id": request_id}
    return respond(status, content, Retry_After="1") if status == 503 else respond(status, content)  # noqa: PLR2004


def status_of(counts: dict[str, int]) -> int:
    """Return the status code for the results of the events."""
    if not counts["accepted"]:
        return 503 if counts["failed"] else 422
    return 207 if counts["rejected"] or counts["failed"] else 202


def ingest(body: str, correlation_id: str, context: object) -> list[dict[str, Any]]:
    """Put the valid events of a body on the bus, and return the result of each event, in order."""
    results: dict[int, dict[str, Any]] = {}
    entries: list[Entry] = []
    metadata = {"correlation_id": correlation_id, "received_at": now()}
    seen: set[str] = set()
    for index, value in enumerate(read_events(body)):
        try:
            event = parse_new(value, seen)
        except InvalidError as error:
            problems = [asdict(problem) for problem in error.problems]
            results[index] = {"index": index, "status": "rejected", "problems": problems}
        else:
            entries.append(Entry(index, Message(event, metadata)))
    failed = put(entries, context)
    for entry in entries:
        status = "failed" if entry in failed else "accepted"
        results[entry.index] = {"index": entry.index, "status": status, "id": entry.message.event.id}
    return [results[index] for index in sorted(results)]


def read_events(body: str) -> list[object]:
    """Return the events of a body, not yet validated."""
    try:
        content = read_json(body)
    except InvalidError as error:
        raise RequestError(400, *error.problems) from None
    events = content if isinstance(content, list) else [content]
    if not 1 <= len(events) <= MAX_EVENTS:
        message = f"the body must be one event, or a list of 1 to {MAX_EVENTS}"
        raise RequestError(422, Problem("invalid_count", message))
    return events


def parse_new(value: object, seen: set[str]) -> Event:
    """Return a valid event whose id is new in the request."""
    event = parse_event(value)
    if event.id in seen:
        raise InvalidError(Problem("duplicate_id", "another event of this request has the same id", "id"))
    seen.add(event.id)
    return event


def put(entries: list[Entry], context: object) -> list[Entry]:
    """Put entries on the bus, with retries where they help, and return the entries that failed."""
    lost: list[Entry] = []
    waiting = entries
    for attempt in range(1, ATTEMPTS + 1):
        refused = [
            failure
            for chunk in chunks(waiting, Entry.size, MAX_ENTRIES, MAX_REQUEST_BYTES)
            for failure in put_chunk(chunk, context)
        ]
        log_refused(refused, attempt)
        lost += [entry for entry, code in refused if code not in TRANSIENT]
        waiting = [entry for entry, code in refused if code in TRANSIENT]
        pause = BACKOFF_SECONDS * 2**attempt * random.random()
        if not waiting or attempt == ATTEMPTS or not has_time(context, pause):
            break
        time.sleep(pause)
    return lost + waiting


def put_chunk(chunk: list[Entry], context: object) -> Iterator[tuple[Entry, str]]:
    """Put the entries of one request on the bus, and yield those that failed with their error codes."""
    if not has_time(context):
        yield from ((entry, NO_TIME) for entry in chunk)
        return
    try:
        answer = client("events").put_events(Entries=[entry.arguments() for entry in chunk])
    except (BotoCoreError, ClientError) as error:
        code = error_code(error) or type(error).__name__
        if is_transient(error) and code not in TRANSIENT:  # such as a timeout; a repeated event is stored once
            code = UNAVAILABLE
        yield from ((entry, code) for entry in chunk)
        return
    for entry, result in zip(chunk, answer["Entries"], strict=True):
        if "EventId" not in result:
            yield entry, result.get("ErrorCode", "unknown")


def log_refused(refused: list[tuple[Entry, str]], attempt: int) -> None:
    """Log the entries that failed; those that no retry can put are faults."""
    if not refused:
        return
    codes = sorted({code for _, code in refused})
    facts = {"events": len(refused), "codes": codes, "attempt": attempt}
    if RETRYABLE.issuperset(codes):
        logger.warning("not put", extra={"facts": facts})
    else:
        logger.error("not put", extra={"facts": facts, "metrics": FAULT})
