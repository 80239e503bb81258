"""DB instances of a cluster: classes, Availability Zones and promotion tiers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from constructs_lib.constructs.aurora_provisioned.classes import check_class, memory_bytes
from constructs_lib.constructs.aurora_provisioned.engines import EngineName
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import ConfigurationError, Problems, warn
from constructs_lib.foundation.regions import check_zone

MAX_INSTANCES: Final = 16
"""One writer and 15 readers."""
LAST_TIER: Final = 15
_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class Instance:
    """A DB instance of a cluster.

    Attributes:
        instance_class: The DB instance class; `db.t4g.medium` in dev and staging and `db.r7g.large` in prod by default.
            Burstable classes are not allowed in prod.
        zone: The Availability Zone, by letter or name, with a database subnet; by default Aurora chooses it when it
            creates the instance: another one for each of the first three. Another `zone` replaces the instance.
        promotion_tier: The failover priority, 0 to 15: the reader with the lowest tier becomes the writer. By default 0
            for the first instance, 1 for others of the same size, and 15 for the rest.
    """

    instance_class: str | None = None
    zone: str | None = None
    promotion_tier: int | None = None


@dataclass(frozen=True)
class PlacedInstance:
    """An instance with its defaults."""

    name: str
    instance_class: str
    zone: str | None
    promotion_tier: int


def place(
    problems: Problems,
    given: Mapping[str, Instance] | None,
    *,
    engine: EngineName,
    region: Region,
    zones: Sequence[str],
) -> list[PlacedInstance]:
    """Return the instances with class, zone and promotion tier, and report invalid ones.

    Args:
        problems: Collects the problems.
        given: The instances by name, the first writer first; None for the environment's number.
        engine: The engine.
        region: The region.
        zones: The names of the Availability Zones with a database subnet.
    """
    least = region.profile.database_instances
    if given is not None and not isinstance(given, Mapping):
        problems.add("instances", given, "must be a dict of Instance by name")
        return []
    wanted = {str(number): Instance() for number in range(1, least + 1)} if given is None else dict(given)
    placed: list[PlacedInstance] = []
    for name, instance in wanted.items():
        argument = f"instances[{name!r}]"
        problems.check(
            isinstance(name, str) and _NAME.fullmatch(name),
            "instances",
            name,
            "must be lower-case letters, digits and single hyphens",
        )
        if not isinstance(instance, Instance):
            problems.add(argument, instance, "must be an Instance")
            continue
        class_ = region.profile.database_instance_class if instance.instance_class is None else instance.instance_class
        known = check_class(problems, f"{argument}.instance_class", class_, engine=engine, region=region)
        zone = _zone(problems, f"{argument}.zone", instance.zone, region=region, zones=zones)
        first = placed[0].instance_class if placed else class_
        alike = known and _size(class_) == _size(first)
        by_default = 0 if not placed else 1 if alike else LAST_TIER
        tier = by_default if instance.promotion_tier is None else instance.promotion_tier
        problems.check_whole(f"{argument}.promotion_tier", tier, 0, LAST_TIER)
        placed.append(PlacedInstance(name, class_, zone, tier))
    _check_count(problems, wanted, least, region)
    if not problems.found:
        _check_failover(problems, placed, region)
    return placed


def _zone(problems: Problems, argument: str, given: str | None, *, region: Region, zones: Sequence[str]) -> str | None:
    """Return the zone that is asked for. A chosen one would change with the other instances and replace this one.

    See https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html.
    """
    if given is None:
        return None
    try:
        zone = region.name + check_zone(problems.path, region.name, given, argument)
    except ConfigurationError as error:
        problems.found.extend(error.problems)
        return None
    problems.check(
        zone in zones, argument, given, f"has no database subnet; the VPC has them in {', '.join(zones) or 'no zone'}"
    )
    return zone


def _size(instance_class: str) -> int:
    try:
        return memory_bytes(instance_class)
    except (KeyError, IndexError):
        return 0


def _check_count(problems: Problems, wanted: Mapping[str, Instance], least: int, region: Region) -> None:
    problems.check(
        len(wanted) >= max(least, 1),
        "instances",
        list(wanted),
        f"must have at least {least} in {region.environment.value}",
    )
    problems.check(
        len(wanted) <= MAX_INSTANCES,
        "instances",
        list(wanted),
        f"exceeds the {MAX_INSTANCES} instances that Aurora allows",
    )


def _check_failover(problems: Problems, placed: Sequence[PlacedInstance], region: Region) -> None:
    """Report in prod, and warn elsewhere, if a failover would lose capacity or all instances are in one zone."""
    writer = min(placed, key=lambda instance: instance.promotion_tier)
    readers = [instance for instance in placed if instance is not writer]
    if not readers:
        return
    target = min(readers, key=lambda instance: (instance.promotion_tier, -_size(instance.instance_class)))
    faults: list[tuple[str, object, str]] = []
    if writer.zone is not None and {instance.zone for instance in placed} == {writer.zone}:
        text = f"are all in {writer.zone}; expected at least two Availability Zones"
        faults.append(("instances", [instance.name for instance in placed], text))
    if _size(target.instance_class) < _size(writer.instance_class):
        text = (
            f"is the failover target and smaller than the writer {writer.name!r} ({writer.instance_class}); give one "
            "reader the same size, and smaller ones a higher promotion_tier"
        )
        faults.append((f"instances[{target.name!r}].instance_class", target.instance_class, text))
    for argument, value, text in faults:
        if region.environment.value == "prod":
            problems.add(argument, value, text)
        else:
            warn(f"{problems.path}: {argument}={value!r}: {text}")
