"""RegionalBucket: a private, versioned and encrypted S3 bucket."""

from constructs_lib.constructs.regional_bucket.arguments import (
    ForceDestroy,
    NoAccessLogs,
    ObjectLock,
    Transition,
    UnprotectedBucket,
)
from constructs_lib.constructs.regional_bucket.bucket import RegionalBucket
from constructs_lib.constructs.regional_bucket.cors import AnyOrigin, CorsRule
from constructs_lib.constructs.regional_bucket.inventory import Inventory

__all__ = [
    "AnyOrigin",
    "CorsRule",
    "ForceDestroy",
    "Inventory",
    "NoAccessLogs",
    "ObjectLock",
    "RegionalBucket",
    "Transition",
    "UnprotectedBucket",
]
