"""Availability Zones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.regions import NAME, is_global, is_name, short_name
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.texts import texts, without_positions
from constructs_lib.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome


_ZONES_AT: Final = frozenset(
    {
        "availability_zone",
        "availability_zone_id",
        "availability_zone_name",
        "availability_zones",
        "preferred_availability_zones",
        "preferred_cache_cluster_azs",
    }
)


_ZONE_ID: Final = re.compile(r"([a-z]{3,5}\d)-(?:[a-z]+\d+-)?az\d+")


@rule(
    "REG-005",
    "Availability Zone is in the region of the resource",
    why="AWS rejects the resource at apply: the zone does not exist in the region.",
    fix="Use a zone of the region, or an aws_availability_zones data source with the same provider.",
    page=f"{AWS}/AWSEC2/latest/UserGuide/using-regions-availability-zones.html",
    types=["*"],
    lessons=["PAY-1"],
    good={
        "provider": {"aws": [{"region": "us-east-1", "alias": "us"}, {"region": "eu-west-1", "alias": "eu"}]},
        "data": {"aws_availability_zones": {name: {"provider": f"aws.{name}"} for name in ("us", "eu")}},
        "resource": {
            "aws_subnet": {
                "a": {
                    "provider": "aws.eu",
                    "vpc_id": "vpc-0123456789abcdef0",
                    "cidr_block": "10.0.1.0/24",
                    "availability_zone": "eu-west-1a",
                },
                "b": {
                    "provider": "aws.eu",
                    "vpc_id": "vpc-0123456789abcdef0",
                    "cidr_block": "10.0.2.0/24",
                    "availability_zone": "${data.aws_availability_zones.eu.names[1]}",
                },
                "c": {
                    "provider": "aws.eu",
                    "vpc_id": "vpc-0123456789abcdef0",
                    "cidr_block": "10.0.3.0/24",
                    "availability_zone_id": "euw1-az3",
                },
            }
        },
    },
    breaks=[
        {"resource.aws_subnet.a.availability_zone": "us-east-1a"},
        {"resource.aws_subnet.a.availability_zone": "eu-west-2a"},
        {"resource.aws_subnet.b.availability_zone": "${data.aws_availability_zones.us.names[1]}"},
        {"resource.aws_subnet.c.availability_zone_id": "use1-az3"},
    ],
)
def zones_are_in_the_region(block: Block) -> Iterator[Outcome]:
    """Compare zone names, zone IDs and the regions of data sources."""
    if not block.type.removeprefix("data.").startswith("aws_") or is_global(block.type):
        return
    for at, _ in texts(block):
        if without_positions(at) not in _ZONES_AT:
            continue
        value, region = block.get(at), block.region
        asked = block.targets(at, "data.aws_availability_zones", "data.aws_availability_zone")
        if isinstance(value, Unknown) and not isinstance(value, Computed) and not asked:
            yield block.undecided(value, at)
        elif isinstance(region, Unknown):
            same = [each.provider is block.provider for each in asked]
            if not all(same) or isinstance(value, str):
                yield block.undecided(region, at)
        elif isinstance(value, str):
            yield from _compared(block, at, value, region)
        elif len(asked) == 1 and isinstance(asked[0].region, str) and asked[0].region != region:
            yield block.fail(
                f"must be a zone of {region}, the region of this resource; {asked[0].address} lists the zones of "
                f"{asked[0].region}: use the same provider",
                at,
            )


def _compared(block: Block, at: str, zone: str, region: str) -> Iterator[Outcome]:
    by_id, by_name = _ZONE_ID.fullmatch(zone), NAME.match(zone)
    wrong = (
        by_id[1] != short_name(region) if by_id and is_name(region) else by_name is not None and by_name[0] != region
    )
    if wrong:
        yield block.fail(f"must be a zone of {region}, the region of this resource", at)
