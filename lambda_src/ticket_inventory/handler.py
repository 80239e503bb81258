"""Returns how many tickets of an event are left, from a cache in front of the table.

The function is the integration of a REST API method with the path parameter `event_id` (Lambda proxy integration,
payload format 1.0).

    GET /events/{event_id}/tickets

    200 {"event_id": "concert-42", "remaining": 98, "request_id": "..."}

404: the event does not exist. 400, 405: an invalid request. 500: a fault. The number is a few seconds old at most, and
a hint: only a purchase decides (see the function `ticket_purchase`, also for the table's items).

A number is cached for 4 to 6 seconds, with jitter so that keys do not expire together; a purchase deletes it. That an
event does not exist is cached too, so that requests for an event not yet on sale do not all read the table.

On a cache miss, one caller takes a lock of 1 second and reads the table; the others poll the cache for 0.3 seconds and
then read the table themselves, as all callers do while the cache is away (see `ticket_cache`).

Environment variables: `TABLE_NAME`, `CACHE_ENDPOINT`, `CACHE_TLS`, `CACHE_USER`, `LOG_LEVEL`, `AWS_REGION`.
IAM: `dynamodb:GetItem` on the table, with the permissions on its key that the table's grant includes; with a user
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
"""Cached for an event that does not exist."""


def handler(event: object, context: object) -> Response:
    """Handle a request of API Gateway."""
    return serve(event, context, "ticket_inventory", "GET", look_up)


def look_up(request: dict[str, object]) -> Answer:
    """Return how many tickets are left."""
    event_id = read_event_id(request)
    try:
        remaining, origin = through_cache(cache_of_environment(), event_id)
    except CacheAwayError:
        remaining, origin = read_table(event_id), "table"
    if remaining == UNKNOWN:
        raise refusal(404, "unknown_event", "there is no such event", "event_id")
    return Answer(200, {"event_id": event_id, "remaining": remaining}, {"origin": origin})


def read_event_id(request: dict[str, object]) -> str:
    """Return the event id of a request."""
    parameters = request.get("pathParameters")
    event_id = parameters.get("event_id") if isinstance(parameters, dict) else None
    if not isinstance(event_id, str) or not EVENT_ID.fullmatch(event_id):
        message = "event_id must be 1 to 64 letters, digits, hyphens and underscores"
        raise refusal(400, "invalid_format", message, "event_id")
    return event_id


def through_cache(kept: Cache, event_id: str) -> tuple[int, str]:
    """Return the number of tickets or UNKNOWN, and its origin, cache or table."""
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
    """Read the table and cache the number, as the holder of the lock."""
    try:
        found = read_cache(kept, event_id)  # the last holder of the lock may have just set it
        if found is not None:
            return found, "cache"
        remaining = read_table(event_id)
        with contextlib.suppress(CacheAwayError):
            kept.put(remaining_key(event_id), str(remaining), random.randint(*FRESH_MILLISECONDS))
        return remaining, "table"
    finally:
        # If the lock has expired it may be another caller's: then two callers read the table, which does no harm.
        with contextlib.suppress(CacheAwayError):
            kept.delete(lock_key(event_id))


def read_cache(kept: Cache, event_id: str) -> int | None:
    """Return the cached number of tickets, or None."""
    text = kept.get(remaining_key(event_id))
    return int(text) if text is not None and (text.isdecimal() or text == str(UNKNOWN)) else None


def read_table(event_id: str) -> int:
    """Return the number of tickets in the table; a stale read would be cached after a purchase deleted the key."""
    key = {"pk": {"S": f"EVENT#{event_id}"}}
    answer = client().get_item(
        TableName=os.environ["TABLE_NAME"], Key=key, ProjectionExpression="remaining", ConsistentRead=True
    )
    remaining = answer.get("Item", {}).get("remaining")
    return UNKNOWN if remaining is None else int(remaining["N"])


@cache
def client() -> Any:  # noqa: ANN401  boto3's clients have no types
    """Return the client of DynamoDB; created once per execution environment. A call takes 9 seconds at most."""
    config = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
    return boto3.client("dynamodb", region_name=os.environ["AWS_REGION"], config=config)
