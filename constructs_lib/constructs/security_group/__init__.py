"""SecurityGroup: a security group without rules, and methods that add rules with descriptions."""

from constructs_lib.constructs.security_group.security_group import ANYWHERE, Connectable, SecurityGroup

__all__ = ["ANYWHERE", "Connectable", "SecurityGroup"]
