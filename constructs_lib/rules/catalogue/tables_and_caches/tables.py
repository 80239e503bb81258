"""DynamoDB tables: backup, encryption, deletion protection, keys, TTL, streams and capacity."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, expect, expect_flag
from constructs_lib.rules.queries.customer_keys import expect_customer_key
from constructs_lib.rules.rule import ADVICE, PRODUCTION, REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate, Section
    from constructs_lib.rules.outcomes import Outcome

TABLE: Final = "aws_dynamodb_table"
DDB: Final = f"{AWS}/amazondynamodb/latest/developerguide"
INDEX: Final = "aws_dynamodb_global_secondary_index"

_SCALING_TARGET: Final = "aws_appautoscaling_target"
_DIMENSIONS: Final = ("dynamodb:table:ReadCapacityUnits", "dynamodb:table:WriteCapacityUnits")
_CAPACITIES: Final = ("read_capacity", "write_capacity")
_INDEXES: Final = ("global_secondary_index", "local_secondary_index")
_VIEWS: Final = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
_VALUES: Final = {
    "billing_mode": ("PROVISIONED", "PAY_PER_REQUEST"),
    "table_class": ("STANDARD", "STANDARD_INFREQUENT_ACCESS"),
}

_KEYS_OF_ORDERS: Final = [{"name": name, "type": "S"} for name in ("id", "day", "customer")]
_ORDERS: Final = {
    "name": "shop-prod-orders",
    "billing_mode": "PAY_PER_REQUEST",
    "table_class": "STANDARD",
    "hash_key": "id",
    "range_key": "day",
    "attribute": _KEYS_OF_ORDERS,
    "global_secondary_index": [{"name": "by-customer", "hash_key": "customer", "projection_type": "ALL"}],
    "ttl": {"enabled": True, "attribute_name": "expires"},
    "stream_enabled": True,
    "stream_view_type": "NEW_IMAGE",
    "point_in_time_recovery": {"enabled": True},
    "server_side_encryption": {"enabled": True, "kms_key_arn": "${aws_kms_key.data.arn}"},
    "deletion_protection_enabled": True,
}
_STOCK: Final = {
    "name": "shop-prod-stock",
    "hash_key": "id",
    "attribute": {"name": "id", "type": "S"},
    "read_capacity": 5,
    "write_capacity": 5,
    "point_in_time_recovery": [{"enabled": "true"}],
    "server_side_encryption": {"enabled": True, "kms_key_arn": "${aws_kms_key.data.arn}"},
    "deletion_protection_enabled": True,
}
_GOOD: Final = {
    "resource": {
        "aws_kms_key": {"data": {"enable_key_rotation": True}},
        TABLE: {"orders": _ORDERS, "stock": _STOCK},
        _SCALING_TARGET: {
            name: {
                "resource_id": "table/${aws_dynamodb_table.stock.name}",
                "scalable_dimension": dimension,
                "min_capacity": 5,
                "max_capacity": 50,
            }
            for name, dimension in zip(("read", "write"), _DIMENSIONS, strict=True)
        },
    }
}
_AT: Final = f"resource.{TABLE}.orders"
_STOCK_AT: Final = f"resource.{TABLE}.stock"


@rule(
    "DDB-001",
    "DynamoDB table has point-in-time recovery enabled",
    why="A deployment that overwrites items by mistake cannot be undone; an on-demand backup restores its own state "
    "only.",
    fix="Set point_in_time_recovery with enabled = true.",
    page=f"{DDB}/PointInTimeRecovery.html",
    types=[TABLE],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("DynamoDB.2",), checkov=("CKV_AWS_28",)),
    good=_GOOD,
    breaks=[
        {f"{_AT}.point_in_time_recovery": REMOVED},
        {f"{_AT}.point_in_time_recovery.enabled": "false"},
        {f"{_STOCK_AT}.point_in_time_recovery": []},
    ],
)
def point_in_time_recovery_is_enabled(table: Block) -> Iterator[Outcome]:
    """Point-in-time recovery is disabled by default."""
    yield from expect_flag(
        table, "point_in_time_recovery.enabled", "must be true, or accidental writes and deletes cannot be undone"
    )


@rule(
    "DDB-002",
    "DynamoDB table is encrypted with a customer managed key",
    why="The default AWS owned key can neither be audited nor disabled.",
    fix="Set server_side_encryption with enabled = true and kms_key_arn.",
    page=f"{DDB}/EncryptionAtRest.html",
    types=[TABLE],
    severity=ADVICE,
    frameworks=Frameworks(checkov=("CKV_AWS_119",)),
    good=_GOOD,
    breaks=[
        {f"{_AT}.server_side_encryption": REMOVED},
        {f"{_AT}.server_side_encryption.enabled": False},
        {f"{_STOCK_AT}.server_side_encryption.kms_key_arn": REMOVED},
        {f"{_STOCK_AT}.server_side_encryption.kms_key_arn": "alias/aws/dynamodb"},
    ],
)
def customer_managed_key_is_used(table: Block) -> Iterator[Outcome]:
    """Without the block, DynamoDB encrypts with an AWS owned key."""
    if table.flag("server_side_encryption.enabled") is True:
        yield from expect_customer_key(table, "server_side_encryption.kms_key_arn", "must be a customer managed key")
    else:
        yield from expect_flag(
            table, "server_side_encryption.enabled", "must be true, with a customer managed key as kms_key_arn"
        )


@rule(
    "DDB-003",
    "DynamoDB table has deletion protection enabled",
    why="A plan that replaces the table, for example because its hash key or name changed, deletes all items.",
    fix="Set deletion_protection_enabled to true; disable it in a separate change before deleting the table.",
    page=f"{DDB}/WorkingWithTables.Basics.html",
    types=[TABLE],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("DynamoDB.6",)),
    good=_GOOD,
    breaks=[
        {f"{_AT}.deletion_protection_enabled": REMOVED},
        {f"{_STOCK_AT}.deletion_protection_enabled": "false"},
    ],
)
def deletion_protection_is_enabled(table: Block) -> Iterator[Outcome]:
    """Deletion protection is disabled by default; a lock table of Terraform's S3 backend holds no data."""
    if table.get("hash_key") == "LockID":
        yield NotApplicable("it is a lock table of Terraform's S3 backend, which a migration to lock files deletes")
        return
    yield from expect_flag(
        table, "deletion_protection_enabled", "must be true, or a plan that replaces the table deletes all items"
    )


@rule(
    "DDB-004",
    "DynamoDB table uses on-demand capacity or auto scaling",
    why="Fixed capacity throttles requests at peak load and is billed while idle.",
    fix="Set billing_mode to PAY_PER_REQUEST, or add one aws_appautoscaling_target for read capacity and one for "
    "write capacity.",
    page=f"{DDB}/capacity-mode.html",
    types=[TABLE],
    severity=WARNING,
    frameworks=Frameworks(fsbp=("DynamoDB.1",), checkov=("CKV2_AWS_16",)),
    good=_GOOD,
    breaks=[
        {f"{_AT}.billing_mode": REMOVED},
        {f"resource.{_SCALING_TARGET}.write": REMOVED},
        {f"resource.{_SCALING_TARGET}.read.resource_id": "table/another"},
    ],
)
def capacity_scales(table: Block) -> Iterator[Outcome]:
    """The default billing mode is PROVISIONED."""
    mode = table.get("billing_mode")
    if isinstance(mode, Unknown):
        yield table.undecided(mode, "billing_mode")
        return
    if mode == "PAY_PER_REQUEST":
        return
    scaled = _scaled(table.estate)
    missing = [dimension for dimension in _DIMENSIONS if dimension not in scaled.get(table, set())]
    if missing and None in scaled:
        yield table.undecided(Unknown("the table or dimension of an aws_appautoscaling_target is not known"))
    elif missing:
        kinds = " and ".join("read capacity" if "Read" in dimension else "write capacity" for dimension in missing)
        yield table.fail(f"must be PAY_PER_REQUEST, or an aws_appautoscaling_target must scale {kinds}", "billing_mode")


@lru_cache(maxsize=2)
def _scaled(estate: Estate) -> dict[Block | None, set[str]]:
    """Return the scaled dimensions of each table; the key None means that some target is not known."""
    found: dict[Block | None, set[str]] = defaultdict(set)
    by_name: dict[object, Block] = {}
    for table in estate.of(TABLE):
        name = table.get("name")
        if isinstance(name, str):
            by_name[name] = table
    for target in estate.of(_SCALING_TARGET):
        dimension, resource = target.get("scalable_dimension"), target.get("resource_id")
        meant = target.target("resource_id", TABLE)
        if meant is None and isinstance(resource, str):
            meant = by_name.get(resource.removeprefix("table/"))
        if isinstance(dimension, Unknown) or (meant is None and isinstance(resource, Unknown)):
            found[None].add("")
        elif meant is not None:
            found[meant].add(str(dimension))
    return found


@rule(
    "DDB-005",
    "DynamoDB table declares exactly its key attributes",
    why="DynamoDB rejects a key without an attribute definition, and an attribute definition that no key uses.",
    fix="Add one attribute block for each key of the table and its indexes, and none for other attributes.",
    page=f"{DDB}/HowItWorks.CoreComponents.html",
    types=[TABLE],
    good=_GOOD,
    breaks=[
        {f"{_AT}.global_secondary_index.0.hash_key": "city"},
        {f"{_AT}.attribute": [*_KEYS_OF_ORDERS, {"name": "total", "type": "N"}]},
        {f"{_AT}.range_key": REMOVED},
        {f"{_STOCK_AT}.attribute.name": "sku"},
        {f"{_STOCK_AT}.local_secondary_index": {"name": "by-place", "range_key": "place"}},
    ],
)
def keys_are_declared(table: Block) -> Iterator[Outcome]:
    """Skip unused attributes of a table whose indexes are separate resources."""
    declared = [(section, "name", _named(section, "name")) for section in table.sections("attribute")]
    used = list(_keys(table))
    doubt = next((name for _, _, name in (*declared, *used) if isinstance(name, Unknown)), None)
    known = {name for _, _, name in declared}
    keys = {name for _, _, name in used}
    if doubt is not None:
        yield table.undecided(doubt, "attribute")
        return
    for section, at, key in used:
        if key not in known:
            yield section.fail(f"must be declared; add an attribute block with the name {key} and its type", at)
    for section, at, name in declared:
        if name not in keys and not table.referrers(INDEX):
            yield section.fail("is not a key of the table or of an index; remove the attribute block", at)


def _keys(table: Block) -> Iterator[tuple[Section, str, str | Unknown]]:
    sections = [table, *(section for kind in _INDEXES for section in table.sections(kind))]
    for section in sections:
        for at in ("hash_key", "range_key"):
            name = _named(section, at)
            if name:
                yield section, at, name
        if not isinstance(section.body, Unknown):
            for part in section.sections("key_schema"):
                yield part, "attribute_name", _named(part, "attribute_name")


def _named(section: Section, at: str) -> str | Unknown:
    if isinstance(section.body, Unknown):
        return section.body
    return section.text(at) or ""


@rule(
    "DDB-006",
    "DynamoDB table with TTL enabled has a numeric TTL attribute",
    why="DynamoDB rejects TTL without an attribute name; with an attribute of another type than Number, no item "
    "expires.",
    fix="Set ttl with enabled = true and attribute_name; store the expiry time as a number, in seconds since the Unix "
    "epoch.",
    page=f"{DDB}/TTL.html",
    types=[TABLE],
    good=_GOOD,
    breaks=[
        {f"{_AT}.ttl.attribute_name": REMOVED},
        {f"{_AT}.ttl.attribute_name": ""},
        {f"{_AT}.ttl.enabled": REMOVED},
        {f"{_AT}.ttl.attribute_name": "day"},
    ],
)
def ttl_attribute_is_valid(table: Block) -> Iterator[Outcome]:
    """A block with enabled = false may name the attribute."""
    ttl = table.section("ttl")
    if ttl is None:
        yield NotApplicable("it has no TTL")
        return
    enabled = ttl.body if isinstance(ttl.body, Unknown) else ttl.flag("enabled")
    name = None if isinstance(ttl.body, Unknown) else ttl.text("attribute_name")
    if isinstance(enabled, Unknown):
        yield ttl.undecided(enabled, "enabled")
    elif not enabled:
        if name and ttl.get("enabled") is None:
            yield ttl.fail("must be true if attribute_name is set, or no item expires", "enabled")
    elif isinstance(name, Unknown):
        yield ttl.undecided(name, "attribute_name")
    elif not name:
        yield ttl.fail("must be the name of the attribute with the expiry time", "attribute_name")
    else:
        for attribute in table.sections("attribute"):
            if _named(attribute, "name") == name and attribute.get("type") in ("S", "B"):
                yield ttl.fail("must be an attribute of type N (number), or no item expires", "attribute_name")


@rule(
    "DDB-007",
    "DynamoDB stream has a stream view type",
    why="DynamoDB rejects a stream without a view type; a view type without stream_enabled creates no stream.",
    fix="Set stream_enabled to true and stream_view_type to KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES.",
    page=f"{DDB}/Streams.html",
    types=[TABLE],
    good=_GOOD,
    breaks=[
        {f"{_AT}.stream_view_type": REMOVED},
        {f"{_AT}.stream_view_type": "new_image"},
        {f"{_AT}.stream_enabled": REMOVED},
    ],
)
def stream_has_a_view_type(table: Block) -> Iterator[Outcome]:
    """A table with stream_enabled = false may keep its view type."""
    enabled = table.flag("stream_enabled")
    if isinstance(enabled, Unknown):
        yield table.undecided(enabled, "stream_enabled")
    elif enabled:
        yield from expect(table, "stream_view_type", lambda view: view in _VIEWS, f"must be one of {', '.join(_VIEWS)}")
    elif table.get("stream_enabled") is None and table.get("stream_view_type") not in (None, ""):
        yield table.fail("must be true if stream_view_type is set, or no stream is created", "stream_enabled")


@rule(
    "DDB-008",
    "DynamoDB table capacity matches its billing mode",
    why="DynamoDB rejects capacity units for an on-demand table, and a provisioned table without them.",
    fix="Remove read_capacity and write_capacity if billing_mode is PAY_PER_REQUEST; otherwise set both to at least 1.",
    page=f"{DDB}/capacity-mode.html",
    types=[TABLE],
    good=_GOOD,
    breaks=[
        {f"{_AT}.read_capacity": 5},
        {f"{_AT}.global_secondary_index.0.write_capacity": "5"},
        {f"{_STOCK_AT}.write_capacity": REMOVED},
        {f"{_STOCK_AT}.read_capacity": 0},
    ],
)
def capacity_matches_the_billing_mode(table: Block) -> Iterator[Outcome]:
    """A capacity of 0 counts as not set."""
    mode = table.get("billing_mode")
    if isinstance(mode, Unknown):
        yield table.undecided(mode, "billing_mode")
        return
    for section in (table, *table.sections("global_secondary_index")):
        for at in _CAPACITIES:
            units = section.body if isinstance(section.body, Unknown) else section.number(at)
            if isinstance(units, Unknown):
                yield section.undecided(units, at)
            elif mode == "PAY_PER_REQUEST" and units:
                yield section.fail("must not be set if billing_mode is PAY_PER_REQUEST", at)
            elif mode in (None, "PROVISIONED") and not units:
                yield section.fail("must be at least 1, or billing_mode must be PAY_PER_REQUEST", at)


@rule(
    "DDB-009",
    "DynamoDB table class and billing mode are valid",
    why="DynamoDB rejects other values at apply.",
    fix="Use PROVISIONED or PAY_PER_REQUEST for billing_mode, STANDARD or STANDARD_INFREQUENT_ACCESS for table_class.",
    page=f"{DDB}/HowItWorks.TableClasses.html",
    types=[TABLE],
    good=_GOOD,
    breaks=[{f"{_AT}.table_class": "INFREQUENT_ACCESS"}, {f"{_AT}.billing_mode": "ON_DEMAND"}],
)
def table_class_and_billing_mode_are_valid(table: Block) -> Iterator[Outcome]:
    """Both have defaults."""
    for at, values in _VALUES.items():
        value = table.get(at)
        if isinstance(value, Unknown):
            yield table.undecided(value, at)
        elif value is not None and value not in values:
            yield table.fail(f"must be one of {', '.join(values)}", at)
