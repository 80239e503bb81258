"""RegionalBucket: an S3 bucket with versions, the customer's key and a lifecycle, reached over TLS only."""

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
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.naming import words
from constructs_lib.foundation.opt_out import OptOut

_LOG_DELIVERY: Final = LogDelivery("S3 and load balancers deliver access logs only to buckets encrypted with SSE-S3")


class RegionalBucket(Bucket):
    """An S3 bucket with versions, the customer's key, TLS 1.2 or later only, no public access and a lifecycle.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: Where it is.
        key: The key that encrypts it; required, unless the bucket takes logs.
        log_delivery: Whether the bucket takes access logs of buckets and load balancers. These services deliver only to
            buckets encrypted with a key of S3's own (SSE-S3), so that such a bucket has no `key`.
        access_logs: A bucket with `log_delivery` in the same region that keeps the access logs, or
            `NoAccessLogs(reason)`. Required in prod; a bucket that takes logs keeps its own.
        account_in_name: Whether the account's id ends the name, on by default: without it the name may be taken, by
            anybody, in any account.
        noncurrent_days: Days that old versions are kept; by default from the environment, and not less than that.
        keep_versions: The newest old versions of each object that are kept for ever, 1 to 100; none by default.
        transitions: When objects go to cheaper storage classes; never by default.
        expire_days: Days after which objects are deleted; never by default. Their versions follow after
            `noncurrent_days`.
        object_lock: How long versions cannot be deleted; can be turned on only when the bucket is made.
        replicate_to: A bucket in another region of the same stack that gets a copy of every new object.
        replication_time_control: Whether S3 promises copies within 15 minutes, measures it and reports late ones; off
            by default, as it costs by the gigabyte.
        cors: What scripts of web pages may ask, at most 100 rules; nothing by default.
        inventory: `Inventory(logs)` lists every version into a log bucket; none by default.
        vpc_endpoints: VPCs whose gateway endpoint, and ids of endpoints, that objects are reached by; then by nothing
            else but services of AWS. By default from wherever credentials allow.
        protected: Whether Terraform refuses to destroy the bucket; by default from the environment.
            `UnprotectedBucket(reason)` where it may go all the same.
        force_destroy: `ForceDestroy(reason)` lets a destroy delete every object first; refused in prod.

    Raises:
        ConfigurationError: An argument that S3 refuses, that loosens what the environment asks for, or that
            contradicts another.

    Attributes:
        name: The bucket's name; ends in a reference where the account is known at plan only.
        id: A reference to the name that waits for the bucket.
        arn: A reference to its ARN.
        policy: The bucket policy; whoever needs a grant in it when it is made depends on it.
        versioning: The resource that turns versions on.

    See https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html.
    """

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
        keep_versions: int | None = None,
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
        arguments.check_days(problems, region, noncurrent, keep_versions, expire_days)
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
        self._check_copies(replicate_to, object_lock, time_control=replication_time_control)
        problems.raise_if_any()
        self.key_arn = key.arn_for(self) if key else ""
        origins = (rule.origins for rule in cors)
        for given in (_LOG_DELIVERY if log_delivery else None, access_logs, protected, force_destroy, *origins):
            if isinstance(given, OptOut):
                self._record(given)

        self.name = self._bucket_name(account_in_name=account_in_name)
        self.resource = self._create(
            aws.s3_bucket.S3Bucket,
            "Resource",
            bucket=self.name,
            force_destroy=force_destroy is not None,
            object_lock_enabled=self.locked or None,
            lifecycle=core.TerraformResourceLifecycle(prevent_destroy=True) if prevented else None,
        )
        self.id = self._ref(self.resource, "id")
        self.arn = self._ref(self.resource, "arn")
        self._keep_private()
        if vpc_endpoints:
            self._policy.add(policy.endpoints_only(region, self.arn, vpc_endpoints))
        self._encrypt()
        versioning = aws.s3_bucket_versioning
        self.versioning = self._create(
            versioning.S3BucketVersioningA,
            "versioning",
            bucket=self.id,
            versioning_configuration=versioning.S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        rules = aws.s3_bucket_lifecycle_configuration
        self._create(
            rules.S3BucketLifecycleConfiguration,
            "lifecycle",
            bucket=self.id,
            rule=[retention(noncurrent, keep_versions, transitions, expire_days)],
            # What happens to old versions is refused or forgotten while there are none.
            depends_on=[self.versioning],
        )
        # EventBridge needs no permission on the bucket; queues, topics and functions would need theirs first.
        self._create(aws.s3_bucket_notification.S3BucketNotification, "events", bucket=self.id, eventbridge=True)
        if object_lock:
            self._lock(object_lock)
        logs = self if log_delivery and access_logs is None else access_logs
        if isinstance(logs, RegionalBucket):
            self._log_to(logs)
        if replicate_to:
            self.replication = replicate(self, replicate_to, time_control=replication_time_control)
        if cors:
            write_cors(self, cors)
        if inventory:
            write_inventory(self, inventory)
        self._publish("name", self.id, "Name of the bucket")
        self._publish("arn", self.arn, "ARN of the bucket")

    def grant_read(self, grantee: Grantee, prefix: str = "") -> None:
        """Let a role list and read objects, and decrypt them.

        With a prefix, asking for an object that is not there is answered with 403 instead of 404.

        Args:
            grantee: A role or a function of the same stack.
            prefix: What the keys of the objects begin with; everything by default.

        Raises:
            ConfigurationError: The grantee belongs to another stack.
        """
        self._check_grantee(grantee)
        only = (Condition("StringLike", "s3:prefix", (f"{prefix}*",)),) if prefix else ()
        grantee.grant(Statement(self._sid("List", prefix), ("s3:ListBucket",), (self.arn,), (), only))
        grantee.grant(Statement(self._sid("Read", prefix), ("s3:GetObject",), (f"{self.arn}/{prefix}*",)))
        self._grant_key(grantee, "Decrypt", ("kms:Decrypt",))

    def grant_write(self, grantee: Grantee, prefix: str = "") -> None:
        """Let a role put objects, and encrypt them; neither read nor delete them.

        Args:
            grantee: A role or a function of the same stack.
            prefix: What the keys of the objects begin with; everything by default.

        Raises:
            ConfigurationError: The grantee belongs to another stack.
        """
        self._check_grantee(grantee)
        actions = ("s3:AbortMultipartUpload", "s3:PutObject")
        grantee.grant(Statement(self._sid("Write", prefix), actions, (f"{self.arn}/{prefix}*",)))
        # An upload in parts is decrypted to be put together.
        self._grant_key(grantee, "Encrypt", ("kms:Decrypt", "kms:GenerateDataKey"))

    def allow_load_balancer_logs(self, prefix: str = "") -> None:
        """Let load balancers of the account, in the bucket's region, deliver access logs.

        Args:
            prefix: The prefix that the load balancer is given, without a slash at its end; none by default.

        Raises:
            ConfigurationError: The bucket was not made with `log_delivery=True`, or load balancers refuse the prefix.
        """
        self._check_takes_logs("prefix", prefix)
        arguments.check_log_prefix(self.path, prefix)
        self._policy.add(policy.load_balancer_logs(self.region, self.arn, f"{prefix}/" if prefix else ""))

    def deny(self, statement: Statement) -> None:
        """Add a refusal to the bucket policy; grants belong into the policies of roles.

        Raises:
            ConfigurationError: The statement allows something.
        """
        if statement.effect != "Deny":
            raise ConfigurationError(
                self.path, f"statement={statement.sid!r}: must be a Deny; give grants to the role that needs them"
            )
        self._policy.add(statement)

    def _bucket_name(self, *, account_in_name: bool) -> str:
        if not account_in_name:
            return self._name("bucket")
        accounts = self.region.stack.allowed_account_ids
        # With one account allowed the name is known at synth; the deployed name is the same either way.
        account = accounts[0] if len(accounts) == 1 else self.region.account_id
        return f"{self._name('bucket-before-account')}-{account}"

    def _keep_private(self) -> None:
        access = self._create(
            aws.s3_bucket_public_access_block.S3BucketPublicAccessBlock,
            "public-access",
            bucket=self.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        ownership = aws.s3_bucket_ownership_controls
        self._create(
            ownership.S3BucketOwnershipControls,
            "ownership",
            bucket=self.id,
            rule=ownership.S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        statements = [*policy.modern_tls(self.arn), policy.no_foreign_key(self.arn)]
        if self.key:
            statements += policy.own_key_only(self.arn, self.key_arn)
        self._policy = PolicyDocument(self, "policy-document", statements)
        self.policy = self._create(
            aws.s3_bucket_policy.S3BucketPolicy,
            "policy",
            bucket=self.id,
            policy=self._policy.json,
            # S3 refuses two changes of a bucket's access at once.
            depends_on=[access],
        )

    def _encrypt(self) -> None:
        encryption = aws.s3_bucket_server_side_encryption_configuration
        default = encryption.S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA
        self._create(
            encryption.S3BucketServerSideEncryptionConfigurationA,
            "encryption",
            bucket=self.id,
            rule=[
                encryption.S3BucketServerSideEncryptionConfigurationRuleA(
                    bucket_key_enabled=True if self.key else None,
                    apply_server_side_encryption_by_default=(
                        default(sse_algorithm="aws:kms", kms_master_key_id=self.key_arn)
                        if self.key
                        else default(sse_algorithm="AES256")
                    ),
                )
            ],
        )

    def _lock(self, lock: ObjectLock) -> None:
        locks = aws.s3_bucket_object_lock_configuration
        retention = locks.S3BucketObjectLockConfigurationRuleDefaultRetentionA(mode=lock.mode, days=lock.days)
        self._create(
            locks.S3BucketObjectLockConfigurationA,
            "lock",
            bucket=self.id,
            rule=locks.S3BucketObjectLockConfigurationRuleA(default_retention=retention),
            depends_on=[self.versioning],
        )

    def _log_to(self, logs: RegionalBucket) -> None:
        prefix = logs.allow_access_logs(self)
        self._create(
            aws.s3_bucket_logging.S3BucketLoggingA,
            "access-log",
            bucket=self.id,
            target_bucket=logs.id,
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
                f"is required in {region.environment.value}: give a RegionalBucket with log_delivery=True, or "
                "NoAccessLogs(reason)",
            )
        else:
            self._problems.check(
                isinstance(logs, NoAccessLogs),
                "access_logs",
                logs,
                "must be a RegionalBucket with log_delivery=True, or NoAccessLogs(reason)",
            )

    def _check_copies(self, target: object, lock: ObjectLock | None, *, time_control: bool) -> None:
        check = self._problems.check
        if isinstance(target, RegionalBucket):
            check_replica(self._problems, self.region, target, lock)
            check(self.key, "replicate_to", target.path, "copies objects of a bucket with a key only")
        else:
            check(target is None, "replicate_to", target, "must be a RegionalBucket, or None")
            check(not time_control, "replication_time_control", time_control, "is about copies; give replicate_to too")

    def _check_log_bucket(self, argument: str, logs: object, delivered: str) -> None:
        check, region = self._problems.check, self.region
        if not isinstance(logs, RegionalBucket):
            self._problems.add(argument, logs, "must be a RegionalBucket with log_delivery=True")
            return
        check(logs.key is None, argument, logs.path, "takes no logs; make it with log_delivery=True")
        check(
            logs.region is region,
            argument,
            logs.path,
            f"is in {logs.region.name} of the stack {logs.region.stack.path}; S3 delivers {delivered} within a region, "
            f"here {region.name} of {region.stack.path}",
        )

    def _check_grantee(self, grantee: Grantee) -> None:
        if grantee.region.stack is not self.region.stack:
            raise ConfigurationError(
                self.path,
                f"grantee={grantee.path!r}: belongs to another stack; write its grant there, with the bucket's outputs",
            )
