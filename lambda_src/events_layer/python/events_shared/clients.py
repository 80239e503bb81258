"""Clients of AWS, made once for the life of a function's environment."""

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config


@cache
def client(service: str) -> Any:  # noqa: ANN401  boto3's clients have no types
    """Return the client of a service in the function's region; it tries three times, and gives up early."""
    retries = {"mode": "standard", "total_max_attempts": 3}
    config = Config(connect_timeout=2, read_timeout=5, retries=retries)
    return boto3.client(service, region_name=os.environ["AWS_REGION"], config=config)
