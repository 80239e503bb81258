"""Rules of databases/maintenance: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

from tests.rules.asking import doubted, found
from tests.rules.catalogue.databases.documents import UNKNOWN, instance


def test_an_unknown_ca_passes() -> None:
    assert found("RDS-036", instance(ca_cert_identifier="rds-ca-rsa4096-g9")) == []


def test_an_unknown_window_is_undecided() -> None:
    document = instance(backup_window="02:00-03:00", maintenance_window="${var.given}") | UNKNOWN
    assert doubted("RDS-038", document) == ["var.given has no default"]


def test_a_prefix_may_end_with_a_hyphen() -> None:
    assert found("RDS-039", instance(identifier=None, identifier_prefix="shop-prod-")) == []
    assert len(found("RDS-039", instance(identifier=None, identifier_prefix="9shop-"))) == 1
