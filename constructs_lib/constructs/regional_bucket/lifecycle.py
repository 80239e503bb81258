"""The lifecycle configuration of a bucket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from constructs_lib._engine import aws
from constructs_lib.constructs.regional_bucket.arguments import Transition

ABORT_UPLOAD_DAYS: Final = 7
"""Days until an incomplete multipart upload is aborted; its parts are billed and not listed as objects."""


def retention(
    noncurrent_days: int, newer_versions: int | None, transitions: Sequence[Transition], expire_days: int | None
) -> aws.s3_bucket_lifecycle_configuration.S3BucketLifecycleConfigurationRule:
    """Return the lifecycle rule, which applies to all objects."""
    rules = aws.s3_bucket_lifecycle_configuration
    expiration = rules.S3BucketLifecycleConfigurationRuleExpiration
    return rules.S3BucketLifecycleConfigurationRule(
        id="retention",
        status="Enabled",
        filter=[rules.S3BucketLifecycleConfigurationRuleFilter()],
        abort_incomplete_multipart_upload=[
            rules.S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                days_after_initiation=ABORT_UPLOAD_DAYS
            )
        ],
        # S3 accepts one of the two only, and with days it removes expired delete markers by itself.
        expiration=[expiration(days=expire_days) if expire_days else expiration(expired_object_delete_marker=True)],
        noncurrent_version_expiration=[
            rules.S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(
                noncurrent_days=noncurrent_days, newer_noncurrent_versions=newer_versions
            )
        ],
        transition=[
            rules.S3BucketLifecycleConfigurationRuleTransition(days=t.days, storage_class=t.storage_class)
            for t in transitions
        ]
        or None,
    )
