"""Strong consistency over three regions: where DynamoDB has it, what it excludes, and its replicas."""

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
"""The three regions of a table are of one of these sets.

See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html.
"""
STRONG_PROVIDER: Final = ">= 6.25.0, < 7.0.0"
"""An AWS provider that knows the consistency and the protection of a replica, and the witness."""
_REGIONS: Final = 3


def check_consistency(
    problems: Problems,
    consistency: object,
    witness: Region | None,
    places: Collection[str],
    excluded: Mapping[str, object],
) -> None:
    """Note a mode that is none, regions that cannot have it, and what DynamoDB does not do with it.

    Args:
        problems: Collects them.
        consistency: The mode.
        witness: The region that keeps changes only.
        places: Names of the regions that have the table.
        excluded: Arguments that strong consistency excludes, by name.
    """
    allowed = get_args(Consistency)
    problems.check(consistency in allowed, "consistency", consistency, f"must be one of {', '.join(allowed)}")
    if witness is not None and not isinstance(witness, Region):
        problems.add("witness", witness, "must be a Region: give stack.region('us-west-2'), not a name")
        return
    if consistency != "STRONG":
        if witness is not None:
            problems.add("witness", witness.name, "is for consistency='STRONG' only")
        return
    named = [*places, *([witness.name] if witness else [])]
    problems.check(
        len(named) == len(set(named)) == _REGIONS,
        "consistency",
        consistency,
        f"needs three regions, each once: two replicas, or one replica and a witness; given are {', '.join(named)}",
    )
    problems.check(
        any(set(named) <= set(one) for one in REGION_SETS),
        "consistency",
        consistency,
        f"must stay within one of {'; '.join(', '.join(one) for one in REGION_SETS)}; given are {', '.join(named)}",
    )
    for argument, given in excluded.items():
        problems.check(not given, argument, given, "cannot be given with consistency='STRONG'")


def make_strong(
    table: core.TerraformResource, keys: Mapping[Region, str], witness: Region | None, *, keep: bool
) -> None:
    """Give a table its replicas as blocks, since DynamoDB takes all regions of such a table at once, or none.

    Args:
        table: The table.
        keys: ARN of the key of each further region.
        witness: The region that keeps changes only.
        keep: Whether replicas are protected.
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
    # The older bindings know neither the mode nor the witness.
    table.add_override("replica", blocks)
    if witness is not None:
        table.add_override("global_table_witness", {"region_name": witness.name})


class StrongReplica(HardenedConstruct):
    """What is known of a replica that is a block of its table.

    Attributes:
        resource: The replica, read back in its region; it has no stream.
    """

    def __init__(self, scope: HardenedConstruct, id_: str, *, region: Region, table_arn: str) -> None:
        super().__init__(scope, id_, region=region)
        self.resource = read_back(self, table_arn)
        self.name = self._ref(self.resource, "name")
