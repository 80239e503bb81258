"""Names of AWS regions, their short forms, and global resource types."""

from __future__ import annotations

import re
from typing import Final

from constructs_lib.foundation.regions import REGIONS

PAGE: Final = "https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html"
"""Read in November 2025; regions are recognized by their form, so that new ones need no entry."""

_SIDES: Final = "north|south|east|west|central|northeast|northwest|southeast|southwest"
NAME: Final = re.compile(
    rf"(?<![a-z0-9])(?:[a-z]{{2}}|us-gov|us-iso[a-z]?|eu-isoe|eusc-[a-z]{{2}})-(?:{_SIDES})-\d(?!\d)"
)
"""A region's name within a text."""

_SHORT_SIDES: Final = {
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
    "central": "c",
    "northeast": "ne",
    "northwest": "nw",
    "southeast": "se",
    "southwest": "sw",
}

_PARTITIONS: Final = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
)

GLOBAL_SERVICES: Final = (
    "aws_account_",
    "aws_budgets_",
    "aws_ce_",
    "aws_cloudfront_",
    "aws_globalaccelerator_",
    "aws_iam_",
    "aws_networkmanager_",
    "aws_organizations_",
    "aws_route53_",
    "aws_shield_",
    "aws_waf_",
)
"""Prefixes of the types of global resources."""

REGIONAL_DESPITE_THE_NAME: Final = ("aws_route53_resolver_", "aws_route53_profiles_", "aws_route53recovery")

GLOBAL_TYPES: Final = frozenset(
    {
        "aws_caller_identity",
        "aws_dynamodb_global_table",
        "aws_elasticache_global_replication_group",
        "aws_partition",
        "aws_rds_global_cluster",
        "aws_docdb_global_cluster",
        "aws_neptune_global_cluster",
        "aws_default_tags",
        "aws_regions",
        "aws_service",
        "aws_service_principal",
        "aws_arn",
        "aws_canonical_user_id",
        "aws_billing_service_account",
        "aws_ip_ranges",
    }
)


def is_name(text: object) -> bool:
    """Whether a text is a region's name, and nothing else."""
    return isinstance(text, str) and NAME.fullmatch(text) is not None


def short_name(region: str) -> str:
    """Return the short form that zone ids and provider aliases use: `euw1` of `eu-west-1`."""
    *area, side, number = region.split("-")
    return f"{area[0]}{area[1][0] if len(area) > 1 else ''}{_SHORT_SIDES[side]}{number}"


SHORT_FORMS: Final = {form: region for region in REGIONS for form in (short_name(region), region.replace("-", ""))}
"""`euw1` and `euwest1` of `eu-west-1`, for every known region."""


def named_in(label: str) -> set[str]:
    """Return the regions that a label such as a provider's alias names, in full or in a short form."""
    text = label.lower().replace("_", "-")
    return {*NAME.findall(text), *(SHORT_FORMS[word] for word in text.split("-") if word in SHORT_FORMS)}


def partition_of(region: str) -> str:
    """Return the partition that a region is in."""
    return next((partition for start, partition in _PARTITIONS if region.startswith(start)), "aws")


def is_global(type_: str) -> bool:
    """Return whether a type of resource or data source is global."""
    name = type_.removeprefix("data.")
    if name.startswith(REGIONAL_DESPITE_THE_NAME):
        return False
    return name.startswith(GLOBAL_SERVICES) or name in GLOBAL_TYPES
