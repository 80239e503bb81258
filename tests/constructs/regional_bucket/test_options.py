"""A RegionalBucket's CORS rules, inventory, VPC endpoint restriction and replication time control."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    AnyOrigin,
    ConfigurationError,
    CorsRule,
    HardenedStack,
    Inventory,
    MultiRegionKey,
    RegionalBucket,
    RegionalVpc,
)
from constructs_lib.testing import read_stack
from tests.constructs.regional_bucket.buckets import ACCOUNT, ALL, DATA, LOGS, Shop, arn, part, statements

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.testing import SynthesizedStack

REASON = "Fonts that every page on the internet shows"
ORIGIN = "https://shop.example.com"
BUCKET = "${aws_s3_bucket.data_eu_west_1.id}"
ENDPOINTS = "must be a list of VPCs with an S3 gateway endpoint, and of VPC endpoint ids such as 'vpce-0a1b2c3d'"


def build(stack: HardenedStack) -> None:
    eu, us = stack.region("eu-west-1"), stack.region("us-east-1")
    key = MultiRegionKey(stack, "key", region=eu, replicas=[us])
    logs = RegionalBucket(stack, "logs", region=eu, log_delivery=True)
    vpc = RegionalVpc(stack, "vpc", region=eu, cidr="10.0.0.0/16", key=key, zones=["a"], tiers=["private"])
    there = RegionalBucket(stack, "copy", region=us, key=key)
    RegionalBucket(
        stack,
        "data",
        region=eu,
        key=key,
        access_logs=logs,
        replicate_to=there,
        replication_time_control=True,
        cors=[
            CorsRule(
                origins=[ORIGIN, "https://*.example.org:8443"],
                methods=["PUT", "POST"],
                headers=["content-type", "x-amz-*"],
                expose_headers=["ETag"],
                max_age_seconds=0,
            ),
            CorsRule(origins=AnyOrigin(REASON), methods=["GET"]),
        ],
        inventory=Inventory(logs, frequency="Daily", format="CSV"),
        vpc_endpoints=[vpc, "vpce-0123456789abcdef0"],
    )


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    return synth_stack(build)


def test_cors_rules_are_written_as_given(synthesized: SynthesizedStack) -> None:
    part(synthesized, "cors_configuration").assert_config(
        {
            "bucket": BUCKET,
            "cors_rule": [
                {
                    "allowed_origins": [ORIGIN, "https://*.example.org:8443"],
                    "allowed_methods": ["PUT", "POST"],
                    "allowed_headers": ["content-type", "x-amz-*"],
                    "expose_headers": ["ETag"],
                    "max_age_seconds": 0,
                },
                {"allowed_origins": ["*"], "allowed_methods": ["GET"], "max_age_seconds": 300},
            ],
        }
    )


def test_an_inventory_of_all_versions_is_delivered_to_the_log_bucket(synthesized: SynthesizedStack) -> None:
    part(synthesized, "inventory").assert_config(
        {
            "bucket": BUCKET,
            "name": "all-versions",
            "included_object_versions": "All",
            "schedule": {"frequency": "Daily"},
            "optional_fields": [
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
            ],
            "destination": {
                "bucket": {
                    "bucket_arn": arn(LOGS),
                    "account_id": ACCOUNT,
                    "format": "CSV",
                    "prefix": "inventory/data",
                    "encryption": {"sse_s3": {}},
                }
            },
            "depends_on": ["aws_s3_bucket_policy.logs_policy_eu_west_1"],
        }
    )


def test_the_log_bucket_accepts_the_inventory_of_that_bucket_only(synthesized: SynthesizedStack) -> None:
    assert statements(synthesized, "shop/logs/policy-document")["InventoryData"] == {
        "effect": "Allow",
        "actions": ["s3:PutObject"],
        "principals": [{"type": "Service", "identifiers": ["s3.amazonaws.com"]}],
        "resources": [arn(LOGS, "/inventory/data/*")],
        "condition": [
            {"test": "ArnEquals", "variable": "aws:SourceArn", "values": [arn(DATA)]},
            {"test": "StringEquals", "variable": "aws:SourceAccount", "values": [ACCOUNT]},
        ],
    }


def test_requests_for_objects_are_allowed_through_the_endpoints_only(synthesized: SynthesizedStack) -> None:
    assert statements(synthesized, "shop/data/policy-document")["EndpointsOnly"] == {
        "effect": "Deny",
        "actions": [
            "s3:AbortMultipartUpload",
            "s3:DeleteObject",
            "s3:DeleteObjectTagging",
            "s3:DeleteObjectVersion",
            "s3:GetObject",
            "s3:GetObjectTagging",
            "s3:GetObjectVersion",
            "s3:PutObject",
            "s3:PutObjectTagging",
            "s3:RestoreObject",
        ],
        "principals": [ALL],
        "resources": [arn(DATA, "/*")],
        "condition": [
            {
                "test": "StringNotEquals",
                "variable": "aws:SourceVpce",
                "values": ["${aws_vpc_endpoint.vpc_s3_gateway_eu_west_1.id}", "vpce-0123456789abcdef0"],
            },
            {"test": "BoolIfExists", "variable": "aws:ViaAWSService", "values": ["false"]},
            {"test": "BoolIfExists", "variable": "aws:PrincipalIsAWSService", "values": ["false"]},
            {
                "test": "ArnNotLikeIfExists",
                "variable": "aws:PrincipalArn",
                "values": [f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/*"],
            },
        ],
    }


def test_the_endpoint_restriction_denies_no_action_of_the_replication_role(synthesized: SynthesizedStack) -> None:
    refused = set(statements(synthesized, "shop/data/policy-document")["EndpointsOnly"]["actions"])
    role = statements(synthesized, "shop/data/replication-role/policy-document")
    needed = {action for statement in role.values() for action in statement["actions"]}
    assert "s3:ReplicateObject" in needed
    assert needed & refused == set()


def test_replication_time_control_has_a_threshold_of_15_minutes_and_metrics(synthesized: SynthesizedStack) -> None:
    (rule,) = part(synthesized, "replication_configuration")["rule"]
    assert rule["destination"]["replication_time"] == {"status": "Enabled", "time": {"minutes": 15}}
    assert rule["destination"]["metrics"] == {"status": "Enabled", "event_threshold": {"minutes": 15}}


def test_the_options_are_off_by_default(synthesized: SynthesizedStack) -> None:
    for type_ in ("cors_configuration", "inventory"):
        assert len(synthesized.find(f"aws_s3_bucket_{type_}")) == 1
    assert "EndpointsOnly" not in statements(synthesized, "shop/copy/policy-document")


def test_any_origin_is_recorded_with_its_reason(shop: Shop) -> None:
    shop.bucket(cors=[CorsRule([ORIGIN], ["GET"]), CorsRule(AnyOrigin(REASON), ["GET"])])
    assert shop.stack.opt_outs[1:] == [("shop/data", AnyOrigin(REASON))]


def test_an_inventory_is_weekly_and_in_parquet_by_default(shop: Shop, tmp_path: Path) -> None:
    shop.bucket(inventory=Inventory(shop.logs))
    shop.app.synth()
    block = part(read_stack(tmp_path / "cdktf.out/stacks/shop"), "inventory")
    assert (block["schedule"], block["destination"]["bucket"]["format"]) == ({"frequency": "Weekly"}, "Parquet")


def test_a_log_bucket_can_be_restricted_to_vpc_endpoints(shop: Shop, tmp_path: Path) -> None:
    closed = RegionalBucket(
        shop.stack, "closed", region=shop.eu, log_delivery=True, vpc_endpoints=["${var.endpoint_id}"]
    )
    closed.allow_load_balancer_logs()
    shop.app.synth()
    policy = statements(read_stack(tmp_path / "cdktf.out/stacks/shop"), "shop/closed/policy-document")
    outside = next(one for one in policy["EndpointsOnly"]["condition"] if one["variable"] == "aws:SourceVpce")
    assert outside["values"] == ["${var.endpoint_id}"]
    assert [one["actions"] for sid, one in policy.items() if sid.startswith("LoadBalancers")] == [["s3:PutObject"]]


@pytest.mark.parametrize(
    "origin",
    [
        "https://a.example.com",
        "https://*.example.com",
        "https://example.com:8443",
        "https://${aws_x.y.domain}",
        "https://localhost:3000",
        "http://localhost",
        "http://localhost:3000",
    ],
)
def test_an_origin_that_browsers_send_is_accepted(shop: Shop, tmp_path: Path, origin: str) -> None:
    shop.bucket(cors=[CorsRule([origin], ["GET"])])
    shop.app.synth()
    block = part(read_stack(tmp_path / "cdktf.out/stacks/shop"), "cors_configuration")
    assert [one["allowed_origins"] for one in block["cors_rule"]] == [[origin]]


@pytest.mark.parametrize(
    "origin",
    [
        "http://shop.example.com",
        "shop.example.com",
        "https://shop.example.com/",
        "https://Shop.example.com",
        "https://shop.example.com:443",
        "https://*",
        "https://*.com",
        "https://*example.com",
        "https://shop.*.com",
        "http://localhost.example.com",
        "http://localhost:80",
        "${var.origin}",
        "",
    ],
)
def test_an_origin_without_tls_or_that_browsers_never_send_is_refused(shop: Shop, origin: str) -> None:
    assert shop.refusal(cors=[CorsRule([origin], ["GET"])]) == [
        (
            f"cors[0].origins={origin!r}: must be https:// and a host name in lower case, without a path and a default port, "
            "such as 'https://shop.example.com' or 'https://*.example.com'"
        )
    ]


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_http_localhost_is_an_origin_in_dev_only(tmp_path: Path, environment: str) -> None:
    shop = Shop(tmp_path, environment)
    assert shop.refusal(cors=[CorsRule(["http://localhost:3000"], ["GET"])]) == [
        f"cors[0].origins='http://localhost:3000': http is allowed in dev only, not in {environment}"
    ]


def rule(**arguments: Any) -> list[CorsRule]:
    return [CorsRule(**{"origins": [ORIGIN], "methods": ["GET"], **arguments})]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cors": "GET"}, "cors='GET': must be a list of CorsRule(origins, methods)"),
        ({"cors": [ORIGIN]}, f"cors=[{ORIGIN!r}]: must be a list of CorsRule(origins, methods)"),
        (
            {"cors": rule() * 101},
            "cors=101: exceeds the 100 rules that S3 allows; combine origins with the same permissions in one rule",
        ),
        ({"cors": rule(origins=[])}, "cors[0].origins=[]: must be a non-empty list of strings"),
        ({"cors": rule(origins=ORIGIN)}, f"cors[0].origins={ORIGIN!r}: must be a non-empty list of strings"),
        (
            {"cors": rule(origins=[ORIGIN] * 2)},
            f"cors[0].origins={[ORIGIN] * 2!r}: contains duplicates; give each once",
        ),
        (
            {"cors": rule(origins=["*"])},
            "cors[0].origins='*': allows every origin; list the origins, or give AnyOrigin(reason)",
        ),
        ({"cors": rule(methods=())}, "cors[0].methods=(): must be a non-empty list of strings"),
        ({"cors": rule(methods=[1])}, "cors[0].methods=[1]: must be a non-empty list of strings"),
        ({"cors": rule(methods=["PATCH"])}, "cors[0].methods='PATCH': must be one of GET, PUT, POST, DELETE, HEAD"),
        ({"cors": rule(headers="etag")}, "cors[0].headers='etag': must be a list of strings"),
        (
            {"cors": [*rule(), *rule(headers=["*"])]},
            (
                "cors[1].headers='*': must be a header such as 'content-type', or a prefix with a wildcard such as "
                "'x-amz-*'"
            ),
        ),
        (
            {"cors": rule(expose_headers=["x-amz-*"])},
            "cors[0].expose_headers='x-amz-*': must be a header such as 'ETag'; S3 does not allow wildcards here",
        ),
        (
            {"cors": rule(expose_headers=["e tag"])},
            "cors[0].expose_headers='e tag': must be a header such as 'ETag'; S3 does not allow wildcards here",
        ),
        (
            {"cors": rule(max_age_seconds=86401)},
            "cors[0].max_age_seconds=86401: must be a whole number of seconds from 0 to 86400",
        ),
        ({"inventory": "Weekly"}, "inventory='Weekly': must be Inventory(logs) or None"),
        (
            {"inventory": Inventory("logs")},  # type: ignore[arg-type]
            "inventory.logs='logs': must be a RegionalBucket with log_delivery=True",
        ),
        ({"vpc_endpoints": "vpce-0a1b2c3d"}, f"vpc_endpoints='vpce-0a1b2c3d': {ENDPOINTS}"),
        ({"vpc_endpoints": ["vpc-0a1b2c3d"]}, f"vpc_endpoints[0]='vpc-0a1b2c3d': {ENDPOINTS}"),
        ({"vpc_endpoints": ["vpce-0a1b2c3d", 1]}, f"vpc_endpoints[1]=1: {ENDPOINTS}"),
        (
            {"replication_time_control": True},
            "replication_time_control=True: requires replicate_to; give a bucket",
        ),
    ],
)
def test_invalid_options_are_refused(shop: Shop, arguments: dict[str, Any], message: str) -> None:
    assert shop.refusal(**arguments) == [message]


def test_a_hundred_rules_are_accepted(shop: Shop, tmp_path: Path) -> None:
    shop.bucket(cors=rule() * 100)
    shop.app.synth()
    block = part(read_stack(tmp_path / "cdktf.out/stacks/shop"), "cors_configuration")
    assert len(block["cors_rule"]) == 100


def test_an_inventory_needs_a_log_bucket_in_the_same_region_and_stack(shop: Shop) -> None:
    wrong = Inventory(shop.logs, frequency="Monthly", format="ORC")  # type: ignore[arg-type]
    assert shop.refusal(inventory=wrong) == [
        "inventory.frequency='Monthly': must be Daily or Weekly",
        "inventory.format='ORC': must be CSV or Parquet",
    ]
    data = shop.bucket("other")
    assert shop.refusal(inventory=Inventory(data)) == [
        "inventory.logs='shop/other': is not a log bucket; create it with log_delivery=True"
    ]
    there = RegionalBucket(shop.stack, "there", region=shop.us, log_delivery=True)
    assert shop.refusal(inventory=Inventory(there)) == [
        (
            "inventory.logs='shop/there': is in us-east-1 of the stack shop; S3 delivers inventories within a region only, "
            "and this bucket is in eu-west-1 of shop"
        )
    ]


def test_a_vpc_needs_an_s3_gateway_endpoint_in_the_buckets_region(shop: Shop) -> None:
    bare = RegionalVpc(shop.stack, "bare", region=shop.us, cidr="10.0.0.0/16", key=shop.key, gateway_tiers=[])
    assert shop.refusal(vpc_endpoints=[bare]) == [
        (
            "vpc_endpoints[0]='shop/bare': is in us-east-1; a gateway endpoint reaches S3 in its own region only, and the "
            "bucket is in eu-west-1"
        ),
        "vpc_endpoints[0]='shop/bare': has no S3 gateway endpoint; give the VPC gateway_tiers, or give an endpoint id",
    ]


def test_in_china_a_log_bucket_cannot_be_restricted_to_vpc_endpoints(shop: Shop) -> None:
    stack = HardenedStack(shop.app, "china", environment="dev", owner="me")
    with pytest.raises(ConfigurationError) as error:
        RegionalBucket(
            stack, "logs", region=stack.region("cn-north-1"), log_delivery=True, vpc_endpoints=["vpce-0a1b2c3d"]
        )
    assert str(error.value) == (
        "china/logs: vpc_endpoints=['vpce-0a1b2c3d']: cannot be combined with log_delivery in China, where load "
        "balancers deliver logs as an account of AWS"
    )
