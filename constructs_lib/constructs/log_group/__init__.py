"""LogGroup: a CloudWatch log group that is encrypted with the caller"s key and keeps events for a set time."""

from constructs_lib.constructs.log_group.log_group import LogGroup

__all__ = ["LogGroup"]
