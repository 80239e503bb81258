"""Versions, parameter group families and node types of ElastiCache.

Sources: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html,
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/extended-support-versions.html,
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html, and the versions of AWS's API
that cfn-lint 1.58.0 keeps; read on 22 November 2026.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

VERSIONS: Final = {
    "redis": ("4.0", "5.0", "6.0", "6.2", "7.0", "7.1"),
    "valkey": ("7.2", "8.0", "8.1", "8.2", "9.0", "9.1"),
}
"""Versions that a new replication group may name, oldest first, without the patch."""

END_OF_SUPPORT: Final = {
    ("redis", "2"): date(2023, 1, 13),
    ("redis", "3"): date(2023, 7, 31),
    ("redis", "4"): date(2026, 1, 31),
    ("redis", "5"): date(2026, 1, 31),
    ("redis", "6"): date(2027, 1, 31),
}
"""The last day of standard support by engine and major version, where there is one."""

_PREVIOUS: Final = re.compile(r"cache\.(t1|t2|m1|m2|m3|m4|c1|r3|r4)\.")
_CURRENT: Final = re.compile(r"cache\.(t3|t4g|m5|m6g|m7g|m8g|r5|r6g|r6gd|r7g|r8g|c7gn|c8gn)\.[0-9a-z]+")


def is_previous_generation(node_type: str) -> bool:
    """Return whether a node type is of a generation that AWS recommends to leave."""
    return bool(_PREVIOUS.match(node_type))


def is_node_type(node_type: str) -> bool | None:
    """Return whether something is a node type; None for a family that the table does not have."""
    if _PREVIOUS.match(node_type) or _CURRENT.fullmatch(node_type):
        return True
    return None if re.fullmatch(r"cache\.[a-z0-9-]+\.[0-9a-z]+", node_type) else False


def exists(engine: str, version: str) -> bool | None:
    """Return whether an engine has a version; None where the table is not sure, as of newer ones."""
    known = VERSIONS.get(engine)
    if known is None:
        return None
    found = re.fullmatch(r"(\d+)(?:\.(\d+|x))?(?:\.\d+)?", version)
    if found is None:
        return False
    major, minor = found[1], found[2]
    majors = {name.partition(".")[0] for name in known}
    if (engine, major) in END_OF_SUPPORT and major not in majors:
        return True
    if minor in (None, "x"):
        return True if major in majors else None
    newest = tuple(int(part) for part in known[-1].split("."))
    if f"{major}.{minor}" in known:
        return True
    # Redis ends with 7.1; Valkey goes on.
    is_newer = (int(major), int(minor)) > newest
    return None if is_newer and engine == "valkey" else False


def family(engine: str, version: str) -> str | None:
    """Return the family of parameter groups that a version of Redis or Valkey needs."""
    major = version.partition(".")[0]
    if engine == "valkey":
        return f"valkey{major}"
    if engine != "redis":
        return None
    if major == "6":
        return "redis6.x"
    return f"redis{major}" if int(major) >= 7 else f"redis{'.'.join(version.split('.')[:2])}"  # noqa: PLR2004  families changed with 7
