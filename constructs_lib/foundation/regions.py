"""The regions of AWS and their availability zones, as a table, so that a typing mistake is found at synth."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from constructs_lib.foundation.errors import ConfigurationError, Problems

READ_ON: Final = date(2026, 11, 22)
"""The day on which the table was compared with its sources."""


@dataclass(frozen=True)
class RegionFacts:
    """What AWS says about a region.

    Attributes:
        partition: `aws`, `aws-us-gov` or `aws-cn`; the second field of every ARN.
        zone_letters: The last letters of the names of its availability zones.
    """

    partition: str
    zone_letters: str


REGIONS: Final[dict[str, RegionFacts]] = {
    "af-south-1": RegionFacts("aws", "abc"),
    "ap-east-1": RegionFacts("aws", "abc"),
    "ap-east-2": RegionFacts("aws", "abc"),
    "ap-northeast-1": RegionFacts("aws", "acd"),
    "ap-northeast-2": RegionFacts("aws", "abcd"),
    "ap-northeast-3": RegionFacts("aws", "abc"),
    "ap-south-1": RegionFacts("aws", "abc"),
    "ap-south-2": RegionFacts("aws", "abc"),
    "ap-southeast-1": RegionFacts("aws", "abc"),
    "ap-southeast-2": RegionFacts("aws", "abc"),
    "ap-southeast-3": RegionFacts("aws", "abc"),
    "ap-southeast-4": RegionFacts("aws", "abc"),
    "ap-southeast-5": RegionFacts("aws", "abc"),
    "ap-southeast-6": RegionFacts("aws", "abc"),
    "ap-southeast-7": RegionFacts("aws", "abc"),
    "ca-central-1": RegionFacts("aws", "abd"),
    "ca-west-1": RegionFacts("aws", "abc"),
    "cn-north-1": RegionFacts("aws-cn", "abd"),
    "cn-northwest-1": RegionFacts("aws-cn", "abc"),
    "eu-central-1": RegionFacts("aws", "abc"),
    "eu-central-2": RegionFacts("aws", "abc"),
    "eu-north-1": RegionFacts("aws", "abc"),
    "eu-south-1": RegionFacts("aws", "abc"),
    "eu-south-2": RegionFacts("aws", "abc"),
    "eu-west-1": RegionFacts("aws", "abc"),
    "eu-west-2": RegionFacts("aws", "abc"),
    "eu-west-3": RegionFacts("aws", "abc"),
    "il-central-1": RegionFacts("aws", "abc"),
    "me-central-1": RegionFacts("aws", "abc"),
    "me-south-1": RegionFacts("aws", "abc"),
    "mx-central-1": RegionFacts("aws", "abc"),
    "sa-east-1": RegionFacts("aws", "abc"),
    "us-east-1": RegionFacts("aws", "abcdef"),
    "us-east-2": RegionFacts("aws", "abc"),
    "us-gov-east-1": RegionFacts("aws-us-gov", "abc"),
    "us-gov-west-1": RegionFacts("aws-us-gov", "abc"),
    "us-west-1": RegionFacts("aws", "abc"),
    "us-west-2": RegionFacts("aws", "abcd"),
}
"""Every commercial, GovCloud and China region; the sovereign and secret partitions are left out.

An account may see fewer zones than the table has: a newer one sees two of the three in us-west-1.

See https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html and
https://docs.amazonaws.cn/en_us/aws/latest/userguide/general-info.html. Compared on `READ_ON` with the regions
that botocore 1.44.5 lists for EC2 and the zones of moto 5.2.5, which lacks the third zones of us-west-1 and
cn-north-1.
"""

_DNS_SUFFIXES: Final = {
    "aws": "amazonaws.com",
    "aws-us-gov": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
}
_ZONE_NAME: Final = re.compile(r"(?P<region>[a-z-]+-[0-9]+)(?P<letter>[a-z])")
_TOKEN: Final = re.compile(r"[$#]\{")


def is_token(value: object) -> bool:
    """Return whether `value` stands for something that only Terraform will know, `${...}` or a list of it."""
    return isinstance(value, str) and _TOKEN.search(value) is not None


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)


def check_region(path: str, name: object, argument: str = "region") -> str:
    """Return `name` when it is the name of an AWS region.

    Args:
        path: The construct path, for the error.
        name: A key of `REGIONS`, such as `eu-west-1`.
        argument: What the caller calls it, for the error.

    Raises:
        ConfigurationError: A token, another type than a string, or an unknown name; names the nearest.

    See https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html.
    """
    problems = Problems(path)
    if is_token(name):
        problems.stop(
            argument,
            name,
            "must be a plain value, because names, zones and addresses are derived from it at synth",
        )
    if not isinstance(name, str):
        problems.stop(argument, name, "must be the name of an AWS region, such as 'eu-west-1'")
    if name not in REGIONS:
        near = difflib.get_close_matches(name.lower(), REGIONS, n=3)
        hint = f"the nearest names are {_quoted(near)}" if near else f"the names are {_quoted(list(REGIONS))}"
        problems.stop(argument, name, f"is no AWS region known on {READ_ON}; {hint}")
    return name


def partition(region: str) -> str:
    """Return the partition of a region: `aws`, `aws-us-gov` or `aws-cn`.

    Raises:
        ConfigurationError: An unknown region.

    See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html.
    """
    return REGIONS[check_region("partition", region)].partition


def dns_suffix(region: str) -> str:
    """Return the domain that the region's services live in: `amazonaws.com`, or `amazonaws.com.cn` in China.

    Raises:
        ConfigurationError: An unknown region.

    See https://docs.aws.amazon.com/general/latest/gr/rande.html.
    """
    return _DNS_SUFFIXES[REGIONS[check_region("dns_suffix", region)].partition]


def zone_letters(region: str) -> tuple[str, ...]:
    """Return the letters of a region's availability zones, in alphabetical order.

    Raises:
        ConfigurationError: An unknown region.

    See https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html.
    """
    return tuple(REGIONS[check_region("zone_letters", region)].zone_letters)


def _letter(problems: Problems, argument: str, region: str, zone: object) -> str | None:
    """Return the letter of one zone, or note why it has none."""
    allowed = zone_letters(region)
    if is_token(zone):
        problems.add(argument, zone, "must be a plain value, because subnets are laid out at synth")
        return None
    if not isinstance(zone, str):
        problems.add(argument, zone, f"must be a letter such as 'a' or a full name such as '{region}a'")
        return None
    letter = zone.removeprefix(region)
    if letter in allowed:
        return letter
    named = _ZONE_NAME.fullmatch(zone)
    if named and named["region"] in REGIONS and named["region"] != region:
        problems.add(argument, zone, f"is a zone of {named['region']!r}, but the region here is {region!r}")
    else:
        problems.add(argument, zone, f"is no zone of {region!r}; its letters are {_quoted(allowed)}")
    return None


def check_zone(path: str, region: str, zone: object, argument: str = "zone") -> str:
    """Return the letter of one availability zone, given as a letter or a full name.

    Args:
        path: The construct path, for the error.
        region: The region that the zone must be in.
        zone: A letter (`a`) or a full name (`eu-west-1a`).
        argument: What the caller calls it, for the error.

    Raises:
        ConfigurationError: An unknown zone, a zone of another region, or a token.
    """
    problems = Problems(path)
    letter = _letter(problems, argument, check_region(path, region), zone)
    if letter is None:
        raise ConfigurationError(path, *problems.found)
    return letter


def check_zones(path: str, region: str, zones: Sequence[str], argument: str = "zones") -> tuple[str, ...]:
    """Return the letters of the zones, in the order given.

    Args:
        path: The construct path, for the error.
        region: The region that all zones must be in.
        zones: One or more letters (`a`) or full names (`eu-west-1a`), each zone once.
        argument: What the caller calls them, for the error.

    Raises:
        ConfigurationError: No zone at all; one that is unknown, of another region, there twice or a token; or
            something else than a list or tuple.

    See https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html.
    """
    problems = Problems(path)
    check_region(path, region)
    allowed = zone_letters(region)
    if isinstance(zones, str) or not isinstance(zones, Sequence):
        problems.stop(
            argument,
            zones,
            f"must be a list or tuple of zones such as {allowed[:2]!r}, not a {type(zones).__name__}",
        )
    problems.check(len(zones) > 0, argument, zones, f"must name at least one of {_quoted(allowed)}")
    first: dict[str, int] = {}
    for index, zone in enumerate(zones):
        letter = _letter(problems, f"{argument}[{index}]", region, zone)
        if letter is None:
            continue
        earlier = first.setdefault(letter, index)
        problems.check(
            earlier == index,
            f"{argument}[{index}]",
            zone,
            f"is the same zone as {argument}[{earlier}]; name each zone once",
        )
    problems.raise_if_any()
    return tuple(first)
