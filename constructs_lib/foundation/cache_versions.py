"""Engine versions of ElastiCache, the end of their standard support, and their parameter group families.

Sources: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html and
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/extended-support-versions.html; read on 22 November 2026.
"""

from __future__ import annotations

from datetime import date
from typing import Final

READ_ON: Final = date(2026, 11, 22)
"""The day on which the versions were compared with their sources."""
SOURCE: Final = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/extended-support-versions.html"

VERSIONS: Final = {
    "redis": ("4.0", "5.0", "6.0", "6.2", "7.0", "7.1"),
    "valkey": ("7.2", "8.0", "8.1", "8.2", "9.0", "9.1"),
}
"""Versions for new replication groups, oldest first, without the patch version."""

END_OF_SUPPORT: Final = {
    ("redis", "2"): date(2023, 1, 13),
    ("redis", "3"): date(2023, 7, 31),
    ("redis", "4"): date(2026, 1, 31),
    ("redis", "5"): date(2026, 1, 31),
    ("redis", "6"): date(2027, 1, 31),
}
"""The last day of standard support by engine and major version, where AWS has announced one."""


def end_of_support(engine: str, version: str) -> date | None:
    """Return the last day of standard support of a version, None where AWS has announced none."""
    return END_OF_SUPPORT.get((engine, version.partition(".")[0]))


def family(engine: str, version: str) -> str:
    """Return the parameter group family of a version of Redis or Valkey."""
    major = version.partition(".")[0]
    if engine == "valkey" or int(major) >= 7:  # noqa: PLR2004  families changed with Redis 7
        return f"{engine}{major}"
    return "redis6.x" if major == "6" else f"redis{'.'.join(version.split('.')[:2])}"
