"""The environments, and one table of what each of them changes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from constructs_lib.foundation.errors import ConfigurationError

NatMode = Literal["none", "single", "per_zone"]
"""No way out; one NAT gateway for all zones; one in each zone."""


class Environment(StrEnum):
    """Where a stack is deployed. A required argument everywhere: there is no unnamed environment."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"

    @classmethod
    def parse(cls, value: object, *, path: str = "Environment") -> Environment:
        """Return the environment named `value`.

        Raises:
            ConfigurationError: The name is none of dev, staging and prod, spelled in lower case.
        """
        try:
            return cls(str(value))
        except ValueError:
            allowed = ", ".join(cls)
            raise ConfigurationError(path, f"environment={value!r}: must be one of {allowed}") from None

    @classmethod
    def choose(cls, variable: object | None, context: object | None) -> Environment:
        """Return the environment an app is run for; dev when neither source names one.

        Args:
            variable: The value of the environment variable `ENVIRONMENT`, or None.
            context: The value of the cdktf context key `environment`, or None.

        Raises:
            ConfigurationError: An unknown name, or the two sources disagree.
        """
        named = [cls.parse(value, path="main.py") for value in (variable, context) if value not in (None, "")]
        if len(set(named)) > 1:
            raise ConfigurationError(
                "main.py",
                f"environment: the variable ENVIRONMENT says {named[0].value!r} and the cdktf context says "
                f"{named[1].value!r}: give one of them, or the same value in both",
            )
        return named[0] if named else cls.DEV


@dataclass(frozen=True)
class Profile:
    """What an environment decides. No field has a default, so that a new one forces three decisions."""

    zones: int
    """Availability zones that a VPC spreads over."""
    nat: NatMode
    """NAT gateways of a VPC."""
    log_retention_days: int
    """Days that a log group keeps its events."""
    key_deletion_window_days: int
    """Days between asking for a KMS key's deletion and losing it, 7 to 30."""
    api_rate_limit: int
    """Steady requests a second that each method of an API accepts."""
    api_burst_limit: int
    """Requests at once that each method of an API accepts."""
    web_acl: bool
    """Whether an API stands behind a web ACL unless told otherwise."""
    function_url_must_be_signed: bool
    """Whether a function URL accepts only signed requests and named origins."""
    bucket_noncurrent_days: int
    """Days that a bucket keeps versions of objects that were overwritten or deleted."""
    bucket_access_logs: bool
    """Whether a bucket needs another one that keeps its access logs."""
    prevent_destroy: bool
    """Whether Terraform refuses to destroy a bucket."""
    database_instances: int
    """Instances that a database cluster has at least."""
    database_instance_class: str
    """Class of a database cluster's instances."""
    backup_retention_days: int
    """Days that automated backups of databases are kept, at least."""
    deletion_protection: bool
    """Whether databases and load balancers refuse to be deleted; databases also leave a snapshot when they go."""
    table_max_read_units: int
    """Read units a second that a table and each of its global indexes serve at most."""
    table_max_write_units: int
    """Write units a second that a table and each of its global indexes take at most."""
    cache_nodes: int
    """Nodes that each shard of a cache has at least."""
    cache_node_type: str
    """Type of a cache's nodes."""
    cache_snapshot_days: int
    """Days that daily snapshots of caches are kept, at least."""
    event_archive_days: int
    """Days that the events of a bus are kept to be replayed, at least; 0 for no archive."""
    fleet_minimum: int
    """Instances that a web tier has at least."""
    fleet_maximum: int
    """Instances that a web tier has at most, unless told otherwise."""
    fleet_instance_type: str
    """Type of a web tier's instances."""
    alarms: bool
    """Whether constructs make alarms on their metrics."""


PROFILES: Final[dict[Environment, Profile]] = {
    Environment.DEV: Profile(
        zones=2,
        nat="single",
        log_retention_days=365,
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
        table_max_read_units=500,
        table_max_write_units=250,
        cache_nodes=1,
        cache_node_type="cache.t4g.small",
        cache_snapshot_days=1,
        event_archive_days=0,
        fleet_minimum=1,
        fleet_maximum=2,
        fleet_instance_type="t4g.small",
        alarms=False,
    ),
    Environment.STAGING: Profile(
        zones=2,
        nat="single",
        log_retention_days=365,
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
        table_max_read_units=1000,
        table_max_write_units=500,
        cache_nodes=1,
        cache_node_type="cache.t4g.small",
        cache_snapshot_days=3,
        event_archive_days=0,
        fleet_minimum=2,
        fleet_maximum=4,
        fleet_instance_type="t4g.small",
        alarms=False,
    ),
    Environment.PROD: Profile(
        zones=3,
        nat="per_zone",
        log_retention_days=365,
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
        table_max_read_units=12000,
        table_max_write_units=4000,
        cache_nodes=2,
        cache_node_type="cache.r7g.large",
        cache_snapshot_days=7,
        event_archive_days=30,
        fleet_minimum=2,
        fleet_maximum=12,
        fleet_instance_type="m7g.large",
        alarms=True,
    ),
}
"""Dev, staging and prod side by side; `docs/environments.md` is made from it."""
