"""LogGroup: an encrypted CloudWatch log group with a retention period."""

from constructs_lib.constructs.log_group.log_group import LogGroup

__all__ = ["LogGroup"]
