"""The base of RegionalBucket: its references, and the deliveries that a log bucket accepts."""

from __future__ import annotations

from functools import cached_property

from constructs_lib._engine import aws
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.regional_bucket import policy
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import PolicyDocument
from constructs_lib.foundation.errors import ConfigurationError


class Bucket(HardenedConstruct):
    """A bucket with a policy; `RegionalBucket` creates one."""

    resource: aws.s3_bucket.S3Bucket
    key: MultiRegionKey | None
    locked: bool
    lock: aws.s3_bucket_object_lock_configuration.S3BucketObjectLockConfigurationA
    policy: aws.s3_bucket_policy.S3BucketPolicy
    versioning: aws.s3_bucket_versioning.S3BucketVersioningA
    _arn: str
    _policy: PolicyDocument

    @cached_property
    def id(self) -> str:
        """The bucket's name as a reference: resources that use it depend on the bucket."""
        return self.resource.id

    @cached_property
    def arn(self) -> str:
        """The bucket's ARN."""
        return self.resource.arn

    def allow_access_logs(self, source: Bucket) -> str:
        """Allow S3 to deliver the server access logs of another bucket, and return their prefix.

        Args:
            source: The bucket whose requests are logged.

        Raises:
            ConfigurationError: This bucket has no `log_delivery=True`.
        """
        self._check_log_delivery("source", source.path)
        prefix = f"access-log/{source.component}/"
        self._policy.add(policy.access_logs_from(self._arn_of(source), source.region, self._arn, prefix))
        return prefix

    def allow_inventory(self, source: Bucket) -> str:
        """Allow S3 to deliver the inventory reports of another bucket, and return their prefix.

        Args:
            source: The bucket whose objects are listed.

        Raises:
            ConfigurationError: This bucket has no `log_delivery=True`.
        """
        self._check_log_delivery("source", source.path)
        prefix = f"inventory/{source.component}/"
        self._policy.add(policy.inventory_of(self._arn_of(source), source.region, self._arn, prefix))
        return prefix

    def _arn_of(self, bucket: Bucket) -> str:
        return self.region.stack.reach(bucket.resource, "arn")

    def _check_log_delivery(self, argument: str, given: str) -> None:
        if self.key is not None:
            raise ConfigurationError(
                self.path, f"{argument}={given!r}: the bucket is not a log bucket; create it with log_delivery=True"
            )
