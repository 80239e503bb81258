"""Rules of buckets/data_protection: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

import pytest

from tests.rules.asking import found, good, resources
from tests.rules.catalogue.buckets.documents import BUCKET


@pytest.mark.parametrize(
    "name", ["shop-data", "${aws_s3_bucket.data.id}", "${aws_s3_bucket.data.bucket}", "${local.name}"]
)
def test_a_resource_may_name_its_bucket_by_reference_or_literally(name: str) -> None:
    document = resources(
        aws_s3_bucket=BUCKET,
        aws_s3_bucket_versioning={"v": {"bucket": name, "versioning_configuration": {"status": "Enabled"}}},
    )
    assert found("S3-008", {**document, "locals": {"name": "shop-data"}}) == []


def test_a_resource_in_another_stack_counts() -> None:
    part = {"v": {"bucket": "arn:aws:s3:::shop-data", "versioning_configuration": {"status": "Enabled"}}}
    assert found("S3-008", resources(aws_s3_bucket=BUCKET), resources(aws_s3_bucket_versioning=part)) == []


def test_a_log_bucket_needs_no_customer_managed_key() -> None:
    document = good("S3-009")
    assert found("S3-009", document) == []
    del document["resource"]["aws_s3_bucket_logging"]
    (message,) = found("S3-009", document)
    assert message.startswith("aws_s3_bucket.logs: must have an aws_s3_bucket_server_side_encryption_configuration")


def test_double_encryption_needs_no_bucket_key() -> None:
    rule = "resource.aws_s3_bucket_server_side_encryption_configuration.data.rule"
    change = {
        f"{rule}.apply_server_side_encryption_by_default.sse_algorithm": "aws:kms:dsse",
        f"{rule}.bucket_key_enabled": False,
    }
    assert found("S3-009", good("S3-009", change)) == []


def test_buckets_in_dev_may_set_force_destroy() -> None:
    document = resources(aws_s3_bucket={"data": {"bucket": "shop-data", "force_destroy": True}})
    assert found("S3-011", document, environment="dev") == []
    assert len(found("S3-011", document, environment="staging")) == 1


def test_log_buckets_in_staging_may_set_force_destroy() -> None:
    logging = {"data": {"bucket": "shop-data", "target_bucket": "${aws_s3_bucket.logs.id}"}}
    logs = {"logs": {"bucket": "shop-logs", "force_destroy": True}}
    document = resources(aws_s3_bucket=logs, aws_s3_bucket_logging=logging)
    assert found("S3-011", document, environment="dev") == found("S3-011", document, environment="staging") == []
    assert len(found("S3-011", document, environment="prod")) == 1
