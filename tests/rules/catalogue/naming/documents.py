"""Documents that the tests of the NAME rules share."""

from __future__ import annotations

from typing import Any

TWO = {"aws": [{"region": "us-east-1"}, {"alias": "eu", "region": "eu-west-1"}]}


def queues(*names: str, **more: Any) -> dict[str, Any]:
    return {"resource": {"aws_sqs_queue": {f"q{number}": {"name": name} for number, name in enumerate(names)}}, **more}
