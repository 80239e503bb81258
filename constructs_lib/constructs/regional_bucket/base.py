"""What the parts of a RegionalBucket know of it, and the deliveries that it accepts as a log bucket."""

from __future__ import annotations

from constructs_lib._engine import aws
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.regional_bucket import policy
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import PolicyDocument
from constructs_lib.foundation.errors import ConfigurationError


class Bucket(HardenedConstruct):
    """A bucket with a policy; `RegionalBucket` creates one."""

    id: str
    arn: str
    key: MultiRegionKey | None
    key_arn: str
    locked: bool
    policy: aws.s3_bucket_policy.S3BucketPolicy
    versioning: aws.s3_bucket_versioning.S3BucketVersioningA
    _policy: PolicyDocument

    def allow_access_logs(self, source: Bucket) -> str:
        """Let S3 deliver the access logs of another bucket, and return the prefix that they get.

        Raises:
            ConfigurationError: The bucket was not made with `log_delivery=True`.
        """
        self._check_takes_logs("source", source.path)
        prefix = f"access-log/{source.component}/"
        self._policy.add(policy.access_logs_from(source.arn, source.region, self.arn, prefix))
        return prefix

    def allow_inventory(self, source: Bucket) -> str:
        """Let S3 deliver the inventory of another bucket, and return the prefix that it gets.

        Raises:
            ConfigurationError: The bucket was not made with `log_delivery=True`.
        """
        self._check_takes_logs("source", source.path)
        prefix = f"inventory/{source.component}/"
        self._policy.add(policy.inventory_of(source.arn, source.region, self.arn, prefix))
        return prefix

    def _check_takes_logs(self, argument: str, given: str) -> None:
        if self.key is not None:
            raise ConfigurationError(
                self.path, f"{argument}={given!r}: the bucket takes no logs; make it with log_delivery=True"
            )
