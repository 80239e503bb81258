"""Documents that the tests of the DDB rules share."""

from __future__ import annotations

from typing import Any

from tests.rules.asking import resources

SESSIONS = "resource.aws_elasticache_replication_group.sessions"
ORDERS = "resource.aws_dynamodb_table.orders"

UNKNOWN: dict[str, Any] = {"variable": {"given": {}}}


def cache(**arguments: object) -> dict[str, Any]:
    return resources(
        aws_elasticache_replication_group={"sessions": {"replication_group_id": "shop-sessions", **arguments}}
    )


def table(**arguments: object) -> dict[str, Any]:
    return resources(aws_dynamodb_table={"orders": {"name": "shop-orders", "hash_key": "id", **arguments}})
