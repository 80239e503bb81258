"""Checks of the arguments of a WebTier."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final, Literal, cast, get_args

from constructs_lib.constructs.certificate import Certificate
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.regional_bucket import RegionalBucket
from constructs_lib.constructs.regional_vpc.network import Vpc
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.foundation.addresses import Tier
from constructs_lib.foundation.environment import Environment
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.opt_out import OptOut
from constructs_lib.foundation.quotas import QUOTAS

MIN_ZONES: Final = 2
MAX_INSTANCES: Final = 500
"""Instances of one group. See https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html."""
VOLUME_GB: Final = range(8, 16385)
"""GiB: from what Amazon Linux needs to the maximum of gp3."""
STICKINESS: Final = range(1, 7 * 24 * 60 * 60 + 1)
SLOW_START: Final = range(30, 901)
XffMode = Literal["append", "remove"]
"""What the load balancer does with the header X-Forwarded-For."""

_CERTIFICATE: Final = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):acm:(?P<region>[a-z0-9-]+):"
    r"(?:[0-9]{12}|\$\{data\.aws_caller_identity\.[a-z0-9_]+\.account_id\}):certificate/[0-9a-f-]{36}"
)
"""The account id may be the reference of `region.arn("acm", "certificate/...")`."""
_HEALTH_PATH: Final = re.compile(r"/(?:[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)?")
MAX_HEALTH_PATH: Final = 1024
_REFERENCE: Final = re.compile(r"TfToken\[|[$%]\{[A-Za-z_][\w-]*\.")
"""Names of shell variables have no dots."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class UnprotectedLoadBalancer(OptOut):
    """The load balancer has no deletion protection although the environment requires it."""


def check_parts(consumer: HardenedConstruct, problems: Problems, vpc: object, key: object, internal: object) -> None:
    """Report arguments of other types, and a key that is not in the region; the other checks need them."""
    problems.check(isinstance(vpc, Vpc), "vpc", vpc, "must be a RegionalVpc")
    problems.check(isinstance(internal, bool), "internal", internal, "must be True or False")
    if problems.check(isinstance(key, MultiRegionKey), "key", key, "must be a MultiRegionKey"):
        cast("MultiRegionKey", key).arn_for(consumer)
    problems.raise_if_any()


def check_certificate(problems: Problems, region: Region, given: object) -> None:
    """Report a certificate that ACM has not issued for a public name; plain HTTP is allowed in dev.

    A reference is refused: it could be to a self-signed certificate, or to one for a name that ends in .local.
    """
    if given is None:
        problems.check(
            region.environment is Environment.DEV,
            "certificate",
            given,
            f"is required in {region.environment.value}; expected a Certificate, or the ARN of a certificate that ACM "
            "has issued. Plain HTTP is allowed in dev only",
        )
    elif not isinstance(given, Certificate):
        named = _CERTIFICATE.fullmatch(region.stack.text(given)) if isinstance(given, str) else None
        problems.check(
            named,
            "certificate",
            given,
            "must be a Certificate, or the ARN of a certificate that ACM has issued for a public name. References are "
            "refused: the certificate could be self-signed, or pending for a name such as web.local",
        )
        problems.check(
            named is None or named["region"] == region.name,
            "certificate",
            given,
            f"is in another region; expected a certificate in {region.name}",
        )
        problems.check(
            named is None or named["partition"] == region.partition,
            "certificate",
            given,
            f"is in another partition; expected an ARN that starts with arn:{region.partition}:",
        )


def certificate_arn(consumer: HardenedConstruct, given: Certificate | str | None) -> str | None:
    """Return the ARN for the listener."""
    return given.arn_for(consumer) if isinstance(given, Certificate) else given


def check_logs(problems: Problems, region: Region, logs: object) -> None:
    """Report a bucket that load balancers cannot deliver logs to."""
    if not isinstance(logs, RegionalBucket):
        problems.add("logs", logs, "must be a RegionalBucket with log_delivery=True")
        return
    problems.check(
        logs.key is None, "logs", logs.path, "does not accept log delivery; create it with log_delivery=True"
    )
    problems.check(
        logs.region is region,
        "logs",
        logs.path,
        f"is in {logs.region.name} of the stack {logs.region.stack.path}; expected a bucket in {region.name} of the "
        f"stack {region.stack.path}",
    )


def check_place(problems: Problems, region: Region, vpc: Vpc, *, internal: bool) -> None:
    """Report a VPC without the subnets that the load balancer and the instances need.

    See https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html.
    """
    if not problems.check(
        vpc.region.name == region.name, "vpc", vpc.path, f"is in {vpc.region.name}; expected a VPC in {region.name}"
    ):
        return
    front: Tier = "private" if internal else "public"
    zones: dict[str, list[str]] = {}
    for tier in dict.fromkeys((front, "private")):
        zones[tier] = [subnet.zone for subnet in vpc.subnets(tier)] if tier in vpc.tiers else []
        problems.check(
            len(set(zones[tier])) >= MIN_ZONES,
            "vpc",
            vpc.path,
            f"has {tier} subnets in {', '.join(zones[tier]) or 'no zone'}; expected at least two zones",
        )
    lost = sorted(set(zones["private"]) - set(zones[front]))
    problems.check(
        not lost or not zones[front],
        "vpc",
        vpc.path,
        f"has private subnets and no {front} subnets in {', '.join(lost)}; a load balancer does not route to instances "
        "in zones that are not enabled for it",
    )


def check_clients(problems: Problems, clients: object, ports: int) -> None:
    """Report invalid CIDR blocks, and more of them than a security group has rules."""
    if not isinstance(clients, (list, tuple)) or not clients:
        problems.add("clients", clients, "must be a list of at least one IPv4 CIDR block")
        return
    for cidr in clients:
        problems.check(_is_range(cidr), "clients", cidr, "must be an IPv4 CIDR block such as '203.0.113.0/24'")
    problems.check(len(set(map(str, clients))) == len(clients), "clients", list(clients), "has duplicate CIDR blocks")
    most = QUOTAS["vpc-rules-per-security-group"].default // ports
    problems.check(
        len(clients) <= most,
        "clients",
        f"{len(clients)} CIDR blocks",
        f"a security group has rules for {most} on {ports} port{'s' if ports > 1 else ''}; give wider CIDR blocks",
    )


def _is_range(cidr: object) -> bool:
    """Return whether Terraform accepts it: Python also accepts single addresses, and masks instead of lengths."""
    try:
        return isinstance(cidr, str) and str(IPv4Network(cidr)) == cidr
    except ValueError:
        return False


def check_sizes(problems: Problems, region: Region, minimum: object, maximum: object, of: str = "") -> None:
    """Report sizes that AWS or the environment refuses."""
    least = region.profile.fleet_minimum
    low = minimum if type(minimum) is int and least <= minimum <= MAX_INSTANCES else None
    problems.check(
        low is not None,
        f"{of}minimum",
        minimum,
        f"must be a whole number from {least}, the minimum in {region.environment.value}, to {MAX_INSTANCES}",
    )
    problems.check_whole(f"{of}maximum", maximum, least if low is None else low, MAX_INSTANCES)


def check_health_path(problems: Problems, path: object) -> None:
    """Report a health check path that cannot be a file of the web server."""
    problems.check(
        isinstance(path, str) and len(path) <= MAX_HEALTH_PATH and _HEALTH_PATH.fullmatch(path),
        "health_path",
        path,
        "must be a path such as '/health': letters, digits, dots, hyphens and underscores, without parts that start "
        "with a dot, a query or a trailing slash",
    )
    problems.check(
        not str(path).startswith("/index.html/"),
        "health_path",
        path,
        "must not be below /index.html, which is a file",
    )


def check_targets(problems: Problems, stickiness_seconds: object, slow_start_seconds: object) -> None:
    """Report durations that target groups do not allow."""
    for name, value, allowed in (
        ("stickiness_seconds", stickiness_seconds, STICKINESS),
        ("slow_start_seconds", slow_start_seconds, SLOW_START),
    ):
        if value is not None:
            problems.check_whole(name, value, allowed[0], allowed[-1])


def check_headers(problems: Problems, xff_header_processing_mode: object, preserve_host_header: object) -> None:
    """Report invalid settings of headers."""
    problems.check(
        xff_header_processing_mode in get_args(XffMode),
        "xff_header_processing_mode",
        xff_header_processing_mode,
        f"must be {' or '.join(get_args(XffMode))}; with preserve clients could forge their address",
    )
    problems.check(
        isinstance(preserve_host_header, bool), "preserve_host_header", preserve_host_header, "must be True or False"
    )


def check_volume(problems: Problems, size: object) -> None:
    """Report an invalid volume size."""
    problems.check_whole("volume_gb", size, VOLUME_GB[0], VOLUME_GB[-1])


def check_name(problems: Problems, name: str) -> None:
    """Report a name that Elastic Load Balancing reserves; length and characters are valid already."""
    problems.check(
        not name.startswith("internal-"),
        "project",
        name,
        "a load balancer's name must not start with internal-; choose another project for the stack",
    )


def protected(problems: Problems, region: Region, given: object) -> bool:
    """Return whether the load balancer has deletion protection, and report what the environment does not allow."""
    asked = region.profile.deletion_protection
    if given is None or not problems.check(
        isinstance(given, (bool, UnprotectedLoadBalancer)),
        "deletion_protection",
        given,
        "must be True, False or UnprotectedLoadBalancer(reason)",
    ):
        return asked
    problems.check(
        not (asked and given is False),
        "deletion_protection",
        given,
        f"{region.environment.value} requires deletion protection; give UnprotectedLoadBalancer(reason) to turn it off",
    )
    return given is True


def check_commands(problems: Problems, commands: object) -> None:
    """Report commands that are not lines of shell without references."""
    if not isinstance(commands, (list, tuple)) or not all(isinstance(command, str) for command in commands):
        problems.add("commands", commands, "must be a list of shell commands")
        return
    for command in commands:
        problems.check(
            not _REFERENCE.search(command),
            "commands",
            command,
            "must not contain references, so that the script can be read and tested; pass values that are known at "
            "apply in settings and read them as environment variables",
        )
        problems.check(
            not _CONTROL.search(command), "commands", command, "must not contain control characters other than tabs"
        )
