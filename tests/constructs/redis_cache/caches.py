"""Caches for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs_lib import MultiRegionKey, RedisCache
from tests.constructs.aurora_provisioned.clusters import make_vpc

if TYPE_CHECKING:
    from constructs_lib import HardenedStack

CACHE = "${aws_elasticache_replication_group.carts_eu_west_1.%s}"
KEY = "${aws_kms_key.key_eu_west_1.arn}"


def make_cache(stack: HardenedStack, **arguments: Any) -> RedisCache:
    """Return a cache named carts, in a VPC that exists already."""
    region = stack.region("eu-west-1")
    vpc = arguments.pop("vpc", None) or make_vpc(stack)
    return RedisCache(
        stack, "carts", region=region, vpc=vpc, key=MultiRegionKey(stack, "key", region=region), **arguments
    )
