"""Statements of the bucket policy: denials for all principals, and services that may deliver logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from constructs_lib.constructs.regional_vpc import Vpc
from constructs_lib.core.iam import Condition, Statement
from constructs_lib.core.stack import Region

MIN_TLS: Final = "1.2"
LOAD_BALANCERS: Final = "logdelivery.elasticloadbalancing.amazonaws.com"
CHINA_LOAD_BALANCERS: Final = {"cn-north-1": "638102146993", "cn-northwest-1": "037604701340"}
"""Elastic Load Balancing's accounts in the regions in China.

In other partitions the service principal works in every region. Elastic Load Balancing's accounts there, which AWS
still accepts, do not support a condition on the load balancer.

See https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html.
"""
OBJECT_ACTIONS: Final = (
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
)
"""Actions of clients on objects; Terraform and the replication role need none of them."""

_ANY_PRINCIPAL: Final = (("AWS", ("*",)),)
_ENCRYPTION: Final = "s3:x-amz-server-side-encryption"


def minimum_tls(arn: str) -> list[Statement]:
    """Deny requests without TLS or with a version below 1.2."""
    conditions = {
        "TlsOnly": Condition("Bool", "aws:SecureTransport", ("false",)),
        # Requests of AWS services have no TLS version and are not denied.
        "ModernTlsOnly": Condition("NumericLessThan", "s3:TlsVersion", (MIN_TLS,)),
    }
    return [
        Statement(sid, ("s3:*",), (arn, f"{arn}/*"), _ANY_PRINCIPAL, (condition,), "Deny")
        for sid, condition in conditions.items()
    ]


def bucket_key_only(arn: str, key_arn: str) -> list[Statement]:
    """Deny uploads that request encryption with anything but the bucket's key.

    Uploads without encryption headers get the bucket's default encryption, which is the key.
    """
    given = {
        "KeyOnly": (_ENCRYPTION, "aws:kms"),
        "OwnKeyOnly": (f"{_ENCRYPTION}-aws-kms-key-id", key_arn),
    }
    return [
        Statement(
            sid,
            ("s3:PutObject",),
            (f"{arn}/*",),
            _ANY_PRINCIPAL,
            (Condition("Null", variable, ("false",)), Condition("StringNotEquals", variable, (value,))),
            "Deny",
        )
        for sid, (variable, value) in given.items()
    ]


def no_customer_provided_key(arn: str) -> Statement:
    """Deny uploads with customer-provided keys (SSE-C): without the client's key they cannot be read."""
    condition = Condition("Null", f"{_ENCRYPTION}-customer-algorithm", ("false",))
    return Statement("NoKeyOfTheSender", ("s3:PutObject",), (f"{arn}/*",), _ANY_PRINCIPAL, (condition,), "Deny")


def no_version_deletion(arn: str) -> Statement:
    """Deny the deletion of object versions; lifecycle rules still expire noncurrent ones."""
    return Statement("VersionsStay", ("s3:DeleteObjectVersion",), (f"{arn}/*",), _ANY_PRINCIPAL, (), "Deny")


def endpoints_only(region: Region, arn: str, endpoints: Sequence[Vpc | str]) -> Statement:
    """Deny requests for objects that come through none of the VPC endpoints, except those of AWS services.

    Requests for the bucket's configuration are not denied, and neither is `s3:ListBucket`: Terraform checks with it
    whether the bucket exists.

    See https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html.
    """
    ids = (each if isinstance(each, str) else region.stack.reach(each.gateway("s3"), "id") for each in endpoints)
    roles = f"arn:{region.partition}:iam::{region.account_id}:role"
    conditions = (
        Condition("StringNotEquals", "aws:SourceVpce", tuple(ids)),
        # IfExists: the keys are absent from unsigned requests, which are denied too.
        Condition("BoolIfExists", "aws:ViaAWSService", ("false",)),
        Condition("BoolIfExists", "aws:PrincipalIsAWSService", ("false",)),
        # Only an AWS service can assume a service-linked role; Macie reads objects with one.
        Condition("ArnNotLikeIfExists", "aws:PrincipalArn", (f"{roles}/aws-service-role/*",)),
    )
    return Statement("EndpointsOnly", OBJECT_ACTIONS, (f"{arn}/*",), _ANY_PRINCIPAL, conditions, "Deny")


def access_logs_from(source_arn: str, source_region: Region, arn: str, prefix: str) -> Statement:
    """Allow S3 to deliver the server access logs of one bucket."""
    return _delivery("AccessLogs", "logging.s3.amazonaws.com", source_arn, source_region, f"{arn}/{prefix}")


def inventory_of(source_arn: str, source_region: Region, arn: str, prefix: str) -> Statement:
    """Allow S3 to deliver the inventory reports of one bucket."""
    return _delivery("Inventory", "s3.amazonaws.com", source_arn, source_region, f"{arn}/{prefix}")


def _delivery(kind: str, service: str, source_arn: str, source_region: Region, objects: str) -> Statement:
    return Statement(
        sid=kind + "".join(part.title() for part in objects.rstrip("/").split("/")[-1].split("-")),
        actions=("s3:PutObject",),
        resources=(f"{objects}*",),
        principals=(("Service", (service,)),),
        conditions=(
            Condition("ArnEquals", "aws:SourceArn", (source_arn,)),
            Condition("StringEquals", "aws:SourceAccount", (source_region.account_id,)),
        ),
    )


def load_balancer_logs(region: Region, arn: str, prefix: str) -> Statement:
    """Allow Elastic Load Balancing to deliver access logs of load balancers in this account and region."""
    sid = "LoadBalancers" + "".join(c for c in prefix.title() if c.isalnum())
    resources = (f"{arn}/{prefix}AWSLogs/{region.account_id}/*",)
    account = CHINA_LOAD_BALANCERS.get(region.name)
    if account:
        root = f"arn:{region.partition}:iam::{account}:root"
        return Statement(sid, ("s3:PutObject",), resources, (("AWS", (root,)),))
    own = Condition("ArnLike", "aws:SourceArn", (region.arn("elasticloadbalancing", "loadbalancer/*"),))
    return Statement(sid, ("s3:PutObject",), resources, (("Service", (LOAD_BALANCERS,)),), (own,))
