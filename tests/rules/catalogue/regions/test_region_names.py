"""Names, short forms and partitions of regions."""

from __future__ import annotations

import pytest

from constructs_lib.foundation.regions import REGIONS
from constructs_lib.rules.facts import regions


@pytest.mark.parametrize(
    ("region", "short", "partition"),
    [
        ("us-east-1", "use1", "aws"),
        ("ap-southeast-2", "apse2", "aws"),
        ("ap-northeast-1", "apne1", "aws"),
        ("us-gov-west-1", "usgw1", "aws-us-gov"),
        ("cn-northwest-1", "cnnw1", "aws-cn"),
        ("mx-central-1", "mxc1", "aws"),
    ],
)
def test_short_region_names_are_those_of_zone_ids(region: str, short: str, partition: str) -> None:
    assert regions.is_name(region)
    assert regions.short_name(region) == short
    assert regions.partition_of(region) == partition


def test_every_region_has_a_valid_name_and_unique_short_forms() -> None:
    assert [region for region in REGIONS if not regions.is_name(region)] == []
    assert len(regions.SHORT_FORMS) == 2 * len(REGIONS)


def test_resolvers_are_regional_although_route_53_is_not() -> None:
    assert regions.is_global("aws_route53_record")
    assert not regions.is_global("aws_route53_resolver_endpoint")
    assert regions.is_global("data.aws_iam_role")
    assert not regions.is_global("aws_wafv2_web_acl")
