"""What keeps a database going: certificates, minor versions, windows, names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.windows import daily, overlap, weekly
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import expect_flag
from constructs_lib.rules.queries.databases import CLUSTER, INSTANCE, MEMBER, RDS_GUIDE
from constructs_lib.rules.rule import WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.blocks import Block
    from constructs_lib.rules.outcomes import Outcome

_CA_AT: Final = {
    CLUSTER: "ca_certificate_identifier",
    INSTANCE: "ca_cert_identifier",
    MEMBER: "ca_cert_identifier",
}
_EXPIRED: Final = ("rds-ca-2010", "rds-ca-2015", "rds-ca-2019")

WINDOWS: Final = {
    CLUSTER: ("preferred_backup_window", "preferred_maintenance_window"),
    INSTANCE: ("backup_window", "maintenance_window"),
    MEMBER: ("preferred_backup_window", "preferred_maintenance_window"),
}
_SHORTEST: Final = 30

_NAME_AT: Final = {
    CLUSTER: ("cluster_identifier", "cluster_identifier_prefix"),
    INSTANCE: ("identifier", "identifier_prefix"),
    MEMBER: ("identifier", "identifier_prefix"),
}
_LONGEST: Final = 63
_SUFFIX: Final = 26
"""Characters that Terraform puts behind a prefix."""

_GOOD: Final = {
    "resource": {
        CLUSTER: {
            "orders": {
                "cluster_identifier": "shop-prod-orders",
                "engine": "aurora-postgresql",
                "preferred_backup_window": "02:00-03:00",
                "preferred_maintenance_window": "sun:04:00-sun:05:00",
            }
        },
        MEMBER: {
            "orders": {
                "identifier_prefix": "shop-prod-orders-",
                "cluster_identifier": "${aws_rds_cluster.orders.id}",
                "ca_cert_identifier": "rds-ca-rsa2048-g1",
                "auto_minor_version_upgrade": True,
            }
        },
        INSTANCE: {
            "legacy": {
                "identifier": "shop-prod-legacy",
                "engine": "postgres",
                "backup_window": "23:30-00:30",
                "maintenance_window": "Mon:01:00-Mon:02:00",
            }
        },
    }
}
_ORDERS: Final = f"resource.{CLUSTER}.orders"
_MEMBER: Final = f"resource.{MEMBER}.orders"
_LEGACY: Final = f"resource.{INSTANCE}.legacy"


@rule(
    "RDS-036",
    "A database's certificate comes from an authority that is still valid",
    why="The authorities up to rds-ca-2019 have expired: clients that verify the certificate cannot connect.",
    fix="Leave the identifier out, or set it to rds-ca-rsa2048-g1.",
    page=f"{RDS_GUIDE}/UsingWithRDS.SSL.html",
    types=[CLUSTER, INSTANCE, MEMBER],
    lessons=["TRD-5"],
    frameworks=Frameworks(checkov=("CKV_AWS_211",)),
    good=_GOOD,
    breaks=[
        {f"{_MEMBER}.ca_cert_identifier": "rds-ca-2019"},
        {f"{_LEGACY}.ca_cert_identifier": "rds-ca-2015"},
        {f"{_ORDERS}.ca_certificate_identifier": "rds-ca-2019"},
    ],
)
def certificate_is_valid(block: Block) -> Iterator[Outcome]:
    """Without one AWS takes the account's default, which is valid."""
    at = _CA_AT[block.type]
    authority = block.get(at)
    if authority is None:
        yield NotApplicable("it takes the default")
    elif isinstance(authority, Unknown):
        yield block.undecided(authority, at)
    elif str(authority).startswith(_EXPIRED):
        yield block.fail("has expired; take rds-ca-rsa2048-g1, or leave it out", at)


@rule(
    "RDS-037",
    "A database takes minor versions by itself",
    why="Minor versions are security patches; AWS ends the support of each after a year or so.",
    fix="Leave auto_minor_version_upgrade out, or set it to true, and name the major version only.",
    page=f"{RDS_GUIDE}/USER_UpgradeDBInstance.Upgrading.html",
    types=[INSTANCE, MEMBER],
    severity=WARNING,
    frameworks=Frameworks(fsbp=("RDS.13",), cis=("2.3.2",), pci=("6.3.3",), checkov=("CKV_AWS_226",)),
    good=_GOOD,
    breaks=[
        {f"{_MEMBER}.auto_minor_version_upgrade": False},
        {f"{_LEGACY}.auto_minor_version_upgrade": "false"},
    ],
)
def minor_versions_are_taken(instance: Block) -> Iterator[Outcome]:
    """They are unless they are turned off."""
    yield from expect_flag(
        instance, "auto_minor_version_upgrade", "must be true: minor versions are security patches", default=True
    )


@rule(
    "RDS-038",
    "Backup and maintenance windows are well written and apart",
    why="AWS refuses windows that overlap, that are shorter than 30 minutes, or that it cannot read.",
    fix="Write the backup window as 02:00-03:00, the maintenance window as sun:04:00-sun:05:00, in UTC.",
    page=f"{RDS_GUIDE}/USER_WorkingWithAutomatedBackups.BackupWindow.html",
    types=[CLUSTER, INSTANCE, MEMBER],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.preferred_maintenance_window": "sun:02:30-sun:03:30"},
        {f"{_LEGACY}.maintenance_window": "tue:00:00-tue:01:00"},
        {f"{_ORDERS}.preferred_backup_window": "2:00-3:00"},
        {f"{_ORDERS}.preferred_backup_window": "02:00-02:15"},
        {f"{_LEGACY}.maintenance_window": "04:00-05:00"},
        {f"{_MEMBER}.preferred_maintenance_window": "sun:04:00-sun:04:20"},
    ],
)
def windows_are_apart(block: Block) -> Iterator[Outcome]:
    """A window that is left out AWS chooses, apart from the other."""
    backup_at, maintenance_at = WINDOWS[block.type]
    backup, maintenance = block.text(backup_at), block.text(maintenance_at)
    for value, at in ((backup, backup_at), (maintenance, maintenance_at)):
        if isinstance(value, Unknown):
            yield block.undecided(value, at)
            return
    every_day = daily(str(backup)) if backup else None
    every_week = weekly(str(maintenance)) if maintenance else None
    for value, span, at, example in (
        (backup, every_day, backup_at, "02:00-03:00"),
        (maintenance, every_week, maintenance_at, "sun:04:00-sun:05:00"),
    ):
        if value and span is None:
            yield block.fail(f"must be written as {example}, in UTC", at)
        elif span is not None and span[1] < _SHORTEST:
            yield block.fail(f"must last {_SHORTEST} minutes or more", at)
    if every_day and every_week and overlap(every_day, every_week):
        yield block.fail(f"overlaps the daily {backup_at} {backup}", maintenance_at)


@rule(
    "RDS-039",
    "A database's identifier is legal",
    why="AWS refuses another one at apply, and Terraform sees a change for ever where AWS writes it in small letters.",
    fix="Begin with a small letter, go on with small letters, digits and single hyphens, up to 63 characters.",
    page=f"{RDS_GUIDE}/CHAP_Limits.html",
    types=[CLUSTER, INSTANCE, MEMBER],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.cluster_identifier": "shop--orders"},
        {f"{_LEGACY}.identifier": "Shop_Legacy"},
        {f"{_LEGACY}.identifier": "shop-prod-legacy-"},
        {f"{_LEGACY}.identifier": "shop-" + "x" * 60},
        {f"{_MEMBER}.identifier_prefix": "shop-prod-" + "x" * 30},
    ],
)
def identifier_is_legal(block: Block) -> Iterator[Outcome]:
    """Terraform makes one up where none is given."""
    for at, longest in zip(_NAME_AT[block.type], (_LONGEST, _LONGEST - _SUFFIX), strict=True):
        name = block.text(at)
        if isinstance(name, Unknown):
            yield block.undecided(name, at)
        elif name is None:
            continue
        elif len(name) > longest:
            yield block.fail(f"has {len(name)} characters; at most {longest} are allowed", at)
        elif not re.fullmatch(r"[a-z](-?[a-z0-9])*-?", name) or (name.endswith("-") and not at.endswith("prefix")):
            yield block.fail(
                "must begin with a small letter and hold small letters, digits and single hyphens, not at its end", at
            )
