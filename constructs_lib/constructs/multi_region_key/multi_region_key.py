"""MultiRegionKey: one KMS key in several regions, with a policy that grants only what its consumers asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Final

from constructs_lib._engine import aws, core
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition, Statement
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.naming import Naming

MIN_DELETION_WINDOW: Final = 7
MAX_DELETION_WINDOW: Final = 30
ROTATION_DAYS: Final = 365
MAX_POLICY_BYTES: Final = 32 * 1024
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


class MultiRegionKey(HardenedConstruct):
    """A symmetric customer key with the same key material and the same alias in every region.

    The key policy lets the account's IAM policies decide who uses the key, and lets AWS services use it only as far as
    a construct that needs it has asked for.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The primary key's region.
        replicas: Further regions of the same stack; none by default. Adding one later changes nothing that exists.
        description: What the key protects.
        deletion_window_days: Days between asking for its deletion and losing it, 7 to 30; by default from the
            environment, and not less than that.

    Raises:
        ConfigurationError: A region twice, a region of another stack, or a deletion window out of range.

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
    ) -> None:
        super().__init__(scope, id_, region=region)
        floor = region.profile.key_deletion_window_days
        window = floor if deletion_window_days is None else deletion_window_days
        self._check(replicas, window, floor)
        self._statements: dict[str, list[Statement]] = {place.name: [] for place in (region, *replicas)}
        self._auto_scaling: set[str] = set()
        self._log_groups: dict[str, list[str]] = {place.name: [] for place in (region, *replicas)}
        names = Naming(region.naming.project, region.naming.environment)
        self.alias = "alias/" + names.name((self.component,), "alias")
        """The same in every region."""

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
        """The primary and its replicas by region."""
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
        self._publish("arn", self._ref(self.resource, "arn"), "ARN of the primary key")

    def arn_for(self, consumer: HardenedConstruct) -> str:
        """Return the ARN of the key in the consumer's region.

        Raises:
            ConfigurationError: The key has no replica there: a resource cannot use a key of another region.
        """
        key = self.keys.get(consumer.region.name)
        if key is None:
            raise ConfigurationError(
                consumer.path,
                f"key={self.path!r}: exists in {', '.join(self.keys)} and not in {consumer.region.name}, and a "
                f"resource cannot use a key of another region; add {consumer.region.name} to the key's replicas",
            )
        return consumer.region.stack.reach(key, "arn")

    def allow_logs(self, consumer: HardenedConstruct, log_group_name: str) -> None:
        """Let CloudWatch Logs in the consumer's region use the key for one log group."""
        self.arn_for(consumer)
        self._log_groups[consumer.region.name].append(log_group_name)

    def allow_auto_scaling(self, consumer: HardenedConstruct) -> None:
        """Let EC2 Auto Scaling in the consumer's region start instances whose volumes the key encrypts.

        It uses the account's service-linked role, which no IAM policy can give the key to: without this the instances
        end as soon as they start. A condition names the role, since a principal must exist when the policy is written
        and AWS makes the role with the first group.

        See https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html.
        """
        self.arn_for(consumer)
        self._auto_scaling.add(consumer.region.name)

    def allow_service(self, consumer: HardenedConstruct, service: str, conditions: tuple[Condition, ...]) -> None:
        """Let an AWS service in the consumer's region use the key under conditions, at least one.

        Args:
            consumer: The construct that the service works for.
            service: The service principal, for instance `sns.amazonaws.com`.
            conditions: What narrows it down to the consumer, for instance `aws:SourceArn`.

        Raises:
            ConfigurationError: No condition, which would let the service act for anybody.
        """
        if not conditions:
            raise ConfigurationError(
                consumer.path,
                f"conditions={conditions!r}: a service needs a condition that names whom it acts for",
            )
        self.arn_for(consumer)
        sid = "".join(part.title() for part in (*service.split(".", 1)[0].split("-"), *consumer.components))
        statement = Statement(
            sid="".join(c for c in sid if c.isalnum()),
            actions=_USE,
            resources=("*",),
            principals=(("Service", (service,)),),
            conditions=conditions,
        )
        statements = self._statements[consumer.region.name]
        if statement not in statements:
            statements.append(statement)

    def statement_for(self, consumer: HardenedConstruct, *, sid: str, actions: tuple[str, ...]) -> Statement:
        """Return a statement for the consumer's role: the given `kms:` actions on the key in its region."""
        return Statement(sid=sid, actions=actions, resources=(self.arn_for(consumer),))

    def _write_policy(self, place: Region) -> None:
        root = f"arn:{place.partition}:iam::{place.account_id}:root"
        statements = [
            Statement(sid="AccountPolicies", actions=("kms:*",), resources=("*",), principals=(("AWS", (root,)),)),
            *self._statements[place.name],
        ]
        if place.name in self._auto_scaling:
            statements += _auto_scaling_statements(place)
        groups = self._log_groups[place.name]
        if groups:
            arns = tuple(place.arn("logs", f"log-group:{name}") for name in sorted(set(groups)))
            statements.append(
                Statement(
                    sid="CloudWatchLogs",
                    actions=_USE,
                    resources=("*",),
                    principals=(("Service", (f"logs.{place.name}.{place.dns_suffix}",)),),
                    conditions=(Condition("ArnEquals", "kms:EncryptionContext:aws:logs:arn", arns),),
                )
            )
        policy = json.dumps({"Version": "2012-10-17", "Statement": [s.as_json() for s in statements]})
        if len(policy) > MAX_POLICY_BYTES:
            raise ConfigurationError(
                self.path,
                f"policy of {len(policy)} bytes in {place.name}: KMS allows {MAX_POLICY_BYTES}; use a second key for "
                "some of its consumers",
            )
        self.keys[place.name].policy = policy

    def _check(self, replicas: Sequence[Region], window: int, floor: int) -> None:
        seen = {self.region.name}
        for place in replicas:
            self._problems.check(
                place.name not in seen,
                "replicas",
                place.name,
                "the region has the key already; name each one once",
            )
            self._problems.check(
                place.stack is self.region.stack,
                "replicas",
                place.name,
                "belongs to another stack than the primary key",
            )
            seen.add(place.name)
        if self._problems.check(
            MIN_DELETION_WINDOW <= window <= MAX_DELETION_WINDOW,
            "deletion_window_days",
            window,
            f"KMS allows {MIN_DELETION_WINDOW} to {MAX_DELETION_WINDOW}",
        ):
            self._problems.check(
                window >= floor,
                "deletion_window_days",
                window,
                f"must be at least {floor} in {self.region.environment.value}",
            )
        self._problems.raise_if_any()


def _auto_scaling_statements(place: Region) -> list[Statement]:
    role = (
        f"arn:{place.partition}:iam::{place.account_id}:role/aws-service-role/autoscaling.amazonaws.com/{_AUTO_SCALING}"
    )
    whom = Condition("ArnEquals", "aws:PrincipalArn", (role,))
    for_aws = Condition("Bool", "kms:GrantIsForAWSResource", ("true",))
    return [
        Statement(sid, actions, ("*",), (("AWS", ("*",)),), conditions)
        for sid, actions, conditions in (
            ("AutoScaling", _USE, (whom,)),
            ("AutoScalingVolumes", ("kms:CreateGrant",), (whom, for_aws)),
        )
    ]
