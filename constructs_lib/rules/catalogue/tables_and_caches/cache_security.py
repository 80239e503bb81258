"""ElastiCache: encryption, KMS keys and authentication."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, expect, expect_flag
from constructs_lib.rules.queries.customer_keys import expect_customer_key
from constructs_lib.rules.queries.links import called, is_given, undecidable
from constructs_lib.rules.queries.passwords import GENERATORS, length_of, literal, specials_of, used_by
from constructs_lib.rules.rule import ADVICE, REMOVED, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

REPLICATED: Final = "aws_elasticache_replication_group"
NODES: Final = "aws_elasticache_cluster"
SERVERLESS: Final = "aws_elasticache_serverless_cache"
USER: Final = "aws_elasticache_user"
USER_GROUP: Final = "aws_elasticache_user_group"
CACHE: Final = f"{AWS}/AmazonElastiCache/latest/dg"

_TOKENS: Final = {REPLICATED: ("auth_token", "auth_token_wo")}
_LITERALS: Final = {REPLICATED: ("auth_token", "auth_token_wo"), USER: ("passwords", "authentication_mode.passwords")}
_ALLOWED: Final = "!&#$^<>-"
_SHORTEST: Final = 16
_LONGEST: Final = 128

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_kms_key": {"data": {"enable_key_rotation": True}},
        "random_password": {"token": {"length": 64, "special": True, "override_special": _ALLOWED}},
        REPLICATED: {
            "sessions": {
                "replication_group_id": "shop-prod-sessions",
                "engine": "redis",
                "at_rest_encryption_enabled": True,
                "transit_encryption_enabled": True,
                "kms_key_id": "${aws_kms_key.data.arn}",
                "auth_token": "${random_password.token.result}",
            }
        },
        NODES: {"pages": {"cluster_id": "shop-prod-pages", "engine": "memcached", "transit_encryption_enabled": True}},
        SERVERLESS: {
            "search": {
                "name": "shop-prod-search",
                "engine": "valkey",
                "kms_key_id": "${aws_kms_key.data.arn}",
                "user_group_id": "shop-prod-search",
            }
        },
        USER: {
            "app": {
                "user_id": "shop-prod-app",
                "engine": "valkey",
                "authentication_mode": {"type": "iam"},
            },
            "default": {
                "user_id": "shop-prod-default",
                "user_name": "default",
                "engine": "valkey",
                "authentication_mode": {"type": "password", "passwords": ["${random_password.token.result}"]},
            },
        },
        USER_GROUP: {
            "search": {
                "user_group_id": "shop-prod-search",
                "engine": "valkey",
                "user_ids": ["${aws_elasticache_user.app.user_id}", "${aws_elasticache_user.default.user_id}"],
            }
        },
    }
}
_SESSIONS: Final = f"resource.{REPLICATED}.sessions"
_RANDOM: Final = "resource.random_password.token"
_DEFAULT: Final = f"resource.{USER}.default"


def is_secondary(block: Block) -> bool:
    """Return whether a replication group is a secondary of a global datastore, whose primary decides."""
    return block.raw("global_replication_group_id") not in (None, "")


def engine_of(block: Block) -> str | Unknown:
    """Return the engine, or its default, Redis."""
    engine = block.get("engine")
    return engine if isinstance(engine, Unknown) else str(engine or "redis")


@rule(
    "DDB-014",
    "ElastiCache replication group is encrypted at rest",
    why="Backups and swapped data are stored in plain text, and encryption cannot be enabled later.",
    fix="Set at_rest_encryption_enabled to true.",
    page=f"{CACHE}/at-rest-encryption.html",
    types=[REPLICATED],
    frameworks=Frameworks(fsbp=("ElastiCache.4",), pci=("3.5.1",), checkov=("CKV_AWS_29",)),
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.at_rest_encryption_enabled": REMOVED},
        {f"{_SESSIONS}.at_rest_encryption_enabled": "false"},
        {f"{_SESSIONS}.engine": "valkey", f"{_SESSIONS}.at_rest_encryption_enabled": False},
    ],
)
def cache_is_encrypted_at_rest(group: Block) -> Iterator[Outcome]:
    """Valkey is encrypted by default."""
    engine = engine_of(group)
    if is_secondary(group):
        yield NotApplicable("the primary of its global datastore decides")
    elif isinstance(engine, Unknown) and group.get("at_rest_encryption_enabled") is None:
        yield group.undecided(engine, "engine")
    else:
        yield from expect_flag(
            group,
            "at_rest_encryption_enabled",
            "must be true; encryption at rest cannot be enabled later",
            default=engine == "valkey",
        )


@rule(
    "DDB-015",
    "ElastiCache cache requires TLS",
    why="Without TLS, cached data and passwords cross the network in plain text.",
    fix="Set transit_encryption_enabled to true, and leave transit_encryption_mode at required.",
    page=f"{CACHE}/in-transit-encryption.html",
    types=[REPLICATED, NODES],
    frameworks=Frameworks(fsbp=("ElastiCache.5",), pci=("4.2.1",), checkov=("CKV_AWS_30",)),
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.transit_encryption_enabled": REMOVED},
        {f"{_SESSIONS}.transit_encryption_enabled": False},
        {f"{_SESSIONS}.transit_encryption_mode": "preferred"},
        {f"resource.{NODES}.pages.transit_encryption_enabled": "false"},
    ],
)
def cache_is_encrypted_in_transit(block: Block) -> Iterator[Outcome]:
    """Skip nodes of a replication group, and single Redis nodes, which DDB-025 reports."""
    if block.type == NODES and (block.raw("replication_group_id") is not None or engine_of(block) != "memcached"):
        yield NotApplicable("its replication group decides, or it should be one")
    elif is_secondary(block):
        yield NotApplicable("the primary of its global datastore decides")
    else:
        yield from expect_flag(block, "transit_encryption_enabled", "must be true, or clients connect without TLS")
        yield from expect(
            block,
            "transit_encryption_mode",
            lambda mode: mode != "preferred",
            "must be required; preferred also accepts connections without TLS",
        )


@rule(
    "DDB-016",
    "ElastiCache cache is encrypted with a customer managed key",
    why="The default AWS owned key can neither be audited nor disabled.",
    fix="Set kms_key_id to a customer managed key.",
    page=f"{CACHE}/at-rest-encryption.html",
    types=[REPLICATED, SERVERLESS],
    severity=ADVICE,
    frameworks=Frameworks(checkov=("CKV_AWS_191",)),
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.kms_key_id": REMOVED},
        {f"resource.{SERVERLESS}.search.kms_key_id": "alias/aws/elasticache"},
    ],
)
def customer_managed_key_is_used(block: Block) -> Iterator[Outcome]:
    """Skip unencrypted replication groups, which DDB-014 reports."""
    if block.raw("kms_key_id") is None and block.get("at_rest_encryption_enabled") in (False, "false"):
        yield NotApplicable("it is not encrypted")
    else:
        yield from expect_customer_key(block, "kms_key_id", "must be a customer managed key")


@rule(
    "DDB-017",
    "ElastiCache cache requires authentication",
    why="Without authentication, anyone who can connect to the port can read and delete all data.",
    fix="Set user_group_ids (RBAC), or auth_token.",
    page=f"{CACHE}/Clusters.RBAC.html",
    types=[REPLICATED, SERVERLESS],
    frameworks=Frameworks(fsbp=("ElastiCache.6",), pci=("8.3.1",), checkov=("CKV_AWS_31",)),
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.auth_token": REMOVED},
        {f"{_SESSIONS}.auth_token": ""},
        {f"resource.{SERVERLESS}.search.user_group_id": REMOVED},
    ],
)
def authentication_is_required(block: Block) -> Iterator[Outcome]:
    """Skip serverless Memcached, which has no authentication."""
    if is_secondary(block):
        yield NotApplicable("the primary of its global datastore decides")
        return
    if block.type == SERVERLESS and engine_of(block) == "memcached":
        yield NotApplicable("Memcached has no authentication")
        return
    ats = ("user_group_id",) if block.type == SERVERLESS else ("user_group_ids", "auth_token", "auth_token_wo")
    if any(is_given(block.get(at)) for at in ats):
        return
    unknown = next(((at, value) for at in ats if (value := undecidable(block.get(at)))), None)
    if unknown is not None:
        yield block.undecided(unknown[1], unknown[0])
    elif block.type == SERVERLESS:
        yield block.fail("must be set to a user group, or clients connect without authentication", ats[0])
    else:
        yield block.fail("must be set, or auth_token, or clients connect without authentication", ats[0])


@rule(
    "DDB-018",
    "ElastiCache AUTH token or password is not hard-coded",
    why="Everyone with access to the repository or its history has access to the cache.",
    fix="Use random_password, or IAM authentication.",
    page=f"{CACHE}/auth.html",
    types=[REPLICATED, USER],
    lessons=["EVT-7"],
    frameworks=Frameworks(pci=("8.6.2",)),
    good=_GOOD,
    breaks=[
        {f"{_SESSIONS}.auth_token": "correct-horse-battery"},
        {"variable": {"token": {"default": "changeme12345678"}}, f"{_SESSIONS}.auth_token": "${var.token}"},
        {f"resource.{USER}.app.passwords": ["correct-horse-battery"]},
        {f"resource.{USER}.app.authentication_mode": {"type": "password", "passwords": ["correct-horse-battery"]}},
    ],
    unknown_passes="A variable without default, or an attribute of another block, is not a literal.",
)
def token_is_not_hard_coded(block: Block) -> Iterator[Outcome]:
    """The default of a variable is hard-coded, too."""
    for at in _LITERALS[block.type]:
        values = block.get(at)
        if isinstance(values, list) and all(isinstance(value, Unknown) for value in values):
            continue
        yield from literal(block, (at,), "must not be hard-coded; use random_password, or IAM authentication")


@rule(
    "DDB-019",
    "Generated ElastiCache AUTH token has valid characters and a valid length",
    why=f"ElastiCache allows letters, digits and {' '.join(_ALLOWED)} only, and rejects the token at apply if another "
    "character was generated.",
    fix=f'Set override_special to "{_ALLOWED}", and length to 16 to 128.',
    page=f"{CACHE}/auth.html",
    types=GENERATORS,
    lessons=["PLAT-13"],
    good=_GOOD,
    breaks=[
        {f"{_RANDOM}.override_special": REMOVED},
        {f"{_RANDOM}.override_special": "!@"},
        {f"{_RANDOM}.length": 12},
        {f"{_RANDOM}.length": "200"},
    ],
)
def generated_token_is_valid(generator: Block) -> Iterator[Outcome]:
    """Check passwords that an ElastiCache replication group uses as auth_token."""
    cache = used_by(generator, _TOKENS)
    if cache is None:
        yield NotApplicable("no replication group uses it as auth_token")
        return
    at, specials = specials_of(generator)
    if isinstance(specials, Unknown):
        yield generator.undecided(specials, at)
    elif refused := sorted(set(specials) - set(_ALLOWED)):
        shown = " ".join("space" if sign == " " else sign for sign in refused)
        yield generator.fail(
            f"must contain only {_ALLOWED}, because it is the AUTH token of {called(cache, generator)}; {shown} is not "
            "allowed"
            if at == "override_special"
            else f"must exclude {shown}, because it is the AUTH token of {called(cache, generator)}",
            at,
        )
    at, length = length_of(generator)
    if isinstance(length, Unknown):
        yield generator.undecided(length, at)
    elif not _SHORTEST <= length <= _LONGEST:
        yield generator.fail(
            f"must be {_SHORTEST} to {_LONGEST}, because it is the AUTH token of {called(cache, generator)}", at
        )


@rule(
    "DDB-038",
    "ElastiCache user group for Valkey has no user without a password",
    why="ElastiCache rejects a user group with the engine valkey whose users include one without a password or IAM "
    "authentication, also if that user is disabled; plan does not report it.",
    fix="Set authentication_mode to the type iam, or to the type password with a generated password; a disabled user "
    "needs one, too.",
    page=f"{CACHE}/Clusters.RBAC.html",
    types=[USER_GROUP],
    good=_GOOD,
    breaks=[
        {f"{_DEFAULT}.authentication_mode": {"type": "no-password-required"}},
        {f"{_DEFAULT}.authentication_mode": REMOVED, f"{_DEFAULT}.no_password_required": "true"},
    ],
)
def valkey_users_authenticate(group: Block) -> Iterator[Outcome]:
    """Skip Redis OSS, whose groups may have users without a password."""
    engine = engine_of(group)
    if isinstance(engine, Unknown):
        yield group.undecided(engine, "engine")
        return
    if engine.lower() != "valkey":
        yield NotApplicable("groups of Redis OSS may have users without a password")
        return
    for user in group.targets("user_ids", USER):
        kind, flag = user.get("authentication_mode.type"), user.flag("no_password_required")
        unknown = next((value for value in (kind, flag) if isinstance(value, Unknown)), None)
        if unknown is not None:
            yield group.undecided(unknown, "user_ids")
        elif kind == "no-password-required" or flag is True:
            yield group.fail(f"must have users with a password or IAM; {called(user, group)} has neither", "user_ids")
