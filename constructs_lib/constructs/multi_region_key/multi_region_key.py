"""MultiRegionKey: a multi-Region KMS key with replicas and a key policy for the services that use it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final

from constructs_lib._engine import aws, core
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition, Statement, check_size, merge_sources
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.naming import Naming
from constructs_lib.foundation.opt_out import OptOut

MIN_DELETION_WINDOW: Final = 7
MAX_DELETION_WINDOW: Final = 30
ROTATION_DAYS: Final = 365
_USE: Final = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
_AUTO_SCALING: Final = "AWSServiceRoleForAutoScaling"
EVENTS: Final = "events.amazonaws.com"
_EXECUTION_LOGS: Final = "API-Gateway-Execution-Logs_"
"""Names of the execution logs of REST APIs begin with it, and the API's id follows."""


def names_like(region: Region, service: str, name: str, head: str = "") -> str:
    """Return an ARN pattern of the resources of a project and environment, or the ARN of one with another name.

    Key policies take such patterns: KMS applies changes of a key policy with a delay of up to some minutes, and the
    first resource that needs a new statement would be refused. The name is plain: with a reference the key would depend
    on the resource, which depends on the key.

    Args:
        region: The region of the resource.
        service: The service's namespace in ARNs, such as `sqs`.
        name: The resource's name.
        head: What is before the name in the ARN, such as `log-group:`.

    See https://docs.aws.amazon.com/kms/latest/developerguide/programming-eventual-consistency.html.
    """
    prefix = name_prefix(region)
    return region.arn(service, f"{head}{prefix}*" if name.startswith(prefix) else f"{head}{name}")


def name_prefix(region: Region) -> str:
    """Return how the AWS names of a project's resources in an environment begin."""
    return f"{region.naming.project}-{region.naming.environment}-"


@dataclass(frozen=True)
class UnprotectedKey(OptOut):
    """The key has no `prevent_destroy` where the environment requires it."""


class MultiRegionKey(HardenedConstruct):
    """A multi-Region symmetric KMS key with replicas, rotation, and one alias in all its regions.

    The key policy enables IAM policies in the account, and lets CloudWatch Logs and EventBridge use the key for log
    groups and event buses of the project and environment. Other AWS services may use the key only under the conditions
    that the constructs they work for have added.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The region of the primary key.
        replicas: Regions of replica keys, in the same stack; none by default.
        description: What the key encrypts; up to 8,192 characters.
        deletion_window_days: The waiting period before the key is deleted, in days: the environment's minimum (7 in
            dev, 14 in staging, 30 in prod) to 30; the minimum by default.
        protected: Sets `prevent_destroy`, so that Terraform refuses to destroy the keys: without them data, snapshots
            and backups cannot be read. On in prod, and where a data store with deletion protection uses the key; off
            otherwise by default. `UnprotectedKey(reason)` turns it off in prod.

    Attributes:
        alias: The alias, the same in all regions: `alias/<project>-<environment>-<component>`.
        resource: The primary key, an `aws_kms_key`.
        keys: The primary key and its replicas by region, such as `key.keys["eu-west-1"]`.

    Raises:
        ConfigurationError: A duplicate region, a region of another stack, a waiting period that is out of range, or a
            key without protection in prod.

    See https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        replicas: Sequence[Region] = (),
        description: str = "Encrypts the data of the stack",
        deletion_window_days: int | None = None,
        protected: bool | UnprotectedKey | None = None,
    ) -> None:
        super().__init__(scope, id_, region=region)
        floor = region.profile.key_deletion_window_days
        window = floor if deletion_window_days is None else deletion_window_days
        self._check(replicas, window, floor, protected)
        if isinstance(protected, UnprotectedKey):
            self._record(protected)
        self._may_be_destroyed = protected is not None and protected is not True
        self._statements: dict[str, list[Statement]] = {place.name: [] for place in (region, *replicas)}
        self._auto_scaling: set[str] = set()
        self._log_groups = {
            place.name: {f"*{name_prefix(place)}*", f"{_EXECUTION_LOGS}*"} for place in (region, *replicas)
        }
        names = Naming(region.naming.project, region.naming.environment)
        self.alias = "alias/" + names.name((self.component,), "alias")
        self.resource = self._create(
            aws.kms_key.KmsKey,
            "Resource",
            description=description,
            multi_region=True,
            enable_key_rotation=True,
            rotation_period_in_days=ROTATION_DAYS,
            deletion_window_in_days=window,
        )
        self.keys: dict[str, aws.kms_key.KmsKey | aws.kms_replica_key.KmsReplicaKey] = {region.name: self.resource}
        for place in replicas:
            self.keys[place.name] = self._create_in(
                place,
                aws.kms_replica_key.KmsReplicaKey,
                f"replica-{place.name}",
                description=description,
                primary_key_arn=self._ref(self.resource, "arn"),
                deletion_window_in_days=window,
            )
        for place in (region, *replicas):
            self._create_in(
                place,
                aws.kms_alias.KmsAlias,
                f"alias-{place.name}",
                name=self.alias,
                target_key_id=self._ref(self.keys[place.name], "key_id"),
            )
            region.stack.at_synth(partial(self._write_policy, place))
        if protected is True or (protected is None and region.profile.prevent_destroy):
            self._prevent_destroy()
        self._publish("arn", self._ref(self.resource, "arn"), "ARN of the primary key")

    @cached_property
    def arn(self) -> str:
        """The primary key's ARN; `arn_for` returns those of replicas."""
        return self.resource.arn

    def arn_for(self, consumer: HardenedConstruct) -> str:
        """Return the ARN of the key in a construct's region.

        Args:
            consumer: The construct that uses the key, in any stack of the App.

        Raises:
            ConfigurationError: The key has no replica in the region.
        """
        key = self.keys.get(consumer.region.name)
        if key is None:
            raise ConfigurationError(
                consumer.path,
                f"key={self.path!r}: exists in {', '.join(self.keys)} and not in {consumer.region.name}, and a "
                f"resource cannot use a key of another region; add {consumer.region.name} to the key's replicas",
            )
        return consumer.region.stack.reach(key, "arn")

    def protect(self, consumer: HardenedConstruct) -> None:
        """Set `prevent_destroy` on the keys, for a data store that has deletion protection.

        Args:
            consumer: The data store.

        Raises:
            ConfigurationError: `protected` is False or `UnprotectedKey`.
        """
        if self._may_be_destroyed:
            raise ConfigurationError(
                consumer.path,
                f"key={self.path!r}: is not protected from deletion, and the protected data cannot be read without it; "
                "give the key protected=True, or turn off the deletion protection of its data first",
            )
        self._prevent_destroy()

    def allow_logs(self, consumer: HardenedConstruct, log_group_name: str) -> None:
        """Allow CloudWatch Logs to use the key for a log group.

        The key policy allows it from the first apply on for log groups whose names contain the project and the
        environment, and for execution logs of REST APIs. Other names are added to the key policy.

        Args:
            consumer: The construct that the log group belongs to; its region is the log group's.
            log_group_name: The log group's name.

        Raises:
            ConfigurationError: The key has no replica in the region.

        See https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html.
        """
        self.arn_for(consumer)
        if not log_group_name.startswith(_EXECUTION_LOGS):
            prefix = name_prefix(consumer.region)
            self._log_groups[consumer.region.name].add(f"*{prefix}*" if prefix in log_group_name else log_group_name)

    def allow_auto_scaling(self, consumer: HardenedConstruct) -> None:
        """Allow EC2 Auto Scaling to launch instances with EBS volumes that the key encrypts.

        It uses the account's service-linked role, which needs the permission in the key policy: without it, instances
        are terminated right after launch.

        Args:
            consumer: The construct with the Auto Scaling group; its region is the group's.

        Raises:
            ConfigurationError: The key has no replica in the region.

        See https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html.
        """
        self.arn_for(consumer)
        self._auto_scaling.add(consumer.region.name)

    def allow_service(self, consumer: HardenedConstruct, service: str, conditions: tuple[Condition, ...]) -> None:
        """Allow an AWS service to use the key under conditions. Adding the same statement again has no effect.

        Args:
            consumer: The construct that the service works for; its region is the key's.
            service: The service principal, such as `sns.amazonaws.com`.
            conditions: Conditions that restrict the service to the construct, at least one, such as
                `Condition("ArnEquals", "aws:SourceArn", (arn,))`.

        Raises:
            ConfigurationError: There are no conditions, or the key has no replica in the region.
        """
        if not conditions:
            raise ConfigurationError(
                consumer.path,
                f"conditions={conditions!r}: expected at least one condition, such as aws:SourceArn; without it the "
                "service can use the key on behalf of any account",
            )
        self.arn_for(consumer)
        self._statements[consumer.region.name].append(_service_statement(service, conditions))

    def statement_for(self, consumer: HardenedConstruct, *, sid: str, actions: tuple[str, ...]) -> Statement:
        """Return a statement for a role's policy that allows actions on the key in a construct's region.

        Args:
            consumer: The construct that uses the key; its region is the key's.
            sid: The statement's id: letters and digits.
            actions: Actions such as `kms:Decrypt`.

        Raises:
            ConfigurationError: The key has no replica in the region.
        """
        return Statement(sid=sid, actions=actions, resources=(self.arn_for(consumer),))

    def _prevent_destroy(self) -> None:
        for key in self.keys.values():
            key.lifecycle = core.TerraformResourceLifecycle(prevent_destroy=True)

    def _write_policy(self, place: Region) -> None:
        root = f"arn:{place.partition}:iam::{place.account_id}:root"
        buses = names_like(place, "events", name_prefix(place), "event-bus/")
        groups = tuple(place.arn("logs", f"log-group:{name}") for name in sorted(self._log_groups[place.name]))
        logs = Condition("ArnLike", "kms:EncryptionContext:aws:logs:arn", groups)
        statements = merge_sources(
            [
                Statement(sid="AccountPolicies", actions=("kms:*",), resources=("*",), principals=(("AWS", (root,)),)),
                _service_statement(f"logs.{place.name}.{place.dns_suffix}", (logs,), sid="CloudWatchLogs"),
                _service_statement(EVENTS, (Condition("ArnLike", "aws:SourceArn", (buses,)),)),
                *self._statements[place.name],
                *(_auto_scaling_statements(place) if place.name in self._auto_scaling else ()),
            ]
        )
        check_size(self, "key", statements, f" in {place.name}")
        policy = json.dumps({"Version": "2012-10-17", "Statement": [s.as_json() for s in statements]})
        self.keys[place.name].policy = policy

    def _check(self, replicas: Sequence[Region], window: int, floor: int, protected: object) -> None:
        self._problems.check(
            protected is not False or not self.region.profile.prevent_destroy,
            "protected",
            protected,
            f"must be True in {self.region.environment.value}; give UnprotectedKey(reason) to allow its deletion",
        )
        seen = {self.region.name}
        for place in replicas:
            self._problems.check(
                place.name not in seen,
                "replicas",
                place.name,
                "duplicate region; the primary key's region is not a replica",
            )
            self._problems.check(
                place.stack is self.region.stack,
                "replicas",
                place.name,
                "is a region of another stack; expected a region of the primary key's stack",
            )
            seen.add(place.name)
        if self._problems.check(
            MIN_DELETION_WINDOW <= window <= MAX_DELETION_WINDOW,
            "deletion_window_days",
            window,
            f"must be a number of days from {MIN_DELETION_WINDOW} to {MAX_DELETION_WINDOW}",
        ):
            self._problems.check(
                window >= floor,
                "deletion_window_days",
                window,
                f"must be at least {floor} in {self.region.environment.value}",
            )
        self._problems.raise_if_any()


def _service_statement(service: str, conditions: tuple[Condition, ...], sid: str | None = None) -> Statement:
    words = service.split(".", 1)[0].split("-")
    return Statement(
        sid=sid or "".join(word.title() for word in words),
        actions=_USE,
        resources=("*",),
        principals=(("Service", (service,)),),
        conditions=conditions,
    )


def _auto_scaling_statements(place: Region) -> list[Statement]:
    role = (
        f"arn:{place.partition}:iam::{place.account_id}:role/aws-service-role/autoscaling.amazonaws.com/{_AUTO_SCALING}"
    )
    # The role in Principal must exist when the policy is written; AWS creates it with the first group.
    for_role = Condition("ArnEquals", "aws:PrincipalArn", (role,))
    for_aws = Condition("Bool", "kms:GrantIsForAWSResource", ("true",))
    return [
        Statement(sid, actions, ("*",), (("AWS", ("*",)),), conditions)
        for sid, actions, conditions in (
            ("AutoScaling", _USE, (for_role,)),
            ("AutoScalingVolumes", ("kms:CreateGrant",), (for_role, for_aws)),
        )
    ]
