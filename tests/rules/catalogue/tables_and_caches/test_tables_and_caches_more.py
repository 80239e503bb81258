"""Rules about tables and caches: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

from typing import Any

from constructs_lib.rules.facts.caches import is_node_type
from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import doubted, found, good, resources
from tests.rules.catalogue.tables_and_caches.documents import SESSIONS, UNKNOWN, cache


def user(**arguments: object) -> dict[str, Any]:
    return resources(aws_elasticache_user={"app": {"user_id": "app", **arguments}})


class TestCaches:
    def test_valkey_is_encrypted_at_rest_by_default(self) -> None:
        assert found("DDB-014", cache(engine="valkey")) == []
        assert len(found("DDB-014", cache(engine="redis"))) == 1

    def test_an_engine_that_is_not_known_leaves_the_question_open(self) -> None:
        assert doubted("DDB-014", cache(engine="${var.given}") | UNKNOWN) == ["var.given has no default"]

    def test_a_secondary_of_a_global_group_follows_its_first_member(self) -> None:
        secondary = cache(global_replication_group_id="${aws_elasticache_global_replication_group.all.id}")
        for id_ in ("DDB-014", "DDB-015", "DDB-017", "DDB-020", "DDB-021", "DDB-028", "DDB-029", "DDB-032"):
            assert found(id_, secondary) == []

    def test_users_in_place_of_a_token_are_right(self) -> None:
        assert found("DDB-017", cache(user_group_ids=["${aws_elasticache_user_group.app.user_group_id}"])) == []
        assert doubted("DDB-017", cache(user_group_ids="${var.given}") | UNKNOWN) == ["var.given has no default"]

    def test_what_is_not_encrypted_is_not_asked_for_a_key(self) -> None:
        assert found("DDB-016", cache(at_rest_encryption_enabled="false")) == []
        assert len(found("DDB-016", cache(engine="valkey"))) == 1

    def test_literal_tokens_and_passwords_are_never_shown(self) -> None:
        for document in (cache(auth_token="correct-horse-1"), user(passwords=["correct-horse-1"])):
            (message,) = found("DDB-018", document)
            assert "correct-horse" not in message

    def test_passwords_that_others_give_are_no_literals(self) -> None:
        assert found("DDB-018", user(passwords=["${var.given}"]) | UNKNOWN) == []
        assert found("DDB-018", user(passwords="${var.given}") | UNKNOWN) == []
        assert found("DDB-018", user(passwords=[])) == []
        assert len(found("DDB-018", user(passwords=["${var.given}", "correct-horse-1"]) | UNKNOWN)) == 1

    def test_a_token_without_special_characters_is_taken(self) -> None:
        change = {"resource.random_password.token": {"length": 32, "special": False}}
        assert found("DDB-019", good("DDB-019", change)) == []

    def test_a_token_of_another_stack_is_followed(self) -> None:
        generated: dict[str, Any] = resources(random_password={"token": {"length": 32}})
        generated["output"] = {"token": {"value": "${random_password.token.result}", "sensitive": True}}
        state = "cross-stack-reference-input-shop"
        taker = cache(auth_token=f"${{data.terraform_remote_state.{state}.outputs.token}}")
        taker["data"] = {
            "terraform_remote_state": {state: {"backend": "local", "config": {"path": "../shop/terraform.tfstate"}}}
        }
        (message,) = found("DDB-019", generated, taker)
        assert "aws_elasticache_replication_group.sessions of the stack shop1" in message


class TestNodes:
    def test_nodes_that_are_resources_count(self) -> None:
        node = {"replication_group_id": "${aws_elasticache_replication_group.sessions.id}"}
        change: dict[str, Any] = {
            f"{SESSIONS}.num_cache_clusters": 1,
            "resource.aws_elasticache_cluster.second": node,
        }
        assert found("DDB-020", good("DDB-020", change)) == []
        assert found("DDB-021", good("DDB-021", change)) == []
        node["count"] = "${var.given}"
        assert len(doubted("DDB-020", good("DDB-020", change | UNKNOWN))) == 1

    def test_the_older_name_of_the_number_of_nodes_is_read(self) -> None:
        both = {"automatic_failover_enabled": True, "multi_az_enabled": True}
        assert found("DDB-020", cache(number_cache_clusters="2", **both)) == []

    def test_replicas_of_each_shard_are_counted_where_they_are_listed(self) -> None:
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

    def test_one_shard_without_replicas_may_have_failover_on(self) -> None:
        document = cache(num_node_groups=1, replicas_per_node_group=0, automatic_failover_enabled=True)
        assert found("DDB-021", document) == []

    def test_one_shard_without_failover_is_legal(self) -> None:
        assert found("DDB-021", cache(num_node_groups=1, replicas_per_node_group=1)) == []

    def test_one_node_without_failover_is_legal(self) -> None:
        assert found("DDB-021", cache(num_cache_clusters=1)) == []

    def test_empty_arguments_do_not_exclude_each_other(self) -> None:
        document = cache(num_cache_clusters=2, num_node_groups=None, node_group_configuration=[])
        assert found("DDB-022", document) == []

    def test_a_subnet_group_that_aws_names_counts_as_set(self) -> None:
        change = {"resource.aws_elasticache_subnet_group.cache.name": REMOVED}
        assert found("DDB-023", good("DDB-023", change)) == []

    def test_a_node_of_a_group_may_have_the_engine_redis(self) -> None:
        node = resources(aws_elasticache_cluster={"n": {"engine": "redis", "replication_group_id": "shop-sessions"}})
        for id_ in ("DDB-015", "DDB-023", "DDB-025", "DDB-028"):
            assert found(id_, node) == []

    def test_a_family_newer_than_the_table_is_right(self) -> None:
        assert is_node_type("cache.m99g.large") is None
        assert found("DDB-026", cache(node_type="cache.m99g.large")) == []

    def test_tiering_of_nodes_that_are_not_known_leaves_the_question_open(self) -> None:
        assert doubted("DDB-027", cache(node_type="${var.given}", data_tiering_enabled=True) | UNKNOWN) == [
            "var.given has no default"
        ]
        assert found("DDB-027", cache(node_type="${var.given}") | UNKNOWN) == []
