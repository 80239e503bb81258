"""Rules of databases/protection: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

from tests.rules.asking import RULES, doubted, found, look, resources
from tests.rules.catalogue.databases.documents import UNKNOWN, cluster, instance


def test_a_replica_has_the_protection_of_its_source() -> None:
    copy_ = instance(replicate_source_db="${aws_db_instance.main.identifier}")
    for id_ in ("RDS-008", "RDS-009", "RDS-010", "RDS-011", "RDS-012"):
        assert found(id_, copy_) == []


def test_a_restored_database_has_the_encryption_of_its_snapshot() -> None:
    restored = cluster(snapshot_identifier="shop-2026")
    reason = ["the snapshot determines the encryption"]
    assert doubted("RDS-008", restored) == reason
    assert doubted("RDS-009", restored) == reason
    assert found("RDS-008", cluster(snapshot_identifier="shop-2026", storage_encrypted=True)) == []


def test_a_global_cluster_has_the_encryption_of_its_source_cluster() -> None:
    world = {"source_db_cluster_identifier": "${aws_rds_cluster.orders.arn}"}
    assert found("RDS-008", resources(aws_rds_global_cluster={"world": world})) == []


def test_a_key_of_another_stack_counts_as_set() -> None:
    reference = "${data.terraform_remote_state.keys.outputs.key_arn}"
    document = cluster(storage_encrypted=True, kms_key_id=reference)
    document["data"] = {"terraform_remote_state": {"keys": {"backend": "s3", "config": {}}}}
    assert look("RDS-009", document)[0] == []


def test_a_key_from_a_variable_is_undecided() -> None:
    document = cluster(storage_encrypted=True, kms_key_id="${var.given}") | UNKNOWN
    assert doubted("RDS-009", document) == ["var.given has no default"]


def test_a_final_snapshot_may_have_a_timestamp_in_its_name() -> None:
    document = cluster(final_snapshot_identifier='final-${formatdate("YYYYMMDD", timestamp())}')
    assert found("RDS-011", document) == []


def test_unencrypted_storage_needs_no_key() -> None:
    assert found("RDS-009", cluster(storage_encrypted=False)) == []
    assert len(found("RDS-009", cluster(snapshot_identifier="a", kms_key_id="alias/aws/rds"))) == 1


def test_unknown_accounts_are_undecided() -> None:
    for accounts in ("${var.given}", ["210987654321", "${var.given}"]):
        snapshot = resources(aws_db_snapshot={"legacy": {"shared_accounts": accounts}})
        assert doubted("RDS-015", snapshot | UNKNOWN) == ["var.given has no default"]


def test_protections_are_info_outside_of_production() -> None:
    assert RULES["RDS-010"].severity.in_("dev") == "info"
    assert RULES["RDS-011"].severity.in_("staging") == "info"


def test_engines_without_iam_authentication_are_exempt() -> None:
    assert found("RDS-013", instance(engine="sqlserver-se")) == []
    document = instance(engine="${var.given}", iam_database_authentication_enabled=True) | UNKNOWN
    assert found("RDS-013", document) == []
