"""What the policy of a RegionalBucket says: whom it refuses, and which services may deliver logs to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from constructs_lib.constructs.regional_vpc import Vpc
from constructs_lib.core.iam import Condition, Statement
from constructs_lib.core.stack import Region

MIN_TLS: Final = "1.2"
LOAD_BALANCERS: Final = "logdelivery.elasticloadbalancing.amazonaws.com"
CHINA_LOAD_BALANCERS: Final = {"cn-north-1": "638102146993", "cn-northwest-1": "037604701340"}
"""Elastic Load Balancing's own accounts in China.

The other partitions know the service principal in every region. Their accounts by region, which AWS still accepts,
cannot be narrowed down to one customer's load balancers.

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
"""What is done with objects by who works with them; Terraform and the role of a replication need none of it."""

_EVERYBODY: Final = (("AWS", ("*",)),)
_ENCRYPTION: Final = "s3:x-amz-server-side-encryption"


def modern_tls(arn: str) -> list[Statement]:
    """Refuse connections without TLS, and those with a TLS older than 1.2."""
    conditions = {
        "TlsOnly": Condition("Bool", "aws:SecureTransport", ("false",)),
        # A service that acts by itself sends no version and is not refused.
        "ModernTlsOnly": Condition("NumericLessThan", "s3:TlsVersion", (MIN_TLS,)),
    }
    return [
        Statement(sid, ("s3:*",), (arn, f"{arn}/*"), _EVERYBODY, (condition,), "Deny")
        for sid, condition in conditions.items()
    ]


def own_key_only(arn: str, key_arn: str) -> list[Statement]:
    """Refuse objects that a request wants encrypted otherwise than with the bucket's key.

    A request that says nothing about encryption gets the bucket's default, which is the key.
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
            _EVERYBODY,
            (Condition("Null", variable, ("false",)), Condition("StringNotEquals", variable, (value,))),
            "Deny",
        )
        for sid, (variable, value) in given.items()
    ]


def no_foreign_key(arn: str) -> Statement:
    """Refuse objects encrypted with a key that only the sender has, which nobody else could ever read."""
    condition = Condition("Null", f"{_ENCRYPTION}-customer-algorithm", ("false",))
    return Statement("NoKeyOfTheSender", ("s3:PutObject",), (f"{arn}/*",), _EVERYBODY, (condition,), "Deny")


def no_lost_versions(arn: str) -> Statement:
    """Refuse to delete versions of objects by hand; the lifecycle still expires old ones."""
    return Statement("VersionsStay", ("s3:DeleteObjectVersion",), (f"{arn}/*",), _EVERYBODY, (), "Deny")


def endpoints_only(region: Region, arn: str, endpoints: Sequence[Vpc | str]) -> Statement:
    """Refuse work with objects that comes in by none of some VPC endpoints, unless a service of AWS does it.

    The bucket itself stays within reach from everywhere. `s3:ListBucket` does too: Terraform asks with it whether the
    bucket is there.

    See https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html.
    """
    ids = (each if isinstance(each, str) else region.stack.reach(each.gateway("s3"), "id") for each in endpoints)
    roles = f"arn:{region.partition}:iam::{region.account_id}:role"
    conditions = (
        Condition("StringNotEquals", "aws:SourceVpce", tuple(ids)),
        # Of an unsigned request AWS knows none of these, and it is refused too.
        Condition("BoolIfExists", "aws:ViaAWSService", ("false",)),
        Condition("BoolIfExists", "aws:PrincipalIsAWSService", ("false",)),
        # Only a service can take on a service-linked role; Macie reads objects with one.
        Condition("ArnNotLikeIfExists", "aws:PrincipalArn", (f"{roles}/aws-service-role/*",)),
    )
    return Statement("EndpointsOnly", OBJECT_ACTIONS, (f"{arn}/*",), _EVERYBODY, conditions, "Deny")


def access_logs_from(source_arn: str, source_region: Region, arn: str, prefix: str) -> Statement:
    """Let S3 deliver the access logs of one bucket."""
    return _delivery("AccessLogs", "logging.s3.amazonaws.com", source_arn, source_region, f"{arn}/{prefix}")


def inventory_of(source_arn: str, source_region: Region, arn: str, prefix: str) -> Statement:
    """Let S3 deliver the inventory of one bucket."""
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
    """Let Elastic Load Balancing deliver the access logs of this account's load balancers in the region."""
    sid = "LoadBalancers" + "".join(c for c in prefix.title() if c.isalnum())
    resources = (f"{arn}/{prefix}AWSLogs/{region.account_id}/*",)
    account = CHINA_LOAD_BALANCERS.get(region.name)
    if account:
        root = f"arn:{region.partition}:iam::{account}:root"
        return Statement(sid, ("s3:PutObject",), resources, (("AWS", (root,)),))
    own = Condition("ArnLike", "aws:SourceArn", (region.arn("elasticloadbalancing", "loadbalancer/*"),))
    return Statement(sid, ("s3:PutObject",), resources, (("Service", (LOAD_BALANCERS,)),), (own,))
