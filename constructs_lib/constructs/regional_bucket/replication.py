"""Cross-region replication of a bucket."""

from __future__ import annotations

from typing import Final

from constructs_lib._engine import aws
from constructs_lib.constructs.regional_bucket.arguments import ObjectLock
from constructs_lib.constructs.regional_bucket.base import Bucket
from constructs_lib.core.iam import Condition, ServiceRole, Statement
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems

TIME_CONTROL_MINUTES: Final = 15
"""The only value that S3 accepts for replication time control (S3 RTC)."""


def check_replica(problems: Problems, region: Region, target: Bucket, lock: ObjectLock | None) -> None:
    """Report a destination bucket that S3 cannot replicate to."""
    problems.check(
        target.region.stack is region.stack, "replicate_to", target.path, "is in another stack; expected the same stack"
    )
    problems.check(
        target.region.name != region.name,
        "replicate_to",
        target.path,
        f"is in {region.name} too; expected a bucket in another region",
    )
    problems.check(
        target.key is not None,
        "replicate_to",
        target.path,
        "is a log bucket without a key; expected a bucket with a key",
    )
    problems.check(
        lock is None or target.locked,
        "replicate_to",
        target.path,
        "has no Object Lock, which replication of a bucket with Object Lock requires; give it object_lock too",
    )


def replicate(source: Bucket, target: Bucket, *, time_control: bool) -> ServiceRole:
    """Replicate new objects and delete markers, and return the role that S3 assumes for it."""
    stack = source.region.stack
    source_arn, target_arn = (stack.ref(bucket.resource, "arn") for bucket in (source, target))
    role = ServiceRole(
        source,
        "replication-role",
        region=source.region,
        service="s3.amazonaws.com",
        description=f"Copies new objects to {target.region.name}",
        statements=[
            Statement("ReadRules", ("s3:GetReplicationConfiguration", "s3:ListBucket"), (source_arn,)),
            Statement("ReadVersions", _reads(locked=source.locked), (f"{source_arn}/*",)),
            Statement(
                "WriteCopies", ("s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"), (f"{target_arn}/*",)
            ),
            _use("Decrypt", source, ("kms:Decrypt",)),
            _use("Encrypt", target, ("kms:Encrypt", "kms:GenerateDataKey")),
        ],
    )
    rules = aws.s3_bucket_replication_configuration
    rule = rules.S3BucketReplicationConfigurationRule(
        id="everything",
        priority=0,
        status="Enabled",
        filter=rules.S3BucketReplicationConfigurationRuleFilter(prefix=""),
        delete_marker_replication=rules.S3BucketReplicationConfigurationRuleDeleteMarkerReplication(status="Enabled"),
        # Without it S3 does not replicate objects encrypted with SSE-KMS.
        source_selection_criteria=rules.S3BucketReplicationConfigurationRuleSourceSelectionCriteria(
            sse_kms_encrypted_objects=(
                rules.S3BucketReplicationConfigurationRuleSourceSelectionCriteriaSseKmsEncryptedObjects(
                    status="Enabled"
                )
            )
        ),
        destination=rules.S3BucketReplicationConfigurationRuleDestination(
            bucket=target_arn,
            encryption_configuration=rules.S3BucketReplicationConfigurationRuleDestinationEncryptionConfiguration(
                replica_kms_key_id=_key_arn(target)
            ),
            replication_time=_replication_time() if time_control else None,
            # S3 accepts replication time control and metrics only together.
            metrics=_metrics() if time_control else None,
        ),
    )
    source.resources["replication"] = source.region.create(
        source,
        (*source.components, "replication"),
        rules.S3BucketReplicationConfigurationA,
        bucket=stack.ref(source.resource, "id"),
        role=source.region.stack.ref(role.resource, "arn"),
        rule=[rule],
        # S3 needs versioning on both buckets first, and Object Lock on the target of a locked one.
        depends_on=[source.versioning, target.versioning, role.policy, *([target.lock] if source.locked else [])],
    )
    return role


def _replication_time() -> (
    aws.s3_bucket_replication_configuration.S3BucketReplicationConfigurationRuleDestinationReplicationTime
):
    rules = aws.s3_bucket_replication_configuration
    return rules.S3BucketReplicationConfigurationRuleDestinationReplicationTime(
        status="Enabled",
        time=rules.S3BucketReplicationConfigurationRuleDestinationReplicationTimeTime(minutes=TIME_CONTROL_MINUTES),
    )


def _metrics() -> aws.s3_bucket_replication_configuration.S3BucketReplicationConfigurationRuleDestinationMetrics:
    rules = aws.s3_bucket_replication_configuration
    return rules.S3BucketReplicationConfigurationRuleDestinationMetrics(
        status="Enabled",
        event_threshold=rules.S3BucketReplicationConfigurationRuleDestinationMetricsEventThreshold(
            minutes=TIME_CONTROL_MINUTES
        ),
    )


def _reads(*, locked: bool) -> tuple[str, ...]:
    reads = ("s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging")
    return (*reads, "s3:GetObjectLegalHold", "s3:GetObjectRetention") if locked else reads


def _key_arn(bucket: Bucket) -> str:
    assert bucket.key  # noqa: S101  check_replica refused a bucket without one
    return bucket.key.arn_for(bucket)


def _use(sid: str, bucket: Bucket, actions: tuple[str, ...]) -> Statement:
    """Return a statement that allows the use of the bucket's key for its objects, through S3."""
    arn = bucket.region.stack.ref(bucket.resource, "arn")
    conditions = (
        Condition("StringEquals", "kms:ViaService", (f"s3.{bucket.region.name}.{bucket.region.dns_suffix}",)),
        # With S3 Bucket Keys the encryption context is the bucket's ARN, not the object's.
        Condition("StringEquals", "kms:EncryptionContext:aws:s3:arn", (arn,)),
    )
    return Statement(sid, actions, (_key_arn(bucket),), (), conditions)
