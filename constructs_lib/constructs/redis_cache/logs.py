"""The logs of a cache."""

from __future__ import annotations

from typing import Final

from constructs_lib._engine import aws
from constructs_lib.constructs.log_group import LogGroup
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.core.construct import HardenedConstruct

LOGS: Final = ("engine-log", "slow-log")


def deliver_logs(
    cache: HardenedConstruct, key: MultiRegionKey, identifier: str
) -> list[aws.elasticache_replication_group.ElasticacheReplicationGroupLogDeliveryConfiguration]:
    """Create a log group for each log, and return the configurations that deliver to them.

    See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Log_Delivery.html.
    """
    region = cache.region
    groups = {
        log: LogGroup(
            cache,
            log,
            region=region,
            key=key,
            # Log groups with this prefix need no entry in the region's resource policy for log delivery.
            name=f"/aws/vendedlogs/elasticache/{identifier}/{log}",
        )
        for log in LOGS
    }
    return [
        aws.elasticache_replication_group.ElasticacheReplicationGroupLogDeliveryConfiguration(
            destination=region.stack.ref(group.resource, "name"),
            destination_type="cloudwatch-logs",
            log_format="json",
            log_type=log,
        )
        for log, group in groups.items()
    ]
