"""DynamoDB global tables: streams, recovery, KMS keys and regions of replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.rules.catalogue.tables_and_caches.tables import DDB, TABLE
from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import expect_flag
from constructs_lib.rules.queries.links import called, is_given, undecidable
from constructs_lib.rules.rule import PRODUCTION, REMOVED, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Section
    from constructs_lib.rules.outcomes import Outcome

REPLICA: Final = "aws_dynamodb_table_replica"
_KEYS: Final = ("aws_kms_key", "aws_kms_replica_key", "aws_kms_alias", "data.aws_kms_key", "data.aws_kms_alias")
_BOTH: Final = "NEW_AND_OLD_IMAGES"

_GOOD: Final = {
    "provider": {"aws": [{"region": "eu-west-1"}, {"alias": "us", "region": "us-east-1"}]},
    "resource": {
        "aws_kms_key": {
            "eu": {"multi_region": True},
            "us": {"provider": "aws.us"},
        },
        TABLE: {
            "orders": {
                "name": "shop-prod-orders",
                "hash_key": "id",
                "attribute": {"name": "id", "type": "S"},
                "stream_enabled": True,
                "stream_view_type": _BOTH,
                "server_side_encryption": {"enabled": True, "kms_key_arn": "${aws_kms_key.eu.arn}"},
                "replica": [
                    {
                        "region_name": "us-east-1",
                        "kms_key_arn": "${aws_kms_key.us.arn}",
                        "point_in_time_recovery": True,
                    }
                ],
            },
            "stock": {
                "name": "shop-prod-stock",
                "hash_key": "id",
                "attribute": {"name": "id", "type": "S"},
                "stream_enabled": "true",
                "stream_view_type": _BOTH,
            },
        },
        REPLICA: {
            "stock": {
                "provider": "aws.us",
                "global_table_arn": "${aws_dynamodb_table.stock.arn}",
                "point_in_time_recovery": True,
            }
        },
    },
}
_ORDERS: Final = f"resource.{TABLE}.orders"
_ONE: Final = f"{_ORDERS}.replica.0"
_STOCK: Final = f"resource.{TABLE}.stock"
_APART: Final = f"resource.{REPLICA}.stock"


def _replicas(block: Block) -> list[Section]:
    """Return the replica blocks of a table, or the aws_dynamodb_table_replica itself."""
    return [block] if block.type == REPLICA else block.sections("replica")


def _region(section: Section) -> str | Unknown | None:
    if isinstance(section.body, Unknown):
        return section.body
    return section.block.region if section.block.type == REPLICA else section.text("region_name")


@rule(
    "DDB-010",
    "DynamoDB global table streams new and old images",
    why="DynamoDB replicates through the stream: without it, creating the replica fails, or the next plan disables "
    "the stream that DynamoDB enabled.",
    fix="Set stream_enabled to true and stream_view_type to NEW_AND_OLD_IMAGES.",
    page=f"{DDB}/V2globaltables_reqs_bestpractices.html",
    types=[TABLE],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.stream_view_type": "NEW_IMAGE"},
        {f"{_ORDERS}.stream_enabled": REMOVED, f"{_ORDERS}.stream_view_type": REMOVED},
        {f"{_STOCK}.stream_enabled": "false"},
    ],
)
def replicated_table_streams(table: Block) -> Iterator[Outcome]:
    """Skip multi-Region strong consistency, which does not use the stream."""
    replicas = table.sections("replica")
    apart = table.referrers_at("global_table_arn", REPLICA)
    if not replicas and not apart:
        yield NotApplicable("it has no replica")
        return
    if any(not isinstance(one.body, Unknown) and one.get("consistency_mode") == "STRONG" for one in replicas):
        yield NotApplicable("its replicas are strongly consistent")
        return
    enabled, view = table.flag("stream_enabled"), table.text("stream_view_type")
    if isinstance(enabled, Unknown):
        yield table.undecided(enabled, "stream_enabled")
    elif not enabled:
        yield table.fail(
            f"must be true, with stream_view_type {_BOTH}, because the table has replicas", "stream_enabled"
        )
    elif isinstance(view, Unknown):
        yield table.undecided(view, "stream_view_type")
    elif view != _BOTH:
        yield table.fail(f"must be {_BOTH}, because the table has replicas", "stream_view_type")


@rule(
    "DDB-011",
    "DynamoDB table replica has point-in-time recovery enabled",
    why="The setting of the table does not apply to its replicas: after a failover, the other region has no backups.",
    fix="Set point_in_time_recovery to true in each replica.",
    page=f"{DDB}/PointInTimeRecovery.html",
    types=[TABLE, REPLICA],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("DynamoDB.2",)),
    good=_GOOD,
    breaks=[
        {f"{_ONE}.point_in_time_recovery": REMOVED},
        {f"{_ONE}.point_in_time_recovery": "false"},
        {f"{_APART}.point_in_time_recovery": False},
    ],
)
def replicas_have_point_in_time_recovery(block: Block) -> Iterator[Outcome]:
    """Point-in-time recovery is disabled by default."""
    for replica in _replicas(block):
        if isinstance(replica.body, Unknown):
            yield replica.undecided(replica.body)
        else:
            yield from expect_flag(
                replica,
                "point_in_time_recovery",
                "must be true: the setting of the table does not apply to its replicas",
            )


@rule(
    "DDB-012",
    "DynamoDB table replica has a KMS key in its own region",
    why="KMS keys are regional: if the table has a customer managed key, DynamoDB rejects a replica without one, and "
    "one with a key of another region.",
    fix="Set kms_key_arn of each replica to a key in the replica's region.",
    page=f"{DDB}/encryption.usagenotes.html",
    types=[TABLE, REPLICA],
    good=_GOOD,
    breaks=[
        {f"{_ONE}.kms_key_arn": "${aws_kms_key.eu.arn}"},
        {f"{_ONE}.kms_key_arn": REMOVED},
        {f"{_ONE}.kms_key_arn": "arn:aws:kms:eu-west-1:210987654321:key/mrk-1"},
        {f"{_ONE}.region_name": "us-west-2"},
        {f"{_APART}.kms_key_arn": "${aws_kms_key.eu.arn}"},
        {f"{_STOCK}.server_side_encryption": {"enabled": True, "kms_key_arn": "${aws_kms_key.eu.arn}"}},
    ],
)
def replicas_have_a_regional_key(block: Block) -> Iterator[Outcome]:
    """The table of an aws_dynamodb_table_replica may not be defined in these stacks."""
    table = block.target("global_table_arn", TABLE) if block.type == REPLICA else block
    own = table.get("server_side_encryption.kms_key_arn") if table is not None else None
    for replica in _replicas(block):
        if isinstance(replica.body, Unknown):
            yield replica.undecided(replica.body)
            continue
        key = replica.get("kms_key_arn")
        if key in (None, ""):
            if (doubt := undecidable(own)) is not None:
                yield replica.undecided(doubt, "kms_key_arn")
            elif is_given(own) and table is not None:
                whose = "the table" if table is block else called(table, block)
                yield replica.fail(
                    f"must be a key in the replica's region, because {whose} has a customer managed key", "kms_key_arn"
                )
            continue
        yield from _of_the_region(replica, key)


def _of_the_region(replica: Section, key: object) -> Iterator[Outcome]:
    region, owner = _region(replica), replica.target("kms_key_arn", *_KEYS)
    place: str | Unknown | None = None
    if owner is not None:
        place = owner.region
    elif isinstance(key, str) and key.count(":") > 4:  # noqa: PLR2004  an ARN has six parts
        place = key.split(":")[3]
    elif isinstance(key, Unknown):
        place = undecidable(key)
    for value in (place, region):
        if isinstance(value, Unknown):
            yield replica.undecided(value, "kms_key_arn")
            return
    if place is not None and region is not None and place != region:
        whose = called(owner, replica.block) if owner is not None else "it"
        yield replica.fail(f"must be a key in {region}; {whose} is in {place}", "kms_key_arn")


@rule(
    "DDB-013",
    "DynamoDB table replicas are in different regions",
    why="DynamoDB rejects a replica in the table's own region, and two replicas in one region.",
    fix="Name each other region once.",
    page=f"{DDB}/GlobalTables.html",
    types=[TABLE, REPLICA],
    good=_GOOD,
    breaks=[
        {f"{_ONE}.region_name": "eu-west-1"},
        {f"{_ORDERS}.replica": [{"region_name": "us-east-1"}, {"region_name": "us-east-1"}]},
        {f"{_APART}.provider": "aws"},
    ],
)
def replicas_are_in_different_regions(block: Block) -> Iterator[Outcome]:
    """Compare with the region of the table, and of the replicas before."""
    table = block.target("global_table_arn", TABLE) if block.type == REPLICA else block
    seen: set[str] = set()
    at = "region_name" if block.type == TABLE else ""
    for replica in _replicas(block):
        region = _region(replica)
        home = table.region if table is not None else None
        if isinstance(region, Unknown) and not isinstance(region, Computed):
            yield replica.undecided(region, "" if isinstance(replica.body, Unknown) else at)
        elif isinstance(region, str):
            if isinstance(home, Unknown):
                yield replica.undecided(home, at)
            elif region == home:
                apart = f"must not be in {region}, the region of the table; use a provider of another region"
                yield replica.fail("must not be the region of the table; name another region" if at else apart, at)
            elif region in seen:
                yield replica.fail("duplicate replica; name each region once", at)
            seen.add(region)
