"""S3 Inventory of a bucket, delivered to a log bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from constructs_lib._engine import aws
from constructs_lib.constructs.regional_bucket.base import Bucket
from constructs_lib.foundation.errors import Problems

Frequency = Literal["Daily", "Weekly"]
"""How often S3 delivers an inventory report; weekly ones are delivered on Sundays."""

InventoryFormat = Literal["CSV", "Parquet"]
"""The file format of an inventory report."""

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
"""Optional fields of an inventory; key, version id and whether it is the latest version are always included."""


@dataclass(frozen=True)
class Inventory:
    """S3 Inventory: a report of all object versions with size, age, encryption, lock and replication status.

    Attributes:
        logs: The destination: a bucket with `log_delivery` in the same region and stack.
        frequency: `Weekly` or `Daily`.
        format: `Parquet` or `CSV`.

    See https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html.
    """

    logs: Bucket
    frequency: Frequency = "Weekly"
    format: InventoryFormat = "Parquet"


def check_inventory(problems: Problems, inventory: Inventory | None) -> None:
    """Report an unknown frequency or format."""
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
    """Create the inventory configuration of a bucket."""
    module, logs, stack = aws.s3_bucket_inventory, inventory.logs, source.region.stack
    source.resources["inventory"] = source.region.create(
        source,
        (*source.components, "inventory"),
        module.S3BucketInventory,
        bucket=stack.ref(source.resource, "id"),
        name="all-versions",
        included_object_versions="All",
        schedule=module.S3BucketInventorySchedule(frequency=inventory.frequency),
        optional_fields=list(FIELDS),
        destination=module.S3BucketInventoryDestination(
            bucket=module.S3BucketInventoryDestinationBucket(
                bucket_arn=stack.ref(logs.resource, "arn"),
                account_id=source.region.account_id,
                format=inventory.format,
                # S3 appends a slash.
                prefix=logs.allow_inventory(source).rstrip("/"),
                encryption=module.S3BucketInventoryDestinationBucketEncryption(
                    sse_s3=module.S3BucketInventoryDestinationBucketEncryptionSseS3()
                ),
            )
        ),
        depends_on=[logs.policy],
    )
