"""SecurityGroup: closed until it is connected, each rule a resource of its own with a description."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Final, Literal, Protocol

from constructs_lib._engine import aws, core
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.protocols import Network
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.regions import is_token

MAX_PORT: Final = 65535
HTTPS: Final = 443
ANYWHERE: Final = "0.0.0.0/0"


class Connectable(Protocol):
    """Anything that stands behind a security group of this library."""

    @property
    def security_group(self) -> SecurityGroup:
        """The group that its network interfaces carry."""


class SecurityGroup(HardenedConstruct):
    """A security group without any rule of its own.

    Args:
        scope: The construct that the group protects.
        id_: The construct's id.
        region: Where it is.
        vpc: The VPC that it belongs to, made here or existing.
        description: What it protects, at most 255 characters.

    See https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html.
    """

    def __init__(self, scope: core.Construct, id_: str, *, region: Region, vpc: Network, description: str) -> None:
        super().__init__(scope, id_, region=region)
        self.vpc = vpc
        if vpc.region.name != region.name:
            self._problems.stop("vpc", vpc.path, f"is in {vpc.region.name} and the security group in {region.name}")
        self.resource = self._create(
            aws.security_group.SecurityGroup,
            "Resource",
            name=self._name("security-group"),
            description=description,
            vpc_id=vpc.id,
            tags={"Name": self._name("tag")},
            # An inline rule list would fight with the rule resources.
            revoke_rules_on_delete=True,
        )
        self.id = self._ref(self.resource, "id")
        self._rules: set[str] = set()

    @property
    def security_group(self) -> SecurityGroup:
        """Itself, so that a group connects like the constructs that have one."""
        return self

    def allow_to(self, peer: Connectable, port: int, description: str | None = None) -> None:
        """Let TCP connections out of this group into another on one port, with a rule on both sides.

        Args:
            peer: A construct with a security group in the same VPC.
            port: 1 to 65535.
            description: Why; by default the two ends.

        Raises:
            ConfigurationError: A port out of range, or a peer in another VPC, whose group cannot be referred to.
        """
        other = peer.security_group
        self._check_port(port)
        if other.vpc is not self.vpc:
            raise ConfigurationError(
                self.path,
                f"peer={other.path!r}: is in another VPC, where its security group cannot be referred to; use "
                "allow_to_cidr with the peer's CIDR",
            )
        text = description or f"{self.path} to {other.path}"
        name = f"{'-'.join(other.components)}-{port}"
        if self._first(f"to-{name}"):
            # Both rules are made here: two stacks that refer to each other could not be deployed.
            other_id = self.region.stack.reach(other.resource, "id")
            self._rule("egress", f"to-{name}", self.id, port, text, peer_id=other_id)
            self._rule("ingress", f"into-{name}", other_id, port, text, peer_id=self.id)

    def allow_to_cidr(self, cidr: str, port: int, description: str) -> None:
        """Let TCP connections out to an address range on one port.

        Args:
            cidr: The range; the whole internet only on port 443.
            port: 1 to 65535.
            description: Which peer it is, and why.

        Raises:
            ConfigurationError: A port out of range, or `0.0.0.0/0` on another port than 443.
        """
        self._check_port(port)
        self._check_cidr(cidr)
        if cidr == ANYWHERE and port != HTTPS:
            raise ConfigurationError(self.path, f"cidr={cidr!r}: only port 443 may go to the whole internet")
        if self._first(f"to-{cidr}-{port}"):
            self._rule(
                "egress", f"to-{self._called(cidr).replace('/', '-')}-{port}", self.id, port, description, cidr=cidr
            )

    def allow_to_gateway(self, service: Literal["s3", "dynamodb"], description: str | None = None) -> None:
        """Let HTTPS connections out to a service behind a gateway endpoint of the VPC: to its addresses, and no others.

        Args:
            service: The service.
            description: Why; by default the group and the service.

        Raises:
            ConfigurationError: The VPC has no gateway endpoint of the service.
        """
        addresses = self.region.stack.reach(self.vpc.gateway(service), "prefix_list_id")
        if self._first(f"to-{service}-gateway"):
            text = description or f"{self.path} to {service}"
            self._rule("egress", f"to-{service}-gateway", self.id, HTTPS, text, prefix_list_id=addresses)

    def allow_from_cidr(self, cidr: str, port: int, description: str) -> None:
        """Let TCP connections in from an address range on one port.

        Args:
            cidr: The range; never the whole internet.
            port: 1 to 65535.
            description: Which peer it is, and why.

        Raises:
            ConfigurationError: A port out of range, or `0.0.0.0/0`.
        """
        self._check_port(port)
        self._check_cidr(cidr)
        if cidr == ANYWHERE:
            raise ConfigurationError(self.path, f"cidr={cidr!r}: the whole internet may not connect; name a range")
        if self._first(f"from-{cidr}-{port}"):
            self._rule(
                "ingress", f"from-{self._called(cidr).replace('/', '-')}-{port}", self.id, port, description, cidr=cidr
            )

    def _rule(
        self,
        direction: Literal["egress", "ingress"],
        id_: str,
        group_id: str,
        port: int,
        description: str,
        *,
        cidr: str | None = None,
        peer_id: str | None = None,
        prefix_list_id: str | None = None,
    ) -> None:
        self._create(
            aws.vpc_security_group_egress_rule.VpcSecurityGroupEgressRule
            if direction == "egress"
            else aws.vpc_security_group_ingress_rule.VpcSecurityGroupIngressRule,
            id_,
            security_group_id=group_id,
            cidr_ipv4=cidr,
            referenced_security_group_id=peer_id,
            prefix_list_id=prefix_list_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=description,
        )

    def _first(self, rule: str) -> bool:
        """Whether the rule is asked for for the first time; asking twice is not an error."""
        fresh = rule not in self._rules
        self._rules.add(rule)
        return fresh

    def _check_cidr(self, cidr: str) -> None:
        # What is only known at apply, such as another VPC's range, is passed on.
        if isinstance(cidr, str) and is_token(cidr):
            return
        try:
            # Python takes an address without a length for a range of one; AWS does not.
            IPv4Network(cidr if isinstance(cidr, str) and "/" in cidr else "")
        except ValueError:
            raise ConfigurationError(self.path, f"cidr={cidr!r}: must be an IPv4 range such as '10.0.0.0/16'") from None

    def _check_port(self, port: int) -> None:
        if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= MAX_PORT:
            raise ConfigurationError(self.path, f"port={port!r}: must be a whole number from 1 to {MAX_PORT}")
