"""Tells how many tickets of an event are left, from a cache in front of the table.

The function stands behind an API Gateway REST API (Lambda proxy integration, payload format 1.0), at a path with the
parameter `event_id`.

    GET /events/{event_id}/tickets

    200 {"event_id": "concert-42", "remaining": 98, "request_id": "..."}

404: there is no such event. 400, 405: the form of the request. 500: anything unexpected. The number is at most some
seconds old, and is a hint: only a purchase decides (see the function `ticket_purchase`, also for the table's items).

A number is kept for 4 to 6 seconds, a different time for each so that many do not end at once; a purchase forgets it.
That there is no such event is kept as well, or many who ask for one that is announced and not there yet would each read
the table.
Where the cache has none, one caller holds a lock for a second at most and reads the table, and the others wait for the
number it finds. They wait 0.3 s at most and then read the table themselves, as everybody does without a delay while
the cache is away: it costs a timeout every five seconds at most (see `ticket_cache`).

Environment variables: `TABLE_NAME`, `CACHE_ENDPOINT`, `CACHE_TLS`, `CACHE_USER`, `LOG_LEVEL`, `AWS_REGION`.
IAM: `dynamodb:GetItem` on the table, the permissions on its key that the table's grant gives; with a user
`elasticache:Connect` on the replication group and on the user.
"""

import contextlib
import os
import random
import time
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from ticket_api import EVENT_ID, Answer, Response, refusal, serve
from ticket_cache import Cache, CacheAwayError, cache_of_environment, lock_key, remaining_key

FRESH_MILLISECONDS = (4_000, 6_000)
LOCK_MILLISECONDS = 1_000
WAIT_SECONDS = 0.3
POLL_SECONDS = (0.01, 0.03)
UNKNOWN = -1
"""In place of a number where there is no such event."""


def handler(event: object, context: object) -> Response:
    """Answer one request of API Gateway."""
    return serve(event, context, "ticket_inventory", "GET", look_up)


def look_up(request: dict[str, object]) -> Answer:
    """Answer how many tickets are left."""
    event_id = read_event_id(request)
    try:
        remaining, origin = through_cache(cache_of_environment(), event_id)
    except CacheAwayError:
        remaining, origin = read_table(event_id), "table"
    if remaining == UNKNOWN:
        raise refusal(404, "unknown_event", "there is no such event", "event_id")
    return Answer(200, {"event_id": event_id, "remaining": remaining}, {"origin": origin})


def read_event_id(request: dict[str, object]) -> str:
    """Return the event that a request asks for."""
    parameters = request.get("pathParameters")
    event_id = parameters.get("event_id") if isinstance(parameters, dict) else None
    if not isinstance(event_id, str) or not EVENT_ID.fullmatch(event_id):
        message = "event_id must be 1 to 64 letters, digits, hyphens and underscores"
        raise refusal(400, "invalid_format", message, "event_id")
    return event_id


def through_cache(kept: Cache, event_id: str) -> tuple[int, str]:
    """Return the number of tickets or UNKNOWN, and whether it came from the cache or the table."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        found = read_cache(kept, event_id)
        if found is not None:
            return found, "cache"
        if kept.add(lock_key(event_id), "1", LOCK_MILLISECONDS):
            return fetch(kept, event_id)
        if time.monotonic() >= deadline:
            return read_table(event_id), "table"
        time.sleep(random.uniform(*POLL_SECONDS))


def fetch(kept: Cache, event_id: str) -> tuple[int, str]:
    """Read the table and keep the number, as the one who holds the lock."""
    try:
        found = read_cache(kept, event_id)  # the one who held the lock before may just have put it there
        if found is not None:
            return found, "cache"
        remaining = read_table(event_id)
        with contextlib.suppress(CacheAwayError):
            kept.put(remaining_key(event_id), str(remaining), random.randint(*FRESH_MILLISECONDS))
        return remaining, "table"
    finally:
        # A lock that ended meanwhile may be another's by now: then two read the table, and nothing is wrong.
        with contextlib.suppress(CacheAwayError):
            kept.delete(lock_key(event_id))


def read_cache(kept: Cache, event_id: str) -> int | None:
    """Return the number of tickets in the cache, or None where there is none."""
    text = kept.get(remaining_key(event_id))
    return int(text) if text is not None and (text.isdecimal() or text == str(UNKNOWN)) else None


def read_table(event_id: str) -> int:
    """Return the number of tickets in the table, as of now: an older one would be kept after a purchase forgot it."""
    key = {"pk": {"S": f"EVENT#{event_id}"}}
    answer = client().get_item(
        TableName=os.environ["TABLE_NAME"], Key=key, ProjectionExpression="remaining", ConsistentRead=True
    )
    remaining = answer.get("Item", {}).get("remaining")
    return UNKNOWN if remaining is None else int(remaining["N"])


@cache
def client() -> Any:  # noqa: ANN401  boto3's clients have no types
    """Return the client of DynamoDB; it lives as long as the function's environment."""
    config = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("dynamodb", region_name=os.environ["AWS_REGION"], config=config)
