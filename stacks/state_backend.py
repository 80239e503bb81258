"""State: the S3 bucket for the Terraform state of an environment's other stacks, and the IAM policies for it.

Its own state stays where it is made first, in a local file: a stack cannot keep its state in a bucket of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib import HardenedStack, MultiRegionKey, RegionalBucket, StateBackend

if TYPE_CHECKING:
    from constructs_lib import Construct, Environment
    from constructs_lib.foundation.backend import Backend

REGION: Final = "eu-west-1"


class StateBackendStack(HardenedStack):
    """The state of one environment's stacks."""

    def __init__(
        self, scope: Construct, id_: str, *, environment: Environment | str, backend: Backend | None = None
    ) -> None:
        super().__init__(scope, id_, environment=environment, owner="platform-team", backend=backend)
        region = self.region(REGION)
        key = MultiRegionKey(self, "key", region=region, description="Encrypts Terraform state")
        logs = RegionalBucket(self, "logs", region=region, log_delivery=True, expire_days=365)
        self.state = StateBackend(self, "state", region=region, key=key, access_logs=logs)
