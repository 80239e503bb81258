"""Node types of ElastiCache, and which versions of its engines exist.

Sources: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html and the schemas of
cfn-lint 1.58.0; read on 22 November 2026.
"""

from __future__ import annotations

import re
from typing import Final

from constructs_lib.foundation.cache_versions import END_OF_SUPPORT, VERSIONS
from constructs_lib.foundation.cache_versions import family as family_of

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
    """Return the parameter group family of a version, None for another engine than Redis and Valkey."""
    return family_of(engine, version) if engine in VERSIONS else None
