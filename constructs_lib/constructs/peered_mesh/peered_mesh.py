"""PeeredMesh: VPC peering connections between the VPCs of a stack, with routes on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.regional_vpc.network import PEERED_TIERS, RouteTable, Vpc
from constructs_lib.constructs.security_group import Connectable
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.protocols import Network
from constructs_lib.foundation.addresses import TIER_OFFSETS, Tier, refuse_overlaps
from constructs_lib.foundation.errors import ConfigurationError, Problems, warn
from constructs_lib.foundation.naming import Naming, component_words, terraform_name
from constructs_lib.foundation.quotas import QUOTAS

LARGEST_MESH: Final = 6
"""VPCs in a mesh without a warning: a mesh of seven has 21 peering connections."""
_OWN_ROUTES: Final = 4
"""Routes of a route table without peers: local, default, S3 and DynamoDB."""


@dataclass(frozen=True)
class Peering:
    """A VPC peering connection of a mesh.

    Attributes:
        name: The names of requester and accepter; independent of the order of the VPCs.
        requester: The requester VPC.
        accepter: The accepter VPC.
        connection: The `aws_vpc_peering_connection`.
        acceptance: The `aws_vpc_peering_connection_accepter`; the connection is active when it has been created.
    """

    name: str
    requester: Vpc
    accepter: Vpc
    connection: aws.vpc_peering_connection.VpcPeeringConnection
    acceptance: aws.vpc_peering_connection_accepter.VpcPeeringConnectionAccepterA


class PeeredMesh(HardenedConstruct):
    """VPC peering connections between all VPCs, or between chosen pairs, in one or more regions.

    Each connection has DNS resolution and routes on both sides. Adding a VPC or changing the order does not change
    existing connections.

    Args:
        scope: The stack of the VPCs, or a construct in it.
        id_: The construct's id.
        vpcs: Two or more VPCs of the stack, as a list or a `RegionalMap`.
        edges: Pairs of VPCs to peer; all pairs by default. Peering is not transitive: VPCs without an edge cannot
            connect through a third one.
        tiers: Tiers whose route tables get routes, `private` and `database` by default; VPCs without a tier are
            skipped.

    Attributes:
        members: The VPCs, sorted by region and path.
        peerings: The peering connections by name, as `Peering`: `.name`, `.requester`, `.accepter`, `.connection`,
            `.acceptance`.

    Raises:
        ConfigurationError: There are fewer than two VPCs, duplicates, VPCs of another stack, overlapping CIDR blocks,
            pairs that cannot be peered, or more connections than AWS allows.

    Warns:
        ConfigurationWarning: There are more than 6 VPCs.

    See https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        vpcs: Mapping[str, Vpc] | Iterable[Vpc],
        edges: Sequence[Sequence[Vpc]] | None = None,
        tiers: Sequence[Tier] = PEERED_TIERS,
    ) -> None:
        given = list(vpcs.values()) if isinstance(vpcs, Mapping) else list(vpcs)
        members = [vpc for vpc in given if isinstance(vpc, Vpc)]
        if len(members) < 2 or len(members) < len(given):  # noqa: PLR2004  the two ends of a connection
            raise ConfigurationError(str(id_), f"vpcs={given!r}: must be two or more VPCs")
        self._check_stack(scope, id_, members)
        super().__init__(scope, id_, region=members[0].region)
        self._check_members(members)
        self._check_tiers(members, tiers)
        self._problems.raise_if_any()
        # Sorted, so that requester and accepter do not depend on the order of the argument.
        self.members = sorted(members, key=_rank)
        pairs = self._pairs(edges)
        self._check_limits(pairs)
        self._check_ranges()
        if len(members) > LARGEST_MESH:
            warn(
                f"{self.path}: vpcs: {len(members)} VPCs have up to {len(members) * (len(members) - 1) // 2} peering "
                "connections; consider a transit gateway for more than 6 VPCs",
            )
        self._tiers = tuple(tier for tier in TIER_OFFSETS if tier in tiers)
        self.peerings: dict[str, Peering] = {}
        for requester, accepter in pairs:
            self._peer(requester, accepter)

    def peers_of(self, vpc: Vpc) -> list[Vpc]:
        """Return the VPCs that a VPC is peered with, sorted by region and path.

        Args:
            vpc: A VPC of the mesh.

        Raises:
            ConfigurationError: The VPC is not in the mesh.
        """
        return self._peers_of(vpc)

    def _peers_of(self, vpc: Network) -> list[Vpc]:
        if vpc not in self.members:
            raise ConfigurationError(
                self.path, f"vpc={vpc.path!r}: is not in the mesh; expected one of {_paths(self.members)}"
            )
        ends = [(peering.requester, peering.accepter) for peering in self.peerings.values()]
        return [a if vpc is b else b for a, b in ends if vpc in (a, b)]

    def allow_from_peers(self, connectable: Connectable, port: int, description: str | None = None) -> None:
        """Allow inbound TCP traffic from all peers of a construct's VPC, by their CIDR blocks.

        Security groups cannot be referenced across regions.

        Args:
            connectable: A construct with a security group in a VPC of the mesh.
            port: The port, 1 to 65535.
            description: The rules' description; the paths of the peer and the mesh by default.

        Raises:
            ConfigurationError: The construct's VPC is not in the mesh or has no peers, or the port is out of range.
        """
        group = connectable.security_group
        peers = self._peers_of(group.vpc)
        if not peers:
            raise ConfigurationError(
                self.path, f"connectable={group.path!r}: its VPC {group.vpc.path} has no peers; add an edge"
            )
        for peer in peers:
            group.allow_from_cidr(peer.cidr, port, description or f"{peer.path} through {self.path}")

    def _peer(self, requester: Vpc, accepter: Vpc) -> None:
        name = f"{_key(requester)}-to-{_key(accepter)}"
        stack = self.region.stack
        # The same tags on both sides: some local emulators of AWS have one set of tags for both.
        tags = {"Name": Naming(stack.project, stack.environment.value).name((*self.components, name), "tag")}
        here, there = requester.region, accepter.region
        connection = self._create_in(
            here,
            aws.vpc_peering_connection.VpcPeeringConnection,
            f"request-{name}",
            vpc_id=requester.id,
            peer_vpc_id=accepter.id,
            peer_region=None if here.name == there.name else there.name,
            tags=tags,
        )
        acceptance = self._create_in(
            there,
            aws.vpc_peering_connection_accepter.VpcPeeringConnectionAccepterA,
            f"accept-{name}",
            vpc_peering_connection_id=self._ref(connection, "id"),
            auto_accept=True,
            tags=tags,
        )
        # The id of the active connection: AWS refuses options and routes before.
        active = self._ref(acceptance, "id")
        options = aws.vpc_peering_connection_options
        self._create_in(
            here,
            options.VpcPeeringConnectionOptions,
            f"request-options-{name}",
            vpc_peering_connection_id=active,
            requester=options.VpcPeeringConnectionOptionsRequester(allow_remote_vpc_dns_resolution=True),
        )
        self._create_in(
            there,
            options.VpcPeeringConnectionOptions,
            f"accept-options-{name}",
            vpc_peering_connection_id=active,
            accepter=options.VpcPeeringConnectionOptionsAccepter(allow_remote_vpc_dns_resolution=True),
        )
        for vpc, peer in ((requester, accepter), (accepter, requester)):
            vpc.peers.append(peer)
            for table in self._tables(vpc, self._tiers):
                self._create_in(
                    vpc.region,
                    aws.route.Route,
                    f"{_key(vpc)}-to-{_key(peer)}-{table.name}",
                    route_table_id=table.id_in(stack),
                    destination_cidr_block=peer.cidr,
                    vpc_peering_connection_id=active,
                )
        self.peerings[name] = Peering(name, requester, accepter, connection, acceptance)
        stack.output(
            terraform_name((*self.components, name, "id"), here.name), active, f"Id of the peering connection {name}"
        )
        component = "_".join(component_words(self.components))
        stack.publish(here.name, component, terraform_name((name, "id")), active)

    @staticmethod
    def _tables(vpc: Vpc, tiers: Sequence[Tier]) -> list[RouteTable]:
        """Return the route tables of the tiers without duplicates: tiers of an existing VPC can share one."""
        tables = [table for tier in tiers if tier in vpc.tiers for table in vpc.route_tables(tier)]
        return list({table.name: table for table in tables}.values())

    @staticmethod
    def _check_stack(scope: core.Construct, id_: str, members: Sequence[Vpc]) -> None:
        path = scope.node.path
        problems = Problems(f"{path}/{id_}")
        for vpc in members:
            stack = vpc.region.stack.path
            problems.check(
                f"{path}/".startswith(f"{stack}/"),
                "vpcs",
                vpc.path,
                f"belongs to the stack {stack}; create the mesh in the same stack as its VPCs, or import the VPC with "
                "RegionalVpc.from_attributes",
            )
        problems.raise_if_any()

    def _check_members(self, members: Sequence[Vpc]) -> None:
        seen: set[Vpc] = set()
        for vpc in members:
            self._problems.check(vpc not in seen, "vpcs", vpc.path, "duplicate VPC")
            seen.add(vpc)

    def _check_tiers(self, members: Sequence[Vpc], tiers: Sequence[Tier]) -> None:
        known = ", ".join(TIER_OFFSETS)
        if isinstance(tiers, str) or not tiers:
            self._problems.stop("tiers", tiers, f"must be a list or tuple of {known}")
        for tier in tiers:
            self._problems.check(tier in TIER_OFFSETS, "tiers", tier, f"must be one of {known}")
        for vpc in members:
            self._problems.check(
                self._tables(vpc, tiers), "vpcs", vpc.path, f"has no route tables in the tiers {', '.join(tiers)}"
            )

    def _pairs(self, edges: Sequence[Sequence[Vpc]] | None) -> list[tuple[Vpc, Vpc]]:
        """Return the pairs of requester and accepter, sorted."""
        if edges is None:
            return list(combinations(self.members, 2))
        self._problems.check(edges, "edges", edges, "must have at least one pair of VPCs; all pairs by default")
        pairs: list[tuple[Vpc, Vpc]] = []
        for edge in edges:
            pair = self._pair(edge)
            if pair is None:
                continue
            self._problems.check(pair not in pairs, "edges", _names(edge), "duplicate pair")
            pairs.append(pair)
        self._problems.raise_if_any()
        return sorted(pairs, key=lambda pair: (_rank(pair[0]), _rank(pair[1])))

    def _pair(self, edge: Sequence[Vpc]) -> tuple[Vpc, Vpc] | None:
        """Return requester and accepter of an edge, or report what is wrong with it."""
        if len(edge) != 2:  # noqa: PLR2004  two ends
            self._problems.add("edges", _names(edge), "must be a pair of VPCs")
            return None
        strangers = [end for end in edge if end not in self.members]
        for end in strangers:
            names = getattr(end, "path", end)
            self._problems.add("edges", names, f"is not in the mesh; expected VPCs of {_paths(self.members)}")
        if strangers:
            return None
        first, second = sorted(edge, key=_rank)
        if not self._problems.check(first is not second, "edges", _names(edge), "peers a VPC with itself"):
            return None
        return first, second

    def _check_limits(self, pairs: Sequence[tuple[Vpc, Vpc]]) -> None:
        connections = QUOTAS["vpc-active-peering-connections"].default
        routes = QUOTAS["vpc-routes-per-route-table"].default
        for first, second in pairs:
            self._problems.check(
                second not in first.peers, "vpcs", _names((first, second)), "are already peered by another mesh"
            )
        for vpc in self.members:
            count = len(vpc.peers) + sum(vpc in pair for pair in pairs)
            self._problems.check(
                count <= connections,
                "vpcs",
                vpc.path,
                f"has {count} peering connections; AWS allows {connections}. Use a transit gateway",
            )
            self._problems.check(
                count + _OWN_ROUTES <= routes,
                "vpcs",
                vpc.path,
                f"has {count + _OWN_ROUTES} routes in a route table; AWS allows {routes}. Use a transit gateway",
            )
        self._problems.raise_if_any()

    def _check_ranges(self) -> None:
        others = {peer.path: peer.cidr for vpc in self.members for peer in vpc.peers if peer not in self.members}
        refuse_overlaps(self.path, {vpc.path: vpc.cidr for vpc in self.members}, against=others)


def _rank(vpc: Vpc) -> tuple[str, str]:
    return vpc.region.name, vpc.path


def _key(vpc: Vpc) -> str:
    """Return the name of a VPC in addresses and tags."""
    return f"{vpc.component}-{vpc.region.name}"


def _paths(vpcs: Sequence[Vpc]) -> str:
    return ", ".join(vpc.path for vpc in vpcs)


def _names(edge: Sequence[object]) -> tuple[object, ...]:
    return tuple(getattr(end, "path", end) for end in edge)
