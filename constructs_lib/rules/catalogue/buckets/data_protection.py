"""Data protection of buckets: versioning, encryption, lifecycle and access logging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.buckets import (
    BUCKET,
    ENCRYPTION,
    GUIDE,
    LOGGING,
    VERSIONING,
    log_writers,
    missing,
    names_of,
    parts,
    wants_aes256,
)
from constructs_lib.rules.queries.common import expect_flag
from constructs_lib.rules.queries.customer_keys import expect_customer_key
from constructs_lib.rules.rule import ADVICE, PRODUCTION, REMOVED, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Section
    from constructs_lib.rules.outcomes import Outcome

_LIFECYCLE: Final = f"{BUCKET}_lifecycle_configuration"
_DEFAULT: Final = "apply_server_side_encryption_by_default"
_KMS: Final = ("aws:kms", "aws:kms:dsse")
_SHARED: Final = ("prefix", "and", "tag", "object_size_greater_than", "object_size_less_than")

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_kms_key": {"data": {"enable_key_rotation": True}},
        BUCKET: {"data": {"bucket": "shop-prod-data"}, "logs": {"bucket": "shop-prod-logs"}},
        VERSIONING: {
            name: {"bucket": f"${{aws_s3_bucket.{name}.id}}", "versioning_configuration": {"status": "Enabled"}}
            for name in ("data", "logs")
        },
        ENCRYPTION: {
            "data": {
                "bucket": "${aws_s3_bucket.data.id}",
                "rule": {
                    _DEFAULT: {"sse_algorithm": "aws:kms", "kms_master_key_id": "${aws_kms_key.data.arn}"},
                    "bucket_key_enabled": True,
                },
            }
        },
        _LIFECYCLE: {
            name: {
                "bucket": f"${{aws_s3_bucket.{name}.id}}",
                "rule": [
                    {
                        "id": "uploads",
                        "status": "Enabled",
                        "filter": {},
                        "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
                    }
                ],
            }
            for name in ("data", "logs")
        },
        LOGGING: {
            "data": {
                "bucket": "${aws_s3_bucket.data.id}",
                "target_bucket": "${aws_s3_bucket.logs.id}",
                "target_prefix": "data/",
            }
        },
    }
}
_VERSIONED: Final = f"resource.{VERSIONING}.data"
_ENCRYPTED: Final = f"resource.{ENCRYPTION}.data"
_EXPIRING: Final = f"resource.{_LIFECYCLE}.data"


@rule(
    "S3-008",
    "S3 bucket has versioning enabled",
    why="An object that is overwritten or deleted, by mistake or on purpose, is lost.",
    fix='Add an aws_s3_bucket_versioning with status "Enabled", and a lifecycle rule that expires noncurrent versions.',
    page=f"{GUIDE}/Versioning.html",
    types=[BUCKET],
    severity=PRODUCTION,
    lessons=["TRD-13", "PLAT-8"],
    frameworks=Frameworks(checkov=("CKV_AWS_21",)),
    good=_GOOD,
    breaks=[
        {f"{_VERSIONED}.versioning_configuration.status": "Suspended"},
        {_VERSIONED: REMOVED},
        {f"{_VERSIONED}.versioning_configuration": [{"status": "Disabled"}]},
    ],
)
def bucket_has_versioning(bucket: Block) -> Iterator[Outcome]:
    """Versioning is disabled by default."""
    found = parts(bucket, VERSIONING)
    if not found:
        yield missing(bucket, VERSIONING, f'must have an {VERSIONING} with status "Enabled"')
    for part in found[:1]:
        yield from _enabled(part)


def _enabled(part: Block) -> Iterator[Outcome]:
    at = "versioning_configuration.status"
    status = part.get(at)
    if isinstance(status, Unknown):
        yield part.undecided(status, at)
    elif status != "Enabled":
        yield part.fail('must be "Enabled", or overwritten and deleted objects are lost', at)


@rule(
    "S3-009",
    "S3 bucket is encrypted with a customer managed key and an S3 Bucket Key",
    why="With SSE-S3 no key policy controls or revokes access to the data. Without an S3 Bucket Key each object "
    "costs a request to KMS.",
    fix='Set sse_algorithm to "aws:kms", kms_master_key_id to a customer managed key, and bucket_key_enabled to true.',
    page=f"{GUIDE}/UsingKMSEncryption.html",
    types=[BUCKET],
    severity=PRODUCTION,
    lessons=["TRD-13", "PLAT-8"],
    frameworks=Frameworks(checkov=("CKV_AWS_145",)),
    good=_GOOD,
    breaks=[
        {_ENCRYPTED: REMOVED},
        {f"{_ENCRYPTED}.rule.{_DEFAULT}.sse_algorithm": "AES256"},
        {f"{_ENCRYPTED}.rule.{_DEFAULT}.kms_master_key_id": REMOVED},
        {f"{_ENCRYPTED}.rule.{_DEFAULT}.kms_master_key_id": "alias/aws/s3"},
        {f"{_ENCRYPTED}.rule.bucket_key_enabled": REMOVED},
    ],
)
def bucket_has_a_customer_key(bucket: Block) -> Iterator[Outcome]:
    """SSE-S3 is the default of AWS, and the only encryption of a bucket that receives access logs."""
    if any(wants_aes256(writer) for writer, _ in log_writers(bucket)):
        yield NotApplicable("it receives access logs, which require SSE-S3")
        return
    found = parts(bucket, ENCRYPTION)
    if not found:
        yield missing(
            bucket, ENCRYPTION, f"must have an {ENCRYPTION} with a customer managed key and bucket_key_enabled"
        )
    for section in found[0].sections("rule") if found else ():
        yield from _customer_key(section)


def _customer_key(section: Section) -> Iterator[Outcome]:
    at = f"{_DEFAULT}.sse_algorithm"
    algorithm = section.get(at)
    if isinstance(algorithm, Unknown):
        yield section.undecided(algorithm, at)
    elif algorithm not in _KMS:
        yield section.fail('must be "aws:kms", with a customer managed key', at)
    else:
        yield from expect_customer_key(
            section, f"{_DEFAULT}.kms_master_key_id", "must be a customer managed key, whose key policy controls access"
        )
        if algorithm == _KMS[0]:
            yield from expect_flag(section, "bucket_key_enabled", "must be true, or each object costs a request to KMS")


@rule(
    "S3-010",
    "S3 bucket aborts incomplete multipart uploads",
    why="The parts of an incomplete upload are stored and billed, and listings do not show them.",
    fix="Add a lifecycle rule for the whole bucket with abort_incomplete_multipart_upload after 7 days.",
    page=f"{GUIDE}/mpu-abort-incomplete-mpu-lifecycle-config.html",
    types=[BUCKET],
    severity=ADVICE,
    lessons=["TRD-13", "PLAT-8"],
    frameworks=Frameworks(fsbp=("S3.13",), checkov=("CKV2_AWS_61", "CKV_AWS_300")),
    good=_GOOD,
    breaks=[
        {f"{_EXPIRING}.rule.0.abort_incomplete_multipart_upload": REMOVED},
        {_EXPIRING: REMOVED},
        {f"{_EXPIRING}.rule.0.status": "Disabled"},
        {f"{_EXPIRING}.rule.0.filter": {"prefix": "tmp/"}},
    ],
)
def incomplete_uploads_are_aborted(bucket: Block) -> Iterator[Outcome]:
    """Look for an enabled rule that applies to every object."""
    found = parts(bucket, _LIFECYCLE)
    wanted = "with abort_incomplete_multipart_upload for the whole bucket"
    if not found:
        yield missing(bucket, _LIFECYCLE, f"must have an {_LIFECYCLE} {wanted}")
        return
    doubt: Unknown | None = None
    for section in found[0].sections("rule"):
        status = section.get("status")
        if not section.sections("abort_incomplete_multipart_upload") or _is_partial(section):
            continue
        if status == "Enabled":
            return
        doubt = status if isinstance(status, Unknown) else doubt
    yield (
        found[0].undecided(doubt, "rule") if doubt else found[0].fail(f"must contain an enabled rule {wanted}", "rule")
    )


def _is_partial(section: Section) -> bool:
    """Return whether a lifecycle rule applies to some of the objects only."""
    filters = section.sections("filter")
    return bool(section.get("prefix")) or any(bool(one.get(at)) for one in filters for at in _SHARED)


@rule(
    "S3-011",
    "S3 bucket does not set force_destroy",
    why="force_destroy deletes every object and every version when the bucket is replaced or destroyed.",
    fix="Omit force_destroy, except in dev and for log buckets in staging.",
    page="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/s3_bucket#force_destroy",
    types=[BUCKET],
    severity=PRODUCTION,
    lessons=["TRD-13", "PLAT-8"],
    good=_GOOD,
    breaks=[
        {f"resource.{BUCKET}.data.force_destroy": True},
        {f"resource.{BUCKET}.data.force_destroy": "true"},
    ],
)
def bucket_does_not_set_force_destroy(bucket: Block) -> Iterator[Outcome]:
    """Buckets in dev are disposable, and log buckets in staging, which are never empty."""
    if bucket.environment == "dev":
        yield NotApplicable("the environment is dev")
        return
    if bucket.environment == "staging" and log_writers(bucket):
        yield NotApplicable("it receives access logs in staging")
        return
    yield from expect_flag(
        bucket, "force_destroy", "must not be set: destroying the bucket would delete every object", wanted=False
    )


@rule(
    "S3-012",
    "S3 bucket has access logging enabled",
    why="Incidents cannot be investigated: who read or deleted an object.",
    fix="Add an aws_s3_bucket_logging with a log bucket as target_bucket; or log data events of the bucket with "
    "CloudTrail, and waive this rule.",
    page=f"{GUIDE}/ServerLogs.html",
    types=[BUCKET],
    severity=ADVICE,
    lessons=["TRD-13"],
    frameworks=Frameworks(fsbp=("S3.9",), checkov=("CKV_AWS_18",)),
    good=_GOOD,
    breaks=[
        {f"resource.{LOGGING}": REMOVED},
        {f"resource.{LOGGING}.data.bucket": "shop-prod-other"},
    ],
)
def bucket_has_access_logging(bucket: Block) -> Iterator[Outcome]:
    """A log bucket is exempt."""
    if log_writers(bucket):
        yield NotApplicable(f"{names_of([writer for writer, _ in log_writers(bucket)], bucket)} writes its logs to it")
        return
    if not parts(bucket, LOGGING):
        yield missing(bucket, LOGGING, f"must have an {LOGGING} with a log bucket as target_bucket")
