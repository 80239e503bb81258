"""Copies of every new object in a bucket of another region."""

from __future__ import annotations

from typing import Final

from constructs_lib._engine import aws
from constructs_lib.constructs.regional_bucket.arguments import ObjectLock
from constructs_lib.constructs.regional_bucket.base import Bucket
from constructs_lib.core.iam import Condition, ServiceRole, Statement
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems

TIME_CONTROL_MINUTES: Final = 15
"""The time that S3 promises for copies with replication time control; it knows no other."""


def check_replica(problems: Problems, region: Region, target: Bucket, lock: ObjectLock | None) -> None:
    """Note a bucket that cannot keep the copies."""
    problems.check(
        target.region.stack is region.stack, "replicate_to", target.path, "belongs to another stack than the bucket"
    )
    problems.check(
        target.region.name != region.name,
        "replicate_to",
        target.path,
        f"is in {region.name} too; a copy must survive the loss of a region",
    )
    problems.check(
        target.key is not None, "replicate_to", target.path, "takes logs and has no customer key to encrypt copies with"
    )
    problems.check(
        lock is None or target.locked,
        "replicate_to",
        target.path,
        "has no object lock, and S3 copies a locked bucket only to a locked one; give it object_lock too",
    )


def replicate(source: Bucket, target: Bucket, *, time_control: bool) -> ServiceRole:
    """Copy every new object of a bucket, delete markers included, and return the role that S3 does it with."""
    role = ServiceRole(
        source,
        "replication-role",
        region=source.region,
        service="s3.amazonaws.com",
        description=f"Copies new objects to {target.region.name}",
        statements=[
            Statement("ReadRules", ("s3:GetReplicationConfiguration", "s3:ListBucket"), (source.arn,)),
            Statement("ReadVersions", _reads(locked=source.locked), (f"{source.arn}/*",)),
            Statement(
                "WriteCopies", ("s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"), (f"{target.arn}/*",)
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
        # Without it objects that are encrypted with a customer key are passed over in silence.
        source_selection_criteria=rules.S3BucketReplicationConfigurationRuleSourceSelectionCriteria(
            sse_kms_encrypted_objects=(
                rules.S3BucketReplicationConfigurationRuleSourceSelectionCriteriaSseKmsEncryptedObjects(
                    status="Enabled"
                )
            )
        ),
        destination=rules.S3BucketReplicationConfigurationRuleDestination(
            bucket=target.arn,
            encryption_configuration=rules.S3BucketReplicationConfigurationRuleDestinationEncryptionConfiguration(
                replica_kms_key_id=target.key_arn
            ),
            replication_time=_replication_time() if time_control else None,
            # S3 takes the one with the other only.
            metrics=_metrics() if time_control else None,
        ),
    )
    source.resources["replication"] = source.region.create(
        source,
        (*source.components, "replication"),
        rules.S3BucketReplicationConfigurationA,
        bucket=source.id,
        role=role.arn,
        rule=[rule],
        # S3 refuses the rule while either side keeps no versions.
        depends_on=[source.versioning, target.versioning, role.policy],
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


def _use(sid: str, bucket: Bucket, actions: tuple[str, ...]) -> Statement:
    """Return a grant of the bucket's key for objects of this bucket, through S3."""
    conditions = (
        Condition("StringEquals", "kms:ViaService", (f"s3.{bucket.region.name}.{bucket.region.dns_suffix}",)),
        # A bucket key is bound to the bucket's ARN, not to the object's.
        Condition("StringEquals", "kms:EncryptionContext:aws:s3:arn", (bucket.arn,)),
    )
    return Statement(sid, actions, (bucket.key_arn,), (), conditions)
