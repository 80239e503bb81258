"""What the arguments of a WebTier may be."""

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
"""From what Amazon Linux needs to what a gp3 volume has."""
STICKINESS: Final = range(1, 7 * 24 * 60 * 60 + 1)
SLOW_START: Final = range(30, 901)
XffMode = Literal["append", "remove"]
"""What the load balancer does to X-Forwarded-For."""

_CERTIFICATE: Final = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):acm:(?P<region>[a-z0-9-]+):"
    r"(?:[0-9]{12}|\$\{data\.aws_caller_identity\.[a-z0-9_]+\.account_id\}):certificate/[0-9a-f-]{36}"
)
"""The account may be written as `region.arn("acm", "certificate/...")` writes it: the one that is deployed to."""
_HEALTH_PATH: Final = re.compile(r"/(?:[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)?")
MAX_HEALTH_PATH: Final = 1024
_REFERENCE: Final = re.compile(r"TfToken\[|[$%]\{[A-Za-z_][\w-]*\.")
"""No shell has a dot in the name of a variable."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class UnprotectedLoadBalancer(OptOut):
    """The load balancer may be deleted where the environment protects it."""


def check_parts(consumer: HardenedConstruct, problems: Problems, vpc: object, key: object, internal: object) -> None:
    """Refuse at once what is no network, key or switch, and a key that is not in the region: the rest needs them."""
    problems.check(isinstance(vpc, Vpc), "vpc", vpc, "must be a RegionalVpc")
    problems.check(isinstance(internal, bool), "internal", internal, "must be True or False")
    if problems.check(isinstance(key, MultiRegionKey), "key", key, "must be a MultiRegionKey"):
        cast("MultiRegionKey", key).arn_for(consumer)
    problems.raise_if_any()


def check_certificate(problems: Problems, region: Region, given: object) -> None:
    """Note what is no certificate to listen with; without one only dev may listen, in plain text.

    A reference says neither which names the certificate is for nor who signed it nor whether it is issued: a
    self-signed one, or one for a name that ends in .local, could stand behind it.
    """
    if given is None:
        problems.check(
            region.environment is Environment.DEV,
            "certificate",
            given,
            f"is required in {region.environment.value}: give a Certificate, or the ARN of one that ACM has issued; "
            "plain HTTP is for dev only",
        )
    elif not isinstance(given, Certificate):
        named = _CERTIFICATE.fullmatch(region.stack.text(given)) if isinstance(given, str) else None
        problems.check(
            named,
            "certificate",
            given,
            "must be a Certificate, or the plain ARN of a certificate that ACM has issued for a public name; one that "
            "is only known at apply could be self-signed, or for a name such as web.local that nobody can validate",
        )
        problems.check(
            named is None or named["region"] == region.name,
            "certificate",
            given,
            f"must be in {region.name}, because a certificate is used in its own region only",
        )
        problems.check(
            named is None or named["partition"] == region.partition,
            "certificate",
            given,
            f"must begin with arn:{region.partition}:, the partition of {region.name}",
        )


def certificate_arn(consumer: HardenedConstruct, given: Certificate | str | None) -> str | None:
    """Return the ARN to listen with."""
    return given.arn_for(consumer) if isinstance(given, Certificate) else given


def check_logs(problems: Problems, region: Region, logs: object) -> None:
    """Note a bucket that load balancers cannot deliver to."""
    if not isinstance(logs, RegionalBucket):
        problems.add("logs", logs, "must be a RegionalBucket with log_delivery=True")
        return
    problems.check(logs.key is None, "logs", logs.path, "takes no logs; make it with log_delivery=True")
    problems.check(
        logs.region is region,
        "logs",
        logs.path,
        f"is in {logs.region.name} of the stack {logs.region.stack.path}; load balancers deliver within a region, here "
        f"{region.name} of {region.stack.path}",
    )


def check_place(problems: Problems, region: Region, vpc: Vpc, *, internal: bool) -> None:
    """Note a VPC that a load balancer and the instances behind it cannot be placed in.

    See https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html.
    """
    if not problems.check(
        vpc.region.name == region.name, "vpc", vpc.path, f"is in {vpc.region.name} and the web tier in {region.name}"
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
            f"has {tier} subnets in {', '.join(zones[tier]) or 'no zone'}; a web tier needs them in at least two zones",
        )
    lost = sorted(set(zones["private"]) - set(zones[front]))
    problems.check(
        not lost or not zones[front],
        "vpc",
        vpc.path,
        f"has private subnets in {', '.join(lost)} and no {front} ones there; a load balancer sends nothing to "
        "instances in a zone that it does not stand in",
    )


def check_clients(problems: Problems, clients: object, ports: int) -> None:
    """Note address ranges that no security group rule takes, and more of them than a security group does."""
    if not isinstance(clients, (list, tuple)) or not clients:
        problems.add("clients", clients, "must be a list of at least one IPv4 range")
        return
    for cidr in clients:
        problems.check(_is_range(cidr), "clients", cidr, "must be a plain IPv4 range such as '203.0.113.0/24'")
    problems.check(len(set(map(str, clients))) == len(clients), "clients", list(clients), "must name each range once")
    most = QUOTAS["vpc-rules-per-security-group"].default // ports
    problems.check(
        len(clients) <= most,
        "clients",
        f"{len(clients)} ranges",
        f"a security group has room for {most}, each on {ports} port{'s' if ports > 1 else ''}; give wider ranges",
    )


def _is_range(cidr: object) -> bool:
    """Return whether Terraform takes it: Python also reads a lone address, and a mask in place of the length."""
    try:
        return isinstance(cidr, str) and str(IPv4Network(cidr)) == cidr
    except ValueError:
        return False


def check_sizes(problems: Problems, region: Region, minimum: object, maximum: object, of: str = "") -> None:
    """Note numbers of instances that AWS or the environment refuses."""
    least = region.profile.fleet_minimum
    low = minimum if type(minimum) is int and least <= minimum <= MAX_INSTANCES else None
    problems.check(
        low is not None,
        f"{of}minimum",
        minimum,
        f"must be a whole number from {least}, what {region.environment.value} asks for, to {MAX_INSTANCES}",
    )
    problems.check_whole(f"{of}maximum", maximum, least if low is None else low, MAX_INSTANCES)


def check_health_path(problems: Problems, path: object) -> None:
    """Note a path that cannot be a file that the web server serves."""
    problems.check(
        isinstance(path, str) and len(path) <= MAX_HEALTH_PATH and _HEALTH_PATH.fullmatch(path),
        "health_path",
        path,
        "must be a path such as '/health': letters, digits, dots, hyphens and underscores, no part that begins with a "
        "dot, no query and no slash at its end",
    )
    problems.check(
        not str(path).startswith("/index.html/"),
        "health_path",
        path,
        "must not lie below /index.html, which is the page",
    )


def check_targets(problems: Problems, stickiness_seconds: object, slow_start_seconds: object) -> None:
    """Note times that no target group takes."""
    for name, value, allowed in (
        ("stickiness_seconds", stickiness_seconds, STICKINESS),
        ("slow_start_seconds", slow_start_seconds, SLOW_START),
    ):
        if value is not None:
            problems.check_whole(name, value, allowed[0], allowed[-1])


def check_headers(problems: Problems, xff_header_processing_mode: object, preserve_host_header: object) -> None:
    """Note what instances must not be told about clients."""
    problems.check(
        xff_header_processing_mode in get_args(XffMode),
        "xff_header_processing_mode",
        xff_header_processing_mode,
        f"must be {' or '.join(get_args(XffMode))}; with preserve every client would write its own address",
    )
    problems.check(
        isinstance(preserve_host_header, bool), "preserve_host_header", preserve_host_header, "must be True or False"
    )


def check_volume(problems: Problems, size: object) -> None:
    """Note a size that no volume has."""
    problems.check_whole("volume_gb", size, VOLUME_GB[0], VOLUME_GB[-1])


def check_name(problems: Problems, name: str) -> None:
    """Note a name that Elastic Load Balancing keeps for itself; characters and length are right by construction."""
    problems.check(
        not name.startswith("internal-"),
        "project",
        name,
        "a load balancer's name must not begin with internal-; give the stack another project",
    )


def protected(problems: Problems, region: Region, given: object) -> bool:
    """Return whether the load balancer is protected from deletion, and note what the environment does not allow."""
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
        f"{region.environment.value} protects load balancers; give UnprotectedLoadBalancer(reason) where it may go",
    )
    return given is True


def check_commands(problems: Problems, commands: object) -> None:
    """Note what is no plain line of shell."""
    if not isinstance(commands, (list, tuple)) or not all(isinstance(command, str) for command in commands):
        problems.add("commands", commands, "must be a list of lines of shell")
        return
    for command in commands:
        problems.check(
            not _REFERENCE.search(command),
            "commands",
            command,
            "must be plain text, so that the script can be read and tested; give what is known at apply only in "
            "settings, and read it as a variable",
        )
        problems.check(not _CONTROL.search(command), "commands", command, "must not have control characters but tabs")
