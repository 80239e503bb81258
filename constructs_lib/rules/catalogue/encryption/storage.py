"""Encryption of volumes, file systems, log groups, streams and trails."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, expect, expect_flag, expect_set
from constructs_lib.rules.queries.links import LOG_GROUP
from constructs_lib.rules.rule import PRODUCTION, REMOVED, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate
    from constructs_lib.rules.estate.values import Unknown
    from constructs_lib.rules.outcomes import Outcome

_VOLUME: Final = "aws_ebs_volume"
_COPY: Final = "aws_ebs_snapshot_copy"
_DISKS: Final = ("root_block_device", "ebs_block_device")
_BY_DEFAULT: Final = "aws_ebs_encryption_by_default"

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_kms_key": {"data": {"enable_key_rotation": True}},
        LOG_GROUP: {"app": {"name": "/shop/prod/app", "kms_key_id": "${aws_kms_key.data.arn}"}},
        _VOLUME: {"data": {"availability_zone": "eu-west-1a", "size": 100, "encrypted": True}},
        "aws_instance": {
            "web": {
                "instance_type": "t4g.small",
                "root_block_device": {"encrypted": True},
                "ebs_block_device": [{"device_name": "/dev/sdf", "encrypted": True}],
            }
        },
        "aws_efs_file_system": {"shared": {"encrypted": True}},
        "aws_kinesis_stream": {
            "events": {"name": "shop-prod", "encryption_type": "KMS", "kms_key_id": "${aws_kms_key.data.arn}"}
        },
        "aws_kinesis_firehose_delivery_stream": {
            "lake": {"name": "shop-prod-lake", "server_side_encryption": {"enabled": True}}
        },
        "aws_cloudtrail": {"all": {"name": "shop-prod", "kms_key_id": "${aws_kms_key.data.arn}"}},
    }
}


@rule(
    "ENC-005",
    "CloudWatch log group is encrypted with a customer managed key",
    why="Logs contain data of users and applications; without a customer managed key no key policy controls or "
    "revokes access.",
    fix="Set kms_key_id to the ARN of a customer managed key whose policy allows CloudWatch Logs.",
    page=f"{AWS}/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
    types=[LOG_GROUP],
    severity=PRODUCTION,
    lessons=["TRD-11"],
    frameworks=Frameworks(checkov=("CKV_AWS_158",)),
    good=_GOOD,
    breaks=[
        {f"resource.{LOG_GROUP}.app.kms_key_id": REMOVED},
        {f"resource.{LOG_GROUP}.app.kms_key_id": ""},
    ],
)
def log_group_has_a_customer_key(group: Block) -> Iterator[Outcome]:
    """CloudWatch Logs encrypts with a key of its own by default."""
    yield from expect_set(group, "kms_key_id", "must be the ARN of a customer managed key")


@rule(
    "ENC-006",
    "EBS volumes and snapshot copies are encrypted",
    why="Anyone with access to a snapshot or disk can read the data. An existing volume cannot be encrypted.",
    fix="Set encrypted to true, or enable aws_ebs_encryption_by_default for the region.",
    page=f"{AWS}/ebs/latest/userguide/ebs-encryption.html",
    types=[_VOLUME, _COPY, "aws_instance"],
    frameworks=Frameworks(fsbp=("EC2.3",), pci=("3.5.1",), checkov=("CKV_AWS_3", "CKV_AWS_8")),
    good=_GOOD,
    breaks=[
        {f"resource.{_VOLUME}.data.encrypted": False},
        {f"resource.{_VOLUME}.data.encrypted": REMOVED},
        {"resource.aws_instance.web.root_block_device": REMOVED},
        {"resource.aws_instance.web.root_block_device.encrypted": "false"},
        {"resource.aws_instance.web.ebs_block_device.0.encrypted": REMOVED},
        {f"resource.{_COPY}": {"far": {"source_snapshot_id": "snap-1", "source_region": "eu-west-1"}}},
    ],
)
def volumes_are_encrypted(block: Block) -> Iterator[Outcome]:
    """Volumes from a snapshot or image inherit its encryption, which is decided elsewhere."""
    by_default = _by_default(block.estate, block.stack.name, block.region)
    text = f"must be true; or enable {_BY_DEFAULT} for the region"
    if by_default:
        yield NotApplicable("the region encrypts new volumes by default")
    elif block.type != "aws_instance":
        if block.type == _COPY or block.raw("snapshot_id") is None:
            yield from expect_flag(block, "encrypted", text)
    else:
        yield from _disks(block, text)


def _disks(instance: Block, text: str) -> Iterator[Outcome]:
    if not instance.sections(_DISKS[0]) and instance.raw("launch_template") is None:
        yield instance.fail("must set encrypted to true, or the root volume is not encrypted", _DISKS[0])
    for label in _DISKS:
        for section in instance.sections(label):
            if section.raw("snapshot_id") is None:
                yield from expect_flag(section, "encrypted", text)


@lru_cache(maxsize=64)
def _by_default(estate: Estate, stack: str, region: str | Unknown) -> bool:
    """Return whether the estate enables encryption by default in the region."""
    return any(
        block.flag("enabled", default=True) is True
        and (block.region == region if isinstance(region, str) else block.stack.name == stack)
        for block in estate.of(_BY_DEFAULT)
    )


@rule(
    "ENC-007",
    "EFS file systems, Kinesis and Firehose streams, and CloudTrail trails are encrypted",
    why="Data is stored in plain text, or with a key that no key policy controls. An existing file system cannot be "
    "encrypted.",
    fix='Set encrypted (EFS), encryption_type "KMS" (Kinesis), server_side_encryption with enabled = true '
    "(Firehose) or kms_key_id (CloudTrail).",
    page=f"{AWS}/prescriptive-guidance/latest/encryption-best-practices/welcome.html",
    types=[
        "aws_efs_file_system",
        "aws_kinesis_stream",
        "aws_kinesis_firehose_delivery_stream",
        "aws_cloudtrail",
    ],
    frameworks=Frameworks(
        fsbp=("EFS.1", "Kinesis.1", "CloudTrail.2"),
        cis=("2.4.1", "3.5"),
        checkov=("CKV_AWS_42", "CKV_AWS_43", "CKV_AWS_35", "CKV_AWS_240"),
    ),
    severity=PRODUCTION,
    good=_GOOD,
    breaks=[
        {"resource.aws_efs_file_system.shared.encrypted": REMOVED},
        {"resource.aws_kinesis_stream.events.encryption_type": "NONE"},
        {"resource.aws_kinesis_stream.events.encryption_type": REMOVED},
        {"resource.aws_kinesis_firehose_delivery_stream.lake.server_side_encryption": REMOVED},
        {"resource.aws_kinesis_firehose_delivery_stream.lake.server_side_encryption.enabled": False},
        {"resource.aws_cloudtrail.all.kms_key_id": REMOVED},
    ],
)
def stores_are_encrypted(block: Block) -> Iterator[Outcome]:
    """A delivery stream with a Kinesis or MSK source uses the encryption of its source."""
    if block.type == "aws_efs_file_system":
        yield from expect_flag(block, "encrypted", "must be true; an existing file system cannot be encrypted")
    elif block.type == "aws_kinesis_stream":
        yield from expect(block, "encryption_type", lambda value: value == "KMS", 'must be "KMS"')
    elif block.type == "aws_cloudtrail":
        yield from expect_set(
            block, "kms_key_id", "must be a customer managed key: the trail records all activity in the account"
        )
    elif block.raw("kinesis_source_configuration") is not None or block.raw("msk_source_configuration") is not None:
        yield NotApplicable("its source is encrypted")
    elif not block.sections("server_side_encryption"):
        yield block.fail("must set enabled to true", "server_side_encryption")
    else:
        for section in block.sections("server_side_encryption"):
            yield from expect_flag(section, "enabled", "must be true")
