"""Versions, classes and windows: tables and the functions that read them."""

from __future__ import annotations

import re
import warnings
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.constructs.aurora_provisioned.classes import FAMILIES, MISSING, max_connections, memory_bytes
from constructs_lib.constructs.aurora_provisioned.engines import (
    ENGINES,
    EngineName,
    MajorUpgrade,
    check_upgrade,
    check_version,
)
from constructs_lib.foundation.environment import PROFILES, Environment
from constructs_lib.foundation.errors import ConfigurationWarning, Problems
from constructs_lib.foundation.regions import REGIONS
from constructs_lib.foundation.windows import check_windows, default_backup, default_maintenance

TODAY = date(2026, 11, 22)
POSTGRESQL, MYSQL = ENGINES["aurora-postgresql"], ENGINES["aurora-mysql"]
CALENDAR = POSTGRESQL.calendar


def complaints(engine: EngineName, version: object, today: date = TODAY) -> list[str]:
    problems = Problems("db")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_version(problems, ENGINES[engine], version, today)
    return problems.found


@pytest.mark.parametrize(
    ("engine", "version"),
    [
        ("aurora-postgresql", "17"),
        ("aurora-postgresql", "16.8"),
        ("aurora-postgresql", "17.11"),
        ("aurora-mysql", "8.0"),
        ("aurora-mysql", "8.0.mysql_aurora.3.10.6"),
        ("aurora-mysql", "8.4.mysql_aurora.8.4.8"),
    ],
)
def test_a_version_that_aws_supports_is_taken(engine: EngineName, version: str) -> None:
    problems = Problems("db")
    assert check_version(problems, ENGINES[engine], version, TODAY) == version
    assert problems.found == []


@pytest.mark.parametrize("version", ["99", "9.6", "170", "17a", "8.0", ""])
def test_a_version_that_does_not_exist_is_refused(version: str) -> None:
    assert complaints("aurora-postgresql", version) == [
        f"engine_version={version!r}: is not a known version on 2026-11-22; supported major versions of aurora-postgresql: 14, 15, 16, 17, 18 ({CALENDAR})"
    ]


@pytest.mark.parametrize(("engine", "version"), [("aurora-postgresql", "10.21"), ("aurora-mysql", "5.6")])
def test_extended_support_does_not_bring_back_a_version_that_aws_has_ended(engine: EngineName, version: str) -> None:
    problems = Problems("db")
    check_version(problems, ENGINES[engine], version, TODAY, extended=True)
    (line,) = problems.found
    assert line.startswith(
        f"engine_version={version!r}: is not a known version on 2026-11-22; supported major versions "
    )


@pytest.mark.parametrize("version", [17, 17.7, "${var.version}"])
def test_a_version_that_is_no_plain_text_is_refused(version: object) -> None:
    (line,) = complaints("aurora-postgresql", version)
    assert line.startswith(f"engine_version={version!r}: must be a plain string such as '17'; supported major")


@pytest.mark.parametrize(
    ("engine", "version", "end"),
    [
        ("aurora-postgresql", "13.23", "2026-02-28"),
        ("aurora-postgresql", "16.4", "2026-05-31"),
        ("aurora-mysql", "5.7.mysql_aurora.2.12.5", "2024-10-31"),
        ("aurora-mysql", "8.0.mysql_aurora.3.04.4", "2026-10-31"),
        ("aurora-mysql", "8.0.mysql_aurora.3.11.1", "2026-11-13"),
    ],
)
def test_a_version_past_its_own_support_is_refused(engine: EngineName, version: str, end: str) -> None:
    (line,) = complaints(engine, version)
    assert line.startswith(f"engine_version={version!r}: standard support ended on {end}; ")


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (date(2029, 8, 31), []),
        (date(2029, 9, 1), ["db: engine_version='17': standard support ends on 2030-02-28, in 180 days; upgrade to a later version"]),
        (date(2030, 2, 28), ["db: engine_version='17': standard support ends on 2030-02-28, in 0 days; upgrade to a later version"]),
    ],
)  # fmt: skip
def test_the_end_of_support_is_announced_half_a_year_before(today: date, said: list[str]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_version(Problems("db"), POSTGRESQL, "17", today)
    assert [str(warning.message) for warning in caught] == said
    assert all(warning.category is ConfigurationWarning for warning in caught)


def test_defaults_have_years_of_support_left() -> None:
    for engine in ENGINES.values():
        assert (engine.majors[engine.default] - TODAY).days > 365


@pytest.mark.parametrize(("version", "family"), [("17", "aurora-postgresql17"), ("16.8", "aurora-postgresql16")])
def test_the_family_follows_from_the_version(version: str, family: str) -> None:
    assert POSTGRESQL.family(version) == family
    assert MYSQL.family("8.0.mysql_aurora.3.10.0") == "aurora-mysql8.0"
    assert MYSQL.family("8.4") == "aurora-mysql8.4"


def test_an_unknown_target_of_an_upgrade_is_refused_once() -> None:
    problems = Problems("db")
    check_upgrade(problems, POSTGRESQL, "17", MajorUpgrade("19.1"), TODAY)
    (line,) = problems.found
    assert line.startswith("upgrade.to='19.1': is not a known version on 2026-11-22; ")


@pytest.mark.parametrize("engine", list(ENGINES))
def test_default_classes_can_be_ordered_in_almost_every_region(engine: EngineName) -> None:
    for environment in Environment:
        family, size = PROFILES[environment].database_instance_class.rsplit(".", 1)
        assert size in FAMILIES[engine][family]
        assert set(MISSING.get(family, ())) <= {"il-central-1", "ap-southeast-4"}


def test_the_table_of_missing_classes_names_regions_and_families_that_exist() -> None:
    families = {family for offered in FAMILIES.values() for family in offered}
    assert MISSING.keys() <= families
    assert {region for regions in MISSING.values() for region in regions} <= REGIONS.keys()


@pytest.mark.parametrize(
    ("class_", "gib", "postgresql", "mysql"),
    [
        ("db.t4g.medium", 4, 450, 108),
        ("db.r7g.large", 16, 1802, 1069),
        ("db.r7g.xlarge", 32, 3604, 2069),
        ("db.r8g.48xlarge", 1536, 5000, 7654),
    ],
)
def test_memory_and_connections_follow_from_the_class(class_: str, gib: int, postgresql: int, mysql: int) -> None:
    assert memory_bytes(class_) == gib * 1024**3
    assert max_connections("aurora-postgresql", class_) == postgresql
    assert max_connections("aurora-mysql", class_) == mysql


def test_every_class_of_the_table_has_a_memory() -> None:
    for offered in FAMILIES.values():
        for family, sizes in offered.items():
            assert all(memory_bytes(f"{family}.{size}") > 0 for size in sizes)


@pytest.mark.parametrize(
    ("region", "backup", "maintenance"),
    [
        ("eu-west-1", "02:00-03:00", "sun:03:30-sun:04:30"),
        ("eu-central-1", "01:00-02:00", "sun:02:30-sun:03:30"),
        ("us-east-1", "07:00-08:00", "sun:08:30-sun:09:30"),
        ("us-west-2", "10:00-11:00", "sun:11:30-sun:12:30"),
        ("us-gov-west-1", "10:00-11:00", "sun:11:30-sun:12:30"),
        ("ap-southeast-1", "18:00-19:00", "sat:19:30-sat:20:30"),
        ("ap-southeast-2", "16:00-17:00", "sat:17:30-sat:18:30"),
        ("ap-southeast-6", "14:00-15:00", "sat:15:30-sat:16:30"),
    ],
)
def test_windows_are_at_night_where_the_region_is(region: str, backup: str, maintenance: str) -> None:
    assert (default_backup(region), default_maintenance(region)) == (backup, maintenance)


def test_every_region_has_windows_that_aws_takes() -> None:
    for region in REGIONS:
        problems = Problems("db")
        check_windows(problems, default_backup(region), default_maintenance(region))
        assert problems.found == [], region


@pytest.mark.parametrize(
    ("backup", "maintenance", "lines"),
    [
        ("2:00-3:00", "sun:03:30-sun:04:30", ["backup_window='2:00-3:00': must be a time of day in UTC such as '02:00-03:00'"]),
        ("24:00-01:00", "sun:03:30-sun:04:30", ["backup_window='24:00-01:00': must be a time of day in UTC such as '02:00-03:00'"]),
        (None, "sun:03:30-sun:04:30", ["backup_window=None: must be a time of day in UTC such as '02:00-03:00'"]),
        ("02:00-03:00", "Sunday", ["maintenance_window='Sunday': must be a time of the week in UTC such as 'sun:03:30-sun:04:30'"]),
        ("02:00-03:00", 7, ["maintenance_window=7: must be a time of the week in UTC such as 'sun:03:30-sun:04:30'"]),
        ("02:00-02:29", "sun:03:30-sun:04:30", ["backup_window='02:00-02:29': must be at least 30 minutes long"]),
        ("02:00-03:00", "sun:03:30-sun:03:59", ["maintenance_window='sun:03:30-sun:03:59': must be at least 30 minutes and less than a day long"]),
        ("02:00-03:00", "sun:03:30-mon:04:30", ["maintenance_window='sun:03:30-mon:04:30': must be at least 30 minutes and less than a day long", "backup_window='02:00-03:00': must not overlap maintenance_window='sun:03:30-mon:04:30', which AWS refuses"]),
        ("02:00-03:00", "sun:02:30-sun:03:30", ["backup_window='02:00-03:00': must not overlap maintenance_window='sun:02:30-sun:03:30', which AWS refuses"]),
        ("23:45-00:15", "sun:00:00-sun:01:00", ["backup_window='23:45-00:15': must not overlap maintenance_window='sun:00:00-sun:01:00', which AWS refuses"]),
        ("00:10-00:40", "sat:23:30-sun:00:30", ["backup_window='00:10-00:40': must not overlap maintenance_window='sat:23:30-sun:00:30', which AWS refuses"]),
        ("02:00-03:00", "sun:03:00-sun:04:00", []),
        ("04:00-05:00", "SUN:03:00-SUN:04:00", []),
        ("23:00-00:00", "sun:00:00-sun:01:00", []),
    ],
)  # fmt: skip
def test_windows_are_checked_when_they_are_given(backup: object, maintenance: object, lines: list[str]) -> None:
    problems = Problems("db")
    check_windows(problems, backup, maintenance)
    assert problems.found == lines


@given(st.integers(0, 1439), st.integers(30, 600), st.integers(0, 10079), st.integers(30, 600))
def test_windows_overlap_exactly_when_they_share_a_minute(at: int, length: int, week_at: int, week_length: int) -> None:
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

    def clock(minute: int) -> str:
        return f"{minute // 60 % 24:02}:{minute % 60:02}"

    def moment(minute: int) -> str:
        return f"{days[minute // 1440 % 7]}:{clock(minute)}"

    backup = f"{clock(at)}-{clock(at + length)}"
    maintenance = f"{moment(week_at)}-{moment(week_at + week_length)}"
    nightly = {(at + minute) % 1440 for minute in range(length)}
    weekly = {(week_at + minute) % 1440 for minute in range(week_length)}
    problems = Problems("db")
    check_windows(problems, backup, maintenance)
    assert bool(problems.found) == bool(nightly & weekly)


def test_names_in_the_tables_are_spelled_as_aws_spells_them() -> None:
    for minor in POSTGRESQL.minors:
        assert re.fullmatch(r"1[1-9]\.[0-9]+", minor)
    for minor in MYSQL.minors:
        assert re.fullmatch(r"8\.[04]\.mysql_aurora\.(3\.[0-9]{2}|8\.4\.[0-9]+)", minor)
