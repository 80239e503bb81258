"""AuroraProvisioned: an Aurora cluster with provisioned instances."""

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
from constructs_lib.constructs.aurora_provisioned.events import EventSubscriptions, check_event_topic
from constructs_lib.constructs.aurora_provisioned.instances import Instance, PlacedInstance, place
from constructs_lib.constructs.aurora_provisioned.parameter_groups import ParameterGroups, check_parameters
from constructs_lib.constructs.aurora_provisioned.scaling import ReaderScaling, ScaledReaders, check_scaling
from constructs_lib.constructs.log_group import LogGroup
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.notification_topic import AlarmTopic
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
from constructs_lib.foundation.deprecation import renamed_arguments
from constructs_lib.foundation.opt_out import OptOut
from constructs_lib.foundation.windows import check_windows, default_backup, default_maintenance

CA: Final = "rds-ca-rsa2048-g1"
MONITORING_SECONDS: Final = 60
INSIGHTS_DAYS: Final = 7
_SUPPORT: Final = {False: "open-source-rds-extended-support-disabled", True: "open-source-rds-extended-support"}


class AuroraProvisioned(HardenedConstruct):
    """An Aurora cluster with provisioned instances in the database subnets of a VPC.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The region.
        vpc: A VPC in the region with database subnets in at least two Availability Zones.
        key: Encrypts storage, backups, logs, Performance Insights and the master user's secret. A change replaces the
            cluster.
        engine: `aurora-postgresql` or `aurora-mysql`.
        engine_version: A major version in standard support; `17` for PostgreSQL and `8.0` for MySQL by default. Aurora
            chooses the minor version and upgrades it in the maintenance window, so Terraform ignores changes of it.
        pinned: `PinnedMinorVersion(reason)` for an exact `engine_version`.
        upgrade: A major version upgrade. Remove it after the upgrade.
        extended_support: `ExtendedSupport(reason)` for a version after its standard support, billed by AWS. Decided
            when the cluster is created.
        instances: The instances by name, at most 16, the first writer first; 1 in dev, 2 in staging and prod by default
            and at least.
        reader_scaling: Auto scaling of readers; none by default.
        database_name: The first database.
        port: The port, 1,150 to 65,535; 5,432 for PostgreSQL and 3,306 for MySQL by default.
        master_username: The master user, `cluster_owner` by default. Names that are easy to guess, such as `admin`, are
            not allowed.
        password: A password that Terraform generates. By default RDS generates, stores and rotates it.
        parameters: Further parameters of the cluster, as plain strings; none by default.
        instance_parameters: Further parameters of the instances, as plain strings; none by default.
        io_optimized: Uses Aurora I/O-Optimized storage (`aurora-iopt1`), which costs less if I/O is more than a quarter
            of the costs.
        backup_retention_days: The backup retention period in days, at most 35 and at least 14 in dev and staging and 35
            in prod; the minimum by default.
        backup_window: A daily time in UTC of at least 30 minutes, such as `02:00-03:00`; night time in the region by
            default.
        maintenance_window: A weekly time in UTC of at least 30 minutes, such as `sun:03:30-sun:04:30`; early on Sunday
            in the region by default.
        apply_immediately: Applies changes, such as another instance class, during `terraform apply` instead of in the
            maintenance window; on in dev and staging, off in prod by default. While it is off, plans show the change
            until the window. An `upgrade` is always applied immediately.
        backtrack_hours: The backtrack window in hours, up to 72; for MySQL, for new clusters, and not in every region.
        deletion_protection: Deletion protection and `prevent_destroy`; on in prod, off in dev and staging by default.
            `NoDeletionProtection(reason)` turns it off in prod. Destroying a cluster that is protected or in prod
            leaves a final snapshot and the automated backups, which need the key.
        alarms: Creates CloudWatch alarms; on in prod, off in dev and staging by default. `NoAlarms(reason)` turns them
            off in prod.
        alarm_topics: ARNs of SNS topics in the region that the alarms notify; none by default.
        event_topic: An `AlarmTopic` in the region that RDS notifies of failovers, failures, maintenance, low storage
            and recovery, wherever alarms are on; none by default.

    Attributes:
        resource: The `aws_rds_cluster`.
        identifier: The cluster identifier, as plain text.
        vpc: The VPC.
        engine: The engine.
        port: The port.
        database_name: The first database.
        master_username: The master user.
        security_group: The security group. It allows no traffic until `allow_from`.
        parameter_groups: The parameter groups.
        logs: The log groups of the log exports by name.
        credentials: The generated password and its secret; None if RDS manages it.
        monitoring_role: The role of Enhanced Monitoring.
        instances: The `aws_rds_cluster_instance` resources by name.

    Raises:
        ConfigurationError: An argument is invalid or below the environment's minimum. An override that makes the
            cluster serverless is refused at synth.

    Warns:
        ConfigurationWarning: Standard support ends within 180 days, or, outside prod, a failover would lose capacity.

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
        apply_immediately: bool | None = None,
        backtrack_hours: int = 0,
        deletion_protection: bool | NoDeletionProtection | None = None,
        alarms: bool | NoAlarms | None = None,
        alarm_topics: Iterable[str] = (),
        event_topic: AlarmTopic | None = None,
    ) -> None:
        super().__init__(scope, id_, region=region)
        problems = self._problems
        self._key_arn = key.arn_for(self)
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
        self._at_once = region.profile.apply_immediately if apply_immediately is None else apply_immediately
        check_backtrack(problems, self.engine, backtrack_hours)
        keep = protected(problems, region, deletion_protection)
        watch = Alarms(self, problems, alarms=alarms, alarm_topics=alarm_topics)
        check_event_topic(problems, region, event_topic)
        problems.raise_if_any()
        self._record_all(pinned, extended_support, deletion_protection)
        if keep:
            key.protect(self)

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
            kms_key_id=self._key_arn,
            # Without a value the provider keeps the old one.
            storage_type="aurora-iopt1" if io_optimized else "aurora",
            iam_database_authentication_enabled=True,
            enable_http_endpoint=False,
            backup_retention_period=retention,
            preferred_backup_window=backup,
            preferred_maintenance_window=self._maintenance,
            apply_immediately=self._at_once or upgrade is not None,
            backtrack_window=backtrack_hours * 3600 or None,
            copy_tags_to_snapshot=True,
            deletion_protection=keep,
            delete_automated_backups=not self._has_final_snapshot(keep),
            skip_final_snapshot=not self._has_final_snapshot(keep),
            final_snapshot_identifier=self._name("db-snapshot", "final") if self._has_final_snapshot(keep) else None,
            enabled_cloudwatch_logs_exports=list(self.logs),
            lifecycle=_lifecycle(keep=keep, exact=bool(pinned or upgrade)),
            # RDS would create the log groups itself, without key and retention.
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
        self._create_instances(placed, watch, event_topic, minor_upgrades=pinned is None)
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
        """The cluster identifier."""
        return self.resource.id

    @cached_property
    def arn(self) -> str:
        """The cluster's ARN."""
        return self.resource.arn

    @cached_property
    def endpoint(self) -> str:
        """The address of the cluster endpoint, which leads to the writer."""
        return self.resource.endpoint

    @cached_property
    def reader_endpoint(self) -> str:
        """The address of the reader endpoint."""
        return self.resource.reader_endpoint

    @renamed_arguments(peer="source")
    def allow_from(self, source: Connectable, description: str | None = None) -> None:
        """Allow connections to the cluster's port: an inbound rule here and an outbound rule there.

        Args:
            source: A construct with a security group in the same VPC, such as a function, or a security group.
            description: The rules' description; the paths of the two security groups by default.

        Raises:
            ConfigurationError: The source is in another VPC.
        """
        source.security_group.allow_to(self, self.port, description)

    @renamed_arguments(client="grantee")
    def grant_connect(self, grantee: Grantee, database_user: str) -> None:
        """Grant a role permission to connect as a database user with IAM database authentication.

        Create the user in the database: `GRANT rds_iam TO name` in PostgreSQL,
        `CREATE USER name IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'` in MySQL.

        Args:
            grantee: A function or a `ServiceRole`.
            database_user: The database user; not the master user.

        Raises:
            ConfigurationError: The name is invalid, or it is the master user.

        See https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html.
        """
        check_client(self.path, self.engine, self.master_username, database_user)
        resource = grantee.region.stack.reach(self.resource, "cluster_resource_id")
        grantee.grant(connect_statement(self, grantee, resource, database_user))

    @cached_property
    def secret_arn(self) -> str:
        """The ARN of the master user's secret."""
        return self.credentials.arn if self.credentials else self.resource.master_user_secret.get(0).secret_arn

    @property
    def _secret_arn(self) -> str:
        if self.credentials:
            return self._ref(self.credentials.resource, "arn")
        return self._ref(self.resource, "master_user_secret[0].secret_arn")

    def _has_final_snapshot(self, keep: bool) -> bool:  # noqa: FBT001  a fact, not a switch
        """Whether a destroyed cluster leaves a final snapshot and automated backups."""
        return keep or self.region.profile.deletion_protection

    def _record_all(self, *given: object) -> None:
        for choice in given:
            if isinstance(choice, OptOut):
                self._record(choice)

    def _password(self) -> dict[str, Any]:
        if self.credentials:
            return {"master_password": self.credentials.in_stack_password}
        return {"manage_master_user_password": True, "master_user_secret_kms_key_id": self._key_arn}

    def _subnet_group(self) -> str:
        group = self._create(
            aws.db_subnet_group.DbSubnetGroup,
            "subnet-group",
            name=self._name("db-subnet-group"),
            description=f"Database subnets of {self.vpc.path}",
            subnet_ids=[subnet.id_in(self.region.stack) for subnet in self.vpc.subnets("database")],
        )
        return self._ref(group, "name")

    def _create_instances(
        self, placed: list[PlacedInstance], watch: Alarms, event_topic: AlarmTopic | None, *, minor_upgrades: bool
    ) -> None:
        for instance in placed:
            made = self.instances[instance.name] = self._instance(instance, minor_upgrades=minor_upgrades)
            identifier = self._ref(made, "identifier")
            for name, alarm in instance_alarms(self.engine.name, instance.instance_class):
                watch.add(f"{name}-alarm-{instance.name}", alarm, {"DBInstanceIdentifier": identifier})
        cluster = self._ref(self.resource, "cluster_identifier")
        if len(placed) > 1:
            watch.add("lag-alarm", LAG_ALARM, {"DBClusterIdentifier": cluster})
        if event_topic is not None and watch.wanted:
            instances = [self._ref(instance, "identifier") for instance in self.instances.values()]
            EventSubscriptions(
                self, "events", region=self.region, topic=event_topic, cluster=cluster, instances=instances
            )

    def _instance(
        self, instance: PlacedInstance, *, minor_upgrades: bool
    ) -> aws.rds_cluster_instance.RdsClusterInstance:
        # The first instance becomes the writer, so the others are created after it.
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
            apply_immediately=self._at_once,
            monitoring_interval=MONITORING_SECONDS,
            monitoring_role_arn=self._ref(self.monitoring_role.resource, "arn"),
            performance_insights_enabled=True,
            performance_insights_kms_key_id=self._key_arn,
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
        self._publish("secret_arn", self._secret_arn, "ARN of the secret with the master user's password")


def _lifecycle(*, keep: bool, exact: bool) -> core.TerraformResourceLifecycle:
    # Without it Terraform would destroy the instances before AWS refuses to delete the cluster.
    return core.TerraformResourceLifecycle(
        prevent_destroy=keep or None,
        # AWS accepts the lifecycle support for new clusters only, and upgrades minor versions itself.
        ignore_changes=["engine_lifecycle_support"] if exact else ["engine_lifecycle_support", "engine_version"],
    )
