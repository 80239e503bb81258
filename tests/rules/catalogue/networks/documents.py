"""Documents that the tests of the NET rules share."""

from __future__ import annotations

from typing import Any

from tests.rules.asking import broken, resources


def same_region(**connection: object) -> dict[str, Any]:
    return resources(
        aws_vpc={"a": {"cidr_block": "10.0.0.0/16"}, "b": {"cidr_block": "10.1.0.0/16"}},
        aws_vpc_peering_connection={
            "ab": {"vpc_id": "${aws_vpc.a.id}", "peer_vpc_id": "${aws_vpc.b.id}", **connection}
        },
    ) | {"provider": {"aws": {"region": "eu-west-1"}}}


def network(**change: object) -> dict[str, Any]:
    return broken("NET-015", **change)
