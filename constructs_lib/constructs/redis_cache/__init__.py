"""RedisCache: a replication group of ElastiCache, Valkey or Redis."""

from constructs_lib.constructs.redis_cache.access import CacheUser
from constructs_lib.constructs.redis_cache.cache import RedisCache
from constructs_lib.constructs.redis_cache.nodes import ReplicationGroup, Shards

__all__ = ["CacheUser", "RedisCache", "ReplicationGroup", "Shards"]
