"""Who may log in to a cache, and what they may do there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from constructs_lib._engine import aws
from constructs_lib.constructs.redis_cache.engines import Engine
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Statement
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems

Access = Literal["read", "write"]
DELETE_PROVIDER: Final = ">= 6.31.0, < 7.0.0"
"""The first AWS provider that ends a token where users take its place."""
MAX_USERS: Final = 99
"""A group has 100 with the default user."""
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PATTERN: Final = re.compile(r"[^\s~${}]+")
_COMMANDS: Final = {
    # `info` is among the dangerous commands, and clients ask it whether the node is ready.
    "read": "+@all -@write -@admin -@dangerous +info",
    "write": "+@all -@admin -@dangerous +info",
}
_LOCKED: Final = "off ~keys* -@all +get"
"""The form in which ElastiCache gives back a user that cannot log in."""


@dataclass(frozen=True)
class CacheUser:
    """Somebody who logs in with a token of IAM, in place of a password.

    Attributes:
        access: `write` (default) or `read`. Neither may flush, list all keys, or change settings.
        keys: Patterns of the keys that it may use; all by default.
    """

    access: Access = "write"
    keys: tuple[str, ...] = ("*",)

    @property
    def access_string(self) -> str:
        """The rules as the engine writes them."""
        patterns = " ".join(f"~{pattern}" for pattern in self.keys)
        channels = " &*" if self.access == "write" else ""
        return f"on {patterns}{channels} {_COMMANDS[self.access]}"


def check_users(problems: Problems, users: Mapping[str, CacheUser], engine: Engine, version: str) -> None:
    """Note users that ElastiCache refuses.

    See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html.
    """
    if not isinstance(users, Mapping):
        problems.stop("users", users, "must be a dictionary of CacheUser by name")
    problems.check(
        engine.has_iam(version),
        "engine_version",
        version,
        f"knows no IAM users; give {engine.iam_since} or later, or token=GeneratedPassword()",
    )
    problems.check(
        1 <= len(users) <= MAX_USERS, "users", list(users), f"must be 1 to {MAX_USERS}: nobody else can log in"
    )
    for name, user in users.items():
        problems.check(
            isinstance(name, str) and _NAME.fullmatch(name) and name != "default",
            "users",
            name,
            "must be lower-case letters, digits and single hyphens, starting with a letter, and not 'default'",
        )
        if not problems.check(isinstance(user, CacheUser), f"users[{name!r}]", user, "must be a CacheUser"):
            continue
        problems.check(
            user.access in get_args(Access), f"users[{name!r}].access", user.access, "must be 'read' or 'write'"
        )
        patterns = user.keys if isinstance(user.keys, tuple) else ()
        problems.check(
            patterns and all(isinstance(one, str) and _PATTERN.fullmatch(one) for one in patterns),
            f"users[{name!r}].keys",
            user.keys,
            "must be a tuple of patterns without blanks, '~' and tokens, such as ('orders:*',)",
        )


class CacheUsers(HardenedConstruct):
    """The users of a cache and their group, in which nobody logs in as the default user.

    See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html.
    """

    def __init__(
        self, scope: HardenedConstruct, id_: str, *, region: Region, engine: Engine, users: Mapping[str, CacheUser]
    ) -> None:
        super().__init__(scope, id_, region=region)
        self.users = {name: self._user(name, user, engine) for name, user in users.items()}
        modes = aws.elasticache_user
        # Without one of the group's own, the engine's default user is on, and may do everything.
        locked = self._create(
            modes.ElasticacheUser,
            "default",
            user_id=self._name("cache-user", "default"),
            user_name="default",
            engine=engine.name,
            access_string=_LOCKED,
            authentication_mode=modes.ElasticacheUserAuthenticationMode(type="no-password-required"),
        )
        self.resource = self._create(
            aws.elasticache_user_group.ElasticacheUserGroup,
            "Resource",
            user_group_id=self._name("cache-user"),
            engine=engine.name,
            user_ids=[self._ref(user, "user_id") for user in (locked, *self.users.values())],
        )
        self.id = self._ref(self.resource, "user_group_id")

    def _user(self, name: str, user: CacheUser, engine: Engine) -> aws.elasticache_user.ElasticacheUser:
        # IAM finds a user whose id and name are the same only.
        id_ = self._name("cache-user", name)
        modes = aws.elasticache_user
        return self._create(
            modes.ElasticacheUser,
            f"user-{name}",
            user_id=id_,
            user_name=id_,
            engine=engine.name,
            access_string=user.access_string,
            authentication_mode=modes.ElasticacheUserAuthenticationMode(type="iam"),
        )


def connect_statement(cache: HardenedConstruct, user: str, cache_arn: str, user_arn: str) -> Statement:
    """Return the statement that lets a role log in to one cache as one user; IAM asks for both.

    See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html.
    """
    sid = "".join(part.title() for part in (*cache.component.split("-"), *user.split("-")))
    return Statement(sid=f"Connect{sid}", actions=("elasticache:Connect",), resources=(cache_arn, user_arn))
