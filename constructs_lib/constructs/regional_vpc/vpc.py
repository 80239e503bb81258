"""The VPC itself: tiers, zones, ways out, flow logs and endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

from constructs_lib._engine import aws, core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.regional_vpc.arguments import (
    SingleNat,
    check_interval,
    check_nat,
    check_services,
    check_tiers,
    collect,
)
from constructs_lib.constructs.regional_vpc.endpoints import InterfaceEndpoints, Service, gateway_policy, service_name
from constructs_lib.constructs.regional_vpc.flow_log import FlowLog
from constructs_lib.constructs.regional_vpc.network import PEERED_TIERS, ExistingVpc, RouteTable, Subnet, Vpc
from constructs_lib.constructs.regional_vpc.network_acl import ANYWHERE, Outside, Rule, egress, ingress
from constructs_lib.core.stack import Region
from constructs_lib.foundation.addresses import TIER_OFFSETS, Tier, check_vpc_cidr, subnet_cidr
from constructs_lib.foundation.environment import NatMode
from constructs_lib.foundation.regions import check_zones


class RegionalVpc(Vpc):
    """A VPC with up to three tiers of subnets, flow logs, network ACLs and gateway endpoints.

    Public subnets hold load balancers and NAT gateways; private ones reach the internet through NAT at most; database
    ones have route tables of their own without any way out. Subnets, route tables and NAT gateways are named by tier
    and zone letter and their ranges depend on nothing else, so that another zone or tier moves nothing that exists.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: Where it is.
        cidr: Its private range, /16 to /20, a plain value; see `AddressPlan`.
        key: Encrypts the flow logs.
        zones: Letters or full names of the zones, in order; the first one carries a single NAT gateway. By default the
            region's first zones, as many as the environment asks for. Add further ones at the end.
        tiers: The tiers to make; all three by default.
        nat: NAT gateways: `none`, `single` or `per_zone`; by default from the environment, `none` without a public or
            a private tier. Where the environment asks for `per_zone`, one for all needs a `SingleNat`.
        gateway_tiers: Tiers that reach S3 and DynamoDB through gateway endpoints, private by default. A tier that is
            left out and has no NAT exchanges packets with private networks only.
        interface_endpoints: Services reached inside the VPC, none by default; `LAMBDA_BASIC` has what functions call.
        flow_log_interval: Seconds between flow log records, 60 (default) or 600.

    Attributes:
        resource: The generated VPC.
        flow_log: Its flow log, with `log_group` and `role`.

    Raises:
        ConfigurationError: A range, zone, tier, NAT mode, endpoint or interval that cannot be deployed.

    See https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-best-practices.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        cidr: str,
        key: MultiRegionKey,
        zones: Sequence[str] | None = None,
        tiers: Sequence[Tier] = ("public", "private", "database"),
        nat: NatMode | SingleNat | None = None,
        gateway_tiers: Sequence[Tier] = ("private",),
        interface_endpoints: Iterable[Service] = (),
        flow_log_interval: int = 60,
    ) -> None:
        super().__init__(scope, id_, region=region)
        problems = self._problems
        collect(problems, lambda: key.arn_for(self))
        network = collect(problems, lambda: check_vpc_cidr(self.path, cidr))
        chosen = region.zones[: region.profile.zones] if zones is None else zones
        letters = collect(problems, lambda: check_zones(self.path, region.name, chosen)) or ()
        check_tiers(problems, "tiers", tiers, TIER_OFFSETS)
        check_tiers(problems, "gateway_tiers", gateway_tiers, PEERED_TIERS)
        mode = check_nat(problems, region, nat, tiers)
        services = check_services(problems, region, interface_endpoints, tiers)
        check_interval(problems, flow_log_interval)
        problems.raise_if_any()
        if isinstance(nat, SingleNat) and region.profile.nat == "per_zone":
            self._record(nat)

        self.cidr = str(network)
        self.availability_zones = [region.name + letter for letter in letters]
        self.resource = self._create(
            aws.vpc.Vpc,
            "Resource",
            cidr_block=self.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            enable_network_address_usage_metrics=True,
            tags={"Name": self._name("tag")},
        )
        self._vpc_ref = self._ref(self.resource, "id")
        self._empty_defaults()
        self._refs: dict[Tier, list[str]] = {}
        self._table_refs: dict[Tier, list[str]] = {}
        self._addresses: list[str] = []
        for tier in TIER_OFFSETS:
            if tier in tiers:
                self._create_tier(tier, letters)
        if "public" in tiers:
            gateway = self._create_internet_gateway()
            if mode != "none":
                self._create_nat(letters, 1 if mode == "single" else len(letters), gateway)
        self._create_gateways(gateway_tiers)
        for tier in self.tiers:
            self._create_acl(tier, _outside(tier, mode=mode, gateways=tier in gateway_tiers))
        self.flow_log = FlowLog(self, "flow-log", vpc_id=self._vpc_ref, key=key, interval=flow_log_interval)
        self._endpoints = (
            InterfaceEndpoints(self, "endpoints", vpc=self, services=services, subnet_ids=self._refs["private"])
            if services
            else None
        )
        self._publish_all()

    @classmethod
    def from_attributes(
        cls,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        vpc_id: str,
        cidr: str,
        subnets: Mapping[Tier, Mapping[str, str]],
        route_tables: Mapping[Tier, Sequence[str]] | None = None,
    ) -> ExistingVpc:
        """Return a VPC that exists already, for constructs that are placed in it or peered with it.

        Nothing of it is changed, but for the routes that a `PeeredMesh` adds.

        Args:
            scope: The stack, or a construct in it.
            id_: The construct's id.
            region: Where the VPC is.
            vpc_id: Its id, a plain value.
            cidr: Its range, /16 to /28, a plain value.
            subnets: Subnet ids by tier and by zone: `{"private": {"a": "subnet-0123456789abcdef0"}}`.
            route_tables: Route table ids by tier; needed for a `PeeredMesh` only.

        Raises:
            ConfigurationError: An id of another form, a token, or a zone of another region.
        """
        return ExistingVpc(
            scope, id_, region=region, vpc_id=vpc_id, cidr=cidr, subnets=subnets, route_tables=route_tables or {}
        )

    @cached_property
    def id(self) -> str:
        """The VPC's id, for use in any stack."""
        return self.resource.id

    def _create_tier(self, tier: Tier, letters: Sequence[str]) -> None:
        subnets: list[Subnet] = self._subnets.setdefault(tier, [])
        tables: list[RouteTable] = self._route_tables.setdefault(tier, [])
        refs = self._refs.setdefault(tier, [])
        table_refs = self._table_refs.setdefault(tier, [])
        for letter in letters:
            name = f"{tier}-{letter}"
            cidr = subnet_cidr(self.cidr, tier, letter)
            subnet = self._create(
                aws.subnet.Subnet,
                name,
                vpc_id=self._vpc_ref,
                cidr_block=cidr,
                availability_zone=self.region.name + letter,
                map_public_ip_on_launch=False,
                tags={"Name": self._name("tag", name)},
            )
            subnets.append(Subnet(tier, self.region.name + letter, cidr, subnet))
            refs.append(self._ref(subnet, "id"))
            # Public subnets share one table. The others have one a zone, so that changing the NAT mode moves none.
            shared = tier == "public"
            if not (shared and tables):
                role = "public-routes" if shared else f"{tier}-routes-{letter}"
                table = self._create(
                    aws.route_table.RouteTable,
                    role,
                    vpc_id=self._vpc_ref,
                    tags={"Name": self._name("tag", role)},
                )
                tables.append(RouteTable(tier, tier if shared else name, table))
                table_refs.append(self._ref(table, "id"))
            self._create(
                aws.route_table_association.RouteTableAssociation,
                f"{tier}-association-{letter}",
                subnet_id=refs[-1],
                route_table_id=table_refs[-1],
            )

    def _create_internet_gateway(self) -> aws.internet_gateway.InternetGateway:
        gateway = self._create(
            aws.internet_gateway.InternetGateway,
            "internet-gateway",
            vpc_id=self._vpc_ref,
            tags={"Name": self._name("tag", "internet-gateway")},
        )
        self._create(
            aws.route.Route,
            "public-default",
            route_table_id=self._table_refs["public"][0],
            destination_cidr_block=ANYWHERE,
            gateway_id=self._ref(gateway, "id"),
        )
        return gateway

    def _create_nat(self, letters: Sequence[str], count: int, gateway: aws.internet_gateway.InternetGateway) -> None:
        """Create NAT gateways in the first `count` zones; the zones without one use the first."""
        gateways: list[str] = []
        for letter, subnet_id in list(zip(letters, self._refs["public"], strict=True))[:count]:
            # AWS refuses an address or a NAT gateway before the VPC's internet gateway is attached.
            address = self._create(
                aws.eip.Eip,
                f"nat-address-{letter}",
                domain="vpc",
                depends_on=[gateway],
                tags={"Name": self._name("tag", f"nat-{letter}")},
            )
            self._addresses.append(self._ref(address, "public_ip"))
            nat = self._create(
                aws.nat_gateway.NatGateway,
                f"nat-{letter}",
                allocation_id=self._ref(address, "id"),
                subnet_id=subnet_id,
                depends_on=[gateway],
                tags={"Name": self._name("tag", f"nat-{letter}")},
            )
            gateways.append(self._ref(nat, "id"))
        for index, (letter, table_id) in enumerate(zip(letters, self._table_refs["private"], strict=True)):
            self._create(
                aws.route.Route,
                f"private-default-{letter}",
                route_table_id=table_id,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=gateways[index if index < count else 0],
            )

    def _empty_defaults(self) -> None:
        """Take the rules and routes out of what AWS puts into every VPC, where things land that name nothing."""
        self._create(
            aws.default_security_group.DefaultSecurityGroup,
            "default-security-group",
            vpc_id=self._vpc_ref,
            ingress=[],
            egress=[],
            tags={"Name": self._name("tag", "default-security-group")},
        )
        self._create(
            aws.default_route_table.DefaultRouteTable,
            "default-routes",
            default_route_table_id=self._ref(self.resource, "default_route_table_id"),
            route=[],
            tags={"Name": self._name("tag", "default-routes")},
        )

    def _create_gateways(self, tiers: Sequence[Tier]) -> None:
        tables = [table for tier in self.tiers if tier in tiers for table in self._table_refs[tier]]
        services: tuple[Literal["s3"], Literal["dynamodb"]] = ("s3", "dynamodb")
        for service in services if tables else ():
            self._gateways[service] = self._create(
                aws.vpc_endpoint.VpcEndpoint,
                f"{service}-gateway",
                vpc_id=self._vpc_ref,
                service_name=service_name(self.region, service),
                vpc_endpoint_type="Gateway",
                route_table_ids=tables,
                policy=gateway_policy(self.region, service),
                tags={"Name": self._name("tag", f"{service}-gateway")},
            )

    def _create_acl(self, tier: Tier, outside: Outside) -> None:
        acl = aws.network_acl
        self._create(
            acl.NetworkAcl,
            f"{tier}-acl",
            vpc_id=self._vpc_ref,
            subnet_ids=self._refs[tier],
            ingress=[acl.NetworkAclIngress(**_entry(rule)) for rule in ingress(tier, outside)],
            egress=[acl.NetworkAclEgress(**_entry(rule)) for rule in egress(outside)],
            tags={"Name": self._name("tag", f"{tier}-acl")},
        )

    def _publish_all(self) -> None:
        self._publish("id", self._vpc_ref, "Id of the VPC")
        self._publish("cidr", self.cidr, "Range of the VPC")
        self._publish("availability_zones", self.availability_zones, "Availability zones of the VPC")
        for tier in self.tiers:
            self._publish(f"{tier}_subnet_ids", self._refs[tier], f"Ids of the {tier} subnets, one for each zone")
        self._publish("nat_public_ips", self._addresses, "Addresses that the VPC's requests come from")


def _outside(tier: Tier, *, mode: NatMode, gateways: bool) -> Outside:
    """Return what a tier has to do with public addresses."""
    if tier == "public":
        return "web"
    if tier == "private" and mode != "none":
        return "nat"
    return "gateways" if gateways else "none"


def _entry(rule: Rule) -> dict[str, Any]:
    """Return a rule as the arguments of a generated struct."""
    entry = {
        "rule_no": rule.number,
        "action": "allow",
        "protocol": rule.protocol,
        "cidr_block": rule.cidr,
        "from_port": rule.ports[0],
        "to_port": rule.ports[1],
    }
    return entry if rule.icmp is None else {**entry, "icmp_type": rule.icmp[0], "icmp_code": rule.icmp[1]}
