"""Rules about encryption and authentication of caches: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from typing import Any

from tests.rules.asking import doubted, found, good, resources
from tests.rules.catalogue.tables_and_caches.documents import UNKNOWN, cache


def user(**arguments: object) -> dict[str, Any]:
    return resources(aws_elasticache_user={"app": {"user_id": "app", **arguments}})


class TestSecurity:
    def test_valkey_is_encrypted_at_rest_by_default(self) -> None:
        assert found("DDB-014", cache(engine="valkey")) == []
        assert len(found("DDB-014", cache(engine="redis"))) == 1

    def test_an_engine_in_a_variable_is_undecided(self) -> None:
        assert doubted("DDB-014", cache(engine="${var.given}") | UNKNOWN) == ["var.given has no default"]

    def test_a_secondary_of_a_global_datastore_is_skipped(self) -> None:
        secondary = cache(global_replication_group_id="${aws_elasticache_global_replication_group.all.id}")
        for id_ in ("DDB-014", "DDB-015", "DDB-017", "DDB-020", "DDB-021", "DDB-028", "DDB-029", "DDB-032"):
            assert found(id_, secondary) == []

    def test_user_groups_replace_a_token(self) -> None:
        assert found("DDB-017", cache(user_group_ids=["${aws_elasticache_user_group.app.user_group_id}"])) == []
        assert doubted("DDB-017", cache(user_group_ids="${var.given}") | UNKNOWN) == ["var.given has no default"]

    def test_an_unencrypted_cache_needs_no_key(self) -> None:
        assert found("DDB-016", cache(at_rest_encryption_enabled="false")) == []
        assert len(found("DDB-016", cache(engine="valkey"))) == 1

    def test_literal_tokens_and_passwords_are_never_shown(self) -> None:
        for document in (cache(auth_token="correct-horse-1"), user(passwords=["correct-horse-1"])):
            (message,) = found("DDB-018", document)
            assert "correct-horse" not in message

    def test_passwords_in_variables_are_not_hard_coded(self) -> None:
        assert found("DDB-018", user(passwords=["${var.given}"]) | UNKNOWN) == []
        assert found("DDB-018", user(passwords="${var.given}") | UNKNOWN) == []
        assert found("DDB-018", user(passwords=[])) == []
        assert len(found("DDB-018", user(passwords=["${var.given}", "correct-horse-1"]) | UNKNOWN)) == 1

    def test_a_token_without_special_characters_passes(self) -> None:
        change = {"resource.random_password.token": {"length": 32, "special": False}}
        assert found("DDB-019", good("DDB-019", change)) == []

    def test_a_token_in_another_stack_is_resolved(self) -> None:
        generated: dict[str, Any] = resources(random_password={"token": {"length": 32}})
        generated["output"] = {"token": {"value": "${random_password.token.result}", "sensitive": True}}
        state = "cross-stack-reference-input-shop"
        taker = cache(auth_token=f"${{data.terraform_remote_state.{state}.outputs.token}}")
        taker["data"] = {
            "terraform_remote_state": {state: {"backend": "local", "config": {"path": "../shop/terraform.tfstate"}}}
        }
        (message,) = found("DDB-019", generated, taker)
        assert "aws_elasticache_replication_group.sessions of the stack shop1" in message

    def test_a_group_of_redis_may_have_users_without_a_password(self) -> None:
        change: dict[str, Any] = {
            "resource.aws_elasticache_user.default.authentication_mode": {"type": "no-password-required"}
        }
        assert len(found("DDB-038", good("DDB-038", change))) == 1
        redis = change | {"resource.aws_elasticache_user_group.search.engine": "redis"}
        assert found("DDB-038", good("DDB-038", redis)) == []

    def test_the_engine_and_the_password_of_a_user_may_be_in_variables(self) -> None:
        engine: dict[str, Any] = {"resource.aws_elasticache_user_group.search.engine": "${var.given}"}
        assert doubted("DDB-038", good("DDB-038", engine | UNKNOWN)) == ["var.given has no default"]
        kind: dict[str, Any] = {"resource.aws_elasticache_user.default.authentication_mode.type": "${var.given}"}
        assert doubted("DDB-038", good("DDB-038", kind | UNKNOWN)) == ["var.given has no default"]
