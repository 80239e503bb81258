"""Buckets and the resources that use them: notifications, replication and access logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.admission import (
    PERMISSION,
    POLICY_OF,
    admits,
    may_call,
    wanted_permission,
)
from constructs_lib.rules.queries.buckets import (
    BALANCERS,
    BUCKET,
    ENCRYPTION,
    GUIDE,
    LOGGING,
    POLICY,
    VERSIONING,
    after,
    bucket_of,
    log_writers,
    missing,
    names_of,
    parts,
    policies_of,
    wants_aes256,
)
from constructs_lib.rules.queries.common import AWS, PROVIDER
from constructs_lib.rules.queries.links import FUNCTION, QUEUE, TOPIC, called, function_of, meant, pointing
from constructs_lib.rules.rule import REMOVED, WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Section
    from constructs_lib.rules.outcomes import Outcome

_NOTIFICATION: Final = f"{BUCKET}_notification"
_REPLICATION: Final = f"{BUCKET}_replication_configuration"
_S3: Final = "s3.amazonaws.com"
_SINGLE: Final = {
    _NOTIFICATION: "bucket",
    POLICY: "bucket",
    VERSIONING: "bucket",
    ENCRYPTION: "bucket",
    LOGGING: "bucket",
    _REPLICATION: "bucket",
    f"{BUCKET}_lifecycle_configuration": "bucket",
    f"{BUCKET}_ownership_controls": "bucket",
    f"{BUCKET}_public_access_block": "bucket",
    f"{BUCKET}_cors_configuration": "bucket",
}


def _policy(**more: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **more}]})


_SOURCE: Final = {"ArnEquals": {"aws:SourceArn": "${aws_s3_bucket.data.arn}"}}
_GOOD: Final[dict[str, Any]] = {
    "resource": {
        BUCKET: {
            "data": {"bucket": "shop-prod-data"},
            "copy": {"bucket": "shop-prod-copy"},
            "logs": {"bucket": "shop-prod-logs"},
        },
        VERSIONING: {
            name: {"bucket": f"${{aws_s3_bucket.{name}.id}}", "versioning_configuration": {"status": "Enabled"}}
            for name in ("data", "copy")
        },
        FUNCTION: {"scan": {"function_name": "shop-prod-scan"}},
        PERMISSION: {
            "scan": {
                "action": "lambda:InvokeFunction",
                "function_name": "${aws_lambda_function.scan.function_name}",
                "principal": _S3,
                "source_arn": "${aws_s3_bucket.data.arn}",
            }
        },
        QUEUE: {"index": {"name": "shop-prod-index"}},
        "aws_sqs_queue_policy": {
            "index": {
                "queue_url": "${aws_sqs_queue.index.id}",
                "policy": _policy(
                    Principal={"Service": _S3}, Action="sqs:SendMessage", Resource="*", Condition=_SOURCE
                ),
            }
        },
        _NOTIFICATION: {
            "data": {
                "bucket": "${aws_s3_bucket.data.id}",
                "lambda_function": [
                    {"lambda_function_arn": "${aws_lambda_function.scan.arn}", "events": ["s3:ObjectCreated:*"]}
                ],
                "queue": [{"queue_arn": "${aws_sqs_queue.index.arn}", "events": ["s3:ObjectRemoved:*"]}],
                "depends_on": ["aws_lambda_permission.scan", "aws_sqs_queue_policy.index"],
            }
        },
        _REPLICATION: {
            "data": {
                "bucket": "${aws_s3_bucket.data.id}",
                "role": "arn:aws:iam::111122223333:role/replication",
                "rule": {"status": "Enabled", "destination": {"bucket": "${aws_s3_bucket.copy.arn}"}},
                "depends_on": ["aws_s3_bucket_versioning.data", "aws_s3_bucket_versioning.copy"],
            }
        },
        POLICY: {
            "logs": {
                "bucket": "${aws_s3_bucket.logs.id}",
                "policy": _policy(
                    Principal={"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
                    Action="s3:PutObject",
                    Resource="${aws_s3_bucket.logs.arn}/*",
                ),
            }
        },
        ENCRYPTION: {
            "logs": {
                "bucket": "${aws_s3_bucket.logs.id}",
                "rule": {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}},
            }
        },
        "aws_lb": {
            "web": {
                "name": "shop-prod-web",
                "access_logs": {"bucket": "${aws_s3_bucket.logs.id}", "enabled": True},
                "depends_on": ["aws_s3_bucket_policy.logs"],
            }
        },
    }
}
_NOTIFIED: Final = f"resource.{_NOTIFICATION}.data"


@rule(
    "S3-013",
    "S3 bucket notification depends on the permission to deliver",
    why="AWS tests the delivery when it creates the notification, and rejects it while the function, queue or topic "
    "does not allow S3.",
    fix="Add an aws_lambda_permission, or a queue or topic policy, for s3.amazonaws.com, and list it in depends_on "
    "of the notification.",
    page=f"{GUIDE}/grant-destinations-permissions-to-s3.html",
    types=[_NOTIFICATION],
    lessons=["EVT-8"],
    good=_GOOD,
    breaks=[
        {f"{_NOTIFIED}.depends_on": REMOVED},
        {f"{_NOTIFIED}.depends_on": ["aws_lambda_permission.scan"]},
        {f"resource.{PERMISSION}": REMOVED},
        {f"resource.{PERMISSION}.scan.principal": "events.amazonaws.com"},
        {"resource.aws_sqs_queue_policy": REMOVED},
    ],
)
def notification_depends_on_permissions(notification: Block) -> Iterator[Outcome]:
    """Targets outside of the checked stacks are exempt."""
    for section in notification.sections("lambda_function"):
        function = function_of(section, "lambda_function_arn")
        if function is not None:
            yield from _check_delivery(
                section,
                "lambda_function_arn",
                wanted_permission(function, section, "lambda_function_arn", _S3),
                [one for one in pointing(function, PERMISSION, "function_name") if one.get("principal") in (_S3, "*")],
                allowed=may_call(function, section, "lambda_function_arn", _S3),
            )
    for label, at, type_ in (("queue", "queue_arn", QUEUE), ("topic", "topic_arn", TOPIC)):
        for section in notification.sections(label):
            receiver = meant(section, at, type_)
            if receiver is not None:
                holders = pointing(receiver, *POLICY_OF[type_])
                yield from _check_delivery(
                    section,
                    at,
                    f"must have a policy of {called(receiver, notification)} that allows {_S3} to deliver to it",
                    [receiver] if receiver.raw("policy") is not None else holders,
                    allowed=admits(receiver, _S3),
                )


def _check_delivery(
    section: Section, at: str, wanted: str, holders: list[Block], *, allowed: bool | Unknown
) -> Iterator[Outcome]:
    if isinstance(allowed, Unknown):
        yield section.undecided(allowed, at)
    elif not allowed:
        yield section.fail(wanted, at)
    elif holders and not after(section.block, holders):
        yield section.fail(
            f"must depend on {names_of(holders, section.block)}; list it in depends_on of the notification", at
        )


@rule(
    "S3-014",
    "S3 bucket has one configuration resource of each type",
    why="Two resources of one type overwrite each other's settings with every apply.",
    fix="Merge them into one resource with several blocks or statements.",
    page=f"{PROVIDER}/resources/s3_bucket_notification",
    types=list(_SINGLE),
    good=_GOOD,
    breaks=[
        {f"{_NOTIFIED}_again": {"bucket": "${aws_s3_bucket.data.id}", "eventbridge": True}},
        {f"resource.{POLICY}.tls": {"bucket": "shop-prod-logs", "policy": "{}"}},
    ],
    unknown_passes="two resources with unknown buckets may be for different buckets",
)
def bucket_has_one_resource_of_each_type(part: Block) -> Iterator[Outcome]:
    """One resource may reference the bucket, and another name it literally."""
    bucket = bucket_of(part, "bucket")
    same = [] if bucket is None else parts(bucket, part.type)
    if bucket is not None and same[0] is not part:
        yield part.fail(
            f"must be the only one for this bucket: {called(same[0], part)} also configures it, and one overwrites "
            "the other; merge them",
            "bucket",
        )


@rule(
    "S3-015",
    "S3 replication has versioning enabled on both buckets",
    why="AWS rejects replication from or to a bucket without versioning.",
    fix="Enable versioning on both buckets, and list both aws_s3_bucket_versioning in depends_on of the replication.",
    page=f"{GUIDE}/replication-requirements.html",
    types=[_REPLICATION],
    good=_GOOD,
    breaks=[
        {f"resource.{VERSIONING}.copy.versioning_configuration.status": "Suspended"},
        {f"resource.{VERSIONING}.data": REMOVED},
        {f"resource.{VERSIONING}.copy": REMOVED},
        {f"resource.{_REPLICATION}.data.depends_on": ["aws_s3_bucket_versioning.copy"]},
    ],
)
def replication_has_versioning(replication: Block) -> Iterator[Outcome]:
    """Buckets outside of the checked stacks are exempt."""
    ends: list[tuple[Section, str]] = [(replication, "bucket")]
    ends += [(section, "destination.bucket") for section in replication.sections("rule")]
    for section, at in ends:
        bucket = bucket_of(section, at)
        if bucket is None:
            continue
        found = parts(bucket, VERSIONING)
        status = found[0].get("versioning_configuration.status") if found else None
        if not found:
            yield missing(
                bucket, VERSIONING, f"must have an {VERSIONING}, since {called(replication, bucket)} replicates it"
            )
        elif isinstance(status, Unknown):
            yield found[0].undecided(status, "versioning_configuration.status")
        elif status != "Enabled":
            yield found[0].fail(
                f'must be "Enabled", since {called(replication, bucket)} replicates the bucket',
                "versioning_configuration.status",
            )
        elif not after(replication, found):
            yield section.fail(f"must depend on {names_of(found, replication)}; list it in depends_on", at)


@rule(
    "S3-016",
    "S3 log bucket is encrypted with SSE-S3",
    why="Application Load Balancers and S3 cannot deliver access logs to a bucket with SSE-KMS: AWS rejects the "
    "setting, or logs never arrive.",
    fix='Set sse_algorithm of the log bucket to "AES256".',
    page=f"{AWS}/elasticloadbalancing/latest/application/enable-access-logging.html",
    types=[ENCRYPTION],
    lessons=["TRD-11", "TRD-13"],
    good=_GOOD,
    breaks=[
        {
            f"resource.{ENCRYPTION}.logs.rule.apply_server_side_encryption_by_default": {
                "sse_algorithm": "aws:kms",
                "kms_master_key_id": "alias/shop",
            }
        },
        {f"resource.{ENCRYPTION}.logs.rule.apply_server_side_encryption_by_default.sse_algorithm": "aws:kms"},
    ],
)
def log_bucket_has_sse_s3(encryption: Block) -> Iterator[Outcome]:
    """Network Load Balancers support a customer managed key."""
    bucket = bucket_of(encryption, "bucket")
    writers = [writer for writer, _ in log_writers(bucket) if wants_aes256(writer)] if bucket else []
    if not writers:
        yield NotApplicable("no access logs are delivered to its bucket")
        return
    at = "apply_server_side_encryption_by_default.sse_algorithm"
    for section in encryption.sections("rule"):
        algorithm = section.get(at)
        if isinstance(algorithm, Unknown):
            yield section.undecided(algorithm, at)
        elif algorithm not in (None, "AES256"):
            yield section.fail(
                f'must be "AES256", since {names_of(writers, encryption)} delivers access logs to the bucket', at
            )


@rule(
    "S3-017",
    "S3 log bucket allows load balancers to deliver access logs",
    why="AWS tests the delivery when access logging is enabled, and rejects a load balancer that may not write to "
    "the bucket.",
    fix="Add a bucket policy that allows s3:PutObject to the log delivery service or account, and list it in "
    "depends_on of the load balancer.",
    page=f"{AWS}/elasticloadbalancing/latest/application/enable-access-logging.html",
    types=[BUCKET],
    lessons=["TRD-11", "EVT-8"],
    good=_GOOD,
    breaks=[
        {f"resource.{POLICY}": REMOVED},
        {"resource.aws_lb.web.depends_on": REMOVED},
        {
            f"resource.{POLICY}.logs.policy": _policy(
                Principal={"Service": _S3}, Action="s3:GetObject", Resource="${aws_s3_bucket.logs.arn}/*"
            )
        },
    ],
)
def log_bucket_allows_load_balancers(bucket: Block) -> Iterator[Outcome]:
    """Any statement that allows another principal to put objects may be for the load balancer."""
    balancers = [writer for writer, _ in log_writers(bucket) if writer.type in BALANCERS]
    if not balancers:
        yield NotApplicable("no load balancer delivers access logs to it")
        return
    found = list(policies_of(bucket))
    doubt = next((each for _, each in found if isinstance(each, Unknown)), None)
    admitting = [holder for holder, each in found if not isinstance(each, Unknown) and _allows_write(each)]
    wanted = f"s3:PutObject to the log delivery service of {names_of(balancers, bucket)}"
    if admitting:
        for balancer in balancers:
            if not after(balancer, admitting):
                yield balancer.fail(
                    f"must depend on {names_of(admitting, balancer)}; list it in depends_on", "access_logs.bucket"
                )
    elif doubt:
        yield bucket.undecided(doubt)
    elif found:
        yield found[0][0].fail(f"must allow {wanted}", "policy")
    else:
        yield missing(bucket, POLICY, f"must have an {POLICY} that allows {wanted}")


def _allows_write(found: list[Any]) -> bool:
    return any(
        statement.allows("s3:PutObject") and any(who.kind in ("Service", "AWS", "*") for who in statement.principals)
        for statement in found
    )


@rule(
    "S3-018",
    "S3 bucket does not log to itself",
    why="Every log that is delivered adds an entry to the next one, so the logs grow without end.",
    fix="Set target_bucket of the log bucket to another bucket, or disable its access logging.",
    page=f"{GUIDE}/ServerLogs.html",
    types=[LOGGING],
    severity=WARNING,
    good={
        "resource": {
            BUCKET: {"data": {"bucket": "shop-prod-data"}, "logs": {"bucket": "shop-prod-logs"}},
            LOGGING: {"data": {"bucket": "${aws_s3_bucket.data.id}", "target_bucket": "${aws_s3_bucket.logs.id}"}},
        }
    },
    breaks=[
        {f"resource.{LOGGING}.data.target_bucket": "${aws_s3_bucket.data.id}"},
        {f"resource.{LOGGING}.data.target_bucket": "shop-prod-data"},
    ],
)
def bucket_does_not_log_to_itself(logging: Block) -> Iterator[Outcome]:
    """A bucket that receives the logs of others may log to itself, which some scanners require."""
    target = logging.get("target_bucket")
    end = bucket_of(logging, "target_bucket")
    if end is None and isinstance(target, Unknown):
        yield logging.undecided(target, "target_bucket")
    elif end is not None and end is bucket_of(logging, "bucket") and len(log_writers(end)) == 1:
        yield logging.fail("must be another bucket: each delivery of a log creates another log", "target_bucket")
