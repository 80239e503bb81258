"""Global tables: what every replica needs."""

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
    """Return a table's replicas, or the replica that a resource of its own is."""
    return [block] if block.type == REPLICA else block.sections("replica")


def _region(section: Section) -> str | Unknown | None:
    if isinstance(section.body, Unknown):
        return section.body
    return section.block.region if section.block.type == REPLICA else section.text("region_name")


@rule(
    "DDB-010",
    "A table with replicas streams old and new images",
    why="DynamoDB replicates through the stream: without it the replica cannot be made, or the next plan turns off "
    "what AWS has turned on.",
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
    """Strongly consistent replicas do not go through the stream."""
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
        yield table.fail(f"must be true, with stream_view_type {_BOTH}: the table has replicas", "stream_enabled")
    elif isinstance(view, Unknown):
        yield table.undecided(view, "stream_view_type")
    elif view != _BOTH:
        yield table.fail(f"must be {_BOTH}: the table has replicas", "stream_view_type")


@rule(
    "DDB-011",
    "Every replica of a table can be restored to any point in time",
    why="The setting of the table does not reach its replicas: the region that takes over has no backup.",
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
def replicas_are_recoverable(block: Block) -> Iterator[Outcome]:
    """It is off unless it is turned on."""
    for replica in _replicas(block):
        if isinstance(replica.body, Unknown):
            yield replica.undecided(replica.body)
        else:
            yield from expect_flag(
                replica, "point_in_time_recovery", "must be true: the setting of the table does not reach its replicas"
            )


@rule(
    "DDB-012",
    "A replica of a table with a customer key has a key of its own region",
    why="A key works in its own region only: AWS refuses a replica without a key, and one with another region's.",
    fix="Give each replica kms_key_arn, a key made in the replica's region.",
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
def replicas_have_their_key(block: Block) -> Iterator[Outcome]:
    """The table of a replica that stands apart may be elsewhere."""
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
                yield replica.fail(f"must be a key of the replica's region, as {whose} has one", "kms_key_arn")
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
        whose = f"{called(owner, replica.block)} is" if owner is not None else "it is"
        yield replica.fail(f"must be a key of {region}; {whose} of {place}", "kms_key_arn")


@rule(
    "DDB-013",
    "Each replica is in a region of its own",
    why="AWS refuses a replica in the table's own region, and two in one.",
    fix="Name every other region once.",
    page=f"{DDB}/GlobalTables.html",
    types=[TABLE, REPLICA],
    good=_GOOD,
    breaks=[
        {f"{_ONE}.region_name": "eu-west-1"},
        {f"{_ORDERS}.replica": [{"region_name": "us-east-1"}, {"region_name": "us-east-1"}]},
        {f"{_APART}.provider": "aws"},
    ],
)
def replicas_are_apart(block: Block) -> Iterator[Outcome]:
    """Regions that are not known cannot be compared."""
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
                apart = f"is in {region}, the table's own region; take another region's provider"
                yield replica.fail("is the table's own region; name another one" if at else apart, at)
            elif region in seen:
                yield replica.fail("has a replica already", at)
            seen.add(region)
