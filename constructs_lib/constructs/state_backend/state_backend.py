"""StateBackend: the S3 bucket, the state locking and the IAM policies for Terraform's S3 backend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Final, Literal

from constructs_lib._engine import aws, core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.regional_bucket import NoAccessLogs, RegionalBucket, UnprotectedBucket
from constructs_lib.constructs.regional_bucket.policy import no_version_deletion
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition, PolicyDocument, Statement
from constructs_lib.core.stack import Region
from constructs_lib.foundation.backend import Locking, check_locking
from constructs_lib.foundation.errors import ConfigurationError

NONCURRENT_DAYS: Final = 365
KEEP_VERSIONS: Final = 10
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PREFIX: Final = re.compile(r"([a-z0-9][a-z0-9-]*/)+")

Work = Literal["plan", "apply"]


class StateBackend(HardenedConstruct):
    """An S3 bucket for Terraform states, with locking and IAM policies for plan and apply.

    Args:
        scope: The stack. Its own state must be somewhere else.
        id_: The construct's id.
        region: The region.
        key: The key that encrypts the states and the lock table.
        access_logs: The log bucket for server access logs, in the same region and stack, or `NoAccessLogs(reason)`.
            Required in prod, none by default in dev and staging.
        locking: `lockfile`: a lock file in the bucket, for Terraform 1.10 or later. `dynamodb`: a DynamoDB table, with
            deletion protection. `dual`: both, to migrate from the table to the lock file; the table has no protection,
            so that `lockfile` can delete it.
        prefixes: Prefixes of state keys by a name of your choice, such as `{"payments": "payments/prod/"}`. Each gets
            policies of its own. By default the policies apply to all states.
        noncurrent_days: Days until noncurrent versions of a state expire: 30 or more in dev and staging, 90 or more in
            prod. The ten newest ones never expire.
        replicate_to: A bucket with a key in another region of the same stack that states are replicated to; none by
            default.
        account_in_name: Appends the account id to the bucket's name. Without it the name may be taken: bucket names are
            unique across all AWS accounts.
        protected: `UnprotectedBucket(reason)` allows to destroy bucket and table, and to delete versions of states. By
            default none of these is possible, in any environment.

    Raises:
        ConfigurationError: An unknown `locking`, an invalid name or prefix, or a stack with its own state in this
            bucket.

    Attributes:
        bucket: The `RegionalBucket`.
        resource: The `aws_s3_bucket`.
        table: The lock table, an `aws_dynamodb_table`; None with `locking="lockfile"`.
        policies: The customer managed policies (`aws_iam_policy`): `plan` and `apply`, or `plan-<name>` and
            `apply-<name>` with `prefixes`.

    See https://developer.hashicorp.com/terraform/language/backend/s3.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey,
        access_logs: RegionalBucket | NoAccessLogs | None = None,
        locking: Locking = "lockfile",
        prefixes: Mapping[str, str] | None = None,
        noncurrent_days: int = NONCURRENT_DAYS,
        replicate_to: RegionalBucket | None = None,
        account_in_name: bool = True,
        protected: UnprotectedBucket | None = None,
    ) -> None:
        super().__init__(scope, id_, region=region)
        self._check(locking, prefixes or {}, protected)
        self.bucket = RegionalBucket(
            self,
            "bucket",
            region=region,
            key=key,
            access_logs=access_logs,
            account_in_name=account_in_name,
            noncurrent_days=noncurrent_days,
            newer_noncurrent_versions=KEEP_VERSIONS,
            replicate_to=replicate_to,
            protected=protected or True,
        )
        self._check_own_state()
        self._bucket_arn = self._ref(self.bucket.resource, "arn")
        if not protected:
            self.bucket.deny(no_version_deletion(self._bucket_arn))
        self.resource = self.bucket.resource
        self._key = key
        self._key_arn = key.arn_for(self)
        self.table = (
            None if locking == "lockfile" else self._lock_table(protected=not protected and locking == "dynamodb")
        )
        self.policies: dict[str, aws.iam_policy.IamPolicy] = {}
        works: tuple[Work, ...] = ("plan", "apply")
        for name, prefix in (prefixes or {"": ""}).items():
            for work in works:
                self._policy(work, name, prefix)
        self._locking = locking
        config = self._backend_config(
            self._ref(self.resource, "id"), self._key_arn, self._ref(self.table, "name") if self.table else None
        )
        self._publish("backend_config", config, "What a partial backend file says, see -backend-config")

    @cached_property
    def backend_config(self) -> str:
        """A partial backend configuration, for `terraform init -backend-config=FILE`."""
        key = self._key.keys[self.region.name]
        return self._backend_config(self.bucket.id, key.arn, self.table.name if self.table else None)

    def _lock_table(self, *, protected: bool) -> aws.dynamodb_table.DynamodbTable:
        tables = aws.dynamodb_table
        table = self._create(
            tables.DynamodbTable,
            "locks",
            name=self._name("table", "locks"),
            billing_mode="PAY_PER_REQUEST",
            hash_key="LockID",
            attribute=[tables.DynamodbTableAttribute(name="LockID", type="S")],
            server_side_encryption=tables.DynamodbTableServerSideEncryption(enabled=True, kms_key_arn=self._key_arn),
            point_in_time_recovery=tables.DynamodbTablePointInTimeRecovery(enabled=True),
            deletion_protection_enabled=protected,
            lifecycle=core.TerraformResourceLifecycle(prevent_destroy=True) if protected else None,
        )
        self._publish("lock_table", self._ref(table, "name"), "Name of the lock table")
        return table

    def _policy(self, work: Work, name: str, prefix: str) -> None:
        role = f"{work}-{name}" if name else work
        states = f"{self._bucket_arn}/{prefix}*"
        locks = f"{states}.tflock"
        does = "reads" if work == "plan" else "reads and writes"
        which = f"under {prefix}" if prefix else "of every stack"
        statements = [
            # No condition on the prefix: S3 would respond with 403 instead of 404 for a state that does not exist.
            Statement("FindState", ("s3:ListBucket",), (self._bucket_arn,)),
            Statement("ReadState", ("s3:GetObject",), (states,)),
            Statement("Lock", ("s3:DeleteObject", "s3:PutObject"), (locks,)),
            # plan writes the lock file, so it needs kms:GenerateDataKey too.
            Statement("Key", ("kms:Decrypt", "kms:GenerateDataKey"), (self._key_arn,), (), (self._via("s3"),)),
        ]
        if work == "apply":
            statements.append(Statement("WriteState", ("s3:PutObject",), (states,)))
        if self.table:
            statements += self._table_statements(prefix)
        self.policies[role] = self._create(
            aws.iam_policy.IamPolicy,
            role,
            name=self._name("policy", role),
            description=f"{work.title()}: {does} Terraform's state {which}",
            policy=PolicyDocument(self, f"{role}-document", statements, kind="managed").json,
        )
        arn = self._ref(self.policies[role], "arn")
        self._publish(f"{role.replace('-', '_')}_policy_arn", arn, f"ARN of the policy for those who {work}")

    def _table_statements(self, prefix: str) -> list[Statement]:
        assert self.table  # noqa: S101  for the type checker
        arn = self._ref(self.table, "arn")
        actions = ("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem")
        # LockID is bucket/key, and bucket/key-md5 for the digest of the state.
        own = Condition("ForAllValues:StringLike", "dynamodb:LeadingKeys", (f"{self.bucket.name}/{prefix}*",))
        return [
            Statement("FindLocks", ("dynamodb:DescribeTable",), (arn,)),
            Statement("TableLock", actions, (arn,), (), (own,)),
            Statement("TableKey", ("kms:Decrypt", "kms:DescribeKey"), (self._key_arn,), (), (self._via("dynamodb"),)),
        ]

    def _via(self, service: str) -> Condition:
        return Condition("StringEquals", "kms:ViaService", (f"{service}.{self.region.name}.{self.region.dns_suffix}",))

    def _backend_config(self, bucket: str, key_arn: str, table: str | None) -> str:
        lines = {
            "bucket": f'"{bucket}"',
            "region": f'"{self.region.name}"',
            "encrypt": "true",
            # Without it Terraform requests AES256, which the bucket policy denies.
            "kms_key_id": f'"{key_arn}"',
        }
        if self._locking != "dynamodb":
            lines["use_lockfile"] = "true"
        if table:
            lines["dynamodb_table"] = f'"{table}"'
        text = "".join(f"{name:<14} = {value}\n" for name, value in lines.items())
        return (
            f"# The key is in each stack's own backend block: <project>/<environment>/<stack>/terraform.tfstate\n{text}"
        )

    def _check(self, locking: object, prefixes: Mapping[str, str], protected: object) -> None:
        problems = self._problems
        try:
            check_locking(self.path, "locking", locking)
        except ConfigurationError as error:
            problems.found.extend(error.problems)
        for name, prefix in prefixes.items():
            problems.check(
                _NAME.fullmatch(name),
                "prefixes",
                name,
                "is not a valid name; expected lower-case letters, digits and single hyphens, which become part of the "
                "policies' names",
            )
            problems.check(
                _PREFIX.fullmatch(prefix),
                f"prefixes[{name!r}]",
                prefix,
                "must be lower-case letters, digits and hyphens with a trailing slash, such as 'payments/prod/'; "
                "without the slash the prefix would match payments/prod-eu too",
            )
        problems.check(
            protected is None or isinstance(protected, UnprotectedBucket),
            "protected",
            protected,
            "cannot be turned off; give UnprotectedBucket(reason) to allow the deletion of states",
        )
        problems.raise_if_any()

    def _check_own_state(self) -> None:
        """Refuse a stack with its own state in the bucket that it creates."""
        given, name = self.region.stack.state_bucket, self.bucket.name
        if given == name:
            self._problems.add(
                "backend",
                given,
                "is the bucket that this stack creates, so its state would be deleted with the bucket; use "
                "LocalBackend or a bucket in another account",
            )
        elif "${" in name and re.fullmatch(re.escape(name.split("${", 1)[0]) + "[0-9]{12}", given):
            self._problems.add(
                "backend",
                given,
                "may be the bucket that this stack creates: the account id in its name is not known at synth; give the "
                "stack allowed_account_ids with its account",
            )
        self._problems.raise_if_any()
