"""RegionalBucket: the one S3 bucket of the library."""

from constructs_lib.regional_bucket.arguments import (
    ForceDestroy,
    NoAccessLogs,
    ObjectLock,
    Transition,
    UnprotectedBucket,
)
from constructs_lib.regional_bucket.bucket import RegionalBucket

__all__ = ["ForceDestroy", "NoAccessLogs", "ObjectLock", "RegionalBucket", "Transition", "UnprotectedBucket"]
