"""StateBackend: the bucket, the lock and the permissions that Terraform's remote state needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
    """A bucket for the state of an environment's stacks, its lock, and a policy each for those who plan and apply.

    Args:
        scope: The stack, which keeps its own state elsewhere.
        id_: The construct's id.
        region: Where the state is.
        key: The key that encrypts it.
        access_logs: A bucket with `log_delivery` in the same region, or `NoAccessLogs(reason)`; required in prod.
        locking: `lockfile` by default; `dual` and `dynamodb` make a lock table, for Terraform below 1.10.
        prefixes: Whose states the policies are about, by a name of your own: `{"payments": "payments/prod/"}` makes one
            pair of policies for these keys. By default one pair for the whole bucket.
        noncurrent_days: Days that old states are kept, 365 by default and at least the environment's.
        replicate_to: A bucket in another region of the same stack that gets a copy of every state.
        account_in_name: As in `RegionalBucket`.
        protected: Bucket and table cannot be destroyed, in any environment, and nobody deletes an old state by hand.
            `UnprotectedBucket(reason)` lets them go.

    Raises:
        ConfigurationError: An unknown way of locking, a prefix that would match another one's keys, or a stack that
            keeps its own state in this bucket.

    Attributes:
        bucket: The bucket.
        policies: Customer-managed policies by name: `plan` and `apply`, or `plan-<name>` and `apply-<name>`.
        backend_config: The text of a partial backend file, for `terraform init -backend-config=FILE`.

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
        if not protected:
            self.bucket.deny(no_version_deletion(self.bucket.arn))
        self.resource = self.bucket.resource
        self.key_arn = key.arn_for(self)
        self.table = None if locking == "lockfile" else self._lock_table(protected=not protected)
        self.policies: dict[str, aws.iam_policy.IamPolicy] = {}
        works: tuple[Work, ...] = ("plan", "apply")
        for name, prefix in (prefixes or {"": ""}).items():
            for work in works:
                self._policy(work, name, prefix)
        self.backend_config = self._backend_config(locking)
        self._publish("backend_config", self.backend_config, "What a partial backend file says, see -backend-config")

    def _lock_table(self, *, protected: bool) -> aws.dynamodb_table.DynamodbTable:
        tables = aws.dynamodb_table
        table = self._create(
            tables.DynamodbTable,
            "locks",
            name=self._name("table", "locks"),
            billing_mode="PAY_PER_REQUEST",
            hash_key="LockID",
            attribute=[tables.DynamodbTableAttribute(name="LockID", type="S")],
            server_side_encryption=tables.DynamodbTableServerSideEncryption(enabled=True, kms_key_arn=self.key_arn),
            point_in_time_recovery=tables.DynamodbTablePointInTimeRecovery(enabled=True),
            deletion_protection_enabled=protected,
            lifecycle=core.TerraformResourceLifecycle(prevent_destroy=True) if protected else None,
        )
        self._publish("lock_table", self._ref(table, "name"), "Name of the lock table")
        return table

    def _policy(self, work: Work, name: str, prefix: str) -> None:
        role = f"{work}-{name}" if name else work
        states = f"{self.bucket.arn}/{prefix}*"
        locks = f"{states}.tflock"
        does = "reads" if work == "plan" else "reads and writes"
        which = f"under {prefix}" if prefix else "of every stack"
        statements = [
            # Not narrowed to the prefix: S3 would answer 403 instead of 404 for the state of a stack that has none yet.
            Statement("FindState", ("s3:ListBucket",), (self.bucket.arn,)),
            Statement("ReadState", ("s3:GetObject",), (states,)),
            Statement("Lock", ("s3:DeleteObject", "s3:PutObject"), (locks,)),
            # The lock is written by those who plan, too.
            Statement("Key", ("kms:Decrypt", "kms:GenerateDataKey"), (self.key_arn,), (), (self._via("s3"),)),
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
            policy=PolicyDocument(self, f"{role}-document", statements).json,
        )
        arn = self._ref(self.policies[role], "arn")
        self._publish(f"{role.replace('-', '_')}_policy_arn", arn, f"ARN of the policy for those who {work}")

    def _table_statements(self, prefix: str) -> list[Statement]:
        assert self.table  # noqa: S101  for the type checker
        arn = self._ref(self.table, "arn")
        actions = ("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem")
        # An item is called bucket/key, and bucket/key-md5 for the checksum of the state.
        own = Condition("ForAllValues:StringLike", "dynamodb:LeadingKeys", (f"{self.bucket.name}/{prefix}*",))
        return [
            Statement("FindLocks", ("dynamodb:DescribeTable",), (arn,)),
            Statement("TableLock", actions, (arn,), (), (own,)),
            Statement("TableKey", ("kms:Decrypt", "kms:DescribeKey"), (self.key_arn,), (), (self._via("dynamodb"),)),
        ]

    def _via(self, service: str) -> Condition:
        return Condition("StringEquals", "kms:ViaService", (f"{service}.{self.region.name}.{self.region.dns_suffix}",))

    def _backend_config(self, locking: Locking) -> str:
        lines = {
            "bucket": f'"{self.bucket.id}"',
            "region": f'"{self.region.name}"',
            "encrypt": "true",
            # Terraform asks for a key of S3's own without it, which the bucket refuses.
            "kms_key_id": f'"{self.key_arn}"',
        }
        if locking != "dynamodb":
            lines["use_lockfile"] = "true"
        if self.table:
            lines["dynamodb_table"] = f'"{self._ref(self.table, "name")}"'
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
                "a name must be lower-case letters, digits and single hyphens, because the policies are called by it",
            )
            problems.check(
                _PREFIX.fullmatch(prefix),
                f"prefixes[{name!r}]",
                prefix,
                "must be folders of lower-case letters, digits and hyphens, each with a slash behind it, such as "
                "'payments/prod/'; without the last one it would match the keys of payments/prod-eu too",
            )
        problems.check(
            protected is None or isinstance(protected, UnprotectedBucket),
            "protected",
            protected,
            "is always on; give UnprotectedBucket(reason) where the states may be destroyed",
        )
        problems.raise_if_any()

    def _check_own_state(self) -> None:
        """Refuse a stack that would need its own bucket to make its own bucket."""
        given, name = self.region.stack.state_bucket, self.bucket.name
        if given == name:
            self._problems.add(
                "backend",
                given,
                "is the bucket that the stack makes: its state would be lost together with it; keep this stack's state "
                "in a local file or in another account's bucket",
            )
        elif "${" in name and re.fullmatch(re.escape(name.split("${", 1)[0]) + "[0-9]{12}", given):
            self._problems.add(
                "backend",
                given,
                "is called like the bucket that the stack makes, in an account that is known at plan only; give the "
                "stack allowed_account_ids with the one account that it is for",
            )
        self._problems.raise_if_any()
