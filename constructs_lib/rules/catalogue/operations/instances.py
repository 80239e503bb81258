"""EC2 instances, launch templates and AMIs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, expect_flag
from constructs_lib.rules.queries.instances import CONFIGURATION, EC2, GROUP, INSTANCE, MAKERS, SCALING, TEMPLATE
from constructs_lib.rules.queries.links import is_given, sources, undecidable
from constructs_lib.rules.rule import ADVICE, REMOVED, WARNING, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Section
    from constructs_lib.rules.outcomes import Outcome

_IMAGE: Final = re.compile(r"ami-[0-9a-f]{8,17}")
_BY_DEFAULT: Final = "aws_ebs_encryption_by_default"
_TEMPLATE: Final = "resource.aws_launch_template.web"
_INSTANCE: Final = "resource.aws_instance.tool"
_OLD: Final = "resource.aws_launch_configuration"

_GOOD: Final[dict[str, Any]] = {
    "data": {
        "aws_ssm_parameter": {
            "image": {"name": "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"}
        },
        "aws_ami": {"base": {"most_recent": True, "owners": ["amazon"]}},
    },
    "resource": {
        "aws_launch_template": {
            "web": {
                "name": "shop-prod-web",
                "image_id": "${data.aws_ssm_parameter.image.value}",
                "metadata_options": {"http_tokens": "required", "http_put_response_hop_limit": 1},
                "monitoring": {"enabled": True},
                "network_interfaces": [{"associate_public_ip_address": False}],
                "block_device_mappings": [{"device_name": "/dev/xvda", "ebs": {"encrypted": True}}],
            }
        },
        "aws_instance": {
            "tool": {
                "ami": "${data.aws_ami.base.id}",
                "metadata_options": {"http_tokens": "required"},
                "monitoring": True,
                "associate_public_ip_address": False,
            }
        },
        "aws_autoscaling_group": {"web": {"launch_template": {"id": "${aws_launch_template.web.id}"}}},
    },
}


def _is_by_template(instance: Block, at: str) -> bool:
    """Whether the launch template of an instance sets an argument."""
    return instance.type == INSTANCE and instance.raw("launch_template") is not None and instance.raw(at) is None


@rule(
    "OPS-010",
    "EC2 instance requires IMDSv2",
    why="With IMDSv1, one request forged through the application (SSRF) reads the credentials of the instance role.",
    fix='Set metadata_options.http_tokens to "required".',
    page=f"{EC2}/configuring-instance-metadata-service.html",
    types=MAKERS,
    severity=WARNING,
    lessons=["TRD-7"],
    frameworks=Frameworks(fsbp=("EC2.8", "EC2.170", "AutoScaling.3"), cis=("5.6",), checkov=("CKV_AWS_79",)),
    good=_GOOD,
    breaks=[
        {f"{_TEMPLATE}.metadata_options": REMOVED},
        {f"{_TEMPLATE}.metadata_options": [{"http_tokens": "optional"}]},
        {f"{_INSTANCE}.metadata_options.http_tokens": REMOVED},
        {_OLD: {"web": {"image_id": "${data.aws_ami.base.id}"}}},
    ],
)
def imdsv2_is_required(instance: Block) -> Iterator[Outcome]:
    """Accept a disabled metadata service."""
    if _is_by_template(instance, "metadata_options"):
        yield NotApplicable("its launch template sets metadata_options")
        return
    section: Section = instance.section("metadata_options") or instance
    at = "metadata_options" if section is instance else "http_tokens"
    if section is not instance and section.get("http_endpoint") == "disabled":
        return
    value = section.get(at)
    if isinstance(value, Unknown):
        yield section.undecided(value, at)
    elif value != "required":
        named = "have http_tokens = " if section is instance else "be "
        yield section.fail(f'must {named}"required", which disables IMDSv1', at)


@rule(
    "OPS-011",
    "EC2 instance metadata hop limit is 1",
    why="With a higher limit, containers and proxies on the instance can read the credentials of the instance role.",
    fix="Set metadata_options.http_put_response_hop_limit to 1, and use task roles or pod roles for containers.",
    page=f"{EC2}/configuring-IMDS-existing-instances.html",
    types=MAKERS,
    severity=ADVICE,
    frameworks=Frameworks(fsbp=("AutoScaling.4",), checkov=("CKV_AWS_341",)),
    good=_GOOD,
    breaks=[
        {f"{_TEMPLATE}.metadata_options.http_put_response_hop_limit": 2},
        {f"{_INSTANCE}.metadata_options": [{"http_tokens": "required", "http_put_response_hop_limit": "3"}]},
    ],
)
def hop_limit_is_one(instance: Block) -> Iterator[Outcome]:
    """The default is 1, unless the AMI sets another."""
    for section in instance.sections("metadata_options"):
        value = section.number("http_put_response_hop_limit")
        if isinstance(value, Unknown):
            yield section.undecided(value, "http_put_response_hop_limit")
        elif value is not None and value > 1:
            yield section.fail(
                "must be 1, unless containers need the role of the instance", "http_put_response_hop_limit"
            )


@rule(
    "OPS-012",
    "EC2 instance has no public IPv4 address",
    why="A public address makes every open port of the instance reachable from the internet.",
    fix="Set associate_public_ip_address to false, and use a load balancer for clients and Session Manager for "
    "administrators.",
    page=f"{EC2}/using-instance-addressing.html",
    types=MAKERS,
    severity=WARNING,
    frameworks=Frameworks(fsbp=("EC2.9", "EC2.25", "AutoScaling.5"), pci=("1.4.4",), checkov=("CKV_AWS_88",)),
    good=_GOOD,
    breaks=[
        {f"{_TEMPLATE}.network_interfaces.0.associate_public_ip_address": True},
        {f"{_TEMPLATE}.network_interfaces": {"associate_public_ip_address": "true"}},
        {f"{_INSTANCE}.associate_public_ip_address": True},
        {_OLD: {"web": {"associate_public_ip_address": True}}},
    ],
)
def instance_has_no_public_address(instance: Block) -> Iterator[Outcome]:
    """The default is that of the subnet, which NET-012 checks."""
    for section in instance.sections("network_interfaces") if instance.type == TEMPLATE else [instance]:
        yield from expect_flag(
            section,
            "associate_public_ip_address",
            "must be false; use a load balancer or Session Manager to reach the instance",
            wanted=False,
        )


@rule(
    "OPS-013",
    "Launch template encrypts its EBS volumes",
    why="Everyone with access to an unencrypted volume or snapshot can read its data.",
    fix=f"Set ebs.encrypted to true in block_device_mappings, or enable encryption for the region with {_BY_DEFAULT}.",
    page=f"{AWS}/ebs/latest/userguide/ebs-encryption.html",
    types=[TEMPLATE, CONFIGURATION],
    severity=WARNING,
    frameworks=Frameworks(pci=("3.5.1",), checkov=("CKV_AWS_8",)),
    good=_GOOD,
    breaks=[
        {f"{_TEMPLATE}.block_device_mappings.0.ebs.encrypted": REMOVED},
        {f"{_TEMPLATE}.block_device_mappings.0.ebs": [{"encrypted": "false"}]},
        {f"{_TEMPLATE}.block_device_mappings": REMOVED},
        {_OLD: {"web": {"root_block_device": {"volume_size": 20}}}},
    ],
)
def volumes_are_encrypted(maker: Block) -> Iterator[Outcome]:
    """Skip volumes from snapshots, which inherit the encryption, and regions that encrypt by default."""
    if any(each.flag("enabled", default=True) is True and each.region == maker.region for each in _defaults(maker)):
        yield NotApplicable("EBS encryption by default is enabled in the region")
        return
    names = ("block_device_mappings",) if maker.type == TEMPLATE else ("root_block_device", "ebs_block_device")
    devices = [device for name in names for device in maker.sections(name)]
    volumes = [
        volume for device in devices for volume in (device.sections("ebs") if maker.type == TEMPLATE else [device])
    ]
    if not devices:
        yield maker.fail("must contain the root device with encrypted = true; the default is false", names[0])
    for volume in volumes:
        if not is_given(volume.get("snapshot_id")):
            yield from expect_flag(volume, "encrypted", "must be true; the default is false")


def _defaults(maker: Block) -> list[Block]:
    return maker.estate.of(_BY_DEFAULT)


@rule(
    "OPS-014",
    "EC2 instance has no key pair",
    why="A private key gives access to every instance, can be copied, and stays valid when its owner leaves.",
    fix="Remove key_name, and use Session Manager, which authorizes with IAM and logs sessions.",
    page=f"{AWS}/systems-manager/latest/userguide/session-manager.html",
    types=MAKERS,
    severity=ADVICE,
    good=_GOOD,
    breaks=[
        {f"{_TEMPLATE}.key_name": "ops"},
        {f"{_INSTANCE}.key_name": "${aws_key_pair.ops.key_name}", "resource.aws_key_pair": {"ops": {}}},
    ],
)
def instance_has_no_key_pair(instance: Block) -> Iterator[Outcome]:
    """Accept an empty name."""
    value = instance.get("key_name")
    if unknown := undecidable(value):
        yield instance.undecided(unknown, "key_name")
    elif is_given(value):
        yield instance.fail("must not be set; use Session Manager, which needs no key pair", "key_name")


@rule(
    "OPS-015",
    "EC2 instance has detailed monitoring enabled",
    why="With one data point every five minutes, alarms and Auto Scaling react late.",
    fix="Set monitoring to true, or monitoring.enabled of a launch template.",
    page=f"{EC2}/manage-detailed-monitoring.html",
    types=MAKERS,
    severity=ADVICE,
    frameworks=Frameworks(checkov=("CKV_AWS_126",)),
    good=_GOOD,
    breaks=[
        {f"{_TEMPLATE}.monitoring": REMOVED},
        {f"{_TEMPLATE}.monitoring": [{"enabled": "false"}]},
        {f"{_INSTANCE}.monitoring": REMOVED},
    ],
)
def detailed_monitoring_is_enabled(instance: Block) -> Iterator[Outcome]:
    """The default of a launch configuration is true."""
    at = {TEMPLATE: "monitoring.enabled", INSTANCE: "monitoring", CONFIGURATION: "enable_monitoring"}[instance.type]
    if _is_by_template(instance, at):
        yield NotApplicable("its launch template sets monitoring")
        return
    yield from expect_flag(
        instance, at, "must be true, for metrics at one-minute intervals", default=instance.type == CONFIGURATION
    )


@rule(
    "OPS-016",
    "Auto Scaling group uses a launch template",
    why="Launch configurations are deprecated: new accounts cannot create them, and they do not support new instance "
    "types.",
    fix="Replace aws_launch_configuration with aws_launch_template.",
    page=f"{SCALING}/launch-configurations.html",
    types=[CONFIGURATION, GROUP],
    severity=WARNING,
    frameworks=Frameworks(fsbp=("AutoScaling.9",), checkov=("CKV_AWS_315",)),
    good=_GOOD,
    breaks=[
        {_OLD: {"web": {"image_id": "${data.aws_ami.base.id}"}}},
        {
            "resource.aws_autoscaling_group.web": {"launch_configuration": "shop-prod-web"},
        },
    ],
)
def launch_templates_are_used(block: Block) -> Iterator[Outcome]:
    """Report a group only if its launch configuration is not in the estate."""
    if block.type == CONFIGURATION:
        yield block.fail("must not be used: launch configurations are deprecated; use aws_launch_template")
    elif block.raw("launch_configuration") is not None and not block.target("launch_configuration", CONFIGURATION):
        value = block.get("launch_configuration")
        if isinstance(value, Unknown):
            yield block.undecided(value, "launch_configuration")
        else:
            yield block.fail(
                "must not be set: launch configurations are deprecated; use launch_template", "launch_configuration"
            )


@rule(
    "OPS-025",
    "AMI ID is not hard-coded",
    why="A hard-coded AMI exists in one region only, misses later security patches, and is deprecated after a while.",
    fix="Read the ID from a public SSM parameter of AWS, or from an aws_ami data source with owners.",
    page=f"{AWS}/systems-manager/latest/userguide/parameter-store-public-parameters-ami.html",
    types=MAKERS,
    severity=Severity("info", "info", "info"),
    good=_GOOD,
    breaks=[{f"{_TEMPLATE}.image_id": "ami-0a1b2c3d4e5f60718"}, {f"{_INSTANCE}.ami": "ami-0a1b2c3d"}],
)
def image_is_not_hard_coded(instance: Block) -> Iterator[Outcome]:
    """Accept variables, with which a pipeline can pin an AMI."""
    at = "ami" if instance.type == INSTANCE else "image_id"
    value = instance.get(at)
    if isinstance(value, Unknown):
        if undecidable(value) and not sources(instance, at):
            yield instance.undecided(value, at)
    elif _IMAGE.fullmatch(str(value)) and "${" not in str(instance.raw(at)):
        yield instance.fail("must not be hard-coded; read the ID from an SSM parameter or data source", at)


@rule(
    "OPS-026",
    "AMI data source has owners",
    why="Anyone can publish an AMI with a matching name, and most_recent selects it.",
    fix='Set owners, for example to ["amazon"] or to the account that builds your AMIs.',
    page=f"{EC2}/finding-an-ami.html",
    types=["data.aws_ami", "data.aws_ami_ids"],
    severity=WARNING,
    frameworks=Frameworks(checkov=("CKV_AWS_386",)),
    good=_GOOD,
    breaks=[{"data.aws_ami.base.owners": REMOVED}, {"data.aws_ami.base.owners": []}],
)
def image_has_an_owner(image: Block) -> Iterator[Outcome]:
    """Accept a filter by owner or by image ID."""
    filters = [each.get("name") for each in image.sections("filter")]
    if any(name in ("owner-id", "owner-alias", "image-id") for name in filters):
        return
    owners = image.items("owners")
    if isinstance(owners, Unknown):
        yield image.undecided(owners, "owners")
    elif not owners:
        yield image.fail('must contain the owners of the AMI, such as ["amazon"]', "owners")
