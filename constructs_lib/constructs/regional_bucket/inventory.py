"""A list of every version in a bucket, written into a log bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from constructs_lib._engine import aws
from constructs_lib.constructs.regional_bucket.base import Bucket
from constructs_lib.foundation.errors import Problems

Frequency = Literal["Daily", "Weekly"]
"""How often S3 writes an inventory; weekly ones are written on Sundays."""

InventoryFormat = Literal["CSV", "Parquet"]
"""What an inventory is written as."""

FIELDS: Final = (
    "Size",
    "LastModifiedDate",
    "StorageClass",
    "ETag",
    "IsMultipartUploaded",
    "ReplicationStatus",
    "EncryptionStatus",
    "BucketKeyStatus",
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
)
"""What an inventory says of each version, beside its key, its id and whether it is the latest."""


@dataclass(frozen=True)
class Inventory:
    """A list of all versions of all objects, with size, age, encryption, lock and copy of each.

    Attributes:
        logs: The bucket that gets it: one with `log_delivery` in the same region and stack.
        frequency: Weekly or Daily; Weekly by default.
        format: Parquet or CSV; Parquet by default.

    See https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html.
    """

    logs: Bucket
    frequency: Frequency = "Weekly"
    format: InventoryFormat = "Parquet"


def check_inventory(problems: Problems, inventory: Inventory | None) -> None:
    """Note a frequency or format that S3 does not know; the log bucket is checked as that of access logs is."""
    if inventory is None:
        return
    if not problems.check(isinstance(inventory, Inventory), "inventory", inventory, "must be Inventory(logs) or None"):
        return
    for field, value, known in (
        ("frequency", inventory.frequency, get_args(Frequency)),
        ("format", inventory.format, get_args(InventoryFormat)),
    ):
        problems.check(value in known, f"inventory.{field}", value, f"must be {' or '.join(known)}")


def write_inventory(source: Bucket, inventory: Inventory) -> None:
    """Let S3 write the inventory of a bucket."""
    module, logs = aws.s3_bucket_inventory, inventory.logs
    source.resources["inventory"] = source.region.create(
        source,
        (*source.components, "inventory"),
        module.S3BucketInventory,
        bucket=source.id,
        name="all-versions",
        included_object_versions="All",
        schedule=module.S3BucketInventorySchedule(frequency=inventory.frequency),
        optional_fields=list(FIELDS),
        destination=module.S3BucketInventoryDestination(
            bucket=module.S3BucketInventoryDestinationBucket(
                bucket_arn=logs.arn,
                account_id=source.region.account_id,
                format=inventory.format,
                # S3 puts a slash after it.
                prefix=logs.allow_inventory(source).rstrip("/"),
                encryption=module.S3BucketInventoryDestinationBucketEncryption(
                    sse_s3=module.S3BucketInventoryDestinationBucketEncryptionSseS3()
                ),
            )
        ),
        depends_on=[logs.policy],
    )
