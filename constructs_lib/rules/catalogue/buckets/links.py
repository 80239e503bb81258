"""Buckets and what works with them: notifications, replication, the logs of load balancers."""

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

    from constructs_lib.rules.estate.blocks import Block, Section
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
    "A bucket's notification comes after the permission to deliver it",
    why="S3 tries the delivery when the notification is made: AWS refuses the notification while the function, queue "
    "or topic does not admit S3.",
    fix="Give the function an aws_lambda_permission, the queue or topic a policy for s3.amazonaws.com, and name it in "
    "depends_on of the notification.",
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
def notifications_come_after_permissions(notification: Block) -> Iterator[Outcome]:
    """Receivers that are not in the estate are not looked at."""
    for section in notification.sections("lambda_function"):
        function = function_of(section, "lambda_function_arn")
        if function is not None:
            yield from _admitted(
                section,
                "lambda_function_arn",
                wanted_permission(function, section, "lambda_function_arn", _S3),
                [one for one in pointing(function, PERMISSION, "function_name") if one.get("principal") in (_S3, "*")],
                admitted=may_call(function, section, "lambda_function_arn", _S3),
            )
    for label, at, type_ in (("queue", "queue_arn", QUEUE), ("topic", "topic_arn", TOPIC)):
        for section in notification.sections(label):
            receiver = meant(section, at, type_)
            if receiver is not None:
                holders = pointing(receiver, *POLICY_OF[type_])
                yield from _admitted(
                    section,
                    at,
                    f"needs a policy of {called(receiver, notification)} that lets {_S3} send to it",
                    [receiver] if receiver.raw("policy") is not None else holders,
                    admitted=admits(receiver, _S3),
                )


def _admitted(
    section: Section, at: str, wanted: str, holders: list[Block], *, admitted: bool | Unknown
) -> Iterator[Outcome]:
    if isinstance(admitted, Unknown):
        yield section.undecided(admitted, at)
    elif not admitted:
        yield section.fail(wanted, at)
    elif holders and not after(section.block, holders):
        yield section.fail(
            f"must come after {names_of(holders, section.block)}; name it in depends_on of the notification", at
        )


@rule(
    "S3-014",
    "A bucket has one resource of each kind",
    why="Each of two resources overwrites what the other has set: which of them holds changes with every apply.",
    fix="Merge them into one, with several blocks or statements.",
    page=f"{PROVIDER}/resources/s3_bucket_notification",
    types=list(_SINGLE),
    good=_GOOD,
    breaks=[
        {f"{_NOTIFIED}_again": {"bucket": "${aws_s3_bucket.data.id}", "eventbridge": True}},
        {f"resource.{POLICY}.tls": {"bucket": "shop-prod-logs", "policy": "{}"}},
    ],
    unknown_passes="two resources whose bucket is not known may be for two buckets",
)
def buckets_have_one_of_each(part: Block) -> Iterator[Outcome]:
    """Two resources may name the bucket differently."""
    bucket = bucket_of(part, "bucket")
    same = [] if bucket is None else parts(bucket, part.type)
    if bucket is not None and same[0] is not part:
        yield part.fail(
            f"is set by {called(same[0], part)} as well, and one overwrites the other; merge them", "bucket"
        )


@rule(
    "S3-015",
    "Both buckets of a replication keep versions, and did so before",
    why="AWS refuses to replicate from or to a bucket without versioning.",
    fix="Enable versioning of both buckets, and name both aws_s3_bucket_versioning in depends_on of the replication.",
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
def replication_has_versions(replication: Block) -> Iterator[Outcome]:
    """Ends that are not in the estate are not looked at."""
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
                bucket, VERSIONING, f"needs an {VERSIONING}, since {called(replication, bucket)} replicates it"
            )
        elif isinstance(status, Unknown):
            yield found[0].undecided(status, "versioning_configuration.status")
        elif status != "Enabled":
            yield found[0].fail(
                f'must be "Enabled", since {called(replication, bucket)} replicates the bucket',
                "versioning_configuration.status",
            )
        elif not after(replication, found):
            yield section.fail(f"must come after {names_of(found, replication)}; name it in depends_on", at)


@rule(
    "S3-016",
    "A bucket for access logs is encrypted with the key of S3",
    why="Application load balancers and S3 itself cannot write logs with a customer key: AWS refuses the access logs, "
    "or they never arrive.",
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
def log_buckets_have_the_key_of_s3(encryption: Block) -> Iterator[Outcome]:
    """Network load balancers may write with a customer key."""
    bucket = bucket_of(encryption, "bucket")
    writers = [writer for writer, _ in log_writers(bucket) if wants_aes256(writer)] if bucket else []
    if not writers:
        yield NotApplicable("nothing of the estate writes access logs to its bucket")
        return
    at = "apply_server_side_encryption_by_default.sse_algorithm"
    for section in encryption.sections("rule"):
        algorithm = section.get(at)
        if isinstance(algorithm, Unknown):
            yield section.undecided(algorithm, at)
        elif algorithm not in (None, "AES256"):
            yield section.fail(f'must be "AES256": {names_of(writers, encryption)} writes access logs to it', at)


@rule(
    "S3-017",
    "A bucket lets the load balancer write its logs, and did so before",
    why="AWS tries to write when access logs are switched on, and refuses the load balancer where it may not.",
    fix="Give the bucket a policy that allows s3:PutObject to the service or account that delivers the logs, and name "
    "it in depends_on of the load balancer.",
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
def load_balancers_may_write_logs(bucket: Block) -> Iterator[Outcome]:
    """Any statement that lets somebody else put objects may be meant for the load balancer."""
    balancers = [writer for writer, _ in log_writers(bucket) if writer.type in BALANCERS]
    if not balancers:
        yield NotApplicable("no load balancer of the estate writes logs to it")
        return
    found = list(policies_of(bucket))
    doubt = next((each for _, each in found if isinstance(each, Unknown)), None)
    admitting = [holder for holder, each in found if not isinstance(each, Unknown) and _lets_write(each)]
    wanted = f"must allow s3:PutObject to what delivers the logs of {names_of(balancers, bucket)}"
    if admitting:
        for balancer in balancers:
            if not after(balancer, admitting):
                yield balancer.fail(
                    f"must come after {names_of(admitting, balancer)}; name it in depends_on", "access_logs.bucket"
                )
    elif doubt:
        yield bucket.undecided(doubt)
    elif found:
        yield found[0][0].fail(wanted, "policy")
    else:
        yield missing(bucket, POLICY, f"needs an {POLICY}, which {wanted}")


def _lets_write(found: list[Any]) -> bool:
    return any(
        statement.allows("s3:PutObject") and any(who.kind in ("Service", "AWS", "*") for who in statement.principals)
        for statement in found
    )


@rule(
    "S3-018",
    "A bucket does not write its access logs into itself",
    why="Each log that is delivered makes an entry in the next one: the logs grow by themselves, and never end.",
    fix="Let the log bucket write its access logs to another bucket, or to none.",
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
def logs_do_not_feed_themselves(logging: Block) -> Iterator[Outcome]:
    """A bucket that takes the logs of others may log itself, which some scanners ask for."""
    target = logging.get("target_bucket")
    end = bucket_of(logging, "target_bucket")
    if end is None and isinstance(target, Unknown):
        yield logging.undecided(target, "target_bucket")
    elif end is not None and end is bucket_of(logging, "bucket") and len(log_writers(end)) == 1:
        yield logging.fail("must be another bucket: this one logs the delivery of its own logs", "target_bucket")
