"""The AMI that EC2 instances are launched from, and checks of the instance type."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from constructs_lib.core.stack import Region
from constructs_lib.foundation.environment import Resolved
from constructs_lib.foundation.errors import Problems

Architecture = Literal["arm64", "x86_64"]

AMAZON_LINUX: Final = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-%s"
"""AWS's public parameters with the latest Amazon Linux 2023 AMI.

See https://docs.aws.amazon.com/linux/al2023/ug/ec2.html.
"""
ROOT_DEVICE: Final = "/dev/xvda"
_INSTANCE_TYPE: Final = re.compile(
    r"(?P<family>[a-z][a-z0-9-]*)\.(?P<size>nano|micro|small|medium|\d*x?large|metal(-[0-9]+xl)?)"
)
_GRAVITON: Final = re.compile(r"a1|[a-z]+[0-9]+g[a-z]*|p[0-9]+e-gb[0-9]+")
"""A `g` after the generation, as in t4g, c7gn and x2gd, unlike g4dn; and the types with a GB200."""
_PARAMETER: Final = re.compile(r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")


@dataclass(frozen=True)
class Image:
    """The AMI of the instances, by the name of an SSM parameter.

    Attributes:
        parameter: The SSM parameter with the AMI's id; by default AWS's public parameter for Amazon Linux 2023 of the
            instance type's architecture. The user data requires Amazon Linux 2023.
        resolved: `launch`: EC2 resolves the parameter when it launches an instance, so new instances have the latest
            AMI without an apply. `plan`: Terraform resolves it, the next apply replaces the instances by an instance
            refresh, and AWS rolls a failed refresh back, which it cannot do for an AMI that is resolved at launch. By
            default `plan` in prod, so that instances of one group have one AMI until the next apply, and `launch` in
            dev and staging.

    See https://docs.aws.amazon.com/autoscaling/ec2/userguide/using-systems-manager-parameters.html and
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-rollback.html.
    """

    parameter: str | None = None
    resolved: Resolved | None = None


def with_environment(image: Image, region: Region) -> Image:
    """Return the image with the environment's default for `resolved`."""
    return image if image.resolved else replace(image, resolved=region.profile.image_resolved)


def architecture(instance_type: str) -> Architecture:
    """Return the processor architecture of an instance type."""
    return "arm64" if _GRAVITON.fullmatch(instance_type.partition(".")[0]) else "x86_64"


def parameter_of(image: Image, instance_type: str) -> str:
    """Return the name of the SSM parameter with the AMI's id."""
    return image.parameter or AMAZON_LINUX % architecture(instance_type)


def check_image(problems: Problems, image: object, instance_type: object) -> None:
    """Report an invalid instance type or parameter, and an AMI for another architecture."""
    known = isinstance(instance_type, str) and _INSTANCE_TYPE.fullmatch(instance_type)
    problems.check(known, "instance_type", instance_type, "must be an instance type such as 't4g.small'")
    if not isinstance(image, Image):
        problems.add("image", image, "must be an Image")
        return
    problems.check(
        image.resolved is None or image.resolved in get_args(Resolved),
        "image.resolved",
        image.resolved,
        f"must be {' or '.join(get_args(Resolved))}",
    )
    if image.parameter is None:
        return
    problems.check(
        isinstance(image.parameter, str) and _PARAMETER.fullmatch(image.parameter),
        "image.parameter",
        image.parameter,
        "must be the name of an SSM parameter",
    )
    if known:
        other = {"arm64": "x86_64", "x86_64": "arm64"}[architecture(str(instance_type))]
        problems.check(
            not str(image.parameter).endswith(other),
            "image.parameter",
            image.parameter,
            f"is an AMI for {other}; the architecture of {instance_type} is {architecture(str(instance_type))}",
        )
