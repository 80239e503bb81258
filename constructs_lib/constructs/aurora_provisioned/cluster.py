"""The AuroraProvisioned construct: a cluster, its instances, and everything that belongs to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.aurora_provisioned.access import check_client, connect_statement, monitoring_role
from constructs_lib.constructs.aurora_provisioned.alarms import LAG_ALARM, instance_alarms
from constructs_lib.constructs.aurora_provisioned.arguments import (
    DEFAULT_USER,
    check_backtrack,
    check_names,
    check_retention,
    check_user,
    serverless_traces,
    upgrade_settings,
)
from constructs_lib.constructs.aurora_provisioned.engines import (
    ENGINES,
    EngineName,
    ExtendedSupport,
    MajorUpgrade,
    PinnedMinorVersion,
    choose_version,
)
from constructs_lib.constructs.aurora_provisioned.instances import Instance, PlacedInstance, place
from constructs_lib.constructs.aurora_provisioned.parameter_groups import ParameterGroups, check_parameters
from constructs_lib.constructs.aurora_provisioned.scaling import ReaderScaling, ScaledReaders, check_scaling
from constructs_lib.constructs.log_group import LogGroup
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.regional_vpc import Vpc
from constructs_lib.constructs.security_group import Connectable, SecurityGroup
from constructs_lib.constructs.shared.credentials import GeneratedCredentials, GeneratedPassword, check_password
from constructs_lib.constructs.shared.databases import NoDeletionProtection, check_subnets, protected
from constructs_lib.core.alarms import Alarms, NoAlarms
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.protocols import Grantee
from constructs_lib.core.stack import Region
from constructs_lib.core.validation import report_at_synth
from constructs_lib.foundation.dates import today
from constructs_lib.foundation.opt_out import OptOut
from constructs_lib.foundation.windows import check_windows, default_backup, default_maintenance

CA: Final = "rds-ca-rsa2048-g1"
MONITORING_SECONDS: Final = 60
INSIGHTS_DAYS: Final = 7
_SUPPORT: Final = {False: "open-source-rds-extended-support-disabled", True: "open-source-rds-extended-support"}


class AuroraProvisioned(HardenedConstruct):
    """An Aurora cluster with instances of fixed size, in the database subnets of a VPC.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: Where it is.
        vpc: The VPC whose database subnets it uses, in at least two zones.
        key: Encrypts storage, backups, logs, Performance Insights and the master user's secret.
        engine: `aurora-postgresql` (default) or `aurora-mysql`.
        engine_version: A major version: `17` for PostgreSQL and `8.0` for MySQL by default. Aurora chooses the minor
            version and keeps it current in the maintenance window.
        pinned: `PinnedMinorVersion` with the reason why `engine_version` names the exact version.
        upgrade: A `MajorUpgrade`, for the apply that makes it; leave it out afterwards.
        extended_support: `ExtendedSupport` with the reason why AWS may bill the time after standard support.
        instances: Instances by name, the first writer first; add further ones at the end. By default the
            environment's number, named by number. At least as many as the environment asks for.
        reader_scaling: Adds readers under load; none by default.
        database_name: The first database; `app` by default.
        port: 1150 to 65535; the engine's own by default.
        master_username: The owner of the cluster; `cluster_owner` by default. Never a name that is guessed first.
        password: `GeneratedPassword` for a password that Terraform makes; by default RDS makes, keeps and rotates it.
        parameters: Further parameters of the cluster, plain strings.
        instance_parameters: Further parameters of the instances, plain strings.
        io_optimized: Whether storage is billed without I/O (`aurora-iopt1`); False by default. Worth it when I/O is
            more than a quarter of the bill.
        backup_retention_days: Up to 35; by default from the environment, and not less than that.
        backup_window: Time of day in UTC such as `02:00-03:00`; by default at night where the region is.
        maintenance_window: Time of the week in UTC such as `sun:03:30-sun:04:30`; by default early on Sunday there.
        backtrack_hours: Hours that a MySQL cluster can be turned back by, up to 72; 0 by default. Only a new cluster
            can be given it, and not in every region.
        deletion_protection: True, False, or `NoDeletionProtection` where the environment protects; by default from the
            environment. A protected or opted-out cluster leaves a final snapshot and automated backups.
        alarms: True, False, or `NoAlarms` where the environment asks for them; by default from the environment.
        alarm_topics: ARNs of SNS topics that are told.

    Attributes:
        engine: The engine.
        port: The port.
        database_name: The first database.
        security_group: Closed until `allow_from`.
        instances: The generated instances by name.

    Raises:
        ConfigurationError: An argument that cannot be deployed or that loosens what the environment asks for. A
            change that makes the cluster serverless is refused at synth.

    Warns:
        ConfigurationWarning: Standard support ends soon, or, outside production, a failover would make things worse.

    See https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.BestPractices.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        vpc: Vpc,
        key: MultiRegionKey,
        engine: EngineName = "aurora-postgresql",
        engine_version: str | None = None,
        pinned: PinnedMinorVersion | None = None,
        upgrade: MajorUpgrade | None = None,
        extended_support: ExtendedSupport | None = None,
        instances: Mapping[str, Instance] | None = None,
        reader_scaling: ReaderScaling | None = None,
        database_name: str = "app",
        port: int | None = None,
        master_username: str = DEFAULT_USER,
        password: GeneratedPassword | None = None,
        parameters: Mapping[str, str] | None = None,
        instance_parameters: Mapping[str, str] | None = None,
        io_optimized: bool = False,
        backup_retention_days: int | None = None,
        backup_window: str | None = None,
        maintenance_window: str | None = None,
        backtrack_hours: int = 0,
        deletion_protection: bool | NoDeletionProtection | None = None,
        alarms: bool | NoAlarms | None = None,
        alarm_topics: Iterable[str] = (),
    ) -> None:
        super().__init__(scope, id_, region=region)
        problems = self._problems
        self.key_arn = key.arn_for(self)
        if not isinstance(engine, str) or engine not in ENGINES:
            problems.stop("engine", engine, f"must be one of {', '.join(ENGINES)}")
        self.engine = ENGINES[engine]
        self.port = self.engine.port if port is None else port
        self.database_name = database_name
        self.master_username = master_username
        self.vpc = vpc
        target = choose_version(
            problems,
            self.engine,
            engine_version,
            pinned=pinned,
            upgrade=upgrade,
            extended=extended_support is not None,
            today=today(),
        )
        zones = check_subnets(problems, vpc, region)
        placed = place(problems, instances, engine=engine, region=region, zones=zones)
        if reader_scaling is not None:
            check_scaling(problems, reader_scaling, len(placed) - 1)
        check_names(problems, self.engine, database_name, self.port)
        check_user(problems, "master_username", master_username, self.engine)
        check_password(problems, password)
        check_parameters(problems, "parameters", parameters or {}, self.engine)
        check_parameters(problems, "instance_parameters", instance_parameters or {}, self.engine)
        retention = region.profile.backup_retention_days if backup_retention_days is None else backup_retention_days
        check_retention(problems, region, retention)
        backup = default_backup(region.name) if backup_window is None else backup_window
        self._maintenance = default_maintenance(region.name) if maintenance_window is None else maintenance_window
        check_windows(problems, backup, self._maintenance)
        check_backtrack(problems, self.engine, backtrack_hours)
        keep = protected(problems, region, deletion_protection)
        watch = Alarms(self, problems, alarms=alarms, alarm_topics=alarm_topics)
        problems.raise_if_any()
        self._record_all(pinned, extended_support, deletion_protection)

        self.security_group = SecurityGroup(
            self, "security-group", region=region, vpc=vpc, description=f"Aurora cluster {self.path}"
        )
        self.parameter_groups = ParameterGroups(
            self,
            "parameters",
            region=region,
            family=self.engine.family(target),
            cluster={**self.engine.logging, **(parameters or {}), **self.engine.secure},
            instance={**self.engine.logging, **(instance_parameters or {})},
        )
        self.identifier = self._name("db-cluster")
        self.logs = {
            log: LogGroup(self, f"{log}-log", region=region, key=key, name=f"/aws/rds/cluster/{self.identifier}/{log}")
            for log in self.engine.logs
        }
        self.credentials = (
            GeneratedCredentials(self, "credentials", region=region, key=key, option=password) if password else None
        )
        self.resource = self._create(
            aws.rds_cluster.RdsCluster,
            "Resource",
            cluster_identifier=self.identifier,
            engine=engine,
            engine_mode="provisioned",
            engine_version=target,
            engine_lifecycle_support=_SUPPORT[extended_support is not None],
            database_name=database_name,
            port=self.port,
            master_username=master_username,
            db_subnet_group_name=self._subnet_group(),
            vpc_security_group_ids=[self._ref(self.security_group.resource, "id")],
            db_cluster_parameter_group_name=self.parameter_groups.cluster_name,
            storage_encrypted=True,
            kms_key_id=self.key_arn,
            storage_type="aurora-iopt1" if io_optimized else None,
            iam_database_authentication_enabled=True,
            enable_http_endpoint=False,
            backup_retention_period=retention,
            preferred_backup_window=backup,
            preferred_maintenance_window=self._maintenance,
            backtrack_window=backtrack_hours * 3600 or None,
            copy_tags_to_snapshot=True,
            deletion_protection=keep,
            delete_automated_backups=not self._precious(keep),
            skip_final_snapshot=not self._precious(keep),
            final_snapshot_identifier=self._name("db-snapshot", "final") if self._precious(keep) else None,
            enabled_cloudwatch_logs_exports=list(self.logs),
            lifecycle=_lifecycle(keep=keep, exact=bool(pinned or upgrade)),
            # RDS would create the groups itself, without key and retention.
            depends_on=[log.resource for log in self.logs.values()],
            **self._password(),
            **upgrade_settings(upgrade, self.parameter_groups.instance_name),
        )
        if self.credentials:
            self.credentials.write(
                dbname=database_name,
                engine=engine.removeprefix("aurora-").replace("postgresql", "postgres"),
                host=self._ref(self.resource, "endpoint"),
                port=self.port,
                username=master_username,
            )
        self.monitoring_role = monitoring_role(self)
        self.instances: dict[str, aws.rds_cluster_instance.RdsClusterInstance] = {}
        self._create_instances(placed, watch, minor_upgrades=pinned is None)
        if reader_scaling is not None:
            ScaledReaders(
                self,
                "readers",
                region=region,
                cluster=self._ref(self.resource, "cluster_identifier"),
                scaling=reader_scaling,
                depends_on=list(self.instances.values()),
            )
        report_at_synth(self, lambda: serverless_traces(self))
        self._publish_all()

    @cached_property
    def id(self) -> str:
        """The cluster's identifier, for use in any stack."""
        return self.resource.id

    @cached_property
    def arn(self) -> str:
        """The cluster's ARN, for use in any stack."""
        return self.resource.arn

    @cached_property
    def endpoint(self) -> str:
        """The address of the writer, for use in any stack."""
        return self.resource.endpoint

    @cached_property
    def reader_endpoint(self) -> str:
        """The address of the readers, for use in any stack."""
        return self.resource.reader_endpoint

    def allow_from(self, peer: Connectable, description: str | None = None) -> None:
        """Let a construct of the same VPC connect to the cluster's port, with a rule on both sides.

        Args:
            peer: A security group, or a construct that has one, such as a function in the VPC.
            description: Why; by default the two ends.

        Raises:
            ConfigurationError: A peer in another VPC.
        """
        peer.security_group.allow_to(self, self.port, description)

    def grant_connect(self, client: Grantee, database_user: str) -> None:
        """Let a role log in as one database user with an IAM token in place of a password.

        The user is created in the database: `GRANT rds_iam TO name` in PostgreSQL,
        `CREATE USER name IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'` in MySQL.

        Args:
            client: A function of this library, or a service role.
            database_user: The user; not the master user.

        Raises:
            ConfigurationError: A name that IAM authentication does not take, or the owner of the cluster.

        See https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html.
        """
        check_client(self.path, self.engine, self.master_username, database_user)
        resource = client.region.stack.reach(self.resource, "cluster_resource_id")
        client.grant(connect_statement(self, client, resource, database_user))

    @property
    def secret_arn(self) -> str:
        """A reference to the ARN of the master user's secret, for use inside the stack."""
        managed = self._ref(self.resource, "master_user_secret[0].secret_arn")
        return self.credentials.arn if self.credentials else managed

    def _precious(self, keep: bool) -> bool:  # noqa: FBT001  a fact, not a switch
        """Whether the data outlives the cluster."""
        return keep or self.region.profile.deletion_protection

    def _record_all(self, *given: object) -> None:
        for choice in given:
            if isinstance(choice, OptOut):
                self._record(choice)

    def _password(self) -> dict[str, Any]:
        if self.credentials:
            return {"master_password": self.credentials.in_stack_password}
        return {"manage_master_user_password": True, "master_user_secret_kms_key_id": self.key_arn}

    def _subnet_group(self) -> str:
        group = self._create(
            aws.db_subnet_group.DbSubnetGroup,
            "subnet-group",
            name=self._name("db-subnet-group"),
            description=f"Database subnets of {self.vpc.path}",
            subnet_ids=[subnet.id_in(self.region.stack) for subnet in self.vpc.subnets("database")],
        )
        return self._ref(group, "name")

    def _create_instances(self, placed: list[PlacedInstance], watch: Alarms, *, minor_upgrades: bool) -> None:
        for instance in placed:
            made = self.instances[instance.name] = self._instance(instance, minor_upgrades=minor_upgrades)
            identifier = self._ref(made, "identifier")
            for name, alarm in instance_alarms(self.engine.name, instance.instance_class):
                watch.add(f"{name}-alarm-{instance.name}", alarm, {"DBInstanceIdentifier": identifier})
        if len(placed) > 1:
            identifier = self._ref(self.resource, "cluster_identifier")
            watch.add("lag-alarm", LAG_ALARM, {"DBClusterIdentifier": identifier})

    def _instance(
        self, instance: PlacedInstance, *, minor_upgrades: bool
    ) -> aws.rds_cluster_instance.RdsClusterInstance:
        # The instance that is there first becomes the writer; the others are made after it.
        first = [next(iter(self.instances.values()))] if self.instances else []
        return self._create(
            aws.rds_cluster_instance.RdsClusterInstance,
            f"instance-{instance.name}",
            identifier=self._name("db-instance", instance.name),
            cluster_identifier=self._ref(self.resource, "id"),
            engine=self.engine.name,
            instance_class=instance.instance_class,
            availability_zone=instance.zone,
            promotion_tier=instance.promotion_tier,
            publicly_accessible=False,
            db_parameter_group_name=self.parameter_groups.instance_name,
            ca_cert_identifier=CA,
            auto_minor_version_upgrade=minor_upgrades,
            copy_tags_to_snapshot=True,
            preferred_maintenance_window=self._maintenance,
            monitoring_interval=MONITORING_SECONDS,
            monitoring_role_arn=self.monitoring_role.arn,
            performance_insights_enabled=True,
            performance_insights_kms_key_id=self.key_arn,
            performance_insights_retention_period=INSIGHTS_DAYS,
            depends_on=[self.monitoring_role.policy, *first],
        )

    def _publish_all(self) -> None:
        for attribute, value, description in (
            ("id", "cluster_identifier", "Identifier of the cluster"),
            ("arn", "arn", "ARN of the cluster"),
            ("resource_id", "cluster_resource_id", "Id of the cluster in IAM policies"),
            ("endpoint", "endpoint", "Address of the writer"),
            ("reader_endpoint", "reader_endpoint", "Address of the readers"),
        ):
            self._publish(attribute, self._ref(self.resource, value), description)
        self._publish("port", self.port, "Port of the cluster")
        self._publish("database_name", self.database_name, "First database of the cluster")
        self._publish("secret_arn", self.secret_arn, "ARN of the secret with the master user's password")


def _lifecycle(*, keep: bool, exact: bool) -> core.TerraformResourceLifecycle:
    # A destroy would take the instances before AWS refuses to delete the cluster; Terraform refuses the plan.
    return core.TerraformResourceLifecycle(
        prevent_destroy=keep or None,
        # AWS takes the one choice with a new cluster only; the other it changes itself.
        ignore_changes=["engine_lifecycle_support"] if exact else ["engine_lifecycle_support", "engine_version"],
    )
