"""Rules about nodes of caches: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from typing import Any

from constructs_lib.rules.facts.caches import is_node_type
from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, resources
from tests.rules.catalogue.tables_and_caches.documents import SESSIONS, UNKNOWN, cache


class TestNodes:
    def test_nodes_that_are_separate_resources_count(self) -> None:
        node = {"replication_group_id": "${aws_elasticache_replication_group.sessions.id}"}
        change: dict[str, Any] = {
            f"{SESSIONS}.num_cache_clusters": 1,
            "resource.aws_elasticache_cluster.second": node,
        }
        assert found("DDB-020", good("DDB-020", change)) == []
        assert found("DDB-021", good("DDB-021", change)) == []
        node["count"] = "${var.given}"
        assert len(doubted("DDB-020", good("DDB-020", change | UNKNOWN))) == 1

    def test_the_deprecated_number_cache_clusters_counts(self) -> None:
        both = {"automatic_failover_enabled": True, "multi_az_enabled": True}
        assert found("DDB-020", cache(number_cache_clusters="2", **both)) == []

    def test_replicas_are_counted_per_shard(self) -> None:
        def shards(*counts: int) -> dict[str, Any]:
            listed = [{"replica_count": count} for count in counts]
            return cache(
                num_node_groups=2,
                node_group_configuration=listed,
                automatic_failover_enabled=True,
                multi_az_enabled=True,
            )

        assert found("DDB-020", shards(1, 2)) == []
        assert len(found("DDB-020", shards(1, 0))) == 1

    def test_one_shard_without_replicas_may_enable_failover(self) -> None:
        document = cache(num_node_groups=1, replicas_per_node_group=0, automatic_failover_enabled=True)
        assert found("DDB-021", document) == []

    def test_one_shard_without_failover_passes(self) -> None:
        assert found("DDB-021", cache(num_node_groups=1, replicas_per_node_group=1)) == []

    def test_one_node_without_failover_passes(self) -> None:
        assert found("DDB-021", cache(num_cache_clusters=1)) == []

    def test_empty_arguments_are_not_combined(self) -> None:
        document = cache(num_cache_clusters=2, num_node_groups=None, node_group_configuration=[])
        assert found("DDB-022", document) == []

    def test_a_subnet_group_with_a_generated_name_counts(self) -> None:
        change = {"resource.aws_elasticache_subnet_group.cache.name": REMOVED}
        assert found("DDB-023", good("DDB-023", change)) == []

    def test_a_node_of_a_replication_group_may_have_the_engine_redis(self) -> None:
        node = resources(aws_elasticache_cluster={"n": {"engine": "redis", "replication_group_id": "shop-sessions"}})
        for id_ in ("DDB-015", "DDB-023", "DDB-025", "DDB-028"):
            assert found(id_, node) == []

    def test_an_unlisted_node_family_passes(self) -> None:
        assert is_node_type("cache.m99g.large") is None
        assert found("DDB-026", cache(node_type="cache.m99g.large")) == []

    def test_data_tiering_of_an_unknown_node_type_is_undecided(self) -> None:
        assert doubted("DDB-027", cache(node_type="${var.given}", data_tiering_enabled=True) | UNKNOWN) == [
            "var.given has no default"
        ]
        assert found("DDB-027", cache(node_type="${var.given}") | UNKNOWN) == []
