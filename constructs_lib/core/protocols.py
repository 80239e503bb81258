"""Protocols of constructs that cannot import each other."""

from __future__ import annotations

from typing import Protocol

from constructs_lib._engine import aws
from constructs_lib.core.iam import ServiceRole, Statement
from constructs_lib.core.stack import Region


class Grantee(Protocol):
    """A role, or a construct with a role such as a function, that permissions are granted to."""

    @property
    def region(self) -> Region:
        """Its region."""

    @property
    def path(self) -> str:
        """Its construct path."""

    def grant(self, statement: Statement) -> None:
        """Add a statement to the role's policy."""


class QueueConsumer(Grantee, Protocol):
    """A function that consumes a queue's messages."""

    @property
    def role(self) -> ServiceRole:
        """Its role."""

    @property
    def timeout(self) -> int:
        """Its timeout in seconds."""


class Network(Protocol):
    """A VPC that security groups and endpoints belong to."""

    @property
    def region(self) -> Region:
        """Its region."""

    @property
    def path(self) -> str:
        """Its construct path."""

    @property
    def id(self) -> str:
        """The VPC's id."""

    @property
    def cidr(self) -> str:
        """Its CIDR block."""

    def gateway(self, service: str) -> aws.vpc_endpoint.VpcEndpoint:
        """Return the gateway endpoint of a service."""
