"""SecurityGroup: a security group without rules, and methods that add rules with descriptions."""

from __future__ import annotations

from functools import cached_property
from ipaddress import IPv4Network
from typing import Final, Literal, Protocol

from constructs_lib._engine import aws, core
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.protocols import Network
from constructs_lib.core.stack import Region
from constructs_lib.foundation.deprecation import renamed_arguments
from constructs_lib.foundation.errors import ConfigurationError, Problems
from constructs_lib.foundation.regions import is_token

MAX_PORT: Final = 65535
HTTPS: Final = 443
ANYWHERE: Final = "0.0.0.0/0"


class Connectable(Protocol):
    """A construct with a security group, such as a function in a VPC or a database cluster."""

    @property
    def security_group(self) -> SecurityGroup:
        """The security group of its network interfaces."""


class SecurityGroup(HardenedConstruct):
    """A security group without rules; each rule that is added is a resource with a description.

    Args:
        scope: The construct that the security group protects, or the stack.
        id_: The construct's id.
        region: The region.
        vpc: The VPC, in the same region: a `RegionalVpc`, or an existing one from `RegionalVpc.from_attributes`.
        description: What the security group protects, up to 255 characters. A change replaces the security group.

    Attributes:
        vpc: The VPC.
        resource: The `aws_security_group`.

    Raises:
        ConfigurationError: The VPC is in another region.

    See https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html.
    """

    def __init__(self, scope: core.Construct, id_: str, *, region: Region, vpc: Network, description: str) -> None:
        super().__init__(scope, id_, region=region)
        self.vpc = vpc
        if vpc.region.name != region.name:
            self._problems.stop("vpc", vpc.path, f"is in {vpc.region.name}; expected a VPC in {region.name}")
        self.resource = self._create(
            aws.security_group.SecurityGroup,
            "Resource",
            name=self._name("security-group"),
            description=description,
            vpc_id=vpc.id,
            tags={"Name": self._name("tag")},
            # No inline rules: they conflict with rules that are resources of their own.
            revoke_rules_on_delete=True,
        )
        self._id = self._ref(self.resource, "id")
        self._rules: set[str] = set()

    @cached_property
    def id(self) -> str:
        """The security group's id."""
        return self.resource.id

    @property
    def security_group(self) -> SecurityGroup:
        """The security group itself: it can be passed wherever a construct with a security group is expected."""
        return self

    @renamed_arguments(peer="destination")
    def allow_to(self, destination: Connectable, port: int, description: str | None = None) -> None:
        """Allow TCP traffic to another security group: an outbound rule here and an inbound rule there.

        Adding the same rule again has no effect.

        Args:
            destination: A construct with a security group in the same VPC, or a security group.
            port: The port, 1 to 65535.
            description: The rules' description; the paths of the two security groups by default.

        Raises:
            ConfigurationError: The port is out of range, or the destination is in another VPC.
        """
        other = destination.security_group
        self._check_port(port)
        if other.vpc is not self.vpc:
            raise ConfigurationError(
                self.path,
                f"destination={other.path!r}: is in another VPC; a rule can reference security groups of the same VPC "
                "only. Use allow_to_cidr with the CIDR block of the other VPC",
            )
        text = description or f"{self.path} to {other.path}"
        name = f"{'-'.join(other.components)}-{port}"
        if self._is_new(f"to-{name}"):
            # Both rules belong to this stack: a rule in each would make the two stacks depend on each other.
            other_id = self.region.stack.reach(other.resource, "id")
            self._rule("egress", f"to-{name}", self._id, port, text, referenced_id=other_id)
            self._rule("ingress", f"into-{name}", other_id, port, text, referenced_id=self._id)

    def allow_to_cidr(self, cidr: str, port: int, description: str) -> None:
        """Allow outbound TCP traffic to a CIDR block.

        Args:
            cidr: The IPv4 CIDR block, such as `10.0.0.0/16`; `0.0.0.0/0` on port 443 only. May be a reference.
            port: The port, 1 to 65535.
            description: The rule's description: the destination and the purpose.

        Raises:
            ConfigurationError: The port is out of range, the CIDR block is invalid, or it is `0.0.0.0/0` and the port
                is not 443.
        """
        self._check_port(port)
        self._check_cidr(cidr)
        if cidr == ANYWHERE and port != HTTPS:
            raise ConfigurationError(
                self.path, f"cidr={cidr!r}: is allowed on port 443 only, not on port {port}; give a narrower CIDR block"
            )
        if self._is_new(f"to-{cidr}-{port}"):
            self._rule(
                "egress", f"to-{self._called(cidr).replace('/', '-')}-{port}", self._id, port, description, cidr=cidr
            )

    def allow_to_gateway(self, service: Literal["s3", "dynamodb"], description: str | None = None) -> None:
        """Allow outbound HTTPS traffic to a service with a gateway endpoint, by the service's prefix list.

        Args:
            service: `s3` or `dynamodb`.
            description: The rule's description; the security group's path and the service by default.

        Raises:
            ConfigurationError: The VPC has no gateway endpoint for the service.
        """
        prefix_list = self.region.stack.reach(self.vpc.gateway(service), "prefix_list_id")
        if self._is_new(f"to-{service}-gateway"):
            text = description or f"{self.path} to {service}"
            self._rule("egress", f"to-{service}-gateway", self.id, HTTPS, text, prefix_list_id=prefix_list)

    def allow_from_cidr(self, cidr: str, port: int, description: str) -> None:
        """Allow inbound TCP traffic from a CIDR block.

        Args:
            cidr: The IPv4 CIDR block, such as `10.0.0.0/16`; not `0.0.0.0/0`. May be a reference.
            port: The port, 1 to 65535.
            description: The rule's description: the source and the purpose.

        Raises:
            ConfigurationError: The port is out of range, or the CIDR block is invalid or `0.0.0.0/0`.
        """
        self._check_port(port)
        self._check_cidr(cidr)
        if cidr == ANYWHERE:
            raise ConfigurationError(
                self.path,
                f"cidr={cidr!r}: is not allowed in inbound rules; give a narrower CIDR block",
            )
        if self._is_new(f"from-{cidr}-{port}"):
            self._rule(
                "ingress", f"from-{self._called(cidr).replace('/', '-')}-{port}", self._id, port, description, cidr=cidr
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
        referenced_id: str | None = None,
        prefix_list_id: str | None = None,
    ) -> None:
        self._create(
            aws.vpc_security_group_egress_rule.VpcSecurityGroupEgressRule
            if direction == "egress"
            else aws.vpc_security_group_ingress_rule.VpcSecurityGroupIngressRule,
            id_,
            security_group_id=group_id,
            cidr_ipv4=cidr,
            referenced_security_group_id=referenced_id,
            prefix_list_id=prefix_list_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=description,
        )

    def _is_new(self, rule: str) -> bool:
        new = rule not in self._rules
        self._rules.add(rule)
        return new

    def _check_cidr(self, cidr: str) -> None:
        # A value known at apply only, such as another VPC's CIDR block, cannot be checked here.
        if isinstance(cidr, str) and is_token(cidr):
            return
        try:
            # Python accepts an address without a prefix length; AWS does not.
            IPv4Network(cidr if isinstance(cidr, str) and "/" in cidr else "")
        except ValueError:
            raise ConfigurationError(
                self.path, f"cidr={cidr!r}: must be an IPv4 CIDR block such as '10.0.0.0/16'"
            ) from None

    def _check_port(self, port: int) -> None:
        problems = Problems(self.path)
        problems.check_whole("port", port, 1, MAX_PORT)
        problems.raise_if_any()
