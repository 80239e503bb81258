"""Engine versions of databases: which exist, and when their standard support ends."""

from __future__ import annotations

from datetime import date

import pytest

from constructs_lib.foundation.database_versions import END_OF_SUPPORT, end_of, exists, major_of


@pytest.mark.parametrize(
    ("engine", "version"),
    [
        ("aurora-postgresql", "16"),
        ("aurora-postgresql", "16.9-limitless"),
        ("aurora-postgresql", "12.19"),
        ("aurora-mysql", "8.0"),
        ("aurora-mysql", "8.0.mysql_aurora.3.05.2"),
        ("aurora-mysql", "5.7.12"),
        ("mysql", "8.0.46-rds.20260908"),
        ("mysql", "5.7.44-rds.20250103"),
        ("postgres", "9.4.26"),
        ("postgres", "15.19"),
        ("mariadb", "10.11.16"),
        ("mariadb", "10.5.29"),
    ],
)
def test_existing_and_retired_versions_exist(engine: str, version: str) -> None:
    assert exists(engine, version) is not False


@pytest.mark.parametrize(
    ("engine", "version"),
    [
        ("aurora-postgresql", "17.1"),
        ("aurora-postgresql", "8.0.mysql_aurora.3.04.0"),
        ("aurora-mysql", "8.0.28"),
        ("aurora-mysql", "5.7.44"),
        ("aurora-mysql", "16.4"),
        ("mysql", "8.0.22"),
        ("mysql", "15.4"),
        ("postgres", "16.4.1"),
        ("postgres", "8.0.35"),
        ("mariadb", "11.4.6"),
    ],
)
def test_versions_that_never_existed_are_rejected(engine: str, version: str) -> None:
    assert exists(engine, version) is False


@pytest.mark.parametrize(
    ("engine", "version"),
    [
        ("aurora-postgresql", "19.1"),
        ("aurora-postgresql", "17.12"),
        ("aurora-mysql", "8.4.mysql_aurora.8.4.9"),
        ("aurora-mysql", "8.0.mysql_aurora.3.14.0"),
        ("mysql", "9.7.1"),
        ("postgres", "19"),
        ("sqlserver-ee", "16.00"),
    ],
)
def test_versions_newer_than_the_table_are_undecided(engine: str, version: str) -> None:
    assert exists(engine, version) is None


def test_support_of_a_minor_version_may_end_before_its_major_version() -> None:
    assert end_of("aurora-mysql", "8.0.mysql_aurora.3.04.2") == (
        date(2026, 10, 31),
        "8.0.mysql_aurora.3.04",
    )
    assert end_of("aurora-postgresql", "16.13") == (date(2029, 2, 28), "16")


def test_one_digit_major_versions_are_not_confused_with_longer_ones() -> None:
    assert major_of("postgres", "10.21") == "10"
    assert major_of("postgres", "1.0") is None
    assert all(
        list(ends) == sorted(ends, key=lambda name: [int(part) for part in name.split(".")])
        for ends in END_OF_SUPPORT.values()
    )
