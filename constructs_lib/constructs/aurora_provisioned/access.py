"""IAM database authentication, and the role of Enhanced Monitoring."""

from __future__ import annotations

import re
from typing import Final

from constructs_lib.constructs.aurora_provisioned.engines import Engine
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition, ServiceRole, Statement
from constructs_lib.core.protocols import Grantee
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.regions import is_token

_USER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_client(path: str, engine: Engine, master: str, user: object) -> None:
    """Check a database user for IAM database authentication.

    Raises:
        ConfigurationError: The name is invalid or a wildcard, or it is the master user.
    """
    if is_token(user) or not isinstance(user, str) or not _USER.fullmatch(user) or len(user) > engine.max_user:
        raise ConfigurationError(
            path,
            f"database_user={user!r}: must be 1 to {engine.max_user} letters, digits and underscores; wildcards "
            "are not allowed",
        )
    if user.lower() in (master, "rdsadmin"):
        raise ConfigurationError(
            path,
            f"database_user={user!r}: is the master user; create a database user with the permissions that the client "
            "needs",
        )


def connect_statement(cluster: HardenedConstruct, client: Grantee, resource_id: str, user: str) -> Statement:
    """Return the statement that allows to connect to a cluster as a database user."""
    here = cluster.region
    owner = f"arn:{here.partition}:rds-db:{here.name}:{client.region.account_id}"
    sid = "".join(part.title() for part in (*cluster.component.split("-"), *user.split("_")))
    return Statement(
        sid=f"Connect{sid}",
        actions=("rds-db:connect",),
        resources=(f"{owner}:dbuser:{resource_id}/{user}",),
    )


def monitoring_role(cluster: HardenedConstruct) -> ServiceRole:
    """Return the role of Enhanced Monitoring, which writes to the log group RDSOSMetrics.

    See https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Monitoring.OS.Enabling.html.
    """
    region = cluster.region
    group = region.arn("logs", "log-group:RDSOSMetrics")
    return ServiceRole(
        cluster,
        "monitoring",
        region=region,
        service="monitoring.rds.amazonaws.com",
        description=f"Writes the operating system metrics of {cluster.path}",
        statements=[
            Statement(
                sid="CreateGroup",
                actions=("logs:CreateLogGroup", "logs:PutRetentionPolicy"),
                resources=(group, f"{group}:*"),
            ),
            Statement(
                sid="WriteStreams",
                actions=(
                    *("logs:CreateLogStream", "logs:DescribeLogStreams"),
                    *("logs:GetLogEvents", "logs:PutLogEvents"),
                ),
                resources=(f"{group}:log-stream:*",),
            ),
        ],
        conditions=(
            Condition("StringEquals", "aws:SourceAccount", (region.account_id,)),
            # Aurora chooses the names of readers that it adds.
            Condition("ArnLike", "aws:SourceArn", (region.arn("rds", "db:*"),)),
        ),
    )
