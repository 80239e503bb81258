"""Machines: launch templates, instances, and the images that they start from."""

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
_MACHINE: Final = "resource.aws_instance.tool"
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


def _is_by_template(machine: Block, at: str) -> bool:
    """Whether an instance leaves an argument to its launch template."""
    return machine.type == INSTANCE and machine.raw("launch_template") is not None and machine.raw(at) is None


@rule(
    "OPS-010",
    "Machines answer for their credentials only to who holds a token",
    why="Without tokens a single request that an attacker makes the application send reads the machine's credentials.",
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
        {f"{_MACHINE}.metadata_options.http_tokens": REMOVED},
        {_OLD: {"web": {"image_id": "${data.aws_ami.base.id}"}}},
    ],
)
def metadata_needs_a_token(machine: Block) -> Iterator[Outcome]:
    """Where the service is off nobody needs a token."""
    if _is_by_template(machine, "metadata_options"):
        yield NotApplicable("its launch template says so")
        return
    section: Section = machine.section("metadata_options") or machine
    at = "metadata_options" if section is machine else "http_tokens"
    if section is not machine and section.get("http_endpoint") == "disabled":
        return
    value = section.get(at)
    if isinstance(value, Unknown):
        yield section.undecided(value, at)
    elif value != "required":
        yield section.fail('must have http_tokens = "required", which is IMDSv2 only', at)


@rule(
    "OPS-011",
    "Credentials of a machine do not travel further than the machine",
    why="With more hops containers and proxies on the machine get its credentials too.",
    fix="Leave metadata_options.http_put_response_hop_limit at 1; give containers roles of their own.",
    page=f"{EC2}/configuring-IMDS-existing-instances.html",
    types=MAKERS,
    severity=ADVICE,
    frameworks=Frameworks(fsbp=("AutoScaling.4",), checkov=("CKV_AWS_341",)),
    good=_GOOD,
    breaks=[
        {f"{_TEMPLATE}.metadata_options.http_put_response_hop_limit": 2},
        {f"{_MACHINE}.metadata_options": [{"http_tokens": "required", "http_put_response_hop_limit": "3"}]},
    ],
)
def credentials_stay_on_the_machine(machine: Block) -> Iterator[Outcome]:
    """Missing is one hop, unless the image says otherwise."""
    for section in machine.sections("metadata_options"):
        value = section.number("http_put_response_hop_limit")
        if isinstance(value, Unknown):
            yield section.undecided(value, "http_put_response_hop_limit")
        elif value is not None and value > 1:
            yield section.fail(
                "must be 1, unless containers on the machine need its role", "http_put_response_hop_limit"
            )


@rule(
    "OPS-012",
    "Machines have no public address",
    why="Every open port of a machine with one is scanned within minutes.",
    fix="Set associate_public_ip_address to false, and put a load balancer or Session Manager in front.",
    page=f"{EC2}/using-instance-addressing.html",
    types=MAKERS,
    severity=WARNING,
    frameworks=Frameworks(fsbp=("EC2.9", "EC2.25", "AutoScaling.5"), pci=("1.4.4",), checkov=("CKV_AWS_88",)),
    good=_GOOD,
    breaks=[
        {f"{_TEMPLATE}.network_interfaces.0.associate_public_ip_address": True},
        {f"{_TEMPLATE}.network_interfaces": {"associate_public_ip_address": "true"}},
        {f"{_MACHINE}.associate_public_ip_address": True},
        {_OLD: {"web": {"associate_public_ip_address": True}}},
    ],
)
def machine_has_no_public_address(machine: Block) -> Iterator[Outcome]:
    """Missing is what the subnet says, which has a rule of its own."""
    for section in machine.sections("network_interfaces") if machine.type == TEMPLATE else [machine]:
        yield from expect_flag(
            section,
            "associate_public_ip_address",
            "must be false; let a load balancer or Session Manager stand in front",
            wanted=False,
        )


@rule(
    "OPS-013",
    "Volumes that a template makes are encrypted",
    why="Snapshots and volumes of the machines are readable to whoever gets a copy.",
    fix=f"Set ebs.encrypted to true in block_device_mappings, or turn encryption on for the region by {_BY_DEFAULT}.",
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
    """A volume of a snapshot is encrypted as that is; a region may encrypt everything."""
    if any(each.flag("enabled", default=True) is True and each.region == maker.region for each in _defaults(maker)):
        yield NotApplicable("the region encrypts every volume")
        return
    names = ("block_device_mappings",) if maker.type == TEMPLATE else ("root_block_device", "ebs_block_device")
    devices = [device for name in names for device in maker.sections(name)]
    volumes = [
        volume for device in devices for volume in (device.sections("ebs") if maker.type == TEMPLATE else [device])
    ]
    if not devices:
        yield maker.fail("must name the root device with encrypted = true; by default it is not", names[0])
    for volume in volumes:
        if not is_given(volume.get("snapshot_id")):
            yield from expect_flag(volume, "encrypted", "must be true; by default a volume is not")


def _defaults(maker: Block) -> list[Block]:
    return maker.estate.of(_BY_DEFAULT)


@rule(
    "OPS-014",
    "Machines have no key pair",
    why="A key opens every machine, is copied, and stays with those who leave.",
    fix="Leave key_name out, and open sessions by Session Manager, which asks IAM and keeps a log.",
    page=f"{AWS}/systems-manager/latest/userguide/session-manager.html",
    types=MAKERS,
    severity=ADVICE,
    good=_GOOD,
    breaks=[
        {f"{_TEMPLATE}.key_name": "ops"},
        {f"{_MACHINE}.key_name": "${aws_key_pair.ops.key_name}", "resource.aws_key_pair": {"ops": {}}},
    ],
)
def machine_has_no_key(machine: Block) -> Iterator[Outcome]:
    """Whatever the key is called."""
    value = machine.get("key_name")
    if unknown := undecidable(value):
        yield machine.undecided(unknown, "key_name")
    elif is_given(value):
        yield machine.fail("must not be set; Session Manager opens sessions without a key", "key_name")


@rule(
    "OPS-015",
    "Machines report every minute",
    why="With one figure in five minutes a group grows after the load has come.",
    fix="Set monitoring to true; of a launch template monitoring.enabled.",
    page=f"{EC2}/manage-detailed-monitoring.html",
    types=MAKERS,
    severity=ADVICE,
    frameworks=Frameworks(checkov=("CKV_AWS_126",)),
    good=_GOOD,
    breaks=[
        {f"{_TEMPLATE}.monitoring": REMOVED},
        {f"{_TEMPLATE}.monitoring": [{"enabled": "false"}]},
        {f"{_MACHINE}.monitoring": REMOVED},
    ],
)
def machine_reports_every_minute(machine: Block) -> Iterator[Outcome]:
    """A launch configuration does so by default."""
    at = {TEMPLATE: "monitoring.enabled", INSTANCE: "monitoring", CONFIGURATION: "enable_monitoring"}[machine.type]
    if _is_by_template(machine, at):
        yield NotApplicable("its launch template says so")
        return
    yield from expect_flag(
        machine, at, "must be true, for figures of every minute", default=machine.type == CONFIGURATION
    )


@rule(
    "OPS-016",
    "Machines are made by launch templates",
    why="Launch configurations are deprecated: new accounts cannot make them, nor can they make newer machines.",
    fix="Replace aws_launch_configuration by aws_launch_template.",
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
def machines_have_a_template(block: Block) -> Iterator[Outcome]:
    """Of a group only where the configuration is not in the estate."""
    if block.type == CONFIGURATION:
        yield block.fail("is deprecated; use an aws_launch_template")
    elif block.raw("launch_configuration") is not None and not block.target("launch_configuration", CONFIGURATION):
        value = block.get("launch_configuration")
        if isinstance(value, Unknown):
            yield block.undecided(value, "launch_configuration")
        else:
            yield block.fail("is deprecated; use launch_template", "launch_configuration")


@rule(
    "OPS-025",
    "The image of a machine is looked up",
    why="A literal id is an image of one region and one day: it has no later patches, and is withdrawn in time.",
    fix="Read the id from AWS's public SSM parameter, or from an aws_ami data source with owners.",
    page=f"{AWS}/systems-manager/latest/userguide/parameter-store-public-parameters-ami.html",
    types=MAKERS,
    severity=Severity("info", "info", "info"),
    good=_GOOD,
    breaks=[{f"{_TEMPLATE}.image_id": "ami-0a1b2c3d4e5f60718"}, {f"{_MACHINE}.ami": "ami-0a1b2c3d"}],
)
def image_is_looked_up(machine: Block) -> Iterator[Outcome]:
    """An image that a pipeline pins on purpose comes from a variable."""
    at = "ami" if machine.type == INSTANCE else "image_id"
    value = machine.get(at)
    if isinstance(value, Unknown):
        if undecidable(value) and not sources(machine, at):
            yield machine.undecided(value, at)
    elif _IMAGE.fullmatch(str(value)) and "${" not in str(machine.raw(at)):
        yield machine.fail("is one image for ever; read its id from an SSM parameter or data source", at)


@rule(
    "OPS-026",
    "An image is looked up by its owner",
    why="Anybody may publish an image of a fitting name, and the newest one is taken.",
    fix='Set owners, such as ["amazon"] or the account that builds your images.',
    page=f"{EC2}/finding-an-ami.html",
    types=["data.aws_ami", "data.aws_ami_ids"],
    severity=WARNING,
    frameworks=Frameworks(checkov=("CKV_AWS_386",)),
    good=_GOOD,
    breaks=[{"data.aws_ami.base.owners": REMOVED}, {"data.aws_ami.base.owners": []}],
)
def image_has_an_owner(image: Block) -> Iterator[Outcome]:
    """A filter by owner or by the image's own id does as well."""
    filters = [each.get("name") for each in image.sections("filter")]
    if any(name in ("owner-id", "owner-alias", "image-id") for name in filters):
        return
    owners = image.items("owners")
    if isinstance(owners, Unknown):
        yield image.undecided(owners, "owners")
    elif not owners:
        yield image.fail('must name whose images are taken, such as ["amazon"]', "owners")
