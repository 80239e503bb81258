"""Versions of the database engines of RDS and Aurora, and until when AWS supports each major version.

Sources, read on 22 November 2026:
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraPostgreSQLReleaseNotes/aurorapostgresql-release-calendar.html,
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraMySQLReleaseNotes/AuroraMySQL.release-calendars.html,
https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html,
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MySQL.Concepts.VersionMgmt.html,
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MariaDB.Concepts.VersionMgmt.html.
The minor versions are those that AWS's API has listed until then, as cfn-lint 1.58.0 keeps them.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

READ_ON: Final = date(2026, 11, 22)

END_OF_SUPPORT: Final[dict[str, dict[str, date | None]]] = {
    "aurora-postgresql": {
        "9.6": date(2022, 1, 31),
        "10": date(2023, 1, 31),
        "11": date(2024, 2, 29),
        "12": date(2025, 2, 28),
        "13": date(2026, 2, 28),
        "14": date(2027, 2, 28),
        "15": date(2028, 2, 29),
        "16": date(2029, 2, 28),
        "17": date(2030, 2, 28),
        "18": date(2031, 2, 28),
    },
    "aurora-mysql": {
        "5.6": date(2023, 2, 28),
        "5.7": date(2024, 10, 31),
        "8.0": date(2028, 4, 30),
        "8.4": date(2032, 4, 30),
    },
    "postgres": {
        "9.6": date(2022, 4, 26),
        "10": date(2023, 4, 17),
        "11": date(2024, 2, 29),
        "12": date(2025, 2, 28),
        "13": date(2026, 2, 28),
        "14": date(2027, 2, 28),
        "15": date(2028, 2, 29),
        "16": date(2029, 2, 28),
        "17": date(2030, 2, 28),
        "18": date(2031, 2, 28),
    },
    "mysql": {
        "5.6": date(2022, 3, 1),
        "5.7": date(2024, 2, 29),
        "8.0": date(2026, 7, 31),
        "8.4": date(2029, 7, 31),
    },
    "mariadb": {
        "10.3": date(2023, 10, 23),
        "10.4": date(2024, 10, 23),
        "10.6": date(2026, 8, 31),
        "10.11": date(2028, 2, 29),
        "11.4": date(2029, 5, 31),
        "11.8": date(2030, 6, 30),
        "12.3": None,
    },
}
"""The last day of standard support of each major version; None where AWS has not said it.

A day stands for a month that AWS names without one: its last. Major versions of the past that are not in it are those
whose last day was not found.
"""

MINOR_ENDS: Final[dict[str, dict[str, date]]] = {
    "aurora-postgresql": {
        "14.13": date(2026, 5, 31),
        "14.15": date(2026, 5, 31),
        "14.17": date(2026, 11, 30),
        "14.18": date(2026, 12, 31),
        "15.8": date(2026, 5, 31),
        "15.12": date(2026, 11, 30),
        "15.13": date(2026, 12, 31),
        "15.14": date(2027, 6, 30),
        "15.15": date(2027, 7, 31),
        "16.4": date(2026, 5, 31),
        "16.6": date(2026, 5, 31),
        "16.9": date(2026, 12, 31),
        "16.10": date(2027, 6, 30),
        "16.11": date(2027, 7, 31),
        "17.4": date(2026, 11, 30),
        "17.5": date(2026, 12, 31),
        "17.6": date(2027, 6, 30),
        "18.3": date(2027, 11, 30),
        "18.4": date(2027, 12, 31),
    },
    "aurora-mysql": {
        "8.0.mysql_aurora.3.04": date(2026, 10, 31),
        "8.0.mysql_aurora.3.08": date(2026, 8, 31),
        "8.0.mysql_aurora.3.09": date(2026, 8, 31),
        "8.0.mysql_aurora.3.11": date(2026, 11, 13),
        "8.0.mysql_aurora.3.12": date(2027, 2, 17),
        "8.0.mysql_aurora.3.13": date(2027, 8, 27),
        "8.4.mysql_aurora.8.4.7": date(2027, 11, 30),
        "8.4.mysql_aurora.8.4.8": date(2027, 9, 3),
    },
}
"""The last day of standard support of those minor versions for which AWS names one."""

_MINORS: Final = {
    "aurora-postgresql": {
        "13": "3-16 18 20-23",
        "14": "3-13 15 17-20 22-24",
        "15": "2-8 10 12-15 17-19",
        "16": "1-4 6 8-11 13-15",
        "17": "4-7 9-11",
        "18": "3-4 6",
    },
    "postgres": {
        "13": "1-23",
        "14": "1-24",
        "15": "2-19",
        "16": "1-15",
        "17": "1-11",
        "18": "1-4 6",
    },
    "mysql": {
        "8.0": "11 13 15-17 19-21 23 25-37 39-46",
        "8.4": "3-11",
    },
    "mariadb": {
        "10.6": "5 7-25 27-28",
        "10.11": "4-11 13-16 18-19",
        "11.4": "3-5 7-10 12-13",
        "11.8": "3-6 8-9",
        "12.3": "2-3",
    },
}
"""Minor versions that RDS has or had, of the major versions of which all are known."""

_AURORA_MYSQL: Final = {"5.7": re.compile(r"5\.7\.mysql_aurora\.2\.(0[2-9]|1[0-2])\.\d+(\.\d+)?|5\.7\.12")}
_AURORA_MYSQL_3: Final = re.compile(r"8\.0\.mysql_aurora\.3\.(\d+)(\.\d+){1,2}")
_NEWEST_AURORA_MYSQL_3: Final = 13


def major_of(engine: str, version: str) -> str | None:
    """Return the major version that a version belongs to, None where the table does not have it."""
    majors = END_OF_SUPPORT.get(engine, {})
    return next((major for major in majors if version == major or version.startswith((f"{major}.", f"{major}-"))), None)


def end_of(engine: str, version: str) -> tuple[date | None, str]:
    """Return the last day of a version's standard support, None where it is not known, and what it is said of."""
    minors = MINOR_ENDS.get(engine, {})
    minor = next((name for name in minors if version == name or version.startswith((f"{name}.", f"{name}-"))), None)
    if minor is not None:
        return minors[minor], minor
    major = major_of(engine, version)
    return END_OF_SUPPORT.get(engine, {}).get(major or ""), str(major)


def supported(engine: str, day: date) -> list[str]:
    """Return the major versions of an engine that are in standard support on a day, oldest first."""
    return [major for major, end in END_OF_SUPPORT[engine].items() if end is None or day <= end]


def exists(engine: str, version: str) -> bool | None:
    """Return whether an engine has, or had, a version; None where the table is not sure.

    A major version alone exists: RDS takes the newest minor version, or its default.
    """
    if engine not in END_OF_SUPPORT or not version[:1].isdecimal():
        return None if engine not in END_OF_SUPPORT else False
    major = major_of(engine, version)
    if major is None:
        return None if _is_newer(engine, version) or _could_be_old(engine, version) else False
    if version == major:
        return True
    if engine == "aurora-mysql":
        return _exists_in_aurora_mysql(major, version)
    return _has_minor(engine, major, version)


def _has_minor(engine: str, major: str, version: str) -> bool | None:
    minors = _MINORS[engine].get(major)
    found = re.fullmatch(rf"{re.escape(major)}\.(\d+)(-.+)?", version)
    if minors is None or found is None:
        return None if minors is None else False
    known, minor = _numbers(minors), int(found[1])
    return None if minor > max(known) else minor in known


def _exists_in_aurora_mysql(major: str, version: str) -> bool | None:
    if major in _AURORA_MYSQL:
        return bool(_AURORA_MYSQL[major].fullmatch(version))
    if major != "8.0":
        return None
    found = _AURORA_MYSQL_3.fullmatch(version)
    if found is None:
        return False
    # The number after 3 is always written with two digits.
    return None if int(found[1]) > _NEWEST_AURORA_MYSQL_3 else len(found[1]) == 2  # noqa: PLR2004


def _is_newer(engine: str, version: str) -> bool:
    newest = _parts(list(END_OF_SUPPORT[engine])[-1])
    # Far beyond the newest is no new version but another engine's.
    return _parts(version) > newest and _parts(version)[0] <= newest[0] + 3


def _could_be_old(engine: str, version: str) -> bool:
    """Whether a version may be a major version of the past that the table leaves out."""
    old = {"mariadb": ("10.",), "mysql": ("5.",), "postgres": ("9.",), "aurora-postgresql": ("9.",)}
    return version.startswith(old.get(engine, ("5.6",)))


def _parts(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:2]]


def _numbers(spans: str) -> set[int]:
    found: set[int] = set()
    for span in spans.split():
        first, _, last = span.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found
