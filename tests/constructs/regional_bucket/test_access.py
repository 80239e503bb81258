"""Access to a RegionalBucket: its policy, log delivery, grants, replication."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib import HardenedStack, RegionalBucket
from constructs_lib.core.iam import ServiceRole
from tests.constructs.regional_bucket.buckets import (
    ACCOUNT,
    ALL,
    DATA,
    KEY,
    LOGS,
    REPLICA_KEY,
    arn,
    build,
    part,
    statements,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build, "prod")


def test_the_policy_denies_old_tls_versions_and_other_keys(synthesized: SynthesizedStack) -> None:
    header = "s3:x-amz-server-side-encryption"
    objects = [arn(DATA, "/*")]
    assert statements(synthesized, "shop/data/policy-document") == {
        "TlsOnly": {
            "effect": "Deny",
            "actions": ["s3:*"],
            "principals": [ALL],
            "resources": [arn(DATA), arn(DATA, "/*")],
            "condition": [{"test": "Bool", "variable": "aws:SecureTransport", "values": ["false"]}],
        },
        "ModernTlsOnly": {
            "effect": "Deny",
            "actions": ["s3:*"],
            "principals": [ALL],
            "resources": [arn(DATA), arn(DATA, "/*")],
            "condition": [{"test": "NumericLessThan", "variable": "s3:TlsVersion", "values": ["1.2"]}],
        },
        "NoKeyOfTheSender": {
            "effect": "Deny",
            "actions": ["s3:PutObject"],
            "principals": [ALL],
            "resources": objects,
            "condition": [{"test": "Null", "variable": f"{header}-customer-algorithm", "values": ["false"]}],
        },
        "KeyOnly": {
            "effect": "Deny",
            "actions": ["s3:PutObject"],
            "principals": [ALL],
            "resources": objects,
            "condition": [
                {"test": "Null", "variable": header, "values": ["false"]},
                {"test": "StringNotEquals", "variable": header, "values": ["aws:kms"]},
            ],
        },
        "OwnKeyOnly": {
            "effect": "Deny",
            "actions": ["s3:PutObject"],
            "principals": [ALL],
            "resources": objects,
            "condition": [
                {"test": "Null", "variable": f"{header}-aws-kms-key-id", "values": ["false"]},
                {"test": "StringNotEquals", "variable": f"{header}-aws-kms-key-id", "values": [KEY]},
            ],
        },
    }


def test_the_policy_comes_after_the_public_access_block(synthesized: SynthesizedStack) -> None:
    part(synthesized, "policy").assert_config(
        {
            "bucket": "${aws_s3_bucket.data_eu_west_1.id}",
            "policy": "${data.aws_iam_policy_document.data_policy_document_eu_west_1.json}",
            "depends_on": ["aws_s3_bucket_public_access_block.data_public_access_eu_west_1"],
        }
    )


def test_access_logs_go_to_a_bucket_whose_policy_allows_the_delivery(synthesized: SynthesizedStack) -> None:
    for bucket in ("data", "logs"):
        part(synthesized, "logging", bucket).assert_config(
            {
                "bucket": f"${{aws_s3_bucket.{bucket}_eu_west_1.id}}",
                "target_bucket": "${aws_s3_bucket.logs_eu_west_1.id}",
                "target_prefix": f"access-log/{bucket}/",
                "depends_on": ["aws_s3_bucket_policy.logs_policy_eu_west_1"],
            }
        )
    found = statements(synthesized, "shop/logs/policy-document")
    assert found["AccessLogsData"] == {
        "effect": "Allow",
        "actions": ["s3:PutObject"],
        "principals": [{"type": "Service", "identifiers": ["logging.s3.amazonaws.com"]}],
        "resources": [arn(LOGS, "/access-log/data/*")],
        "condition": [
            {"test": "ArnEquals", "variable": "aws:SourceArn", "values": [arn(DATA)]},
            {"test": "StringEquals", "variable": "aws:SourceAccount", "values": [ACCOUNT]},
        ],
    }
    assert list(found) == [
        "TlsOnly",
        "ModernTlsOnly",
        "NoKeyOfTheSender",
        "AccessLogsLogs",
        "LoadBalancers",
        "LoadBalancersWeb",
        "AccessLogsData",
    ]


def test_load_balancers_of_this_account_and_region_may_deliver_logs(synthesized: SynthesizedStack) -> None:
    found = statements(synthesized, "shop/logs/policy-document")
    for sid, prefix in (("LoadBalancers", "/"), ("LoadBalancersWeb", "/web/")):
        assert found[sid] == {
            "effect": "Allow",
            "actions": ["s3:PutObject"],
            "principals": [{"type": "Service", "identifiers": ["logdelivery.elasticloadbalancing.amazonaws.com"]}],
            "resources": [arn(LOGS, f"{prefix}AWSLogs/{ACCOUNT}/*")],
            "condition": [
                {
                    "test": "ArnLike",
                    "variable": "aws:SourceArn",
                    "values": [f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:loadbalancer/*"],
                }
            ],
        }


@pytest.mark.parametrize(("region", "account"), [("cn-north-1", "638102146993"), ("cn-northwest-1", "037604701340")])
def test_in_china_load_balancers_deliver_as_an_account_of_the_region(
    synth_stack: Callable[..., SynthesizedStack], region: str, account: str
) -> None:
    def fill(stack: HardenedStack) -> None:
        place = stack.region(region)
        RegionalBucket(stack, "logs", region=place, log_delivery=True).allow_load_balancer_logs()

    found = statements(synth_stack(fill), "shop/logs/policy-document")["LoadBalancers"]
    assert found["principals"] == [{"type": "AWS", "identifiers": [f"arn:aws-cn:iam::{account}:root"]}]
    assert "condition" not in found


@pytest.mark.parametrize(
    ("region", "partition"), [("us-gov-west-1", "aws-us-gov"), ("ap-southeast-7", "aws"), ("af-south-1", "aws")]
)
def test_in_govcloud_and_opt_in_regions_load_balancers_deliver_as_the_service(
    synth_stack: Callable[..., SynthesizedStack], region: str, partition: str
) -> None:
    def fill(stack: HardenedStack) -> None:
        RegionalBucket(stack, "logs", region=stack.region(region), log_delivery=True).allow_load_balancer_logs()

    found = statements(synth_stack(fill), "shop/logs/policy-document")["LoadBalancers"]
    account = f"${{data.aws_caller_identity.current_{region.replace('-', '_')}.account_id}}"
    assert found["principals"] == [
        {"type": "Service", "identifiers": ["logdelivery.elasticloadbalancing.amazonaws.com"]}
    ]
    assert found["condition"][0]["values"] == [
        f"arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/*"
    ]


def test_all_objects_are_replicated_and_encrypted_with_the_other_regions_key(synthesized: SynthesizedStack) -> None:
    part(synthesized, "replication_configuration").assert_config(
        {
            "bucket": "${aws_s3_bucket.data_eu_west_1.id}",
            "role": "${aws_iam_role.data_replication_role_eu_west_1.arn}",
            "rule": [
                {
                    "id": "everything",
                    "priority": 0,
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "delete_marker_replication": {"status": "Enabled"},
                    "source_selection_criteria": {"sse_kms_encrypted_objects": {"status": "Enabled"}},
                    "destination": {
                        "bucket": "${aws_s3_bucket.copy_us_east_1.arn}",
                        "encryption_configuration": {"replica_kms_key_id": REPLICA_KEY},
                    },
                }
            ],
            "depends_on": [
                "aws_s3_bucket_versioning.data_versioning_eu_west_1",
                "aws_s3_bucket_versioning.copy_versioning_us_east_1",
                "aws_iam_role_policy.data_replication_role_policy_eu_west_1",
                "aws_s3_bucket_object_lock_configuration.copy_lock_us_east_1",
            ],
        }
    )


def test_the_replication_role_reads_the_source_and_writes_the_destination(synthesized: SynthesizedStack) -> None:
    copy = "aws_s3_bucket.copy_us_east_1"
    (trust,) = statements(synthesized, "shop/data/replication-role/trust").values()
    assert trust["principals"] == [{"type": "Service", "identifiers": ["s3.amazonaws.com"]}]
    assert statements(synthesized, "shop/data/replication-role/policy-document") == {
        "ReadRules": {
            "effect": "Allow",
            "actions": ["s3:GetReplicationConfiguration", "s3:ListBucket"],
            "resources": [arn(DATA)],
        },
        "ReadVersions": {
            "effect": "Allow",
            "actions": [
                "s3:GetObjectVersionAcl",
                "s3:GetObjectVersionForReplication",
                "s3:GetObjectVersionTagging",
                "s3:GetObjectLegalHold",
                "s3:GetObjectRetention",
            ],
            "resources": [arn(DATA, "/*")],
        },
        "WriteCopies": {
            "effect": "Allow",
            "actions": ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"],
            "resources": [arn(copy, "/*")],
        },
        "Decrypt": {
            "effect": "Allow",
            "actions": ["kms:Decrypt"],
            "resources": [KEY],
            "condition": [
                {"test": "StringEquals", "variable": "kms:ViaService", "values": ["s3.eu-west-1.amazonaws.com"]},
                {"test": "StringEquals", "variable": "kms:EncryptionContext:aws:s3:arn", "values": [arn(DATA)]},
            ],
        },
        "Encrypt": {
            "effect": "Allow",
            "actions": ["kms:Encrypt", "kms:GenerateDataKey"],
            "resources": [REPLICA_KEY],
            "condition": [
                {"test": "StringEquals", "variable": "kms:ViaService", "values": ["s3.us-east-1.amazonaws.com"]},
                {"test": "StringEquals", "variable": "kms:EncryptionContext:aws:s3:arn", "values": [arn(copy)]},
            ],
        },
    }


def test_grants_are_narrowed_to_a_prefix_and_bring_the_key(synthesized: SynthesizedStack) -> None:
    assert statements(synthesized, "shop/worker/policy-document") == {
        "ListDataIn": {
            "effect": "Allow",
            "actions": ["s3:ListBucket"],
            "resources": [arn(DATA)],
            "condition": [{"test": "StringLike", "variable": "s3:prefix", "values": ["in/*"]}],
        },
        "ReadDataIn": {"effect": "Allow", "actions": ["s3:GetObject"], "resources": [arn(DATA, "/in/*")]},
        "DecryptData": {"effect": "Allow", "actions": ["kms:Decrypt"], "resources": [KEY]},
        "WriteDataOut": {
            "effect": "Allow",
            "actions": ["s3:AbortMultipartUpload", "s3:PutObject"],
            "resources": [arn(DATA, "/out/*")],
        },
        "EncryptData": {"effect": "Allow", "actions": ["kms:Decrypt", "kms:GenerateDataKey"], "resources": [KEY]},
        "ListLogs": {"effect": "Allow", "actions": ["s3:ListBucket"], "resources": [arn(LOGS)]},
        "ReadLogs": {"effect": "Allow", "actions": ["s3:GetObject"], "resources": [arn(LOGS, "/*")]},
    }


def test_grants_of_any_prefixes_have_names_that_iam_takes_once(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1")
        logs = RegionalBucket(stack, "logs", region=region, log_delivery=True)
        role = ServiceRole(stack, "worker", region=region, service="ec2.amazonaws.com", description="d", statements=[])
        for prefix in ("in/a", "in-a", "größe/", "in/a"):
            logs.grant_write(role, prefix)

    found = statements(synth_stack(fill), "shop/worker/policy-document")
    assert {sid: statement["resources"] for sid, statement in found.items()} == {
        "WriteLogsInA": [arn(LOGS, "/in/a*")],
        "WriteLogsInA2": [arn(LOGS, "/in-a*")],
        "WriteLogsGrE": [arn(LOGS, "/größe/*")],
    }
