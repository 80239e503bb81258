"""Where a stack keeps its state: chosen outside the code, local unless told otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from constructs_lib.foundation.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

BUCKET_VARIABLE: Final = "TERRAFORM_STATE_BUCKET"
REGION_VARIABLE: Final = "TERRAFORM_STATE_REGION"
KMS_KEY_VARIABLE: Final = "TERRAFORM_STATE_KMS_KEY_ID"
LOCK_TABLE_VARIABLE: Final = "TERRAFORM_STATE_LOCK_TABLE"
PARTIAL_VARIABLE: Final = "TERRAFORM_STATE_PARTIAL"
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class Backend(Protocol):
    """A choice of backend: what it writes into the `terraform` block of one stack."""

    def block(self, *, project: str, environment: str, stack: str) -> dict[str, Any]:
        """Return the `backend` block of a stack, whose state no other stack shares."""


@dataclass(frozen=True)
class LocalBackend:
    """State in a file beside the output folder, so that cleaning the output never removes it."""

    def block(self, *, project: str, environment: str, stack: str) -> dict[str, Any]:
        """Return a `local` block; the file is named for project, environment and stack."""
        # cdk.tf.json lies in <output>/stacks/<stack>/, and Terraform runs there.
        return {"local": {"path": f"../../../terraform.{project}-{environment}-{stack}.tfstate"}}


@dataclass(frozen=True)
class S3Backend:
    """State in an S3 bucket, encrypted, locked by S3's own lock file.

    Attributes:
        bucket: The bucket's name.
        region: The bucket's region.
        kms_key_id: ARN of the key that encrypts the state; None for the bucket's own default encryption.
        lock_table: A DynamoDB table for Terraform below 1.10, beside the lock file. Deprecated by Terraform.

    See https://developer.hashicorp.com/terraform/language/backend/s3.
    """

    bucket: str
    region: str
    kms_key_id: str | None = None
    lock_table: str | None = None

    def __post_init__(self) -> None:
        """Check the bucket's name."""
        if not _BUCKET.fullmatch(self.bucket):
            raise ConfigurationError(
                "S3Backend",
                f"bucket={self.bucket!r}: must be 3 to 63 lower-case letters, digits, dots or hyphens, starting and "
                "ending with a letter or digit",
            )

    def block(self, *, project: str, environment: str, stack: str) -> dict[str, Any]:
        """Return an `s3` block with a key of its own for each project, environment and stack."""
        optional = {"kms_key_id": self.kms_key_id, "dynamodb_table": self.lock_table}
        return {
            "s3": {
                "bucket": self.bucket,
                "encrypt": True,
                "key": f"{project}/{environment}/{stack}/terraform.tfstate",
                "region": self.region,
                "use_lockfile": True,
                **{key: value for key, value in optional.items() if value},
            }
        }


@dataclass(frozen=True)
class PartialS3Backend:
    """An empty `s3` block: bucket, key and region come from `terraform init -backend-config=FILE`."""

    def block(self, *, project: str, environment: str, stack: str) -> dict[str, Any]:  # noqa: ARG002
        """Return a block that holds what must not be left to a file: encryption and the lock."""
        return {"s3": {"encrypt": True, "use_lockfile": True}}


def backend_from_environment(variables: Mapping[str, str]) -> Backend:
    """Return the backend that environment variables choose; local when none of them is set.

    Args:
        variables: Usually `os.environ`. `TERRAFORM_STATE_BUCKET` and `TERRAFORM_STATE_REGION` choose S3, with
            `TERRAFORM_STATE_KMS_KEY_ID` and `TERRAFORM_STATE_LOCK_TABLE` beside them; `TERRAFORM_STATE_PARTIAL=1`
            chooses an empty S3 block instead.

    Raises:
        ConfigurationError: Some of the variables without the others, or two choices at once.
    """
    given = {
        name: variables.get(name, "")
        for name in (BUCKET_VARIABLE, REGION_VARIABLE, KMS_KEY_VARIABLE, LOCK_TABLE_VARIABLE)
    }
    named = [name for name, value in given.items() if value]
    partial = variables.get(PARTIAL_VARIABLE, "")
    if partial not in ("", "0", "1"):
        raise ConfigurationError("backend", f"{PARTIAL_VARIABLE}={partial!r}: must be 1 or unset")
    if partial == "1":
        if named:
            raise ConfigurationError(
                "backend",
                f"{PARTIAL_VARIABLE}='1': leaves every value to terraform init -backend-config=FILE; unset "
                + ", ".join(named),
            )
        return PartialS3Backend()
    if not named:
        return LocalBackend()
    missing = [name for name in (BUCKET_VARIABLE, REGION_VARIABLE) if not given[name]]
    if missing:
        raise ConfigurationError(
            "backend",
            f"{', '.join(named)} set without {' and '.join(missing)}: set {BUCKET_VARIABLE} and {REGION_VARIABLE} "
            f"for state in S3, {PARTIAL_VARIABLE}=1 for terraform init -backend-config=FILE, or none of them for "
            "local state",
        )
    return S3Backend(
        bucket=given[BUCKET_VARIABLE],
        region=given[REGION_VARIABLE],
        kms_key_id=given[KMS_KEY_VARIABLE] or None,
        lock_table=given[LOCK_TABLE_VARIABLE] or None,
    )
