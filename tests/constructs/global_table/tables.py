"""Global tables for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs_lib import GlobalTable, MultiRegionKey
from constructs_lib.core.iam import ServiceRole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs_lib import HardenedStack

HOME, EU = "us-east-1", "eu-west-1"


def make_table(stack: HardenedStack, replicas: Sequence[str] = (), **arguments: Any) -> GlobalTable:
    """Return a table named orders with the key `id`, first in us-east-1."""
    home, *others = (stack.region(name) for name in (HOME, *replicas))
    key = arguments.pop("key", None) or MultiRegionKey(stack, "key", region=home, replicas=others)
    given = {"partition_key": "id", **arguments}
    return GlobalTable(stack, "orders", region=home, key=key, replicas=others, **given)


def make_role(stack: HardenedStack, region: str) -> ServiceRole:
    """Return the role of somebody who asks in a region."""
    return ServiceRole(
        stack,
        "client",
        region=stack.region(region),
        service="lambda.amazonaws.com",
        description="Somebody who asks",
        statements=[],
    )
