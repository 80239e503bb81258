"""StateBackend: the bucket, the lock and the permissions that Terraform"s remote state needs."""

from constructs_lib.constructs.state_backend.state_backend import StateBackend

__all__ = ["StateBackend"]
