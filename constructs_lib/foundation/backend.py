"""Where a stack keeps its state: chosen outside the code, local unless told otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, cast, get_args
from weakref import WeakKeyDictionary

from constructs_lib.foundation.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

BUCKET_VARIABLE: Final = "TERRAFORM_STATE_BUCKET"
REGION_VARIABLE: Final = "TERRAFORM_STATE_REGION"
KMS_KEY_VARIABLE: Final = "TERRAFORM_STATE_KMS_KEY_ID"
LOCK_TABLE_VARIABLE: Final = "TERRAFORM_STATE_LOCK_TABLE"
LOCKING_VARIABLE: Final = "TERRAFORM_STATE_LOCKING"
PARTIAL_VARIABLE: Final = "TERRAFORM_STATE_PARTIAL"
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

Locking = Literal["lockfile", "dual", "dynamodb"]
"""By a lock file in the bucket; by that and a table, while a team moves from the one to the other; by a table alone.

Terraform knows the lock file since 1.10 and calls the table deprecated since 1.11.
"""


def check_locking(path: str, argument: str, locking: object) -> Locking:
    """Return `locking` when it is one of `Locking`.

    Raises:
        ConfigurationError: It is not.
    """
    for known in get_args(Locking):
        if locking == known:
            return cast("Locking", known)
    raise ConfigurationError(path, f"{argument}={locking!r}: must be {', '.join(get_args(Locking))}")


def state_key(project: str, environment: str, stack: str) -> str:
    """Return the key of a stack's state in a bucket."""
    return f"{project}/{environment}/{stack}/terraform.tfstate"


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
        kms_key_id: ARN of the key that encrypts the state. Without it Terraform asks S3 for a key of S3's own, whatever
            the bucket's default is, and a bucket of `StateBackend` refuses that.
        lock_table: A DynamoDB table that locks beside the lock file, or instead of it. Deprecated by Terraform.
        locking: How the state is locked; by default `lockfile`, or `dual` with a table.

    Raises:
        ConfigurationError: A bucket name that S3 refuses, or a table and a way of locking that do not go together.

    See https://developer.hashicorp.com/terraform/language/backend/s3.
    """

    bucket: str
    region: str
    kms_key_id: str | None = None
    lock_table: str | None = None
    locking: Locking | None = None

    def __post_init__(self) -> None:
        """Check the bucket's name and the way of locking."""
        if self.locking is not None:
            check_locking("S3Backend", "locking", self.locking)
            if (self.locking == "lockfile") is bool(self.lock_table):
                raise ConfigurationError(
                    "S3Backend",
                    f"lock_table={self.lock_table!r}: "
                    + ("lockfile uses no table" if self.lock_table else f"{self.locking} needs a table"),
                )
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
                "key": state_key(project, environment, stack),
                "region": self.region,
                # Terraform below 1.10 stops at the argument, which is when a table alone is asked for.
                **({} if self.locking == "dynamodb" else {"use_lockfile": True}),
                **{key: value for key, value in optional.items() if value},
            }
        }


@dataclass(frozen=True)
class PartialS3Backend:
    """An `s3` block without a bucket: `terraform init -backend-config=FILE` completes it.

    One file serves every stack of an environment, such as the output `backend_config` of `StateBackend`.

    Attributes:
        locking: How the state is locked. The table, where there is one, is in the file.
    """

    locking: Locking = "lockfile"

    def __post_init__(self) -> None:
        """Check the way of locking."""
        check_locking("PartialS3Backend", "locking", self.locking)

    def block(self, *, project: str, environment: str, stack: str) -> dict[str, Any]:
        """Return a block that holds what must not be left to a file: the stack's own key, encryption and the lock."""
        lock = {} if self.locking == "dynamodb" else {"use_lockfile": True}
        return {"s3": {"encrypt": True, "key": state_key(project, environment, stack), **lock}}


_TAKEN: Final[WeakKeyDictionary[object, dict[str, str]]] = WeakKeyDictionary()


def claim_state(app: object, path: str, block: Mapping[str, Any]) -> None:
    """Take the place where a stack of an app keeps its state, according to its backend block.

    Raises:
        ConfigurationError: Another stack of the app keeps its own there, and each would destroy what the other made.
    """
    ((kind, arguments),) = block.items()
    place = arguments["path"] if kind == "local" else f"s3://{arguments.get('bucket', '')}/{arguments.get('key', '')}"
    taken = _TAKEN.setdefault(app, {})
    if place in taken:
        raise ConfigurationError(
            path,
            f"backend={place!r}: the stack {taken[place]} keeps its state there, and each would destroy what the other "
            "made; give one of them another id or project",
        )
    taken[place] = path


def backend_from_environment(variables: Mapping[str, str]) -> Backend:
    """Return the backend that environment variables choose; local when none of them is set.

    Args:
        variables: Usually `os.environ`. `TERRAFORM_STATE_BUCKET` and `TERRAFORM_STATE_REGION` choose S3, with
            `TERRAFORM_STATE_KMS_KEY_ID` and `TERRAFORM_STATE_LOCK_TABLE` beside them; `TERRAFORM_STATE_PARTIAL=1`
            chooses an S3 block without a bucket instead. `TERRAFORM_STATE_LOCKING` goes with either.

    Raises:
        ConfigurationError: Some of the variables without the others, or two choices at once.
    """
    given = {
        name: variables.get(name, "")
        for name in (BUCKET_VARIABLE, REGION_VARIABLE, KMS_KEY_VARIABLE, LOCK_TABLE_VARIABLE)
    }
    named = [name for name, value in given.items() if value]
    partial = variables.get(PARTIAL_VARIABLE, "")
    chosen = variables.get(LOCKING_VARIABLE, "")
    locking = check_locking("backend", LOCKING_VARIABLE, chosen) if chosen else None
    if partial not in ("", "0", "1"):
        raise ConfigurationError("backend", f"{PARTIAL_VARIABLE}={partial!r}: must be 1 or unset")
    if partial == "1":
        if named:
            raise ConfigurationError(
                "backend",
                f"{PARTIAL_VARIABLE}='1': leaves every value to terraform init -backend-config=FILE; unset "
                + ", ".join(named),
            )
        return PartialS3Backend(locking or "lockfile")
    if not named and not locking:
        return LocalBackend()
    if locking:
        named.append(LOCKING_VARIABLE)
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
        locking=locking,
    )
