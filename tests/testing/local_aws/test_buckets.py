"""The local AWS's fixes for buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws import LocalAws

pytestmark = pytest.mark.slow
US = "us-east-1"
KEY = f"arn:aws:kms:{US}:123456789012:key/0123abcd"


@pytest.mark.parametrize("encryption", [{"SSES3": {}}, {"SSEKMS": {"KeyId": KEY}}, None])
def test_an_inventory_comes_back_as_encrypted_as_it_was_sent(
    local_aws: LocalAws, encryption: dict[str, object] | None
) -> None:
    s3 = local_aws.client("s3", US)
    s3.create_bucket(Bucket="bucket-listed")
    destination = {"Bucket": "arn:aws:s3:::bucket-logs", "Format": "CSV"}
    sent = {
        "Id": "all",
        "IsEnabled": True,
        "IncludedObjectVersions": "All",
        "Schedule": {"Frequency": "Weekly"},
        "Destination": {"S3BucketDestination": destination | ({"Encryption": encryption} if encryption else {})},
    }
    s3.put_bucket_inventory_configuration(Bucket="bucket-listed", Id="all", InventoryConfiguration=sent)
    # What comes back is not changed by having been asked for.
    for _ in range(2):
        found = s3.get_bucket_inventory_configuration(Bucket="bucket-listed", Id="all")
        assert found["InventoryConfiguration"] == sent


def test_object_lock_is_enabled_on_a_bucket_with_objects(local_aws: LocalAws) -> None:
    s3 = local_aws.client("s3", US)
    s3.create_bucket(Bucket="bucket-filled")
    s3.put_bucket_versioning(Bucket="bucket-filled", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="bucket-filled", Key="a", Body=b"a")["VersionId"]
    rule: Any = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    s3.put_object_lock_configuration(
        Bucket="bucket-filled", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    found = s3.get_object_lock_configuration(Bucket="bucket-filled")["ObjectLockConfiguration"]
    assert found["ObjectLockEnabled"] == "Enabled"
    assert s3.get_object(Bucket="bucket-filled", Key="a")["VersionId"] == version


def test_a_bucket_with_objects_is_not_deleted(local_aws: LocalAws) -> None:
    s3 = local_aws.client("s3", US)
    s3.create_bucket(Bucket="bucket-kept")
    s3.put_bucket_versioning(Bucket="bucket-kept", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="bucket-kept", Key="a", Body=b"a")["VersionId"]
    marker = s3.delete_object(Bucket="bucket-kept", Key="a")["VersionId"]
    for left in (version, marker):
        with pytest.raises(ClientError, match="BucketNotEmpty"):
            s3.delete_bucket(Bucket="bucket-kept")
        s3.delete_object(Bucket="bucket-kept", Key="a", VersionId=left)
    s3.delete_bucket(Bucket="bucket-kept")
