"""Documents that the tests of the REG rules share."""

from __future__ import annotations

from typing import Any

TWO = {"aws": [{"region": "us-east-1", "alias": "us"}, {"region": "eu-west-1", "alias": "eu"}]}


def two_regions(**types: dict[str, Any]) -> dict[str, Any]:
    return {"provider": TWO, "resource": types}


def eu(**arguments: object) -> dict[str, Any]:
    return {"provider": "aws.eu", **arguments}


def us(**arguments: object) -> dict[str, Any]:
    return {"provider": "aws.us", **arguments}
