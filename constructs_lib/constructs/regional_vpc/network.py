"""What a VPC offers to the constructs in it, whether it is made here or exists already."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Network
from typing import Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.regional_vpc.endpoints import InterfaceEndpoints
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import HardenedStack, Region
from constructs_lib.foundation.addresses import TIER_OFFSETS, Tier, check_private, refuse_overlaps
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.regions import check_zone

PEERED_TIERS: Final[tuple[Tier, ...]] = ("private", "database")
"""Tiers that other private networks reach unless told otherwise; the public one faces the internet only."""
_LARGEST: Final = 16
_SMALLEST: Final = 28
_ID: Final = "[0-9a-f]{8}(?:[0-9a-f]{9})?"


@dataclass(frozen=True)
class Subnet:
    """One subnet.

    Attributes:
        tier: public, private or database.
        zone: The full name of its availability zone, such as `eu-west-1a`.
        cidr: Its range; None for a subnet that exists already.
        source: The generated resource, or the id of a subnet that exists already.
    """

    tier: Tier
    zone: str
    cidr: str | None
    source: aws.subnet.Subnet | str = field(repr=False)

    @cached_property
    def id(self) -> str:
        """The subnet's id, for use in any stack."""
        return self.source if isinstance(self.source, str) else self.source.id

    def id_in(self, stack: HardenedStack) -> str:
        """Return the id for use in one stack; no call into the engine when it is the subnet's own."""
        return self.source if isinstance(self.source, str) else stack.reach(self.source, "id")


@dataclass(frozen=True)
class RouteTable:
    """One route table.

    Attributes:
        tier: public, private or database.
        name: What tells it from the VPC's other tables, such as `private-a`.
        source: The generated resource, or the id of a table that exists already.
    """

    tier: Tier
    name: str
    source: aws.route_table.RouteTable | str = field(repr=False)

    @cached_property
    def id(self) -> str:
        """The route table's id, for use in any stack."""
        return self.source if isinstance(self.source, str) else self.source.id

    def id_in(self, stack: HardenedStack) -> str:
        """Return the id for use in one stack; no call into the engine when it is the route table's own."""
        return self.source if isinstance(self.source, str) else stack.reach(self.source, "id")


class Vpc(HardenedConstruct):
    """A VPC as other constructs read it; `RegionalVpc` makes one, `RegionalVpc.from_attributes` names one.

    Attributes:
        cidr: Its range, a plain value.
        availability_zones: The full names of its zones.
        peers: The VPCs that it is peered with.
    """

    def __init__(self, scope: core.Construct, id_: str, *, region: Region) -> None:
        super().__init__(scope, id_, region=region)
        self.cidr = ""
        self.availability_zones: list[str] = []
        self.peers: list[Vpc] = []
        self._subnets: dict[Tier, list[Subnet]] = {}
        self._route_tables: dict[Tier, list[RouteTable]] = {}
        self._endpoints: InterfaceEndpoints | None = None
        self._gateways: dict[str, aws.vpc_endpoint.VpcEndpoint] = {}

    @property
    def id(self) -> str:
        """The VPC's id, for use in any stack."""
        raise NotImplementedError

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers that it has."""
        return tuple(self._subnets)

    @property
    def endpoints(self) -> InterfaceEndpoints:
        """The interface endpoints, as something to connect to: `function.allow_to(vpc.endpoints, 443)`.

        Raises:
            ConfigurationError: The VPC has none.
        """
        if self._endpoints is None:
            raise ConfigurationError(
                self.path,
                "interface_endpoints=(): the VPC has no interface endpoints to connect to; give "
                "interface_endpoints=LAMBDA_BASIC or the services that are needed",
            )
        return self._endpoints

    def gateway(self, service: str) -> aws.vpc_endpoint.VpcEndpoint:
        """Return the gateway endpoint of `s3` or `dynamodb`; `SecurityGroup.allow_to_gateway` connects to it.

        Raises:
            ConfigurationError: The VPC has none.
        """
        if service not in self._gateways:
            raise ConfigurationError(
                self.path,
                f"service={service!r}: the VPC has {' and '.join(self._gateways) or 'no'} gateway endpoints; "
                "RegionalVpc makes those of s3 and dynamodb for its gateway_tiers",
            )
        return self._gateways[service]

    def subnets(self, tier: Tier) -> list[Subnet]:
        """Return the subnets of a tier, one for each zone.

        Raises:
            ConfigurationError: A tier that the VPC does not have.
        """
        if tier not in self._subnets:
            raise ConfigurationError(self.path, f"tier={tier!r}: the VPC has {', '.join(self._subnets)}")
        return list(self._subnets[tier])

    def route_tables(self, tier: Tier) -> list[RouteTable]:
        """Return the route tables of a tier.

        Raises:
            ConfigurationError: A tier that the VPC does not have.
        """
        self.subnets(tier)
        return list(self._route_tables.get(tier, ()))


class ExistingVpc(Vpc):
    """A VPC that exists already; made by `RegionalVpc.from_attributes`, which documents its arguments."""

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        vpc_id: str,
        cidr: str,
        subnets: Mapping[Tier, Mapping[str, str]],
        route_tables: Mapping[Tier, Sequence[str]],
    ) -> None:
        super().__init__(scope, id_, region=region)
        self._check_id("vpc_id", vpc_id, "vpc")
        self._check_cidr(cidr)
        self._check_tiers(subnets, route_tables)
        for tier, zones in subnets.items():
            self._read_subnets(tier, zones)
        for tier, tables in route_tables.items():
            for table in tables:
                self._check_id(f"route_tables[{tier!r}]", table, "rtb")
            self._route_tables[tier] = [RouteTable(tier, table, table) for table in tables]
        self._problems.raise_if_any()
        self._vpc_id = vpc_id
        self.cidr = cidr

    @property
    def id(self) -> str:
        """The VPC's id, as given."""
        return self._vpc_id

    def _read_subnets(self, tier: Tier, zones: Mapping[str, str]) -> None:
        found = self._subnets.setdefault(tier, [])
        for zone, subnet in zones.items():
            argument = f"subnets[{tier!r}]"
            self._check_id(f"{argument}[{zone!r}]", subnet, "subnet")
            try:
                name = self.region.name + check_zone(self.path, self.region.name, zone, argument)
            except ConfigurationError as error:
                self._problems.found.extend(error.problems)
                continue
            found.append(Subnet(tier, name, None, subnet))
            if name not in self.availability_zones:
                self.availability_zones.append(name)

    def _check_id(self, argument: str, value: object, prefix: str) -> None:
        self._problems.check(
            isinstance(value, str) and re.fullmatch(f"{prefix}-{_ID}", value),
            argument,
            value,
            f"must be a plain id such as '{prefix}-0123456789abcdef0'",
        )

    def _check_cidr(self, cidr: str) -> None:
        try:
            refuse_overlaps(self.path, {"cidr": cidr})
        except ConfigurationError as error:
            self._problems.found.extend(error.problems)
            return
        self._problems.check(
            _LARGEST <= IPv4Network(cidr).prefixlen <= _SMALLEST,
            "cidr",
            cidr,
            f"AWS has no VPC larger than a /{_LARGEST} or smaller than a /{_SMALLEST}",
        )
        check_private(self._problems, "cidr", IPv4Network(cidr))

    def _check_tiers(
        self, subnets: Mapping[Tier, Mapping[str, str]], route_tables: Mapping[Tier, Sequence[str]]
    ) -> None:
        known = ", ".join(TIER_OFFSETS)
        self._problems.check(subnets, "subnets", subnets, f"must name the subnets of at least one tier of {known}")
        for tier in subnets:
            self._problems.check(tier in TIER_OFFSETS, "subnets", tier, f"must be one of {known}")
        for tier in route_tables:
            self._problems.check(tier in subnets, "route_tables", tier, "is a tier without subnets")
