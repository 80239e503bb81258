"""The environments, and the settings of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from constructs_lib.foundation.errors import ConfigurationError

NatMode = Literal["none", "single", "per_zone"]
Resolved = Literal["launch", "plan"]
"""When the AMI of EC2 instances is resolved."""
"""No NAT gateway; one for all zones; one in each zone."""


class Environment(StrEnum):
    """The environment of a stack, a required argument of every stack."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"

    @classmethod
    def parse(cls, value: object, *, path: str = "Environment") -> Environment:
        """Return the environment named `value`.

        Raises:
            ConfigurationError: The value is not dev, staging or prod, in lower case.
        """
        try:
            return cls(str(value))
        except ValueError:
            allowed = ", ".join(cls)
            raise ConfigurationError(path, f"environment={value!r}: must be one of {allowed}") from None

    @classmethod
    def choose(cls, variable: object | None, context: object | None) -> Environment:
        """Return the environment of an app; dev if neither source is set.

        Args:
            variable: The value of the environment variable `ENVIRONMENT`, or None.
            context: The value of the cdktf context key `environment`, or None.

        Raises:
            ConfigurationError: An unknown environment, or two different ones.
        """
        named = [cls.parse(value, path="main.py") for value in (variable, context) if value not in (None, "")]
        if len(set(named)) > 1:
            raise ConfigurationError(
                "main.py",
                f"environment: the variable ENVIRONMENT is {named[0].value!r} but the cdktf context is "
                f"{named[1].value!r}; set one of them, or both to the same value",
            )
        return named[0] if named else cls.DEV


@dataclass(frozen=True)
class Profile:
    """Settings of an environment. Fields have no defaults, so that a new field needs a value for each environment."""

    zones: int
    """Availability Zones of a VPC, by default."""
    nat: NatMode
    """NAT gateways of a VPC: one for all zones, or one in each zone."""
    log_retention_days: int
    """Minimum retention of log groups, in days."""
    flow_log_interval: int
    """Default maximum aggregation interval of flow logs, in seconds."""
    key_deletion_window_days: int
    """Minimum waiting period before a KMS key or a secret is deleted, in days, 7 to 30."""
    api_rate_limit: int
    """Default throttling rate of each API method, in requests per second."""
    api_burst_limit: int
    """Default throttling burst of each API method, in requests."""
    web_acl: bool
    """APIs have a web ACL by default."""
    function_url_must_be_signed: bool
    """Function URLs require IAM authentication and named CORS origins."""
    bucket_noncurrent_days: int
    """Minimum retention of noncurrent object versions, in days."""
    bucket_access_logs: bool
    """Buckets require a target bucket for server access logs."""
    prevent_destroy: bool
    """Buckets and KMS keys have the lifecycle argument prevent_destroy."""
    database_instances: int
    """Minimum number of instances of an Aurora cluster."""
    database_instance_class: str
    """Default instance class of an Aurora cluster."""
    backup_retention_days: int
    """Minimum retention of automated database backups, in days."""
    deletion_protection: bool
    """Databases and load balancers have deletion protection; deleted databases leave a final snapshot."""
    apply_immediately: bool
    """Databases apply changes at once instead of in the maintenance window."""
    table_max_read_units: int
    """Default maximum throughput of a table and each of its global indexes, in read request units per second."""
    table_max_write_units: int
    """Default maximum throughput of a table and each of its global indexes, in write request units per second."""
    cache_nodes: int
    """Minimum number of nodes of each shard of a cache."""
    cache_node_type: str
    """Default node type of a cache."""
    cache_snapshot_days: int
    """Minimum retention of daily cache snapshots, in days."""
    event_archive_days: int
    """Minimum retention of an event bus's archive, in days; 0 for no archive."""
    fleet_minimum: int
    """Minimum number of instances of a web tier."""
    fleet_maximum: int
    """Default maximum number of instances of a web tier."""
    fleet_instance_type: str
    """Default instance type of a web tier."""
    reserved_concurrency: bool
    """Functions reserve concurrency; otherwise only in regions with a `concurrency_limit`."""
    image_resolved: Resolved
    """When the AMI of a web tier is resolved, by default: at each launch of an instance, or at each plan."""
    alarms: bool
    """Constructs create CloudWatch alarms on their metrics."""


PROFILES: Final[dict[Environment, Profile]] = {
    Environment.DEV: Profile(
        zones=2,
        nat="single",
        log_retention_days=30,
        flow_log_interval=600,
        key_deletion_window_days=7,
        api_rate_limit=50,
        api_burst_limit=25,
        web_acl=False,
        function_url_must_be_signed=False,
        bucket_noncurrent_days=30,
        bucket_access_logs=False,
        prevent_destroy=False,
        database_instances=1,
        database_instance_class="db.t4g.medium",
        backup_retention_days=14,
        deletion_protection=False,
        apply_immediately=True,
        table_max_read_units=500,
        table_max_write_units=250,
        cache_nodes=1,
        cache_node_type="cache.t4g.small",
        cache_snapshot_days=1,
        event_archive_days=0,
        fleet_minimum=1,
        fleet_maximum=2,
        fleet_instance_type="t4g.small",
        reserved_concurrency=False,
        image_resolved="launch",
        alarms=False,
    ),
    Environment.STAGING: Profile(
        zones=2,
        nat="single",
        log_retention_days=90,
        flow_log_interval=600,
        key_deletion_window_days=14,
        api_rate_limit=100,
        api_burst_limit=50,
        web_acl=False,
        function_url_must_be_signed=True,
        bucket_noncurrent_days=30,
        bucket_access_logs=False,
        prevent_destroy=False,
        database_instances=2,
        database_instance_class="db.t4g.medium",
        backup_retention_days=14,
        deletion_protection=False,
        apply_immediately=True,
        table_max_read_units=1000,
        table_max_write_units=500,
        cache_nodes=1,
        cache_node_type="cache.t4g.small",
        cache_snapshot_days=3,
        event_archive_days=0,
        fleet_minimum=2,
        fleet_maximum=4,
        fleet_instance_type="t4g.small",
        reserved_concurrency=True,
        image_resolved="launch",
        alarms=False,
    ),
    Environment.PROD: Profile(
        zones=3,
        nat="per_zone",
        log_retention_days=365,
        flow_log_interval=60,
        key_deletion_window_days=30,
        api_rate_limit=1000,
        api_burst_limit=500,
        web_acl=True,
        function_url_must_be_signed=True,
        bucket_noncurrent_days=90,
        bucket_access_logs=True,
        prevent_destroy=True,
        database_instances=2,
        database_instance_class="db.r7g.large",
        backup_retention_days=35,
        deletion_protection=True,
        apply_immediately=False,
        table_max_read_units=12000,
        table_max_write_units=4000,
        cache_nodes=2,
        cache_node_type="cache.r7g.large",
        cache_snapshot_days=7,
        event_archive_days=30,
        fleet_minimum=2,
        fleet_maximum=12,
        fleet_instance_type="m7g.large",
        reserved_concurrency=True,
        image_resolved="plan",
        alarms=True,
    ),
}
"""Settings by environment; `docs/environments.md` is generated from them."""
