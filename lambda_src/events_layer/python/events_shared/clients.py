"""Clients of AWS, and the time that a call can take.

A function must not start a call that can outlast it: Lambda would end it without an answer. Before each call a handler
checks `has_time`.
"""

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

CONNECT_SECONDS = 1
READ_SECONDS = 3
ATTEMPTS = 2
CALL_MILLISECONDS = 1000 * (ATTEMPTS * (CONNECT_SECONDS + READ_SECONDS) + 1)
"""The longest that a call takes: every attempt times out, with a pause of up to 1 second between two of them."""
RESERVE_MILLISECONDS = 2_000
"""What a handler needs to answer; with a function timeout of 30 seconds also before API Gateway's timeout of 29."""


@cache
def client(service: str) -> Any:  # noqa: ANN401  boto3's clients have no types
    """Return the client of a service in the function's region; created once per execution environment."""
    retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries)
    return boto3.client(service, region_name=os.environ["AWS_REGION"], config=config)


def has_time(context: object, pause_seconds: float = 0) -> bool:
    """Return whether the invocation has time for a pause, one more call, and the answer."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    needed = CALL_MILLISECONDS + RESERVE_MILLISECONDS + 1000 * pause_seconds
    return not callable(remaining) or remaining() >= needed
