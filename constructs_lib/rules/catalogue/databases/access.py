"""Who gets at a database: passwords, administrators, public addresses, proxies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import PROVIDER, expect_flag
from constructs_lib.rules.queries.databases import (
    AURORA_GUIDE,
    CLUSTER,
    INSTANCE,
    MEMBER,
    RDS_GUIDE,
    engine_of,
    is_copy,
    is_restored,
)
from constructs_lib.rules.queries.links import called
from constructs_lib.rules.queries.passwords import GENERATORS, length_of, literal, specials_of, used_by
from constructs_lib.rules.rule import ADVICE, REMOVED, WARNING, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.blocks import Block
    from constructs_lib.rules.outcomes import Outcome

PASSWORDS: Final = {
    CLUSTER: ("master_password", "master_password_wo"),
    INSTANCE: ("password", "password_wo"),
}
_USERNAME_AT: Final = {CLUSTER: "master_username", INSTANCE: "username"}
_MANAGED: Final = "manage_master_user_password"

_UNSAFE: Final = "@\"'/\\ "
_SHORTEST: Final = 16
_LONGEST: Final = {"aurora-mysql": 41, "mysql": 41, "mariadb": 41, "oracle": 30}
_LONGEST_OF_ALL: Final = 128

_COMMON_ADMINS: Final = ("admin", "administrator", "master", "postgres", "root", "sa", "user")
_RESERVED: Final = {"": ("rdsadmin",), "postgres": ("admin", "rdsadmin"), "aurora-postgresql": ("admin", "rdsadmin")}

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "random_password": {"legacy": {"length": 32, "special": True, "override_special": "!#$%&*()-_=+[]{}<>:?"}},
        CLUSTER: {
            "orders": {
                "cluster_identifier": "shop-prod-orders",
                "engine": "aurora-postgresql",
                "master_username": "orders_owner",
                "manage_master_user_password": True,
            }
        },
        MEMBER: {"orders": {"cluster_identifier": "${aws_rds_cluster.orders.id}", "publicly_accessible": False}},
        INSTANCE: {
            "legacy": {
                "identifier": "shop-prod-legacy",
                "engine": "mysql",
                "username": "legacy_owner",
                "password": "${random_password.legacy.result}",
                "publicly_accessible": False,
            },
            "stock": {
                "identifier": "shop-prod-stock",
                "engine": "mysql",
                "username": "stock_owner",
                "password": "${data.aws_secretsmanager_random_password.stock.random_password}",
            },
        },
        "aws_db_proxy": {"orders": {"name": "shop-prod-orders", "require_tls": True}},
    },
    "data": {
        "aws_secretsmanager_random_password": {
            "stock": {"password_length": 32, "exclude_characters": "\"'/@\\"},
        }
    },
}
_MANAGED_GOOD: Final[dict[str, Any]] = {"resource": {CLUSTER: _GOOD["resource"][CLUSTER]}}
_RANDOM: Final = "resource.random_password.legacy"
_ORDERS: Final = f"resource.{CLUSTER}.orders"
_LEGACY: Final = f"resource.{INSTANCE}.legacy"


@rule(
    "RDS-022",
    "A database has no public address",
    why="The database answers to the whole internet as soon as a security group lets a range in.",
    fix="Set publicly_accessible to false, and reach it from within the VPC.",
    page=f"{RDS_GUIDE}/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
    types=[INSTANCE, MEMBER],
    severity=Severity("warning", "error", "error"),
    frameworks=Frameworks(fsbp=("RDS.2",), cis=("2.3.3",), pci=("1.4.4",), checkov=("CKV_AWS_17",)),
    good=_GOOD,
    breaks=[
        {f"{_LEGACY}.publicly_accessible": True},
        {f"resource.{MEMBER}.orders.publicly_accessible": "true"},
    ],
)
def database_is_private(instance: Block) -> Iterator[Outcome]:
    """Terraform takes false where nothing stands."""
    yield from expect_flag(instance, "publicly_accessible", "must be false; reach it from within the VPC", wanted=False)


@rule(
    "RDS-023",
    "A master password does not stand in the code",
    why="Everybody who reads the repository, and whoever gets at an old copy of it, has the database.",
    fix="Set manage_master_user_password to true, or take the password from random_password.",
    page=f"{RDS_GUIDE}/rds-secrets-manager.html",
    types=[CLUSTER, INSTANCE],
    lessons=["EVT-7", "PLAT-13"],
    frameworks=Frameworks(pci=("8.6.2",)),
    good=_GOOD,
    breaks=[
        {f"{_LEGACY}.password": "correct-horse-battery"},
        {f"{_ORDERS}.{_MANAGED}": REMOVED, f"{_ORDERS}.master_password": "correct-horse-battery"},
        {"variable": {"password": {"default": "changeme12345"}}, f"{_LEGACY}.password": "${var.password}"},
        {f"{_LEGACY}.password": REMOVED, f"{_LEGACY}.password_wo": "correct-horse-battery"},
    ],
    unknown_passes="A variable without default, or what another block gives, is no literal.",
)
def password_is_not_literal(block: Block) -> Iterator[Outcome]:
    """A default of a variable stands in the code as well."""
    yield from literal(
        block,
        PASSWORDS[block.type],
        f"must not stand in the code; set {_MANAGED} to true, or take it from random_password",
    )


@rule(
    "RDS-024",
    "A generated master password has characters and a length that RDS and connection strings take",
    why="RDS refuses / @ \" ' and the space; a backslash or an @ breaks connection strings and shells. It happens by "
    "chance: some deployments pass.",
    fix='Set override_special to "!#$%&*()-_=+[]{}<>:?", and length to 16 or more.',
    page=f"{RDS_GUIDE}/CHAP_Limits.html",
    types=GENERATORS,
    lessons=["PLAT-13"],
    good=_GOOD,
    breaks=[
        {f"{_RANDOM}.override_special": REMOVED},
        {f"{_RANDOM}.override_special": "!#/"},
        {f"{_RANDOM}.length": 8},
        {f"{_RANDOM}.length": "64"},
        {"data.aws_secretsmanager_random_password.stock.exclude_characters": "@"},
    ],
)
def generated_password_is_safe(generator: Block) -> Iterator[Outcome]:
    """Only passwords of databases are asked about."""
    database = used_by(generator, PASSWORDS)
    if database is None:
        yield NotApplicable("no database takes it")
        return
    at, specials = specials_of(generator)
    if isinstance(specials, Unknown):
        yield generator.undecided(specials, at)
    elif unsafe := [sign for sign in _UNSAFE if sign in specials]:
        shown = " ".join("space" if sign == " " else sign for sign in unsafe)
        wanted = "must exclude" if at.startswith("exclude") else "must be set, without"
        yield generator.fail(f"{wanted} {shown}: it is the password of {called(database, generator)}", at)
    at, length = length_of(generator)
    engine = engine_of(database)
    longest = _LONGEST_OF_ALL
    if isinstance(engine, str):
        longest = next((most for name, most in _LONGEST.items() if engine.startswith(name)), _LONGEST_OF_ALL)
    if isinstance(length, Unknown):
        yield generator.undecided(length, at)
    elif not _SHORTEST <= length <= longest:
        yield generator.fail(f"must be {_SHORTEST} to {longest} for {called(database, generator)}", at)


@rule(
    "RDS-025",
    "RDS makes, keeps and rotates the master password",
    why="A password that Terraform knows stands in the state and in saved plans, and nobody rotates it.",
    fix="Set manage_master_user_password to true, with master_user_secret_kms_key_id, and leave the password out.",
    page=f"{RDS_GUIDE}/rds-secrets-manager.html",
    types=[CLUSTER, INSTANCE],
    severity=ADVICE,
    lessons=["PLAT-13"],
    good=_MANAGED_GOOD,
    breaks=[
        {f"{_ORDERS}.{_MANAGED}": REMOVED},
        {f"{_ORDERS}.{_MANAGED}": "false"},
    ],
)
def password_is_managed(block: Block) -> Iterator[Outcome]:
    """Members of a global cluster cannot have it, copies and restored databases bring their password along."""
    has_password = any(block.raw(at) is not None for at in PASSWORDS[block.type])
    if is_copy(block) or block.raw("global_cluster_identifier") is not None:
        yield NotApplicable("replicas and members of a global cluster have no managed password")
    elif is_restored(block) and not has_password:
        yield NotApplicable("it keeps the password of what it is restored from")
    else:
        yield from expect_flag(block, _MANAGED, "must be true, with the password left out")


@rule(
    "RDS-026",
    "The administrator does not have the name that everybody tries first",
    why="With a default name, an attacker needs to guess the password only.",
    fix="Choose a name of the application, such as orders_owner.",
    page=f"{AURORA_GUIDE}/UsingWithRDS.MasterAccounts.html",
    types=[CLUSTER, INSTANCE],
    severity=ADVICE,
    frameworks=Frameworks(fsbp=("RDS.24", "RDS.25"), pci=("2.2.2",)),
    good=_GOOD,
    breaks=[{f"{_ORDERS}.master_username": "postgres"}, {f"{_LEGACY}.username": "Admin"}],
)
def administrator_has_own_name(block: Block) -> Iterator[Outcome]:
    """Databases that come from others have their administrator from there."""
    at = _USERNAME_AT[block.type]
    name = block.text(at)
    if name is None:
        yield NotApplicable("it names no administrator")
    elif isinstance(name, Unknown):
        yield block.undecided(name, at)
    elif name.lower() in _COMMON_ADMINS:
        yield block.fail("must be a name of your own, such as orders_owner", at)


@rule(
    "RDS-027",
    "The administrator's name is one that the engine takes",
    why="AWS refuses reserved words and other characters at apply.",
    fix="Begin with a letter, go on with letters, digits and underscores, and avoid admin on PostgreSQL.",
    page=f"{RDS_GUIDE}/CHAP_Limits.html",
    types=[CLUSTER, INSTANCE],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.master_username": "admin"},
        {f"{_LEGACY}.username": "rdsadmin"},
        {f"{_ORDERS}.master_username": "orders-owner"},
    ],
)
def administrator_name_is_legal(block: Block) -> Iterator[Outcome]:
    """What is reserved depends on the engine."""
    at = _USERNAME_AT[block.type]
    name, engine = block.text(at), engine_of(block)
    if name is None:
        yield NotApplicable("it names no administrator")
    elif isinstance(name, Unknown):
        yield block.undecided(name, at)
    elif not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        yield block.fail("must begin with a letter and hold letters, digits and underscores only", at)
    elif isinstance(engine, Unknown) and name.lower() == "admin":
        yield block.undecided(engine, "engine")
    elif name.lower() in _RESERVED.get(str(engine), _RESERVED[""]):
        yield block.fail(f"is a reserved word of {engine or 'RDS'}; choose another, such as orders_owner", at)


@rule(
    "RDS-029",
    "A database proxy demands TLS",
    why="Between client and proxy, passwords and rows travel in plain text.",
    fix="Set require_tls to true.",
    page=f"{PROVIDER}/resources/db_proxy",
    types=["aws_db_proxy"],
    severity=WARNING,
    frameworks=Frameworks(pci=("4.2.1",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_db_proxy.orders.require_tls": REMOVED},
        {"resource.aws_db_proxy.orders.require_tls": "false"},
    ],
)
def proxy_demands_tls(proxy: Block) -> Iterator[Outcome]:
    """AWS does not demand it unless it is told to."""
    yield from expect_flag(proxy, "require_tls", "must be true, or it takes connections in plain text")
