"""The machine image that instances start from, and what fits it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

from constructs_lib.foundation.errors import Problems

Resolved = Literal["launch", "plan"]
Architecture = Literal["arm64", "x86_64"]

AMAZON_LINUX: Final = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-%s"
"""AWS's public parameters with the newest Amazon Linux 2023.

See https://docs.aws.amazon.com/linux/al2023/ug/ec2.html.
"""
ROOT_DEVICE: Final = "/dev/xvda"
_INSTANCE_TYPE: Final = re.compile(
    r"(?P<family>[a-z][a-z0-9-]*)\.(?P<size>nano|micro|small|medium|\d*x?large|metal(-[0-9]+xl)?)"
)
_GRAVITON: Final = re.compile(r"a1|[a-z]+[0-9]+g[a-z]*|p[0-9]+e-gb[0-9]+")
"""A g behind the generation, as in t4g, c7gn and x2gd; that of g4dn stands before it. A GB200 has some of its own."""
_PARAMETER: Final = re.compile(r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")


@dataclass(frozen=True)
class Image:
    """Which image instances start from, and who looks it up.

    Attributes:
        parameter: Name of an SSM parameter that holds the image's id; by default AWS's own for Amazon Linux 2023 of the
            instance type's architecture. The script of the user data is made for Amazon Linux 2023.
        resolved: `launch` lets EC2 look it up for each instance that it starts, so that new ones are patched without
            an apply. `plan` lets Terraform look it up: a newer image is rolled out by the next apply, and AWS can roll
            back to the one before, which it cannot for an image that is looked up at launch.

    See https://docs.aws.amazon.com/autoscaling/ec2/userguide/using-systems-manager-parameters.html and
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-rollback.html.
    """

    parameter: str | None = None
    resolved: Resolved = "launch"


def architecture(instance_type: str) -> Architecture:
    """Return what an instance type's processors are."""
    return "arm64" if _GRAVITON.fullmatch(instance_type.partition(".")[0]) else "x86_64"


def parameter_of(image: Image, instance_type: str) -> str:
    """Return the name of the parameter that holds the image."""
    return image.parameter or AMAZON_LINUX % architecture(instance_type)


def check_image(problems: Problems, image: object, instance_type: object) -> None:
    """Note an instance type or a parameter of another form, and AWS's image for other processors."""
    known = isinstance(instance_type, str) and _INSTANCE_TYPE.fullmatch(instance_type)
    problems.check(known, "instance_type", instance_type, "must be a plain type such as 't4g.small'")
    if not isinstance(image, Image):
        problems.add("image", image, "must be Image(parameter, resolved)")
        return
    problems.check(
        image.resolved in get_args(Resolved),
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
        "must be the plain name of an SSM parameter",
    )
    if known:
        other = {"arm64": "x86_64", "x86_64": "arm64"}[architecture(str(instance_type))]
        problems.check(
            not str(image.parameter).endswith(other),
            "image.parameter",
            image.parameter,
            f"is for {other}, and {instance_type} has {architecture(str(instance_type))} processors",
        )
