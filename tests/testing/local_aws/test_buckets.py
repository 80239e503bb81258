"""The local AWS's fix for inventories of buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
