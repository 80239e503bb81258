"""Names: snake_case Terraform addresses and kebab-case AWS names, from construct paths and nothing else."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.regions import REGIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORD_BREAK: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_SLUG: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_HIDDEN: Final = frozenset({"Resource", "Default"})
_HASH_LENGTH: Final = 8


@dataclass(frozen=True)
class NameRule:
    """What a service allows in a name."""

    max_length: int
    """Characters."""
    source: str
    """The page that says so."""


_DOCS: Final = "https://docs.aws.amazon.com"
NAME_RULES: Final[dict[str, NameRule]] = {
    "alias": NameRule(256, f"{_DOCS}/kms/latest/APIReference/API_CreateAlias.html"),
    "api": NameRule(128, f"{_DOCS}/apigateway/latest/api/API_CreateRestApi.html"),
    "bucket": NameRule(63, f"{_DOCS}/AmazonS3/latest/userguide/bucketnamingrules.html"),
    # A hyphen and the 12 digits of the account follow.
    "bucket-before-account": NameRule(50, f"{_DOCS}/AmazonS3/latest/userguide/bucketnamingrules.html"),
    "event-archive": NameRule(48, f"{_DOCS}/eventbridge/latest/APIReference/API_CreateArchive.html"),
    "event-bus": NameRule(256, f"{_DOCS}/eventbridge/latest/APIReference/API_CreateEventBus.html"),
    "event-rule": NameRule(64, f"{_DOCS}/eventbridge/latest/APIReference/API_PutRule.html"),
    # .fifo follows.
    "fifo-queue": NameRule(75, f"{_DOCS}/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html"),
    "function": NameRule(64, f"{_DOCS}/lambda/latest/api/API_CreateFunction.html"),
    "layer": NameRule(140, f"{_DOCS}/lambda/latest/api/API_PublishLayerVersion.html"),
    "log-group": NameRule(512, f"{_DOCS}/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"),
    "log-delivery": NameRule(60, f"{_DOCS}/AmazonCloudWatchLogs/latest/APIReference/API_PutDeliverySource.html"),
    "queue": NameRule(80, f"{_DOCS}/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html"),
    "role": NameRule(64, f"{_DOCS}/IAM/latest/APIReference/API_CreateRole.html"),
    "policy": NameRule(128, f"{_DOCS}/IAM/latest/APIReference/API_PutRolePolicy.html"),
    "security-group": NameRule(255, f"{_DOCS}/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html"),
    "tag": NameRule(256, f"{_DOCS}/tag-editor/latest/userguide/best-practices-and-strats.html"),
    "table": NameRule(255, f"{_DOCS}/amazondynamodb/latest/APIReference/API_CreateTable.html"),
    "topic": NameRule(256, f"{_DOCS}/sns/latest/api/API_CreateTopic.html"),
    "web-acl": NameRule(128, f"{_DOCS}/waf/latest/APIReference/API_CreateWebACL.html"),
    "alarm": NameRule(255, f"{_DOCS}/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"),
    "db-cluster": NameRule(63, f"{_DOCS}/AmazonRDS/latest/APIReference/API_CreateDBCluster.html"),
    "db-event-subscription": NameRule(254, f"{_DOCS}/AmazonRDS/latest/APIReference/API_CreateEventSubscription.html"),
    "db-instance": NameRule(63, f"{_DOCS}/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"),
    "db-parameter-group": NameRule(255, f"{_DOCS}/AmazonRDS/latest/APIReference/API_CreateDBParameterGroup.html"),
    "db-snapshot": NameRule(255, f"{_DOCS}/AmazonRDS/latest/APIReference/API_CreateDBClusterSnapshot.html"),
    "db-subnet-group": NameRule(255, f"{_DOCS}/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html"),
    "cache": NameRule(40, f"{_DOCS}/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html"),
    "cache-parameter-group": NameRule(
        255, f"{_DOCS}/AmazonElastiCache/latest/APIReference/API_CreateCacheParameterGroup.html"
    ),
    "cache-snapshot": NameRule(255, f"{_DOCS}/AmazonElastiCache/latest/APIReference/API_CreateSnapshot.html"),
    "cache-subnet-group": NameRule(
        255, f"{_DOCS}/AmazonElastiCache/latest/APIReference/API_CreateCacheSubnetGroup.html"
    ),
    "cache-user": NameRule(40, f"{_DOCS}/AmazonElastiCache/latest/dg/Clusters.RBAC.html"),
    "auto-scaling-group": NameRule(255, f"{_DOCS}/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html"),
    "instance-profile": NameRule(128, f"{_DOCS}/IAM/latest/APIReference/API_CreateInstanceProfile.html"),
    "launch-template": NameRule(128, f"{_DOCS}/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html"),
    "load-balancer": NameRule(32, f"{_DOCS}/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html"),
    "metric-namespace": NameRule(255, f"{_DOCS}/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html"),
    "target-group": NameRule(32, f"{_DOCS}/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html"),
    "scaling-policy": NameRule(256, f"{_DOCS}/autoscaling/application/APIReference/API_PutScalingPolicy.html"),
    "secret": NameRule(512, f"{_DOCS}/secretsmanager/latest/apireference/API_CreateSecret.html"),
}
"""The services that get a name; all of them accept lower-case letters, digits and hyphens."""


def words(text: str) -> list[str]:
    """Return the words of an id written in kebab, snake, camel or Pascal case, in lower case."""
    return [word.lower() for word in _WORD_BREAK.split(text) if word]


def _without_region(component: str, region: str | None) -> str:
    """Drop the region an author appended to an id; it goes last instead, once."""
    if region is None or not component.endswith(region):
        return component
    rest = component.removesuffix(region).rstrip("-_/ ")
    # `us-east-1-to-eu-west-1` names two ends, not a place.
    return component if any(other in rest for other in REGIONS) else rest


def component_words(components: Iterable[str], region: str | None = None) -> list[str]:
    """Return the words of a construct path below its stack, without hidden ids and without its own region."""
    kept = (_without_region(c, region) for c in components if c not in _HIDDEN)
    return [word for component in kept for word in words(component)]


def terraform_name(components: Iterable[str], region: str | None = None) -> str:
    """Return the Terraform resource name of a construct path: snake_case, region last, no hash.

    Args:
        components: Ids of the path below the stack, outermost first.
        region: The region of the resource's provider, or None for a resource that has none.
    """
    parts = component_words(components, region) + (words(region) if region else [])
    name = "_".join(parts)
    return f"_{name}" if name[:1].isdigit() else name


def fit(name: str, limit: int) -> str:
    """Return `name`, cut to `limit` characters with a hash of the whole of it when it is longer.

    The hash depends on the full name only, so the result is the same on every machine and in every run.
    """
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{name[: limit - _HASH_LENGTH - 1].rstrip('-')}-{digest}"


def check_slug(path: str, argument: str, value: object) -> str:
    """Return `value` when it can stand in every AWS name.

    Raises:
        ConfigurationError: Not lower-case letters, digits and single hyphens, starting with a letter.
    """
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise ConfigurationError(
            path,
            f"{argument}={value!r}: must be lower-case letters, digits and single hyphens, starting with a letter, "
            "because it becomes part of every AWS name",
        )
    return value


@dataclass(frozen=True)
class Naming:
    """Makes the AWS names of one stack in one region: `project-environment-component[-region]`."""

    project: str
    environment: str
    region: str | None = None

    def name(self, components: Iterable[str], kind: str) -> str:
        """Return the AWS name of a construct.

        Args:
            components: Ids of the construct path below the stack, outermost first.
            kind: A key of `NAME_RULES`, which sets the length limit.
        """
        parts = [self.project, self.environment, *component_words(components, self.region)]
        if self.region:
            parts.append(self.region)
        return fit("-".join(parts), NAME_RULES[kind].max_length)
