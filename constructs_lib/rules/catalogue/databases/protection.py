"""Data protection of databases: encryption, backups, snapshots, deletion protection and IAM authentication."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import expect_flag, expect_number, expect_set
from constructs_lib.rules.queries.customer_keys import expect_customer_key
from constructs_lib.rules.queries.databases import (
    AURORA_GUIDE,
    CLUSTER,
    GLOBAL,
    INSTANCE,
    RDS_GUIDE,
    engine_of,
    is_aurora,
    is_copy,
    is_restored,
)
from constructs_lib.rules.queries.links import is_given
from constructs_lib.rules.rule import ADVICE, PRODUCTION, REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_KEPT_DAYS: Final = 7
_IAM_ENGINES: Final = ("aurora-mysql", "aurora-postgresql", "mariadb", "mysql", "postgres")
_SNAPSHOTS: Final = ("aws_db_snapshot", "aws_db_cluster_snapshot")

_PROTECTED: Final = {
    "storage_encrypted": True,
    "kms_key_id": "${aws_kms_key.data.arn}",
    "deletion_protection": True,
    "skip_final_snapshot": False,
    "final_snapshot_identifier": "shop-prod-final",
    "backup_retention_period": 14,
    "iam_database_authentication_enabled": True,
    "copy_tags_to_snapshot": True,
}
_GOOD: Final = {
    "resource": {
        "aws_kms_key": {"data": {"enable_key_rotation": True}},
        CLUSTER: {"orders": {"cluster_identifier": "shop-prod-orders", "engine": "aurora-postgresql", **_PROTECTED}},
        INSTANCE: {"legacy": {"identifier": "shop-prod-legacy", "engine": "postgres", **_PROTECTED}},
        GLOBAL: {
            "orders": {
                "global_cluster_identifier": "shop-prod-orders",
                "engine": "aurora-postgresql",
                "storage_encrypted": True,
                "deletion_protection": True,
            }
        },
        "aws_db_snapshot": {
            "legacy": {
                "db_instance_identifier": "shop-prod-legacy",
                "db_snapshot_identifier": "shop-prod-legacy-1",
                "shared_accounts": ["210987654321"],
            }
        },
        "aws_db_cluster_snapshot": {
            "orders": {"db_cluster_identifier": "shop-prod-orders", "db_cluster_snapshot_identifier": "shop-prod-1"}
        },
    }
}
_ORDERS: Final = f"resource.{CLUSTER}.orders"
_LEGACY: Final = f"resource.{INSTANCE}.legacy"
_WORLD: Final = f"resource.{GLOBAL}.orders"


def _decided_elsewhere(block: Block, at: str) -> Outcome | None:
    """Return why encryption is determined elsewhere."""
    if block.type == INSTANCE and is_copy(block):
        return NotApplicable("a replica has the encryption of its source")
    if block.type == GLOBAL and block.raw("source_db_cluster_identifier") is not None:
        return NotApplicable("the primary cluster determines the encryption")
    if block.type == CLUSTER and block.get("engine_mode") == "serverless":
        return NotApplicable("Aurora Serverless v1 is always encrypted")
    if block.type != GLOBAL and is_restored(block):
        return block.undecided(Unknown("the snapshot determines the encryption"), at)
    return None


@rule(
    "RDS-008",
    "RDS storage is encrypted",
    why="Data, backups and snapshots are stored in plain text; an existing database cannot be encrypted.",
    fix="Set storage_encrypted to true.",
    page=f"{RDS_GUIDE}/Overview.Encryption.html",
    types=[CLUSTER, INSTANCE, GLOBAL],
    lessons=["TRD-5"],
    frameworks=Frameworks(
        fsbp=("RDS.3", "RDS.27"), cis=("2.3.1",), pci=("3.5.1",), checkov=("CKV_AWS_16", "CKV_AWS_96")
    ),
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.storage_encrypted": REMOVED},
        {f"{_ORDERS}.storage_encrypted": "false"},
        {f"{_LEGACY}.storage_encrypted": False},
        {f"{_WORLD}.storage_encrypted": REMOVED},
    ],
)
def storage_is_encrypted(block: Block) -> Iterator[Outcome]:
    """The default is false."""
    if block.flag("storage_encrypted") is True:
        return
    elsewhere = _decided_elsewhere(block, "storage_encrypted")
    if elsewhere is not None:
        yield elsewhere
    else:
        yield from expect_flag(block, "storage_encrypted", "must be true; an existing database cannot be encrypted")


@rule(
    "RDS-009",
    "RDS storage is encrypted with a customer managed key",
    why="The policy of the AWS managed key aws/rds cannot be changed: access cannot be revoked, and snapshots "
    "cannot be shared.",
    fix="Set kms_key_id to a customer managed key.",
    page=f"{RDS_GUIDE}/Overview.Encryption.Keys.html",
    types=[CLUSTER, INSTANCE],
    severity=ADVICE,
    lessons=["TRD-5"],
    frameworks=Frameworks(checkov=("CKV_AWS_327",)),
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.kms_key_id": REMOVED},
        {f"{_LEGACY}.kms_key_id": "alias/aws/rds"},
        {
            "data": {"aws_kms_alias": {"rds": {"name": "alias/aws/rds"}}},
            f"{_LEGACY}.kms_key_id": "${data.aws_kms_alias.rds.target_key_arn}",
        },
    ],
)
def customer_key_is_used(block: Block) -> Iterator[Outcome]:
    """RDS-008 reports storage without encryption."""
    elsewhere = _decided_elsewhere(block, "kms_key_id") if block.get("kms_key_id") is None else None
    if elsewhere is not None:
        yield elsewhere
    elif block.flag("storage_encrypted") is False and block.get("kms_key_id") is None:
        yield NotApplicable("it is not encrypted")
    else:
        yield from expect_customer_key(block, "kms_key_id", "must be a customer managed key")


@rule(
    "RDS-010",
    "RDS database has deletion protection enabled",
    why="One wrong plan or API call can delete the database with its automated backups.",
    fix="Set deletion_protection to true; disable it in a separate change before you delete the database.",
    page=f"{RDS_GUIDE}/USER_DeleteInstance.html",
    types=[CLUSTER, INSTANCE, GLOBAL],
    severity=PRODUCTION,
    lessons=["TRD-5"],
    frameworks=Frameworks(fsbp=("RDS.7", "RDS.8"), checkov=("CKV_AWS_139", "CKV_AWS_293")),
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.deletion_protection": False},
        {f"{_LEGACY}.deletion_protection": REMOVED},
        {f"{_WORLD}.deletion_protection": "false"},
    ],
)
def deletion_is_protected(block: Block) -> Iterator[Outcome]:
    """Replicas contain no data of their own."""
    if block.type == INSTANCE and is_copy(block):
        yield NotApplicable("a replica can be created again from its source")
    else:
        yield from expect_flag(block, "deletion_protection", "must be true, or a wrong plan can delete the data")


@rule(
    "RDS-011",
    "RDS database creates a final snapshot",
    why="Without a final snapshot the data is deleted with the database; without its identifier terraform destroy "
    "fails.",
    fix="Set skip_final_snapshot to false and final_snapshot_identifier to a name.",
    page=f"{RDS_GUIDE}/USER_DeleteInstance.html",
    types=[CLUSTER, INSTANCE],
    severity=PRODUCTION,
    lessons=["TRD-5"],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.skip_final_snapshot": True},
        {f"{_ORDERS}.final_snapshot_identifier": REMOVED},
        {f"{_LEGACY}.skip_final_snapshot": "true"},
        {f"{_LEGACY}.final_snapshot_identifier": ""},
    ],
)
def final_snapshot_is_created(block: Block) -> Iterator[Outcome]:
    """AWS creates no final snapshot of replicas."""
    if is_copy(block):
        yield NotApplicable("a replica has no final snapshot")
        return
    skipped = block.flag("skip_final_snapshot")
    if skipped is False:
        yield from expect_set(block, "final_snapshot_identifier", "must be set, or the database cannot be destroyed")
    else:
        yield from expect_flag(
            block,
            "skip_final_snapshot",
            "must be false, so that the data can be restored after the database is deleted",
            wanted=False,
        )


@rule(
    "RDS-012",
    "RDS database retains backups for at least 7 days",
    why="A mistake that is noticed after a weekend is older than the default retention of one day.",
    fix="Set backup_retention_period to 7 to 35 days.",
    page=f"{RDS_GUIDE}/USER_WorkingWithAutomatedBackups.BackupRetention.html",
    types=[CLUSTER, INSTANCE],
    severity=PRODUCTION,
    lessons=["TRD-5"],
    frameworks=Frameworks(fsbp=("RDS.11",), checkov=("CKV_AWS_133",)),
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.backup_retention_period": REMOVED},
        {f"{_ORDERS}.backup_retention_period": "1"},
        {f"{_LEGACY}.backup_retention_period": 0},
        {f"{_LEGACY}.backup_retention_period": 90},
    ],
)
def backups_are_retained(block: Block) -> Iterator[Outcome]:
    """AWS's default for clusters is one day, the provider's for instances is no backups."""
    if block.type == INSTANCE and is_copy(block):
        yield NotApplicable("its source has the backups")
        return
    default = "1 day" if block.type == CLUSTER else "no backups"
    yield from expect_number(
        block,
        "backup_retention_period",
        lambda days: days is not None and _KEPT_DAYS <= days <= 35,  # noqa: PLR2004  the longest retention of RDS
        f"must be {_KEPT_DAYS} to 35 days; the default is {default}",
    )


@rule(
    "RDS-013",
    "RDS database has IAM authentication enabled",
    why="Passwords remain valid after people and applications have left; IAM authentication tokens expire after 15 "
    "minutes.",
    fix="Set iam_database_authentication_enabled to true.",
    page=f"{RDS_GUIDE}/UsingWithRDS.IAMDBAuth.html",
    types=[CLUSTER, INSTANCE],
    severity=WARNING,
    lessons=["TRD-5"],
    frameworks=Frameworks(fsbp=("RDS.10", "RDS.12"), checkov=("CKV_AWS_161", "CKV_AWS_162")),
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.iam_database_authentication_enabled": REMOVED},
        {f"{_LEGACY}.iam_database_authentication_enabled": False},
    ],
)
def iam_authentication_is_enabled(block: Block) -> Iterator[Outcome]:
    """Oracle, SQL Server and Db2 do not support it; Multi-AZ DB clusters set it per instance."""
    engine = engine_of(block)
    if engine is None or (isinstance(engine, str) and engine not in _IAM_ENGINES):
        yield NotApplicable("its engine does not support IAM authentication, or its source determines the engine")
    elif block.get("engine_mode") == "serverless":
        yield NotApplicable("Aurora Serverless v1 does not support IAM authentication")
    elif isinstance(engine, Unknown) and block.flag("iam_database_authentication_enabled") is not True:
        yield block.undecided(engine, "engine")
    else:
        yield from expect_flag(
            block, "iam_database_authentication_enabled", "must be true; database users can still have passwords"
        )


@rule(
    "RDS-014",
    "RDS database copies tags to snapshots",
    why="Snapshots without tags are missing in cost reports and tag-based policies.",
    fix="Set copy_tags_to_snapshot to true.",
    page=f"{AURORA_GUIDE}/USER_Tagging.html",
    types=[CLUSTER, INSTANCE],
    severity=ADVICE,
    lessons=["TRD-5"],
    frameworks=Frameworks(fsbp=("RDS.16", "RDS.17"), checkov=("CKV_AWS_313", "CKV2_AWS_60")),
    good=_GOOD,
    breaks=[{f"{_ORDERS}.copy_tags_to_snapshot": REMOVED}, {f"{_LEGACY}.copy_tags_to_snapshot": "false"}],
)
def tags_are_copied(block: Block) -> Iterator[Outcome]:
    """The cluster decides for Aurora instances."""
    if block.type == INSTANCE and is_aurora(engine_of(block)):
        yield NotApplicable("its cluster determines it")
    else:
        yield from expect_flag(block, "copy_tags_to_snapshot", "must be true, or snapshots have no tags")


@rule(
    "RDS-015",
    "RDS snapshot is not public",
    why="Every AWS account can restore a public snapshot and read all its data.",
    fix="List the accounts that may restore it in shared_accounts.",
    page=f"{RDS_GUIDE}/USER_ShareSnapshot.html",
    types=_SNAPSHOTS,
    frameworks=Frameworks(fsbp=("RDS.1",), pci=("1.4.4",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_db_snapshot.legacy.shared_accounts": ["all"]},
        {"resource.aws_db_cluster_snapshot.orders.shared_accounts": ["210987654321", "all"]},
    ],
)
def snapshot_is_private(snapshot: Block) -> Iterator[Outcome]:
    """The value all means every account."""
    accounts = snapshot.items("shared_accounts")
    if isinstance(accounts, Unknown):
        yield snapshot.undecided(accounts, "shared_accounts")
    elif "all" in accounts:
        yield snapshot.fail("must contain account IDs only; all makes the snapshot public", "shared_accounts")
    else:
        unknown = next((each for each in accounts if isinstance(each, Unknown) and not is_given(each)), None)
        if unknown is not None:
            yield snapshot.undecided(unknown, "shared_accounts")
