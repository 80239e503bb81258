"""RedisCache: an ElastiCache replication group with Valkey or Redis OSS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final, Literal

from constructs_lib._engine import aws, core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.redis_cache.access import (
    DELETE_PROVIDER,
    ElastiCacheUser,
    ElastiCacheUsers,
    choose_users,
    connect_statement,
)
from constructs_lib.constructs.redis_cache.alarms import node_alarms
from constructs_lib.constructs.redis_cache.changes import OtherEngine, choose_target, is_immediate
from constructs_lib.constructs.redis_cache.engines import ENGINES, EngineName, choose_version
from constructs_lib.constructs.redis_cache.logs import deliver_logs
from constructs_lib.constructs.redis_cache.nodes import ReplicationGroup, Shards, check_type, lay_out
from constructs_lib.constructs.redis_cache.parameters import MaxMemoryPolicy, check_parameters, make_group
from constructs_lib.constructs.regional_vpc import Vpc
from constructs_lib.constructs.security_group import Connectable, SecurityGroup
from constructs_lib.constructs.shared.credentials import GeneratedCredentials, GeneratedPassword
from constructs_lib.constructs.shared.databases import NoDeletionProtection, check_subnets, protected
from constructs_lib.core.alarms import Alarms, NoAlarms
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Statement
from constructs_lib.core.protocols import Grantee
from constructs_lib.core.stack import Region
from constructs_lib.foundation.dates import today
from constructs_lib.foundation.deprecation import renamed_arguments
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.windows import check_windows, default_backup, default_maintenance

TokenUpdate = Literal["DELETE", "ROTATE", "SET"]
DEFAULT_PORT: Final = 6380
"""Not 6379, the default that port scanners try."""
MIN_PORT: Final = 1024
MAX_PORT: Final = 65535
MAX_SNAPSHOT_DAYS: Final = 35
WINDOW_MINUTES: Final = 60
TOKEN_SPECIAL: Final = "-"  # noqa: S105  characters, not a token
"""The special character that ElastiCache allows and that needs no escaping in shells and URLs."""


class RedisCache(HardenedConstruct):
    """An ElastiCache replication group with Valkey or Redis OSS in the database subnets of a VPC.

    It is encrypted at rest and in transit. Clients authenticate with IAM, or with an AUTH token.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The region.
        vpc: A VPC in the region with database subnets in at least two Availability Zones.
        key: Encrypts the data at rest, the snapshots, the logs, and the secret with the AUTH token. A change replaces
            the cache.
        engine: `valkey` or `redis`.
        engine_version: The major and minor version of a new cache: `7.2` to `9.1` for Valkey (`8.2` by default), `6.2`
            (with `token` only) to `7.1` for Redis OSS (`7.1` by default). ElastiCache upgrades minor versions in the
            maintenance window, so Terraform ignores changes of the version.
        upgrade_to: A later version to upgrade to immediately. Remove it after the upgrade.
        upgrade_from: `redis`, with `engine="valkey"` and `upgrade_to`, upgrades a cache from Redis OSS to Valkey. Users
            and user group follow in the next apply, without `upgrade_from` and `upgrade_to`.
        topology: `ReplicationGroup(nodes)` or `Shards(count, replicas)`; `ReplicationGroup()` by default. ElastiCache
            changes `ReplicationGroup` to `Shards` in steps only, see `ReplicationGroup.compatible`, and never back.
        node_type: The node type: `cache.t4g.small` in dev and staging and `cache.r7g.large` in prod by default.
            Burstable types are not allowed in prod.
        port: The port, 1,024 to 65,535; 6,380 by default. A change replaces the cache.
        users: The users by name, 1 to 99, with IAM authentication; `{"app": ElastiCacheUser()}` by default. The
            engine's default user is disabled.
        token: An AUTH token that all clients share, instead of users.
        token_update: How the AUTH token changes. `ROTATE`: the cache accepts the new and the previous token. `SET`: the
            cache accepts the new token only. `DELETE`: removes the token of a cache that gets users, in the same apply.
        maxmemory_policy: The eviction policy.
        parameters: Further parameters of the engine, as plain strings; none by default.
        snapshot_retention_days: Days until automatic snapshots are deleted, at most 35 and at least 1 in dev, 3 in
            staging and 7 in prod; the minimum by default.
        snapshot_window: A daily time in UTC of at least 60 minutes, such as `02:00-03:00`; night time in the region by
            default.
        maintenance_window: A weekly time in UTC of at least 60 minutes, such as `sun:03:30-sun:04:30`; early on Sunday
            in the region by default.
        apply_immediately: Applies changes, such as another node type, during `terraform apply` instead of in the
            maintenance window; on in dev and staging, off in prod by default. While it is off, each plan shows the
            change again until the window. Users, numbers of nodes and shards, and tokens always change immediately.
        deletion_protection: Sets `prevent_destroy`, so that Terraform refuses to destroy the cache; on in prod, off in
            dev and staging by default. `NoDeletionProtection(reason)` turns it off in prod. Destroying a cache
            that is protected or in prod leaves a final snapshot.
        alarms: Creates CloudWatch alarms; on in prod, off in dev and staging by default. `NoAlarms(reason)` turns them
            off in prod.
        alarm_topics: ARNs of SNS topics in the region that the alarms notify; none by default.

    Attributes:
        resource: The `aws_elasticache_replication_group`.
        identifier: The replication group's id, as plain text.
        key: The key.
        vpc: The VPC.
        engine: The engine.
        port: The port.
        layout: The numbers of shards and of nodes in each.
        security_group: The security group. It allows no traffic until `allow_from`.
        users: The users and their user group; None with a token.
        token: The AUTH token and its secret; None with users.

    Raises:
        ConfigurationError: An argument is invalid or below the environment's minimum.

    Warns:
        ConfigurationWarning: Standard support of the version ends within 180 days.

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
        upgrade_from: OtherEngine | None = None,
        topology: ReplicationGroup | Shards | None = None,
        node_type: str | None = None,
        port: int = DEFAULT_PORT,
        users: Mapping[str, ElastiCacheUser] | None = None,
        token: GeneratedPassword | None = None,
        token_update: TokenUpdate = "ROTATE",  # noqa: S107  a strategy
        maxmemory_policy: MaxMemoryPolicy = "volatile-lru",
        parameters: Mapping[str, str] | None = None,
        snapshot_retention_days: int | None = None,
        snapshot_window: str | None = None,
        maintenance_window: str | None = None,
        apply_immediately: bool | None = None,
        deletion_protection: bool | NoDeletionProtection | None = None,
        alarms: bool | NoAlarms | None = None,
        alarm_topics: Iterable[str] = (),
    ) -> None:
        super().__init__(scope, id_, region=region)
        problems = self._problems
        self.key = key
        self._key_arn = key.arn_for(self)
        self.vpc = vpc
        self.port = port
        if not isinstance(engine, str) or engine not in ENGINES:
            problems.stop("engine", engine, f"must be one of {', '.join(ENGINES)}")
        self.engine = ENGINES[engine]
        version = choose_version(problems, self.engine, engine_version, today())
        target = choose_target(problems, self.engine, version, upgrade_to, upgrade_from)
        check_subnets(problems, vpc, region)
        self.layout = lay_out(problems, topology, region, has_compatible=self.engine.has_compatible(target))
        node_type = region.profile.cache_node_type if node_type is None else node_type
        check_type(problems, node_type, region)
        self._check_port(port)
        users = choose_users(problems, users, token, token_update, self.engine, version)
        check_parameters(problems, maxmemory_policy, parameters or {})
        retention = region.profile.cache_snapshot_days if snapshot_retention_days is None else snapshot_retention_days
        self._check_retention(retention)
        snapshots = default_backup(region.name) if snapshot_window is None else snapshot_window
        maintenance = default_maintenance(region.name) if maintenance_window is None else maintenance_window
        check_windows(problems, snapshots, maintenance, argument="snapshot_window", least=WINDOW_MINUTES)
        immediate = is_immediate(
            problems,
            apply_immediately,
            region,
            upgrade_to=upgrade_to is not None,
            token_update=token_update == "DELETE",  # noqa: S105  a strategy
            topology=self.layout.compatible,
        )
        keep = protected(problems, region, deletion_protection)
        watch = Alarms(self, problems, alarms=alarms, alarm_topics=alarm_topics)
        problems.raise_if_any()
        if isinstance(deletion_protection, NoDeletionProtection):
            self._record(deletion_protection)
        if keep:
            key.protect(self)

        self.security_group = SecurityGroup(
            self, "security-group", region=region, vpc=vpc, description=f"Cache {self.path}"
        )
        self.identifier = self._name("cache")
        self.users = (
            None
            if token
            else ElastiCacheUsers(self, "users", region=region, engine=upgrade_from or engine, users=users)
        )
        self.token = (
            GeneratedCredentials(
                self, "token", region=region, key=key, option=token, whose="Token", special=TOKEN_SPECIAL
            )
            if token
            else None
        )
        sharded = {"cluster-enabled": "yes"} if self.layout.has_configuration_endpoint else {}
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
            # A string in the bindings: a boolean fails.
            at_rest_encryption_enabled="true",
            kms_key_id=self._key_arn,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            auto_minor_version_upgrade="true",
            # Also False: without a value Terraform keeps the old one.
            apply_immediately=immediate,
            snapshot_retention_limit=retention,
            snapshot_window=snapshots,
            maintenance_window=maintenance,
            final_snapshot_identifier=self._name("cache-snapshot", "final") if self._has_final_snapshot(keep) else None,
            log_delivery_configuration=deliver_logs(self, key, self.identifier),
            lifecycle=core.TerraformResourceLifecycle(
                prevent_destroy=keep or None,
                # After an automatic minor upgrade the provider would replace the cache to downgrade it.
                ignore_changes=None if upgrade_to else ["engine_version"],
            ),
            **self.layout.settings,
            **self._log_in(token_update),
        )
        if self.token:
            self.token.write(host=self._endpoint, port=port)
        for member in self.layout.members(self.identifier):
            number = member.removeprefix(f"{self.identifier}-")
            for name, alarm in node_alarms(
                node_type, replicated=self.layout.nodes > 1, evicts=maxmemory_policy != "noeviction"
            ):
                watch.add(f"{name}-alarm-{number}", alarm, {"CacheClusterId": member})
        self._publish_all()

    @cached_property
    def id(self) -> str:
        """The replication group's id."""
        return self.resource.id

    @cached_property
    def arn(self) -> str:
        """The replication group's ARN."""
        return self.resource.arn

    @cached_property
    def endpoint(self) -> str:
        """The address of the primary endpoint, or of the configuration endpoint with `Shards`."""
        sharded = self.layout.shards is not None
        return self.resource.configuration_endpoint_address if sharded else self.resource.primary_endpoint_address

    @cached_property
    def configuration_endpoint(self) -> str:
        """The address for clients with the cluster protocol; raises an error with cluster mode disabled."""
        if not self.layout.has_configuration_endpoint:
            raise ConfigurationError(
                self.path,
                "topology=ReplicationGroup(...): has no configuration endpoint; give Shards(...), or "
                "ReplicationGroup(..., compatible=True) and apply it first",
            )
        return self.resource.configuration_endpoint_address

    @property
    def _endpoint(self) -> str:
        sharded = self.layout.shards is not None
        return self._ref(self.resource, f"{'configuration' if sharded else 'primary'}_endpoint_address")

    @renamed_arguments(peer="source")
    def allow_from(self, source: Connectable, description: str | None = None) -> None:
        """Allow connections to the cache's port: an inbound rule here and an outbound rule there.

        Args:
            source: A construct with a security group in the same VPC, such as a function, or a security group.
            description: The rules' description; the paths of the two security groups by default.

        Raises:
            ConfigurationError: The source is in another VPC.
        """
        source.security_group.allow_to(self, self.port, description)

    @renamed_arguments(client="grantee")
    def grant_connect(self, grantee: Grantee, user: str | None = None) -> None:
        """Grant a role permission to connect as a user, or to read the secret with the AUTH token.

        Args:
            grantee: A function or a `ServiceRole`.
            user: A name of `users`. Optional with one user; not allowed with a token.

        Raises:
            ConfigurationError: The user is not defined, or the cache has a token.
        """
        stack = grantee.region.stack
        if self.users is None:
            if user is not None:
                raise ConfigurationError(
                    self.path, f"user={user!r}: the cache has an AUTH token and no users; remove user"
                )
            self._grant_token(grantee)
            return
        known = self.users.users
        if user is None and len(known) == 1:
            (user,) = known
        if user not in known:
            raise ConfigurationError(self.path, f"user={user!r}: is not defined; expected one of {', '.join(known)}")
        arns = stack.reach(self.resource, "arn"), stack.reach(known[user], "arn")
        grantee.grant(connect_statement(self, user, *arns))

    def user_name(self, user: str) -> str:
        """Return the name that a user authenticates with.

        Args:
            user: A name of `users`.

        Raises:
            ConfigurationError: The user is not defined.
        """
        known = self.users.users if self.users else {}
        if user not in known:
            raise ConfigurationError(
                self.path, f"user={user!r}: is not defined; expected one of {', '.join(known) or 'none'}"
            )
        return known[user].user_name

    @property
    def secret_arn(self) -> str:
        """The ARN of the secret with endpoint, port and AUTH token; raises an error without `token`."""
        if self.token is None:
            raise ConfigurationError(
                self.path, "token=None: the cache has users and no AUTH token, so it has no secret"
            )
        return self.token.arn

    def _grant_token(self, grantee: Grantee) -> None:
        assert self.token is not None  # noqa: S101  the caller has checked
        stack = grantee.region.stack
        sid = "".join(part.title() for part in self.component.split("-"))
        secret = stack.reach(self.token.resource, "arn")
        key = stack.reach(self.key.keys[self.region.name], "arn")
        grantee.grant(
            Statement(sid=f"ReadTokenOf{sid}", actions=("secretsmanager:GetSecretValue",), resources=(secret,))
        )
        grantee.grant(Statement(sid=f"DecryptTokenOf{sid}", actions=("kms:Decrypt",), resources=(key,)))

    def _check_port(self, port: object) -> None:
        self._problems.check_whole("port", port, MIN_PORT, MAX_PORT)

    def _check_retention(self, days: object) -> None:
        floor = self.region.profile.cache_snapshot_days
        self._problems.check(
            type(days) is int and floor <= days <= MAX_SNAPSHOT_DAYS,
            "snapshot_retention_days",
            days,
            f"must be a whole number from {floor}, the minimum in {self.region.environment.value}, to "
            f"{MAX_SNAPSHOT_DAYS}",
        )

    def _has_final_snapshot(self, keep: bool) -> bool:  # noqa: FBT001  a fact, not a switch
        """Whether a destroyed cache leaves a final snapshot."""
        return keep or self.region.profile.deletion_protection

    def _log_in(self, update: TokenUpdate) -> dict[str, Any]:
        if self.users:
            ended = {"auth_token_update_strategy": update} if update == "DELETE" else {}
            if ended:
                self.region.stack.require_provider("aws", DELETE_PROVIDER)
            return {"user_group_ids": [self._ref(self.users.resource, "user_group_id")], **ended}
        assert self.token is not None  # noqa: S101  one or the other
        return {"auth_token": self.token.in_stack_password, "auth_token_update_strategy": update}

    def _subnet_group(self) -> str:
        group = self._create(
            aws.elasticache_subnet_group.ElasticacheSubnetGroup,
            "subnet-group",
            name=self._name("cache-subnet-group"),
            description=f"Database subnets of {self.vpc.path}",
            subnet_ids=[subnet.id_in(self.region.stack) for subnet in self.vpc.subnets("database")],
        )
        return self._ref(group, "name")

    def _publish_all(self) -> None:
        values = [
            ("id", self._ref(self.resource, "id"), "Identifier of the cache"),
            ("arn", self._ref(self.resource, "arn"), "ARN of the cache"),
            ("endpoint", self._endpoint, "Address that clients begin with"),
            ("port", self.port, "Port of the cache"),
        ]
        if self.layout.shards is None:
            reader = self._ref(self.resource, "reader_endpoint_address")
            values.append(("reader_endpoint", reader, "Address of the replicas"))
        if self.token:
            values.append(
                ("secret_arn", self._ref(self.token.resource, "arn"), "ARN of the secret with address, port and token")
            )
        for attribute, value, description in values:
            self._publish(attribute, value, description)
