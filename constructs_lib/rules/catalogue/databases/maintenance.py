"""Maintenance of databases: CA certificates, minor versions, windows and identifiers."""

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

    from constructs_lib.rules.estate.model import Block
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
"""The number of characters that Terraform appends to a prefix."""

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
    "RDS CA certificate is not expired",
    why="The CAs up to rds-ca-2019 have expired: clients that verify the certificate cannot connect.",
    fix="Omit the CA identifier, or set it to rds-ca-rsa2048-g1.",
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
def ca_certificate_is_valid(block: Block) -> Iterator[Outcome]:
    """The default CA of the account is valid."""
    at = _CA_AT[block.type]
    authority = block.get(at)
    if authority is None:
        yield NotApplicable("it uses the default CA")
    elif isinstance(authority, Unknown):
        yield block.undecided(authority, at)
    elif str(authority).startswith(_EXPIRED):
        yield block.fail("must not be an expired CA; omit it, or set it to rds-ca-rsa2048-g1", at)


@rule(
    "RDS-037",
    "RDS instance has automatic minor version upgrades enabled",
    why="Minor versions contain security patches, and AWS supports each of them for a limited time.",
    fix="Omit auto_minor_version_upgrade or set it to true, and set engine_version to the major version only.",
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
def minor_versions_are_upgraded(instance: Block) -> Iterator[Outcome]:
    """The default is true."""
    yield from expect_flag(
        instance, "auto_minor_version_upgrade", "must be true: minor versions contain security patches", default=True
    )


@rule(
    "RDS-038",
    "RDS backup and maintenance windows are valid and do not overlap",
    why="AWS rejects windows that overlap, are shorter than 30 minutes, or have another format.",
    fix="Write the backup window as 02:00-03:00 and the maintenance window as sun:04:00-sun:05:00, in UTC.",
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
def windows_do_not_overlap(block: Block) -> Iterator[Outcome]:
    """AWS chooses an omitted window so that it does not overlap the other."""
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
            yield block.fail(f"must have the format {example}, in UTC", at)
        elif span is not None and span[1] < _SHORTEST:
            yield block.fail(f"must be at least {_SHORTEST} minutes long", at)
    if every_day and every_week and overlap(every_day, every_week):
        yield block.fail(f"must not overlap the daily {backup_at} {backup}", maintenance_at)


@rule(
    "RDS-039",
    "RDS identifier is valid",
    why="AWS rejects invalid identifiers at apply, and converts uppercase letters to lowercase, which every later "
    "plan shows as a change.",
    fix="Begin with a lowercase letter, and use up to 63 lowercase letters, digits and single hyphens.",
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
def identifier_is_valid(block: Block) -> Iterator[Outcome]:
    """Terraform generates an omitted identifier."""
    for at, longest in zip(_NAME_AT[block.type], (_LONGEST, _LONGEST - _SUFFIX), strict=True):
        name = block.text(at)
        if isinstance(name, Unknown):
            yield block.undecided(name, at)
        elif name is None:
            continue
        elif len(name) > longest:
            yield block.fail(f"must have at most {longest} characters; it has {len(name)}", at)
        elif not re.fullmatch(r"[a-z](-?[a-z0-9])*-?", name) or (name.endswith("-") and not at.endswith("prefix")):
            yield block.fail(
                "must begin with a lowercase letter and contain lowercase letters, digits and single hyphens only, "
                "without a hyphen at the end",
                at,
            )
