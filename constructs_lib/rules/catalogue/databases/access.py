"""Access to databases: public accessibility, master passwords, administrator usernames and proxies."""

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

    from constructs_lib.rules.estate.model import Block
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
    "RDS instance is not publicly accessible",
    why="A single security group rule can open the database to the internet.",
    fix="Set publicly_accessible to false, and connect from within the VPC.",
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
    """The provider's default is false."""
    yield from expect_flag(instance, "publicly_accessible", "must be false; connect from within the VPC", wanted=False)


@rule(
    "RDS-023",
    "RDS master password is not hard-coded",
    why="Everyone who can read the repository, or an old copy of it, can connect to the database.",
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
    unknown_passes="a variable without a default, or an attribute of another block, is not a literal",
)
def password_is_not_literal(block: Block) -> Iterator[Outcome]:
    """The default of a variable is hard-coded too."""
    yield from literal(
        block,
        PASSWORDS[block.type],
        f"must not be hard-coded; set {_MANAGED} to true, or use random_password",
    )


@rule(
    "RDS-024",
    "Generated RDS master password has valid characters and a valid length",
    why="RDS rejects / @ \" ' and spaces; a backslash or an @ breaks connection strings and shells. Generated "
    "passwords contain them at random, so only some deployments fail.",
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
    """Only passwords of databases are checked."""
    database = used_by(generator, PASSWORDS)
    if database is None:
        yield NotApplicable("no database uses it")
        return
    at, specials = specials_of(generator)
    if isinstance(specials, Unknown):
        yield generator.undecided(specials, at)
    elif unsafe := [sign for sign in _UNSAFE if sign in specials]:
        shown = " ".join("space" if sign == " " else sign for sign in unsafe)
        wanted = "must exclude" if at.startswith("exclude") else "must be set without"
        yield generator.fail(f"{wanted} {shown} for the password of {called(database, generator)}", at)
    at, length = length_of(generator)
    engine = engine_of(database)
    longest = _LONGEST_OF_ALL
    if isinstance(engine, str):
        longest = next((most for name, most in _LONGEST.items() if engine.startswith(name)), _LONGEST_OF_ALL)
    if isinstance(length, Unknown):
        yield generator.undecided(length, at)
    elif not _SHORTEST <= length <= longest:
        yield generator.fail(
            f"must be {_SHORTEST} to {longest} characters for the password of {called(database, generator)}", at
        )


@rule(
    "RDS-025",
    "RDS master password is managed in Secrets Manager",
    why="A password that Terraform sets is in the state and in saved plans, and is not rotated.",
    fix="Set manage_master_user_password to true, with master_user_secret_kms_key_id, and omit the password.",
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
    """Global clusters do not support it; replicas and restored databases have the password of their source."""
    has_password = any(block.raw(at) is not None for at in PASSWORDS[block.type])
    if is_copy(block) or block.raw("global_cluster_identifier") is not None:
        yield NotApplicable("replicas and members of a global cluster do not support managed passwords")
    elif is_restored(block) and not has_password:
        yield NotApplicable("it has the password of its source")
    else:
        yield from expect_flag(block, _MANAGED, "must be true, without a password argument")


@rule(
    "RDS-026",
    "RDS administrator username is not a default",
    why="With a default username an attacker has to guess the password only.",
    fix="Choose a name of your own, such as orders_owner.",
    page=f"{AURORA_GUIDE}/UsingWithRDS.MasterAccounts.html",
    types=[CLUSTER, INSTANCE],
    severity=ADVICE,
    frameworks=Frameworks(fsbp=("RDS.24", "RDS.25"), pci=("2.2.2",)),
    good=_GOOD,
    breaks=[{f"{_ORDERS}.master_username": "postgres"}, {f"{_LEGACY}.username": "Admin"}],
)
def administrator_name_is_not_a_default(block: Block) -> Iterator[Outcome]:
    """Replicas and restored databases have the administrator of their source."""
    at = _USERNAME_AT[block.type]
    name = block.text(at)
    if name is None:
        yield NotApplicable("it sets no administrator username")
    elif isinstance(name, Unknown):
        yield block.undecided(name, at)
    elif name.lower() in _COMMON_ADMINS:
        yield block.fail("must be a name of your own, such as orders_owner", at)


@rule(
    "RDS-027",
    "RDS administrator username is valid",
    why="AWS rejects reserved words and invalid characters at apply.",
    fix="Begin with a letter, use letters, digits and underscores only, and avoid admin on PostgreSQL.",
    page=f"{RDS_GUIDE}/CHAP_Limits.html",
    types=[CLUSTER, INSTANCE],
    good=_GOOD,
    breaks=[
        {f"{_ORDERS}.master_username": "admin"},
        {f"{_LEGACY}.username": "rdsadmin"},
        {f"{_ORDERS}.master_username": "orders-owner"},
    ],
)
def administrator_name_is_valid(block: Block) -> Iterator[Outcome]:
    """Reserved words depend on the engine."""
    at = _USERNAME_AT[block.type]
    name, engine = block.text(at), engine_of(block)
    if name is None:
        yield NotApplicable("it sets no administrator username")
    elif isinstance(name, Unknown):
        yield block.undecided(name, at)
    elif not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        yield block.fail("must begin with a letter and contain letters, digits and underscores only", at)
    elif isinstance(engine, Unknown) and name.lower() == "admin":
        yield block.undecided(engine, "engine")
    elif name.lower() in _RESERVED.get(str(engine), _RESERVED[""]):
        yield block.fail(
            f"must not be a reserved word of {engine or 'RDS'}; choose another name, such as orders_owner", at
        )


@rule(
    "RDS-029",
    "RDS Proxy requires TLS",
    why="Without TLS, passwords and rows are readable on the network between client and proxy.",
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
def proxy_requires_tls(proxy: Block) -> Iterator[Outcome]:
    """The default is false."""
    yield from expect_flag(proxy, "require_tls", "must be true, or the proxy accepts plain-text connections")
