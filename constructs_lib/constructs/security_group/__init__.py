"""SecurityGroup: closed until it is connected, each rule a resource of its own with a description."""

from constructs_lib.constructs.security_group.security_group import ANYWHERE, Connectable, SecurityGroup

__all__ = ["ANYWHERE", "Connectable", "SecurityGroup"]
