"""Multi-Region strong consistency (MRSC): its regions, what it excludes, and its replicas."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal, get_args

from constructs_lib._engine import core
from constructs_lib.constructs.global_table.replica import read_back
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems

Consistency = Literal["EVENTUAL", "STRONG"]
REGION_SETS: Final = (
    ("us-east-1", "us-east-2", "us-west-2"),
    ("eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3"),
    ("ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
)
"""The Region sets: all three regions of a table must be in one of them.

See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html.
"""
STRONG_PROVIDER: Final = ">= 6.25.0, < 7.0.0"
"""The AWS providers that support consistency mode and deletion protection of replicas, and the witness."""
_REGIONS: Final = 3


def check_consistency(
    problems: Problems,
    consistency: object,
    witness: Region | None,
    places: Collection[str],
    excluded: Mapping[str, object],
) -> None:
    """Report an unknown mode, regions that do not support it, and arguments that it excludes.

    Args:
        problems: Collects them.
        consistency: The mode.
        witness: The witness region.
        places: The names of the table's regions.
        excluded: Arguments that cannot be combined with STRONG, by name.
    """
    allowed = get_args(Consistency)
    problems.check(consistency in allowed, "consistency", consistency, f"must be one of {', '.join(allowed)}")
    if witness is not None and not isinstance(witness, Region):
        problems.add("witness", witness, "must be a Region: give stack.region('us-west-2'), not a name")
        return
    if consistency != "STRONG":
        if witness is not None:
            problems.add("witness", witness.name, "requires consistency='STRONG'")
        return
    named = [*places, *([witness.name] if witness else [])]
    problems.check(
        len(named) == len(set(named)) == _REGIONS,
        "consistency",
        consistency,
        f"requires three different regions: two replicas, or one replica and a witness; given are {', '.join(named)}",
    )
    problems.check(
        any(set(named) <= set(one) for one in REGION_SETS),
        "consistency",
        consistency,
        f"requires regions of one Region set, {'; '.join(', '.join(one) for one in REGION_SETS)}; given are "
        f"{', '.join(named)}",
    )
    for argument, given in excluded.items():
        problems.check(not given, argument, given, "cannot be combined with consistency='STRONG'")


def make_strong(
    table: core.TerraformResource, keys: Mapping[Region, str], witness: Region | None, *, keep: bool
) -> None:
    """Add the replicas as blocks of the table: DynamoDB creates all regions of such a table together.

    Args:
        table: The table.
        keys: The key ARN of each further region.
        witness: The witness region.
        keep: Whether the replicas have deletion protection.
    """
    blocks: list[dict[str, Any]] = [
        {
            "region_name": place.name,
            "consistency_mode": "STRONG",
            "kms_key_arn": key,
            "point_in_time_recovery": True,
            "deletion_protection_enabled": keep,
            "propagate_tags": True,
        }
        for place, key in keys.items()
    ]
    # The bindings of AWS provider 5 have neither the consistency mode nor the witness.
    table.add_override("replica", blocks)
    if witness is not None:
        table.add_override("global_table_witness", {"region_name": witness.name})


class StrongReplica(HardenedConstruct):
    """A replica of a table with strong consistency; it is a block of the table.

    Attributes:
        resource: The data source of the replica in its region. It has no stream.
        name: The table's name.
    """

    def __init__(self, scope: HardenedConstruct, id_: str, *, region: Region, table_arn: str) -> None:
        super().__init__(scope, id_, region=region)
        self.resource = read_back(self, table_arn)
        self.name = str(getattr(self.resource, "name"))  # noqa: B009  the data source has no type here
