"""DB instance classes by engine, the regions without them, and their memory."""

from __future__ import annotations

from collections.abc import Mapping
from math import log2
from typing import Final

from constructs_lib.constructs.aurora_provisioned.engines import EngineName
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.regions import is_token

GIB: Final = 1024**3
_BURSTABLE_GIB: Final = {"medium": 4, "large": 8}
_MEMORY_GIB: Final = {
    "large": 16,
    "xlarge": 32,
    **{f"{times}xlarge": 32 * times for times in (2, 4, 8, 12, 16, 24, 32, 48)},
}
_R5: Final = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge")
_GRAVITON: Final = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
_MEMORY_FAMILIES: Final = {
    "db.r7g": _GRAVITON,
    "db.r8g": (*_GRAVITON, "24xlarge", "48xlarge"),
    "db.r6g": _GRAVITON,
    "db.r7i": (*_R5, "48xlarge"),
    "db.r6i": (*_R5, "32xlarge"),
    "db.r5": _R5,
}
_T4G: Final = {"db.t4g": ("medium", "large")}
_T3: Final = {"db.t3": ("medium", "large")}

FAMILIES: Final[Mapping[EngineName, Mapping[str, tuple[str, ...]]]] = {
    "aurora-postgresql": {**_T4G, **_T3, **_MEMORY_FAMILIES},
    "aurora-mysql": {**_T4G, **_MEMORY_FAMILIES},
}
"""Sizes by family, preferred families first.

Not included are older generations, families that few regions have, and db.t3 for MySQL, which does not support
Performance Insights. See https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.DBInstanceClass.SupportAurora.html
and https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_DatabaseInsights.Engines.html.
"""

MISSING: Final[Mapping[str, tuple[str, ...]]] = {
    "db.t4g": ("il-central-1",),
    "db.r5": ("ap-east-2", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "mx-central-1"),
    "db.r6g": ("il-central-1",),
    "db.r6i": ("ca-west-1", "cn-north-1", "cn-northwest-1", "il-central-1", "me-central-1"),
    "db.r7g": ("ap-southeast-4",),
    "db.r7i": (
        *("af-south-1", "ap-east-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-2", "il-central-1"),
        *("me-central-1", "me-south-1"),
    ),
    "db.r8g": (
        *("af-south-1", "ap-east-2", "ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-south-1", "il-central-1"),
        *("me-central-1", "me-south-1"),
    ),
}
"""Regions without a family, for either engine, by the price list of November 2026 (cfn-lint 1.58.0 carries it)."""


def memory_bytes(instance_class: str) -> int:
    """Return the memory of a class of `FAMILIES`."""
    sizes = _BURSTABLE_GIB if is_burstable(instance_class) else _MEMORY_GIB
    return sizes[instance_class.rsplit(".", 1)[1]] * GIB


def is_burstable(instance_class: str) -> bool:
    """Whether a class is burstable, with CPU credits."""
    return instance_class.startswith("db.t")


def max_connections(engine: EngineName, instance_class: str) -> int:
    """Return the approximate default of max_connections for a class of `FAMILIES`.

    See https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Managing.html and
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Managing.Performance.html.
    """
    memory = memory_bytes(instance_class)
    if engine == "aurora-postgresql":
        return min(memory // 9_531_392, 5000)
    return max(int(log2(memory / 805_306_368) * 45), int(log2(memory / 8_187_281_408) * 1000))


def check_class(
    problems: Problems, argument: str, instance_class: object, *, engine: EngineName, region: Region
) -> bool:
    """Report a class that is not available or not allowed, and return whether it is.

    Args:
        problems: Collects the problems.
        argument: The argument's name.
        instance_class: The class, such as `db.r7g.large`.
        engine: The engine.
        region: The region.
    """
    if not isinstance(instance_class, str) or is_token(instance_class):
        problems.add(argument, instance_class, "must be a plain string such as 'db.r7g.large'")
        return False
    family, _, size = instance_class.rpartition(".")
    burstable_allowed = is_burstable(region.profile.database_instance_class)
    offered = FAMILIES[engine]
    reason = ""
    if instance_class == "db.serverless":
        reason = "is serverless, which a provisioned cluster cannot have"
    elif size not in offered.get(family, ()):
        reason = f"is not supported for {engine}"
    elif region.name in MISSING.get(family, ()):
        reason = f"is not available in {region.name}"
    elif is_burstable(instance_class) and not burstable_allowed:
        reason = f"is burstable, which is not allowed in {region.environment.value}"
    if reason:
        near = nearest(instance_class, engine=engine, region=region, burstable=burstable_allowed)
        problems.add(argument, instance_class, f"{reason}; the nearest class is {near!r}")
    return not reason


def nearest(instance_class: str, *, engine: EngineName, region: Region, burstable: bool) -> str:
    """Return the available class that is nearest: of the same kind, and the smallest that is not smaller."""
    family, _, size = instance_class.rpartition(".")
    wants_burstable = burstable and family.startswith("db.t")
    sizes = _BURSTABLE_GIB if wants_burstable else _MEMORY_GIB
    least = sizes.get(size, 0)
    choices = [
        f"{name}.{each}"
        for name, each_size in FAMILIES[engine].items()
        if region.name not in MISSING.get(name, ()) and (burstable or not is_burstable(f"{name}."))
        for each in each_size
    ]
    alike = [choice for choice in choices if is_burstable(choice) == wants_burstable] or choices
    fitting = [choice for choice in alike if memory_bytes(choice) >= least * GIB] or alike
    # The first of the smallest: families are in the order of preference.
    return min(fitting, key=memory_bytes)
