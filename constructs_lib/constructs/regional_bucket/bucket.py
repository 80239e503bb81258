"""RegionalBucket: a private, versioned and encrypted S3 bucket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.regional_bucket import arguments, policy
from constructs_lib.constructs.regional_bucket.arguments import (
    ForceDestroy,
    LogDelivery,
    NoAccessLogs,
    ObjectLock,
    Transition,
    UnprotectedBucket,
)
from constructs_lib.constructs.regional_bucket.base import Bucket
from constructs_lib.constructs.regional_bucket.cors import CorsRule, check_cors, write_cors
from constructs_lib.constructs.regional_bucket.inventory import Inventory, check_inventory, write_inventory
from constructs_lib.constructs.regional_bucket.lifecycle import retention
from constructs_lib.constructs.regional_bucket.replication import check_replica, replicate
from constructs_lib.constructs.regional_vpc import Vpc
from constructs_lib.core.iam import Condition, PolicyDocument, Statement
from constructs_lib.core.protocols import Grantee
from constructs_lib.core.stack import Region
from constructs_lib.foundation.deprecation import renamed_arguments
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.naming import words
from constructs_lib.foundation.opt_out import OptOut

_LOG_DELIVERY: Final = LogDelivery("S3 and load balancers deliver access logs only to buckets encrypted with SSE-S3")


class RegionalBucket(Bucket):
    """A private, versioned S3 bucket with a customer managed key, TLS 1.2 or later and a lifecycle.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The region.
        key: The key that encrypts objects, with a replica in the region. Required, except for log buckets, which cannot
            have one.
        log_delivery: Creates a log bucket, which S3 and Elastic Load Balancing can deliver access logs to. It is
            encrypted with SSE-S3, because they do not deliver to buckets with SSE-KMS.
        access_logs: The log bucket for server access logs, in the same region and stack, or `NoAccessLogs(reason)`.
            Required in prod, none by default in dev and staging. A log bucket logs to itself by default.
        account_in_name: Appends the account id to the bucket's name. Without it the name may be taken: bucket names are
            unique across all AWS accounts.
        noncurrent_days: Days until noncurrent versions expire: 30 or more in dev and staging, 90 or more in prod; the
            minimum by default.
        newer_noncurrent_versions: Noncurrent versions of each object that never expire, 1 to 100; none by default.
        transitions: Transitions to cheaper storage classes, each later and colder than the one before; none by default.
        expire_days: Days until objects expire, 1 or more; never by default. Their versions expire after
            `noncurrent_days`.
        object_lock: The default retention of S3 Object Lock; none by default. It can be added to an existing bucket and
            then applies to new object versions. S3 cannot disable Object Lock again; removing the argument removes the
            default retention only.
        replicate_to: A bucket with a key in another region of the same stack that new objects and delete markers are
            replicated to; none by default.
        replication_time_control: Enables S3 RTC: replication within 15 minutes, with metrics. Billed by the gigabyte.
        cors: CORS rules, at most 100; none by default.
        inventory: Delivers a report of all object versions to a log bucket; none by default.
        vpc_endpoints: VPCs with an S3 gateway endpoint in the region, and VPC endpoint ids. Requests for objects from
            elsewhere are denied, except those of AWS services. No restriction by default.
        protected: Sets `prevent_destroy`, so that Terraform refuses to destroy the bucket; on in prod, off in dev and
            staging by default. `UnprotectedBucket(reason)` turns it off in prod.
        force_destroy: `ForceDestroy(reason)`: destroying the bucket deletes all objects first. Not allowed in prod. By
            default on for log buckets in dev and staging without `protected=True`, since they are never empty; off for
            all others.

    Raises:
        ConfigurationError: An argument is invalid, below the environment's minimum, or contradicts another one.

    Attributes:
        name: The bucket's name, without a dependency on the bucket. It contains a reference to the account id unless
            the stack has exactly one of `allowed_account_ids`.
        resource: The `aws_s3_bucket`.
        key: The key that encrypts objects; None for a log bucket.
        locked: Whether Object Lock is enabled.
        lock: The `aws_s3_bucket_object_lock_configuration`, with `object_lock` only.
        policy: The bucket policy, for resources that depend on it.
        versioning: The `aws_s3_bucket_versioning`, for resources that depend on it.
        replication: The role that S3 assumes for replication, with `replicate_to` only.

    See https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html.
    """

    @renamed_arguments(keep_versions="newer_noncurrent_versions")
    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey | None = None,
        log_delivery: bool = False,
        access_logs: RegionalBucket | NoAccessLogs | None = None,
        account_in_name: bool = True,
        noncurrent_days: int | None = None,
        newer_noncurrent_versions: int | None = None,
        transitions: Sequence[Transition] = (),
        expire_days: int | None = None,
        object_lock: ObjectLock | None = None,
        replicate_to: RegionalBucket | None = None,
        replication_time_control: bool = False,
        cors: Sequence[CorsRule] = (),
        inventory: Inventory | None = None,
        vpc_endpoints: Sequence[Vpc | str] = (),
        protected: bool | UnprotectedBucket | None = None,
        force_destroy: ForceDestroy | None = None,
    ) -> None:
        super().__init__(scope, id_, region=region)
        noncurrent = region.profile.bucket_noncurrent_days if noncurrent_days is None else noncurrent_days
        self.key = key
        self.locked = object_lock is not None
        problems = self._problems
        arguments.check_name(problems, self._name("bucket"))
        arguments.check_days(problems, region, noncurrent, newer_noncurrent_versions, expire_days)
        arguments.check_transitions(problems, transitions, expire_days)
        arguments.check_lock(problems, object_lock)
        prevented = arguments.check_removal(
            problems, region, protected=protected, force_destroy=force_destroy, lock=object_lock
        )
        arguments.check_encryption(problems, key, log_delivery, object_lock)
        self._check_access_logs(access_logs)
        check_cors(problems, region.environment, cors)
        check_inventory(problems, inventory)
        if isinstance(inventory, Inventory):
            self._check_log_bucket("inventory.logs", inventory.logs, "inventories")
        arguments.check_endpoints(problems, region, vpc_endpoints, log_delivery=log_delivery)
        self._check_replication(replicate_to, object_lock, time_control=replication_time_control)
        problems.raise_if_any()
        self._key_arn = key.arn_for(self) if key else ""
        origins = (rule.origins for rule in cors)
        for given in (_LOG_DELIVERY if log_delivery else None, access_logs, protected, force_destroy, *origins):
            if isinstance(given, OptOut):
                self._record(given)

        self.name = self._bucket_name(account_in_name=account_in_name)
        self.resource = self._create(
            aws.s3_bucket.S3Bucket,
            "Resource",
            bucket=self.name,
            # A log bucket is never empty: S3 and load balancers deliver logs until the end.
            force_destroy=force_destroy is not None
            or (log_delivery and not prevented and not region.profile.prevent_destroy),
            lifecycle=core.TerraformResourceLifecycle(prevent_destroy=True) if prevented else None,
        )
        self._id = self._ref(self.resource, "id")
        self._arn = self._ref(self.resource, "arn")
        self._keep_private()
        if vpc_endpoints:
            self._policy.add(policy.endpoints_only(region, self._arn, vpc_endpoints))
        self._encrypt(protected=prevented)
        versioning = aws.s3_bucket_versioning
        self.versioning = self._create(
            versioning.S3BucketVersioningA,
            "versioning",
            bucket=self._id,
            versioning_configuration=versioning.S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        rules = aws.s3_bucket_lifecycle_configuration
        self._create(
            rules.S3BucketLifecycleConfiguration,
            "lifecycle",
            bucket=self._id,
            rule=[retention(noncurrent, newer_noncurrent_versions, transitions, expire_days)],
            # S3 needs versioning before rules for noncurrent versions.
            depends_on=[self.versioning],
        )
        # EventBridge needs no permission first, unlike queues, topics and functions.
        self._create(aws.s3_bucket_notification.S3BucketNotification, "events", bucket=self._id, eventbridge=True)
        # Without object_lock_enabled on the bucket, which replaces it: the configuration enables Object Lock in place.
        if object_lock:
            self.lock = self._lock(object_lock)
        logs = self if log_delivery and access_logs is None else access_logs
        if isinstance(logs, RegionalBucket):
            self._log_to(logs)
        if replicate_to:
            self.replication = replicate(self, replicate_to, time_control=replication_time_control)
        if cors:
            write_cors(self, cors)
        if inventory:
            write_inventory(self, inventory)
        self._publish("name", self._id, "Name of the bucket")
        self._publish("arn", self._arn, "ARN of the bucket")

    def grant_read(self, grantee: Grantee, prefix: str = "") -> None:
        """Grant a role permission to list, read and decrypt objects.

        With a prefix, S3 responds with 403 instead of 404 to requests for objects that do not exist.

        Args:
            grantee: A `ServiceRole` or a function in the same stack.
            prefix: The prefix of the objects' keys; all objects by default.

        Raises:
            ConfigurationError: The grantee is in another stack.
        """
        self._check_grantee(grantee)
        only = (Condition("StringLike", "s3:prefix", (f"{prefix}*",)),) if prefix else ()
        grantee.grant(Statement(self._sid("List", prefix), ("s3:ListBucket",), (self._arn,), (), only))
        grantee.grant(Statement(self._sid("Read", prefix), ("s3:GetObject",), (f"{self._arn}/{prefix}*",)))
        self._grant_key(grantee, "Decrypt", ("kms:Decrypt",))

    def grant_write(self, grantee: Grantee, prefix: str = "") -> None:
        """Grant a role permission to put and encrypt objects, but not to read or delete them.

        Args:
            grantee: A `ServiceRole` or a function in the same stack.
            prefix: The prefix of the objects' keys; all objects by default.

        Raises:
            ConfigurationError: The grantee is in another stack.
        """
        self._check_grantee(grantee)
        actions = ("s3:AbortMultipartUpload", "s3:PutObject")
        grantee.grant(Statement(self._sid("Write", prefix), actions, (f"{self._arn}/{prefix}*",)))
        # Completing a multipart upload needs kms:Decrypt.
        self._grant_key(grantee, "Encrypt", ("kms:Decrypt", "kms:GenerateDataKey"))

    def allow_load_balancer_logs(self, prefix: str = "") -> None:
        """Allow load balancers of this account and region to deliver access logs.

        Args:
            prefix: The prefix of the load balancer's access logs, without a trailing slash; none by default.

        Raises:
            ConfigurationError: This bucket has no `log_delivery=True`, or the prefix is invalid.
        """
        self._check_log_delivery("prefix", prefix)
        arguments.check_log_prefix(self.path, prefix)
        self._policy.add(policy.load_balancer_logs(self.region, self._arn, f"{prefix}/" if prefix else ""))

    def deny(self, statement: Statement) -> None:
        """Add a Deny statement to the bucket policy. To grant permissions, use `grant_read` and `grant_write`.

        Args:
            statement: The statement, with the effect `Deny`.

        Raises:
            ConfigurationError: The effect is not `Deny`.
        """
        if statement.effect != "Deny":
            raise ConfigurationError(
                self.path,
                f"statement={statement.sid!r}: must have the effect Deny; to grant permissions use grant_read or "
                "grant_write",
            )
        self._policy.add(statement)

    def _bucket_name(self, *, account_in_name: bool) -> str:
        if not account_in_name:
            return self._name("bucket")
        accounts = self.region.stack.allowed_account_ids
        # With one allowed account the name is known at synth; the deployed name is the same either way.
        account = accounts[0] if len(accounts) == 1 else self.region.account_id
        return f"{self._name('bucket-before-account')}-{account}"

    def _keep_private(self) -> None:
        access = self._create(
            aws.s3_bucket_public_access_block.S3BucketPublicAccessBlock,
            "public-access",
            bucket=self._id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        ownership = aws.s3_bucket_ownership_controls
        self._create(
            ownership.S3BucketOwnershipControls,
            "ownership",
            bucket=self._id,
            rule=ownership.S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        statements = [*policy.minimum_tls(self._arn), policy.no_customer_provided_key(self._arn)]
        if self.key:
            statements += policy.bucket_key_only(self._arn, self._key_arn)
        self._policy = PolicyDocument(self, "policy-document", statements, kind="bucket")
        self.policy = self._create(
            aws.s3_bucket_policy.S3BucketPolicy,
            "policy",
            bucket=self._id,
            policy=self._policy.json,
            # S3 refuses concurrent changes of a bucket's access.
            depends_on=[access],
        )

    def _encrypt(self, *, protected: bool) -> None:
        if self.key and protected:
            self.key.protect(self)
        encryption = aws.s3_bucket_server_side_encryption_configuration
        default = encryption.S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA
        self._create(
            encryption.S3BucketServerSideEncryptionConfigurationA,
            "encryption",
            bucket=self._id,
            rule=[
                encryption.S3BucketServerSideEncryptionConfigurationRuleA(
                    bucket_key_enabled=True if self.key else None,
                    apply_server_side_encryption_by_default=(
                        default(sse_algorithm="aws:kms", kms_master_key_id=self._key_arn)
                        if self.key
                        else default(sse_algorithm="AES256")
                    ),
                )
            ],
        )

    def _lock(self, lock: ObjectLock) -> aws.s3_bucket_object_lock_configuration.S3BucketObjectLockConfigurationA:
        locks = aws.s3_bucket_object_lock_configuration
        retention = locks.S3BucketObjectLockConfigurationRuleDefaultRetentionA(mode=lock.mode, days=lock.days)
        return self._create(
            locks.S3BucketObjectLockConfigurationA,
            "lock",
            bucket=self._id,
            rule=locks.S3BucketObjectLockConfigurationRuleA(default_retention=retention),
            depends_on=[self.versioning],
        )

    def _log_to(self, logs: RegionalBucket) -> None:
        prefix = logs.allow_access_logs(self)
        self._create(
            aws.s3_bucket_logging.S3BucketLoggingA,
            "access-log",
            bucket=self._id,
            target_bucket=self._ref(logs.resource, "id"),
            target_prefix=prefix,
            depends_on=[logs.policy],
        )

    def _grant_key(self, grantee: Grantee, verb: str, actions: tuple[str, ...]) -> None:
        if self.key:
            grantee.grant(self.key.statement_for(self, sid=self._sid(verb), actions=actions))

    def _sid(self, verb: str, prefix: str = "") -> str:
        return verb + "".join(word.title() for word in words(f"{self.component}/{prefix}"))

    def _check_access_logs(self, logs: object) -> None:
        region = self.region
        if isinstance(logs, RegionalBucket):
            self._check_log_bucket("access_logs", logs, "access logs")
        elif logs is None:
            self._problems.check(
                self.key is None or not region.profile.bucket_access_logs,
                "access_logs",
                logs,
                f"is required in {region.environment.value}; give a RegionalBucket with log_delivery=True, or "
                "NoAccessLogs(reason)",
            )
        else:
            self._problems.check(
                isinstance(logs, NoAccessLogs),
                "access_logs",
                logs,
                "must be a RegionalBucket with log_delivery=True, or NoAccessLogs(reason)",
            )

    def _check_replication(self, target: object, lock: ObjectLock | None, *, time_control: bool) -> None:
        check = self._problems.check
        if isinstance(target, RegionalBucket):
            check_replica(self._problems, self.region, target, lock)
            check(self.key, "replicate_to", target.path, "needs a source bucket with a key; give key")
        else:
            check(target is None, "replicate_to", target, "must be a RegionalBucket, or None")
            check(not time_control, "replication_time_control", time_control, "requires replicate_to; give a bucket")

    def _check_log_bucket(self, argument: str, logs: object, delivered: str) -> None:
        check, region = self._problems.check, self.region
        if not isinstance(logs, RegionalBucket):
            self._problems.add(argument, logs, "must be a RegionalBucket with log_delivery=True")
            return
        check(logs.key is None, argument, logs.path, "is not a log bucket; create it with log_delivery=True")
        check(
            logs.region is region,
            argument,
            logs.path,
            f"is in {logs.region.name} of the stack {logs.region.stack.path}; S3 delivers {delivered} within a region "
            f"only, and this bucket is in {region.name} of {region.stack.path}",
        )

    def _check_grantee(self, grantee: Grantee) -> None:
        if grantee.region.stack is not self.region.stack:
            raise ConfigurationError(
                self.path,
                f"grantee={grantee.path!r}: is in another stack; add a statement to its role there, with the "
                "bucket's arn",
            )
