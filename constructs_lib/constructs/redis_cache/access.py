"""Users of a cache, their IAM authentication and access strings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from constructs_lib._engine import aws, core, random
from constructs_lib.constructs.redis_cache.engines import Engine, EngineName
from constructs_lib.constructs.shared.credentials import check_password
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Statement
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems

Access = Literal["read", "write"]
DELETE_PROVIDER: Final = ">= 6.31.0, < 7.0.0"
"""The first AWS provider that can delete the AUTH token of a cache with users."""
MAX_USERS: Final = 99
"""A user group can have 100 users, the default user included."""
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PATTERN: Final = re.compile(r"[^\s~${}]+")
_COMMANDS: Final = {
    # `info` belongs to @dangerous, and clients check with it whether the node is ready.
    "read": "+@all -@write -@admin -@dangerous +info",
    "write": "+@all -@admin -@dangerous +info",
}
_LOCKED: Final = "off ~keys* -@all +get"
"""The access string of a disabled user, in the form in which ElastiCache returns it."""
_LOCKED_LENGTH: Final = 64
"""Characters of the password of the default user, of 16 to 128."""


@dataclass(frozen=True)
class ElastiCacheUser:
    """A user of a cache with IAM authentication.

    Attributes:
        access: `write`, or `read` for commands that do not write. Neither allows `@admin` and `@dangerous` commands,
            such as `FLUSHALL`, `KEYS` and `CONFIG`.
        keys: Key patterns that the user can access, such as `("orders:*",)`; all keys by default.

    See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html.
    """

    access: Access = "write"
    keys: tuple[str, ...] = ("*",)

    @property
    def access_string(self) -> str:
        """The access string."""
        patterns = " ".join(f"~{pattern}" for pattern in self.keys)
        channels = " &*" if self.access == "write" else ""
        return f"on {patterns}{channels} {_COMMANDS[self.access]}"


def choose_users(  # noqa: PLR0917  called in one place
    problems: Problems,
    users: Mapping[str, ElastiCacheUser] | None,
    token: object,
    token_update: object,
    engine: Engine,
    version: str,
) -> Mapping[str, ElastiCacheUser]:
    """Return the users, none with a token, and report those and tokens that ElastiCache refuses."""
    check_password(problems, token, "token")
    problems.check(
        token_update in ("ROTATE", "DELETE" if token is None else "SET"),
        "token_update",
        token_update,
        "must be 'ROTATE', 'SET' with token, or 'DELETE' without token",
    )
    if token is not None:
        problems.check(users is None, "users", users, "cannot be combined with token")
        return {}
    chosen = {"app": ElastiCacheUser()} if users is None else users
    check_users(problems, chosen, engine, version)
    return chosen


def check_users(problems: Problems, users: Mapping[str, ElastiCacheUser], engine: Engine, version: str) -> None:
    """Report users that ElastiCache refuses.

    See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html.
    """
    if not isinstance(users, Mapping):
        problems.stop("users", users, "must be a dictionary of ElastiCacheUser by name")
    problems.check(
        engine.has_iam(version),
        "engine_version",
        version,
        f"does not support IAM authentication; give {engine.iam_since} or later, or token=GeneratedPassword()",
    )
    problems.check(1 <= len(users) <= MAX_USERS, "users", list(users), f"must have 1 to {MAX_USERS} users")
    for name, user in users.items():
        problems.check(
            isinstance(name, str) and _NAME.fullmatch(name) and name != "default",
            "users",
            name,
            "must be lower-case letters, digits and single hyphens, starting with a letter, and not 'default'",
        )
        if not problems.check(
            isinstance(user, ElastiCacheUser), f"users[{name!r}]", user, "must be an ElastiCacheUser"
        ):
            continue
        problems.check(
            user.access in get_args(Access), f"users[{name!r}].access", user.access, "must be 'read' or 'write'"
        )
        patterns = user.keys if isinstance(user.keys, tuple) else ()
        problems.check(
            patterns and all(isinstance(one, str) and _PATTERN.fullmatch(one) for one in patterns),
            f"users[{name!r}].keys",
            user.keys,
            "must be a tuple of key patterns without spaces, '~' and references, such as ('orders:*',)",
        )


class ElastiCacheUsers(HardenedConstruct):
    """The users of a cache and their user group, in which the default user is disabled.

    A user group needs a user named `default`; the engine's own is enabled and has access to everything. User groups for
    Valkey have no users without a password, so the disabled user has one, which nobody needs. It is in the Terraform
    state: the provider has no write-only argument for it.

    Users have `create_before_destroy`, so that the user group changes before a removed user is deleted. The provider
    would otherwise remove a deleted user from the group, for which ElastiCache refuses the whole change.

    Attributes:
        users: The `aws_elasticache_user` resources by name.
        resource: The `aws_elasticache_user_group`.

    See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html.
    """

    def __init__(
        self,
        scope: HardenedConstruct,
        id_: str,
        *,
        region: Region,
        engine: EngineName,
        users: Mapping[str, ElastiCacheUser],
    ) -> None:
        super().__init__(scope, id_, region=region)
        self._engine = engine
        password = self._create(random.password.Password, "default-password", length=_LOCKED_LENGTH, special=False)
        mode = aws.elasticache_user.ElasticacheUserAuthenticationMode
        locked = self._user(
            "default",
            self._name("cache-user", "default"),
            "default",
            access_string=_LOCKED,
            mode=mode(type="password", passwords=[self._ref(password, "result")]),
        )
        self.users = {}
        for name, user in users.items():
            # IAM authentication requires the same user id and user name.
            user_id = self._name("cache-user", name)
            self.users[name] = self._user(
                f"user-{name}", user_id, user_id, access_string=user.access_string, mode=mode(type="iam")
            )
        self.resource = self._create(
            aws.elasticache_user_group.ElasticacheUserGroup,
            "Resource",
            user_group_id=self._name("cache-user"),
            engine=engine,
            user_ids=[self._ref(user, "user_id") for user in (locked, *self.users.values())],
        )

    def _user(
        self,
        id_: str,
        user_id: str,
        user_name: str,
        *,
        access_string: str,
        mode: aws.elasticache_user.ElasticacheUserAuthenticationMode,
    ) -> aws.elasticache_user.ElasticacheUser:
        return self._create(
            aws.elasticache_user.ElasticacheUser,
            id_,
            user_id=user_id,
            user_name=user_name,
            engine=self._engine,
            access_string=access_string,
            authentication_mode=mode,
            lifecycle=core.TerraformResourceLifecycle(create_before_destroy=True),
        )


def connect_statement(cache: HardenedConstruct, user: str, cache_arn: str, user_arn: str) -> Statement:
    """Return the statement that allows to connect to a cache as a user; IAM requires both ARNs.

    See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html.
    """
    sid = "".join(part.title() for part in (*cache.component.split("-"), *user.split("-")))
    return Statement(sid=f"Connect{sid}", actions=("elasticache:Connect",), resources=(cache_arn, user_arn))
