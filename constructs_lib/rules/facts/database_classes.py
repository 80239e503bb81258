"""Instance classes that each engine of RDS and Aurora offers.

Sources: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.DBInstanceClass.SupportAurora.html,
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Support.html, and the price list of
November 2026, which cfn-lint 1.58.0 carries; read on 22 November 2026. A class is offered when any region has it.
"""

from __future__ import annotations

from typing import Final

_UP_TO_16: Final = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"
_UP_TO_24: Final = f"{_UP_TO_16} 24xlarge"
_UP_TO_32: Final = f"{_UP_TO_24} 32xlarge"
_UP_TO_48: Final = f"{_UP_TO_24} 48xlarge"
_BURSTABLE: Final = "micro small medium large xlarge 2xlarge"

_AURORA: Final = {
    "r4": "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge",
    "r5": _UP_TO_24,
    "r6g": _UP_TO_16,
    "r6i": _UP_TO_32,
    "r6id": "24xlarge 32xlarge",
    "r7g": _UP_TO_16,
    "r7i": _UP_TO_48,
    "r8a": _UP_TO_48,
    "r8g": _UP_TO_48,
    "t3": "medium large",
    "t4g": "medium large",
    "x2g": _UP_TO_16,
}
_RDS: Final = {
    "m3": "medium large xlarge 2xlarge",
    "m4": "large xlarge 2xlarge 4xlarge 10xlarge 16xlarge",
    "r3": "large xlarge 2xlarge 4xlarge 8xlarge",
    "r4": "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge",
    **dict.fromkeys(("t2", "t3", "t4g"), _BURSTABLE),
    **dict.fromkeys(("m6g", "m6gd", "m7g", "r6g", "r6gd", "r7g", "x2g"), _UP_TO_16),
    **dict.fromkeys(("m5", "m5d", "r5", "r5b", "r5d"), _UP_TO_24),
    **dict.fromkeys(("m6i", "m6id", "m6idn", "m6in", "r6i", "r6id", "r6idn", "r6in"), _UP_TO_32),
    **dict.fromkeys(("m7i", "m8a", "m8g", "m8gd", "m9g", "r7i", "r8a", "r8g", "r8gd"), _UP_TO_48),
    "x2idn": "16xlarge 24xlarge 32xlarge",
    "x2iedn": "xlarge 2xlarge 4xlarge 8xlarge 16xlarge 24xlarge 32xlarge",
}
_FAMILIES: Final = {
    "aurora-postgresql": {
        **_AURORA,
        "r6gd": _UP_TO_16.removeprefix("large "),
        "r8gd": _UP_TO_48.removeprefix("large "),
    },
    "aurora-mysql": {**_AURORA, "r3": "large xlarge 2xlarge 4xlarge 8xlarge", "t2": "small medium"},
    "postgres": _RDS,
    "mysql": _RDS,
    "mariadb": _RDS,
}
_EVERY_FAMILY: Final = frozenset(family for families in _FAMILIES.values() for family in families)

SERVERLESS: Final = "db.serverless"

_SUGGESTED: Final = {
    "aurora": "db.t4g.medium is the smallest, db.r7g.large the smallest for production",
    "rds": "db.t4g.micro is the smallest, db.m7g.large the smallest for production",
}


def is_offered(engine: str, name: str) -> bool | None:
    """Return whether an engine offers an instance class; None where the table is not sure."""
    families = _FAMILIES.get(engine)
    if families is None:
        return None
    if not name.startswith("db."):
        return False
    if name == SERVERLESS:
        return engine.startswith("aurora")
    family, _, size = name.removeprefix("db.").partition(".")
    if family in families:
        return size in families[family].split()
    return False if family in _EVERY_FAMILY else None


def suggestion(engine: str) -> str:
    """Return which classes to take in place of one that the engine does not offer."""
    return _SUGGESTED["aurora" if engine.startswith("aurora") else "rds"]
