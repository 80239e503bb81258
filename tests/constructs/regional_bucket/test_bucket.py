from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import CorsRule, Environment, HardenedStack, MultiRegionKey, RegionalBucket
from tests.constructs.other_stacks import read_from_another_stack
from tests.constructs.regional_bucket.buckets import ACCOUNT, DATA, KEY, REPLICA_KEY, arn, build, part

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build, "prod")


def test_the_name_contains_region_and_account_and_prod_buckets_are_protected(synthesized: SynthesizedStack) -> None:
    synthesized.at(DATA).assert_config(
        {
            "bucket": f"shop-prod-data-eu-west-1-{ACCOUNT}",
            "force_destroy": False,
            "lifecycle": {"prevent_destroy": True},
        }
    )


def test_a_bucket_has_versioning_and_no_public_access(synthesized: SynthesizedStack) -> None:
    bucket = "${aws_s3_bucket.data_eu_west_1.id}"
    part(synthesized, "versioning").assert_config({"bucket": bucket, "versioning_configuration": {"status": "Enabled"}})
    part(synthesized, "public_access_block").assert_config(
        {
            "bucket": bucket,
            "block_public_acls": True,
            "block_public_policy": True,
            "ignore_public_acls": True,
            "restrict_public_buckets": True,
        }
    )
    part(synthesized, "ownership_controls").assert_config(
        {"bucket": bucket, "rule": {"object_ownership": "BucketOwnerEnforced"}}
    )
    assert synthesized.find("aws_s3_bucket_acl") == []


def test_objects_are_encrypted_with_the_key_of_the_buckets_region(synthesized: SynthesizedStack) -> None:
    for bucket, key in (("data", KEY), ("copy", REPLICA_KEY)):
        block = part(synthesized, "server_side_encryption_configuration", bucket)
        assert block["rule"] == [
            {
                "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key},
                "bucket_key_enabled": True,
            }
        ]


def test_a_log_bucket_is_encrypted_with_sse_s3(
    synthesized: SynthesizedStack,
) -> None:
    assert part(synthesized, "server_side_encryption_configuration", "logs")["rule"] == [
        {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
    ]


def test_the_lifecycle_expires_noncurrent_versions_and_transitions_objects(synthesized: SynthesizedStack) -> None:
    part(synthesized, "lifecycle_configuration").assert_config(
        {
            "bucket": "${aws_s3_bucket.data_eu_west_1.id}",
            "depends_on": ["aws_s3_bucket_versioning.data_versioning_eu_west_1"],
            "rule": [
                {
                    "id": "retention",
                    "status": "Enabled",
                    "filter": [{}],
                    "abort_incomplete_multipart_upload": [{"days_after_initiation": 7}],
                    "expiration": [{"expired_object_delete_marker": True}],
                    "noncurrent_version_expiration": [{"noncurrent_days": 120, "newer_noncurrent_versions": 3}],
                    "transition": [
                        {"days": 30, "storage_class": "STANDARD_IA"},
                        {"days": 90, "storage_class": "GLACIER_IR"},
                    ],
                }
            ],
        }
    )
    assert part(synthesized, "lifecycle_configuration", "logs")["rule"] == [
        {
            "id": "retention",
            "status": "Enabled",
            "filter": [{}],
            "abort_incomplete_multipart_upload": [{"days_after_initiation": 7}],
            "expiration": [{"days": 400}],
            "noncurrent_version_expiration": [{"noncurrent_days": 90}],
        }
    ]


def test_events_go_to_eventbridge(synthesized: SynthesizedStack) -> None:
    part(synthesized, "notification").assert_config(
        {"bucket": "${aws_s3_bucket.data_eu_west_1.id}", "eventbridge": True}
    )


def test_object_lock_has_a_default_retention(synthesized: SynthesizedStack) -> None:
    for bucket, region, mode in (("data", "eu_west_1", "COMPLIANCE"), ("copy", "us_east_1", "GOVERNANCE")):
        part(synthesized, "object_lock_configuration", bucket).assert_config(
            {
                "bucket": f"${{aws_s3_bucket.{bucket}_{region}.id}}",
                "rule": {"default_retention": {"mode": mode, "days": 5}},
                "depends_on": [f"aws_s3_bucket_versioning.{bucket}_versioning_{region}"],
            }
        )


def test_name_and_arn_are_exported(synthesized: SynthesizedStack) -> None:
    assert synthesized.outputs["data_name_eu_west_1"] == "${aws_s3_bucket.data_eu_west_1.id}"
    assert synthesized.outputs["data_arn_eu_west_1"] == arn(DATA)
    assert synthesized.outputs["deployment_summary"]["regions"]["eu-west-1"]["data"] == {
        "name": "${aws_s3_bucket.data_eu_west_1.id}",
        "arn": arn(DATA),
    }


def test_the_environment_sets_noncurrent_days_and_protection(
    synth_stack: Callable[..., SynthesizedStack], environment: Environment
) -> None:
    def fill(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1")
        logs = RegionalBucket(stack, "logs", region=region, log_delivery=True)
        key = MultiRegionKey(stack, "key", region=region)
        RegionalBucket(stack, "data", region=region, key=key, access_logs=logs)

    stack = synth_stack(fill, environment)
    days = {"dev": 30, "staging": 30, "prod": 90}[environment]
    (rule,) = part(stack, "lifecycle_configuration")["rule"]
    assert rule["noncurrent_version_expiration"] == [{"noncurrent_days": days}]
    assert "transition" not in rule
    kept = {"lifecycle": {"prevent_destroy": True}} if environment == "prod" else {}
    stack.at(DATA).assert_config(
        {"bucket": f"shop-{environment}-data-eu-west-1-{ACCOUNT}", "force_destroy": False, **kept}
    )
    for type_ in ("object_lock_configuration", "replication_configuration"):
        assert stack.find(f"aws_s3_bucket_{type_}") == []


def test_references_work_in_another_stack(synthesize: Synthesize) -> None:
    def fill(stack: HardenedStack) -> dict[str, str]:
        bucket = RegionalBucket(stack, "logs", region=stack.region("eu-west-1"), log_delivery=True)
        return {"arn": bucket.arn, "id": bucket.id}

    assert read_from_another_stack(synthesize, fill) == {
        "arn": "${aws_s3_bucket.logs_eu_west_1.arn}",
        "id": "${aws_s3_bucket.logs_eu_west_1.id}",
    }


def test_keep_versions_is_the_deprecated_name_of_newer_noncurrent_versions(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    add: Any = RegionalBucket

    def fill(stack: HardenedStack) -> None:
        with pytest.warns(DeprecationWarning, match="argument keep_versions is deprecated"):
            add(stack, "logs", region=stack.region("eu-west-1"), log_delivery=True, keep_versions=7)

    (rule,) = part(synth_stack(fill), "lifecycle_configuration", "logs")["rule"]
    assert rule["noncurrent_version_expiration"] == [{"newer_noncurrent_versions": 7, "noncurrent_days": 30}]


def test_exposed_is_the_deprecated_name_of_expose_headers() -> None:
    with pytest.warns(DeprecationWarning, match="argument exposed is deprecated"):
        rule = CorsRule(origins=["https://a.example.com"], methods=["GET"], exposed=["ETag"])  # type: ignore[call-arg]
    assert rule == CorsRule(["https://a.example.com"], ["GET"], expose_headers=["ETag"])
