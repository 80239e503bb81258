"""The RedisCache construct: a replication group, who may log in to it, and everything that belongs to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final, Literal

from constructs_lib._engine import aws, core
from constructs_lib.constructs.log_group import LogGroup
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.redis_cache.access import (
    DELETE_PROVIDER,
    CacheUser,
    CacheUsers,
    check_users,
    connect_statement,
)
from constructs_lib.constructs.redis_cache.engines import ENGINES, EngineName, check_upgrade, choose_version
from constructs_lib.constructs.redis_cache.nodes import ReplicationGroup, Shards, check_type, lay_out
from constructs_lib.constructs.redis_cache.parameters import MaxMemoryPolicy, check_parameters, make_group
from constructs_lib.constructs.redis_cache.watch import node_alarms
from constructs_lib.constructs.regional_vpc import Vpc
from constructs_lib.constructs.security_group import Connectable, SecurityGroup
from constructs_lib.constructs.shared.credentials import GeneratedCredentials, GeneratedPassword, check_password
from constructs_lib.constructs.shared.databases import Deletable, check_place, protected
from constructs_lib.core.alarms import Alarms, NoAlarms
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Statement
from constructs_lib.core.protocols import Grantee
from constructs_lib.core.stack import Region
from constructs_lib.foundation.dates import today
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.windows import check_windows, default_backup, default_maintenance

TokenUpdate = Literal["DELETE", "ROTATE", "SET"]
DEFAULT_PORT: Final = 6380
"""Not the engine's own, which everybody tries first."""
MIN_PORT: Final = 1024
MAX_PORT: Final = 65535
MAX_SNAPSHOT_DAYS: Final = 35
WINDOW_MINUTES: Final = 60
TOKEN_SPECIAL: Final = "-"  # noqa: S105  characters, not a token
"""The one sign that ElastiCache takes and that means nothing to a shell or a URL."""
LOGS: Final = ("engine-log", "slow-log")


class RedisCache(HardenedConstruct):
    """A cache in the database subnets of a VPC, Valkey by default: encrypted, behind TLS, with users of its own.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: Where it is.
        vpc: The VPC whose database subnets it uses, in at least two zones.
        key: Encrypts the data on disk, the snapshots, the logs, and the secret with a token.
        engine: `valkey` (default) or `redis`.
        engine_version: Major and minor version of a new cache: `8.2` for Valkey and `7.1` for Redis by default.
            ElastiCache keeps it current in the maintenance window, and Terraform leaves it alone.
        upgrade_to: A later version, for the one apply that makes the upgrade, at once.
        topology: `ReplicationGroup(nodes=...)` (default) or `Shards(count, replicas)`; another kind makes a new cache.
        node_type: From the environment by default: burstable in dev and staging, never in prod.
        port: 1024 to 65535; 6380 by default.
        users: `CacheUser` by name, who log in with IAM; by default `app`, who may read and write. The engine's default
            user is off.
        token: `GeneratedPassword` for one token that everybody shares, in place of users.
        token_update: `ROTATE` (default) keeps the last token beside a new one; `SET` ends it, once every client has the
            new one; `DELETE` ends the token of a cache that gets users, for the one apply that brings them, at once.
        maxmemory_policy: What goes when the memory is full; `volatile-lru` by default.
        parameters: Further parameters, plain strings.
        snapshot_retention_days: Up to 35; by default from the environment, and not less than that.
        snapshot_window: Time of day in UTC such as `02:00-03:00`; by default at night where the region is.
        maintenance_window: Time of the week in UTC such as `sun:03:30-sun:04:30`; by default early on Sunday there.
        deletion_protection: True, False, or `Deletable` where the environment protects; by default from the
            environment. Terraform refuses to destroy a protected cache; that one and a `Deletable` one leave a final
            snapshot.
        alarms: True, False, or `NoAlarms` where the environment asks for them; by default from the environment.
        alarm_topics: ARNs of SNS topics that are told.

    Attributes:
        engine: The engine.
        port: The port.
        layout: Shards, and nodes of each.
        security_group: Closed until `allow_from`.
        users: The users and their group; None with a token.
        token: The token and its secret; None with users.

    Raises:
        ConfigurationError: An argument that cannot be deployed or that loosens what the environment asks for.

    Warns:
        ConfigurationWarning: Standard support of the version ends soon.

    See https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Replication.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        vpc: Vpc,
        key: MultiRegionKey,
        engine: EngineName = "valkey",
        engine_version: str | None = None,
        upgrade_to: str | None = None,
        topology: ReplicationGroup | Shards | None = None,
        node_type: str | None = None,
        port: int = DEFAULT_PORT,
        users: Mapping[str, CacheUser] | None = None,
        token: GeneratedPassword | None = None,
        token_update: TokenUpdate = "ROTATE",  # noqa: S107  a strategy
        maxmemory_policy: MaxMemoryPolicy = "volatile-lru",
        parameters: Mapping[str, str] | None = None,
        snapshot_retention_days: int | None = None,
        snapshot_window: str | None = None,
        maintenance_window: str | None = None,
        deletion_protection: bool | Deletable | None = None,
        alarms: bool | NoAlarms | None = None,
        alarm_topics: Iterable[str] = (),
    ) -> None:
        super().__init__(scope, id_, region=region)
        problems = self._problems
        self.key = key
        self.key_arn = key.arn_for(self)
        self.vpc = vpc
        self.port = port
        if not isinstance(engine, str) or engine not in ENGINES:
            problems.stop("engine", engine, f"must be one of {', '.join(ENGINES)}")
        self.engine = ENGINES[engine]
        version = choose_version(problems, self.engine, engine_version, today())
        target = version
        if upgrade_to is not None:
            target = choose_version(problems, self.engine, upgrade_to, today(), argument="upgrade_to")
            if target == upgrade_to:
                check_upgrade(problems, self.engine, version, target)
        check_place(problems, vpc, region)
        self.layout = lay_out(problems, topology, region)
        node_type = region.profile.cache_node_type if node_type is None else node_type
        check_type(problems, node_type, region)
        self._check_port(port)
        users = self._check_access(users, token, token_update, version)
        check_parameters(problems, maxmemory_policy, parameters or {})
        retention = region.profile.cache_snapshot_days if snapshot_retention_days is None else snapshot_retention_days
        self._check_retention(retention)
        snapshots = default_backup(region.name) if snapshot_window is None else snapshot_window
        maintenance = default_maintenance(region.name) if maintenance_window is None else maintenance_window
        check_windows(problems, snapshots, maintenance, argument="snapshot_window", least=WINDOW_MINUTES)
        keep = protected(problems, region, deletion_protection)
        watch = Alarms(self, problems, alarms=alarms, alarm_topics=alarm_topics)
        problems.raise_if_any()
        if isinstance(deletion_protection, Deletable):
            self._record(deletion_protection)

        self.security_group = SecurityGroup(
            self, "security-group", region=region, vpc=vpc, description=f"Cache {self.path}"
        )
        self.identifier = self._name("cache")
        self.users = None if token else CacheUsers(self, "users", region=region, engine=self.engine, users=users)
        self.token = (
            GeneratedCredentials(
                self, "token", region=region, key=key, option=token, whose="Token", special=TOKEN_SPECIAL
            )
            if token
            else None
        )
        sharded = {"cluster-enabled": "yes"} if self.layout.shards else {}
        group = make_group(
            self,
            self.engine.family(target),
            {**(parameters or {}), **sharded, "maxmemory-policy": maxmemory_policy},
        )
        self.resources["parameters"] = group
        self.resource = self._create(
            aws.elasticache_replication_group.ElasticacheReplicationGroup,
            "Resource",
            replication_group_id=self.identifier,
            description=f"Cache {self.path}",
            engine=engine,
            engine_version=target,
            node_type=node_type,
            port=port,
            parameter_group_name=self._ref(group, "name"),
            subnet_group_name=self._subnet_group(),
            security_group_ids=[self._ref(self.security_group.resource, "id")],
            # A text in the bindings.
            at_rest_encryption_enabled="true",
            kms_key_id=self.key_arn,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            auto_minor_version_upgrade="true",
            # A token must change on every node at once, and so does a version that is asked for.
            apply_immediately=True if token or upgrade_to or token_update == "DELETE" else None,  # noqa: S105
            snapshot_retention_limit=retention,
            snapshot_window=snapshots,
            maintenance_window=maintenance,
            final_snapshot_identifier=self._name("cache-snapshot", "final") if self._precious(keep) else None,
            log_delivery_configuration=self._logs(),
            lifecycle=core.TerraformResourceLifecycle(
                prevent_destroy=keep or None,
                # After a minor upgrade of ElastiCache's own, the provider would replace the cache to get back.
                ignore_changes=None if upgrade_to else ["engine_version"],
            ),
            **self.layout.settings,
            **self._log_in(token_update),
        )
        if self.token:
            self.token.write(host=self.endpoint, port=port)
        for member in self.layout.members(self.identifier):
            number = member.removeprefix(f"{self.identifier}-")
            for name, alarm in node_alarms(node_type, replicated=self.layout.nodes > 1):
                watch.add(f"{name}-alarm-{number}", alarm, {"CacheClusterId": member})
        self._publish_all()

    @cached_property
    def id(self) -> str:
        """The replication group's identifier, for use in any stack."""
        return self.resource.id

    @cached_property
    def arn(self) -> str:
        """The replication group's ARN, for use in any stack."""
        return self.resource.arn

    @property
    def endpoint(self) -> str:
        """A reference to the address that clients begin with, for use inside the stack."""
        sharded = self.layout.shards is not None
        return self._ref(self.resource, f"{'configuration' if sharded else 'primary'}_endpoint_address")

    def allow_from(self, peer: Connectable, description: str | None = None) -> None:
        """Let a construct of the same VPC connect to the cache's port, with a rule on both sides.

        Args:
            peer: A security group, or a construct that has one, such as a function in the VPC.
            description: Why; by default the two ends.

        Raises:
            ConfigurationError: A peer in another VPC.
        """
        peer.security_group.allow_to(self, self.port, description)

    def grant_connect(self, client: Grantee, user: str | None = None) -> None:
        """Let a role log in as one user with IAM, or read the secret with the token.

        Args:
            client: A function of this library, or a service role.
            user: A name of `users`; may be left out when there is one, and must be with a token.

        Raises:
            ConfigurationError: No such user, or a user of a cache with a token.
        """
        stack = client.region.stack
        if self.users is None:
            if user is not None:
                raise ConfigurationError(
                    self.path, f"user={user!r}: the cache has a token that everybody shares; leave the user out"
                )
            self._grant_token(client)
            return
        known = self.users.users
        if user is None and len(known) == 1:
            (user,) = known
        if user not in known:
            raise ConfigurationError(self.path, f"user={user!r}: must be one of {', '.join(known)}")
        arns = stack.reach(self.resource, "arn"), stack.reach(known[user], "arn")
        client.grant(connect_statement(self, user, *arns))

    def user_name(self, user: str) -> str:
        """Return a reference to the name that one of `users` logs in with, for use inside the stack.

        Raises:
            ConfigurationError: No such user.
        """
        known = self.users.users if self.users else {}
        if user not in known:
            raise ConfigurationError(self.path, f"user={user!r}: must be one of {', '.join(known) or 'none'}")
        return self._ref(known[user], "user_name")

    @property
    def secret_arn(self) -> str:
        """A reference to the ARN of the secret with address, port and token, for use inside the stack.

        Raises:
            ConfigurationError: The cache has users, and no token.
        """
        if self.token is None:
            raise ConfigurationError(self.path, "token=None: the cache has users in place of a token")
        return self.token.arn

    def _grant_token(self, client: Grantee) -> None:
        assert self.token is not None  # noqa: S101  the caller has looked
        stack = client.region.stack
        sid = "".join(part.title() for part in self.component.split("-"))
        secret = stack.reach(self.token.resource, "arn")
        key = stack.reach(self.key.keys[self.region.name], "arn")
        client.grant(
            Statement(sid=f"ReadTokenOf{sid}", actions=("secretsmanager:GetSecretValue",), resources=(secret,))
        )
        client.grant(Statement(sid=f"DecryptTokenOf{sid}", actions=("kms:Decrypt",), resources=(key,)))

    def _check_port(self, port: object) -> None:
        self._problems.check_whole("port", port, MIN_PORT, MAX_PORT)

    def _check_access(
        self, users: Mapping[str, CacheUser] | None, token: object, token_update: object, version: str
    ) -> Mapping[str, CacheUser]:
        problems = self._problems
        check_password(problems, token, "token")
        problems.check(
            token_update in ("ROTATE", "DELETE" if token is None else "SET"),
            "token_update",
            token_update,
            "must be 'ROTATE', with a token 'SET', or with users in its place 'DELETE'",
        )
        if token is not None:
            problems.check(users is None, "users", users, "cannot be given with token: a cache has one or the other")
            return {}
        chosen = {"app": CacheUser()} if users is None else users
        check_users(problems, chosen, self.engine, version)
        return chosen

    def _check_retention(self, days: object) -> None:
        floor = self.region.profile.cache_snapshot_days
        self._problems.check(
            type(days) is int and floor <= days <= MAX_SNAPSHOT_DAYS,
            "snapshot_retention_days",
            days,
            f"must be a whole number from {floor}, what {self.region.environment.value} asks for, to "
            f"{MAX_SNAPSHOT_DAYS}",
        )

    def _precious(self, keep: bool) -> bool:  # noqa: FBT001  a fact, not a switch
        """Whether the data outlives the cache."""
        return keep or self.region.profile.deletion_protection

    def _log_in(self, update: TokenUpdate) -> dict[str, Any]:
        if self.users:
            ended = {"auth_token_update_strategy": update} if update == "DELETE" else {}
            if ended:
                self.region.stack.require_provider("aws", DELETE_PROVIDER)
            return {"user_group_ids": [self.users.id], **ended}
        assert self.token is not None  # noqa: S101  one or the other
        return {"auth_token": self.token.result, "auth_token_update_strategy": update}

    def _subnet_group(self) -> str:
        group = self._create(
            aws.elasticache_subnet_group.ElasticacheSubnetGroup,
            "subnet-group",
            name=self._name("cache-subnet-group"),
            description=f"Database subnets of {self.vpc.path}",
            subnet_ids=[subnet.id_in(self.region.stack) for subnet in self.vpc.subnets("database")],
        )
        return self._ref(group, "name")

    def _logs(self) -> list[aws.elasticache_replication_group.ElasticacheReplicationGroupLogDeliveryConfiguration]:
        groups = {
            log: LogGroup(
                self,
                log,
                region=self.region,
                key=self.key,
                # Groups below this name need no entry of their own in the region's one policy of log deliveries.
                name=f"/aws/vendedlogs/elasticache/{self.identifier}/{log}",
            )
            for log in LOGS
        }
        return [
            aws.elasticache_replication_group.ElasticacheReplicationGroupLogDeliveryConfiguration(
                destination=self._ref(group.resource, "name"),
                destination_type="cloudwatch-logs",
                log_format="json",
                log_type=log,
            )
            for log, group in groups.items()
        ]

    def _publish_all(self) -> None:
        values = [
            ("id", self._ref(self.resource, "id"), "Identifier of the cache"),
            ("arn", self._ref(self.resource, "arn"), "ARN of the cache"),
            ("endpoint", self.endpoint, "Address that clients begin with"),
            ("port", self.port, "Port of the cache"),
        ]
        if self.layout.shards is None:
            reader = self._ref(self.resource, "reader_endpoint_address")
            values.append(("reader_endpoint", reader, "Address of the replicas"))
        if self.token:
            values.append(("secret_arn", self.secret_arn, "ARN of the secret with address, port and token"))
        for attribute, value, description in values:
            self._publish(attribute, value, description)
