"""Documents shared by the tests of the RDS rules."""

from __future__ import annotations

from typing import Any

from tests.rules.asking import resources

CLUSTER = "resource.aws_rds_cluster.orders"


MEMBER = "resource.aws_rds_cluster_instance.orders"


UNKNOWN: dict[str, Any] = {"variable": {"given": {}}}


def cluster(**arguments: object) -> dict[str, Any]:
    return resources(
        aws_rds_cluster={"orders": {"cluster_identifier": "orders", "engine": "aurora-postgresql", **arguments}}
    )


def instance(**arguments: object) -> dict[str, Any]:
    return resources(aws_db_instance={"legacy": {"identifier": "legacy", "engine": "postgres", **arguments}})
