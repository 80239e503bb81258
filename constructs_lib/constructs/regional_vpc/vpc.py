"""RegionalVpc: a VPC with subnets, NAT gateways, network ACLs, flow logs and endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

from constructs_lib._engine import aws, core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.regional_vpc.alarms import PORT_ALARM
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
from constructs_lib.core.alarms import Alarms, NoAlarms
from constructs_lib.core.stack import Region
from constructs_lib.foundation.addresses import TIER_OFFSETS, Tier, check_vpc_cidr, subnet_cidr
from constructs_lib.foundation.environment import NatMode
from constructs_lib.foundation.regions import check_zones


class RegionalVpc(Vpc):
    """A VPC with three tiers of subnets, NAT gateways, network ACLs, flow logs and endpoints.

    Public subnets are for load balancers and NAT gateways. Private subnets have a route to a NAT gateway. Database
    subnets have route tables without a default route. Resources are named by tier and zone letter: adding a zone or a
    tier does not change existing ones.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The region.
        cidr: The IPv4 CIDR block, /16 to /20 in a private range, not a reference; see `AddressPlan`.
        key: The KMS key that encrypts the flow log.
        zones: Availability Zones by letter or full name. By default the region's first 2 zones in dev and staging, and
            3 in prod. Add zones at the end: the first one contains a single NAT gateway.
        tiers: The tiers: one or more of `public`, `private` and `database`.
        nat: `none`, `single` or `per_zone`, or `SingleNat` for one NAT gateway in prod; `single` in dev and staging and
            `per_zone` in prod by default, and `none` without a public or a private tier.
        gateway_tiers: Tiers with routes to the gateway endpoints of S3 and DynamoDB: `private`, `database`, both or
            none.
        interface_endpoints: Services with interface endpoints in the private subnets, from `SERVICES`; `LAMBDA_BASIC`
            is what functions of this library need.
        flow_log_interval: Maximum aggregation interval of the flow log in seconds, 60 or 600: 600 in dev and staging
            and 60 in prod by default.
        alarms: Whether an alarm is created for each NAT gateway; in prod by default. `NoAlarms(reason)` leaves them out
            in prod.
        alarm_topics: ARNs of SNS topics in the region that the alarms notify; none by default.

    Attributes:
        resource: The `aws_vpc`.
        flow_log: The flow log: `.resource`, `.log_group`, `.role`.

    Raises:
        ConfigurationError: An argument is not allowed, or less strict than the environment requires.

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
        flow_log_interval: int | None = None,
        alarms: bool | NoAlarms | None = None,
        alarm_topics: Iterable[str] = (),
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
        interval = region.profile.flow_log_interval if flow_log_interval is None else flow_log_interval
        check_interval(problems, interval)
        self._alarms = Alarms(self, problems, alarms=alarms, alarm_topics=alarm_topics)
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
        region.count("vpcs")
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
        self.flow_log = FlowLog(self, "flow-log", vpc_id=self._vpc_ref, key=key, interval=interval)
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
        """Return an existing VPC for other constructs; only a `PeeredMesh` adds resources to it: routes.

        Args:
            scope: The stack, or a construct in it.
            id_: The construct's id.
            region: The VPC's region.
            vpc_id: The VPC's id; not a reference.
            cidr: The VPC's IPv4 CIDR block, /16 to /28; not a reference.
            subnets: Subnet ids by tier and zone, such as `{"private": {"a": "subnet-0123456789abcdef0"}}`.
            route_tables: Route table ids by tier; required for a `PeeredMesh`.

        Raises:
            ConfigurationError: An id, the CIDR block or a zone is invalid.
        """
        return ExistingVpc(
            scope, id_, region=region, vpc_id=vpc_id, cidr=cidr, subnets=subnets, route_tables=route_tables or {}
        )

    @cached_property
    def id(self) -> str:
        """The VPC's id."""
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
            # Public subnets share a route table. The others have one for each zone, whatever the NAT mode is.
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
        """Create NAT gateways in the first `count` zones; the other zones use the first one."""
        gateways: list[str] = []
        for letter, subnet_id in list(zip(letters, self._refs["public"], strict=True))[:count]:
            # AWS refuses Elastic IP addresses and NAT gateways before the internet gateway is attached.
            address = self._create(
                aws.eip.Eip,
                f"nat-address-{letter}",
                domain="vpc",
                depends_on=[gateway],
                tags={"Name": self._name("tag", f"nat-{letter}")},
            )
            self.region.count("elastic-ip-addresses")
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
            self._alarms.add(f"nat-{letter}-ports-alarm", PORT_ALARM, {"NatGatewayId": gateways[-1]})
        for index, (letter, table_id) in enumerate(zip(letters, self._table_refs["private"], strict=True)):
            self._create(
                aws.route.Route,
                f"private-default-{letter}",
                route_table_id=table_id,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=gateways[index if index < count else 0],
            )

    def _empty_defaults(self) -> None:
        """Remove the rules and routes of the default security group and route table."""
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
    """Return which traffic with public addresses a tier has."""
    if tier == "public":
        return "web"
    if tier == "private" and mode != "none":
        return "nat"
    return "gateways" if gateways else "none"


def _entry(rule: Rule) -> dict[str, Any]:
    entry = {
        "rule_no": rule.number,
        "action": "allow",
        "protocol": rule.protocol,
        "cidr_block": rule.cidr,
        "from_port": rule.ports[0],
        "to_port": rule.ports[1],
    }
    return entry if rule.icmp is None else {**entry, "icmp_type": rule.icmp[0], "icmp_code": rule.icmp[1]}
