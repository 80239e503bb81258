"""Checks of the arguments of a RegionalVpc."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar, get_args

from constructs_lib.constructs.regional_vpc.endpoints import SERVICES, Service
from constructs_lib.constructs.regional_vpc.flow_log import INTERVALS
from constructs_lib.core.stack import Region
from constructs_lib.foundation.addresses import Tier
from constructs_lib.foundation.environment import NatMode
from constructs_lib.foundation.errors import ConfigurationError, Problems
from constructs_lib.foundation.opt_out import OptOut

T = TypeVar("T")


@dataclass(frozen=True)
class SingleNat(OptOut):
    """One NAT gateway for all zones although the environment requires one in each zone."""


def collect(problems: Problems, check: Callable[[], T]) -> T | None:
    """Return the result of a check; add its errors to the problems."""
    try:
        return check()
    except ConfigurationError as error:
        problems.found.extend(error.problems)
        return None


def check_tiers(problems: Problems, argument: str, tiers: Sequence[Tier], allowed: Iterable[Tier]) -> None:
    """Report tiers that are not allowed."""
    known = ", ".join(allowed)
    if isinstance(tiers, str):
        problems.add(argument, tiers, f"must be a list or tuple of {known}")
        return
    if argument == "tiers":
        problems.check(tiers, argument, tiers, f"must have at least one of {known}")
    for tier in tiers:
        problems.check(tier in known.split(", "), argument, tier, f"must be one of {known}")


def check_nat(problems: Problems, region: Region, nat: NatMode | SingleNat | None, tiers: Sequence[Tier]) -> NatMode:
    """Return the NAT mode, and report what is wrong with it."""
    wanted = region.profile.nat
    missing = [tier for tier in ("public", "private") if tier not in tiers]
    if nat is None:
        return "none" if missing else wanted
    mode: NatMode = "single" if isinstance(nat, SingleNat) else nat
    if not problems.check(
        mode in get_args(NatMode), "nat", nat, f"must be {', '.join(get_args(NatMode))} or SingleNat(reason)"
    ):
        return mode
    if nat == "single" and wanted == "per_zone":
        problems.add(
            "nat",
            nat,
            f"must be per_zone in {region.environment.value}: the failure of one zone would disconnect the others. "
            "Give SingleNat(reason) if that is acceptable",
        )
    for tier in missing if mode != "none" else ():
        role = "for the NAT gateways" if tier == "public" else "which routes to the NAT gateways"
        problems.add("nat", nat, f"requires the {tier} tier, {role}; add it or set nat='none'")
    return mode


def check_services(
    problems: Problems, region: Region, given: Iterable[Service], tiers: Sequence[Tier]
) -> list[Service]:
    """Return the services of the interface endpoints without duplicates, and report unsupported ones."""
    if isinstance(given, str):
        problems.add("interface_endpoints", given, "must be a list or tuple of services")
        return []
    services = list(given)
    for service in services:
        problems.check(service in SERVICES, "interface_endpoints", service, f"must be one of {', '.join(SERVICES)}")
    if services:
        problems.check(
            "private" in tiers,
            "interface_endpoints",
            services,
            "require the private tier, which contains the endpoints; add it",
        )
        problems.check(
            region.partition != "aws-cn",
            "interface_endpoints",
            services,
            "are not supported in China, where endpoint services have other names; create raw resources",
        )
    return services if problems.found else list(dict.fromkeys(services))


def check_interval(problems: Problems, interval: int) -> None:
    """Report an aggregation interval that flow logs do not support."""
    problems.check(
        interval in INTERVALS,
        "flow_log_interval",
        interval,
        f"must be {' or '.join(map(str, INTERVALS))} seconds",
    )
