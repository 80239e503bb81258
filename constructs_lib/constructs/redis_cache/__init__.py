"""RedisCache: an ElastiCache replication group with Valkey or Redis OSS."""

from constructs_lib.constructs.redis_cache.access import ElastiCacheUser
from constructs_lib.constructs.redis_cache.cache import RedisCache
from constructs_lib.constructs.redis_cache.nodes import ReplicationGroup, Shards

__all__ = ["ElastiCacheUser", "RedisCache", "ReplicationGroup", "Shards"]
