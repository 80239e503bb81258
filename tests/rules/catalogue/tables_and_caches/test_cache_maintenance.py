"""Rules about maintenance of caches: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from datetime import date

import pytest

from constructs_lib.rules.catalogue.tables_and_caches import cache_maintenance
from constructs_lib.rules.facts.caches import exists, family
from tests.rules.asking import doubted, found, good, resources
from tests.rules.catalogue.tables_and_caches.documents import SESSIONS, UNKNOWN, cache


class TestMaintenance:
    @pytest.mark.parametrize(
        ("engine", "version", "expected"),
        [
            ("redis", "5.0.6", True),
            ("redis", "6.x", True),
            ("redis", "7.1", True),
            ("redis", "3.2.10", True),
            ("redis", "7.2", False),
            ("redis", "6.1", False),
            ("redis", "latest", False),
            ("valkey", "7.2", True),
            ("valkey", "8.0.1", True),
            ("valkey", "7.1", False),
            ("valkey", "9.2", None),
            ("valkey", "10.0", None),
            ("memcached", "1.6.22", None),
        ],
    )
    def test_versions_are_checked_as_far_as_they_are_listed(
        self, engine: str, version: str, *, expected: bool | None
    ) -> None:
        assert exists(engine, version) is expected

    @pytest.mark.parametrize(
        ("engine", "version", "expected"),
        [
            ("redis", "7.1", "redis7"),
            ("redis", "6.2", "redis6.x"),
            ("redis", "5.0.6", "redis5.0"),
            ("redis", "3.2.10", "redis3.2"),
            ("valkey", "8.0", "valkey8"),
            ("memcached", "1.6.22", None),
        ],
    )
    def test_the_family_is_derived_from_the_version(self, engine: str, version: str, expected: str | None) -> None:
        assert family(engine, version) == expected

    def test_standard_support_includes_its_last_day(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cache_maintenance, "today", lambda: date(2027, 1, 31))
        assert found("DDB-031", cache(engine_version="6.2")) == []
        monkeypatch.setattr(cache_maintenance, "today", lambda: date(2027, 2, 1))
        assert "standard support ended on 2027-01-31" in found("DDB-031", cache(engine_version="6.2"))[0]

    def test_a_newer_version_is_undecided(self) -> None:
        assert doubted("DDB-030", cache(engine="valkey", engine_version="9.9")) == [
            "valkey 9.9 is newer than the known versions"
        ]

    def test_the_family_of_a_default_parameter_group_is_in_its_name(self) -> None:
        assert found("DDB-033", cache(engine_version="7.1", parameter_group_name="default.redis7.cluster.on")) == []
        assert found("DDB-033", cache(parameter_group_name="default.redis7")) == []

    def test_a_parameter_group_that_is_not_defined_in_the_stacks_is_skipped(self) -> None:
        assert found("DDB-033", cache(engine_version="7.1", parameter_group_name="shared")) == []
        assert doubted("DDB-032", cache(parameter_group_name="${var.given}") | UNKNOWN) == ["var.given has no default"]

    def test_a_parameter_group_name_in_a_variable_is_resolved(self) -> None:
        change = UNKNOWN | {
            f"{SESSIONS}.parameter_group_name": "${var.given}",
            "resource.aws_elasticache_parameter_group.sessions.name": "${var.given}",
        }
        assert found("DDB-032", good("DDB-032", change)) == []

    def test_redis_5_needs_no_log_delivery(self) -> None:
        assert found("DDB-034", cache(engine_version="5.0.6")) == []

    def test_log_delivery_in_a_variable_is_undecided(self) -> None:
        document = cache(log_delivery_configuration="${var.given}") | UNKNOWN
        assert doubted("DDB-034", document) == ["var.given has no default"]

    def test_a_single_redis_node_needs_backups(self) -> None:
        node = resources(aws_elasticache_cluster={"pages": {"cluster_id": "pages", "engine": "redis"}})
        assert len(found("DDB-028", node)) == 1

    def test_every_version_of_valkey_needs_log_delivery(self) -> None:
        assert len(found("DDB-034", cache(engine="valkey", engine_version="5.0"))) == 1

    def test_memcached_needs_no_backups(self) -> None:
        node = resources(aws_elasticache_cluster={"pages": {"cluster_id": "pages", "engine": "memcached"}})
        assert found("DDB-028", node) == []

    def test_uppercase_letters_in_names_pass(self) -> None:
        assert found("DDB-037", cache(replication_group_id="Shop-Sessions")) == []
