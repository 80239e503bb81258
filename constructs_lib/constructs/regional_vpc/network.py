"""Vpc: the interface of created and existing VPCs, with subnets and route tables."""

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
"""Tiers that peered networks have routes to by default."""
_LARGEST: Final = 16
_SMALLEST: Final = 28
_ID: Final = "[0-9a-f]{8}(?:[0-9a-f]{9})?"


@dataclass(frozen=True)
class Subnet:
    """A subnet.

    Attributes:
        tier: `public`, `private` or `database`.
        zone: Its Availability Zone, such as `eu-west-1a`.
        cidr: Its CIDR block; None for an existing subnet.
        source: The `aws_subnet`, or the id of an existing subnet.
    """

    tier: Tier
    zone: str
    cidr: str | None
    source: aws.subnet.Subnet | str = field(repr=False)

    @cached_property
    def id(self) -> str:
        """The subnet's id."""
        return self.source if isinstance(self.source, str) else self.source.id

    def id_in(self, stack: HardenedStack) -> str:
        """Return the id for use in one stack, without a call into the engine in the subnet's own stack."""
        return self.source if isinstance(self.source, str) else stack.reach(self.source, "id")


@dataclass(frozen=True)
class RouteTable:
    """A route table.

    Attributes:
        tier: `public`, `private` or `database`.
        name: Its name, unique in the VPC, such as `private-a`.
        source: The `aws_route_table`, or the id of an existing route table.
    """

    tier: Tier
    name: str
    source: aws.route_table.RouteTable | str = field(repr=False)

    @cached_property
    def id(self) -> str:
        """The route table's id."""
        return self.source if isinstance(self.source, str) else self.source.id

    def id_in(self, stack: HardenedStack) -> str:
        """Return the id for use in one stack, without a call into the engine in the route table's own stack."""
        return self.source if isinstance(self.source, str) else stack.reach(self.source, "id")


class Vpc(HardenedConstruct):
    """A VPC: a `RegionalVpc`, or an existing one from `RegionalVpc.from_attributes`.

    Attributes:
        cidr: Its IPv4 CIDR block; not a reference.
        availability_zones: Its Availability Zones, such as `eu-west-1a`.
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
        """The VPC's id."""
        raise NotImplementedError

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """Its tiers."""
        return tuple(self._subnets)

    @property
    def endpoints(self) -> InterfaceEndpoints:
        """The interface endpoints, for example for `function.allow_to(vpc.endpoints, 443)`.

        Raises:
            ConfigurationError: The VPC has no interface endpoints.
        """
        if self._endpoints is None:
            raise ConfigurationError(
                self.path,
                "interface_endpoints=(): the VPC has no interface endpoints; set interface_endpoints=LAMBDA_BASIC or "
                "the services that are needed",
            )
        return self._endpoints

    def gateway(self, service: str) -> aws.vpc_endpoint.VpcEndpoint:
        """Return the gateway endpoint of a service; `SecurityGroup.allow_to_gateway` uses it.

        Args:
            service: `s3` or `dynamodb`.

        Raises:
            ConfigurationError: The VPC has no gateway endpoint for the service.
        """
        if service not in self._gateways:
            raise ConfigurationError(
                self.path,
                f"service={service!r}: the VPC has no gateway endpoint of this service; RegionalVpc creates those of "
                "s3 and dynamodb for its gateway_tiers",
            )
        return self._gateways[service]

    def subnets(self, tier: Tier) -> list[Subnet]:
        """Return the subnets of a tier, one for each zone.

        Args:
            tier: `public`, `private` or `database`.

        Raises:
            ConfigurationError: The VPC does not have the tier.
        """
        if tier not in self._subnets:
            raise ConfigurationError(
                self.path, f"tier={tier!r}: the VPC does not have this tier; expected {', '.join(self._subnets)}"
            )
        return list(self._subnets[tier])

    def route_tables(self, tier: Tier) -> list[RouteTable]:
        """Return the route tables of a tier.

        Args:
            tier: `public`, `private` or `database`.

        Raises:
            ConfigurationError: The VPC does not have the tier.
        """
        self.subnets(tier)
        return list(self._route_tables.get(tier, ()))


class ExistingVpc(Vpc):
    """An existing VPC; see `RegionalVpc.from_attributes`."""

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
        """The VPC's id."""
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
            f"must be an id such as '{prefix}-0123456789abcdef0', not a reference",
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
            f"must be /{_LARGEST} to /{_SMALLEST}, the sizes that AWS allows",
        )
        check_private(self._problems, "cidr", IPv4Network(cidr))

    def _check_tiers(
        self, subnets: Mapping[Tier, Mapping[str, str]], route_tables: Mapping[Tier, Sequence[str]]
    ) -> None:
        known = ", ".join(TIER_OFFSETS)
        self._problems.check(subnets, "subnets", subnets, f"must have subnets of at least one tier of {known}")
        for tier in subnets:
            self._problems.check(tier in TIER_OFFSETS, "subnets", tier, f"must be one of {known}")
        for tier in route_tables:
            self._problems.check(tier in subnets, "route_tables", tier, "has no subnets; add the tier to subnets")
