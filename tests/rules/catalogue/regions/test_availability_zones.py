"""Availability Zones: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

import pytest

from tests.rules.asking import found
from tests.rules.catalogue.regions.documents import eu, two_regions, us


@pytest.mark.parametrize(
    ("region", "zone", "right"),
    [
        ("us-west-2", "us-west-2a", True),
        ("us-west-2", "us-west-2-lax-1a", True),
        ("us-east-1", "us-east-1-wl1-bos-wlz-1", True),
        ("us-gov-west-1", "us-gov-west-1a", True),
        ("us-west-1", "us-gov-west-1a", False),
        ("eu-west-1", "eu-west-10a", True),
    ],
)
def test_zone_names_are_compared_exactly(region: str, zone: str, right: bool) -> None:  # noqa: FBT001
    document = {
        "provider": {"aws": {"region": region}},
        "resource": {"aws_instance": {"web": {"availability_zone": zone}}},
    }
    assert (found("REG-005", document) == []) is right


def test_every_zone_of_a_list_is_checked() -> None:
    document = {
        "provider": {"aws": {"region": "eu-west-1"}},
        "resource": {"aws_rds_cluster": {"db": {"availability_zones": ["eu-west-1a", "eu-west-2b"]}}},
    }
    (message,) = found("REG-005", document)
    assert message.startswith('aws_rds_cluster.db: availability_zones.1 = "eu-west-2b"')


def test_zones_in_functions_are_checked() -> None:
    document = two_regions(
        aws_subnet={"a": eu(availability_zone="${element(data.aws_availability_zones.us.names, 0)}")}
    )
    document["data"] = {"aws_availability_zones": {"us": us()}}
    assert len(found("REG-005", document)) == 1
