"""Delivery from EventBridge and SNS: permissions, KMS keys, dead-letter queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.policies import statements
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.admission import SENDING, admits, document, may_call, wanted_permission
from constructs_lib.rules.queries.common import AWS, expect_set, policy_text
from constructs_lib.rules.queries.kms import OWNER
from constructs_lib.rules.queries.links import QUEUE, TOPIC, called, function_of, meant, pointing
from constructs_lib.rules.rule import ADVICE, REMOVED, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_EB: Final = f"{AWS}/eventbridge/latest/userguide"
_TARGET: Final = "aws_cloudwatch_event_target"
_SUBSCRIPTION: Final = "aws_sns_topic_subscription"
_SCHEDULE: Final = "aws_scheduler_schedule"
_PIPE: Final = "aws_pipes_pipe"
_EVENTS: Final = "events.amazonaws.com"
_SNS: Final = "sns.amazonaws.com"
_KEYS: Final = ("aws_kms_key", "aws_kms_replica_key", "aws_kms_external_key")
_AWS_KEYS: Final = ("alias/aws/sqs", "alias/aws/sns")
_USING: Final = ("kms:GenerateDataKey", "kms:Decrypt")
_QUIET: Final = Severity("info", "info", "info")


def _allowing(service: str, action: str | list[str]) -> dict[str, object]:
    source = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    return {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": "*",
        "Condition": source,
    }


_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_kms_key": {
            "k": {
                "policy": policy_text(
                    OWNER, _allowing(_EVENTS, ["kms:GenerateDataKey*", "kms:Decrypt"]), _allowing(_SNS, "kms:*")
                )
            }
        },
        "aws_cloudwatch_event_rule": {"orders": {"name": "shop-prod-orders"}},
        "aws_sqs_queue": {
            "jobs": {"name": "shop-prod-jobs", "kms_master_key_id": "${aws_kms_key.k.arn}"},
            "failed": {"name": "shop-prod-failed"},
        },
        "aws_sqs_queue_policy": {
            "jobs": {
                "queue_url": "${aws_sqs_queue.jobs.id}",
                "policy": policy_text(_allowing(_EVENTS, "sqs:SendMessage"), _allowing(_SNS, "sqs:SendMessage")),
            }
        },
        "aws_sns_topic": {"orders": {"name": "shop-prod-orders"}},
        "aws_sns_topic_policy": {
            "orders": {"arn": "${aws_sns_topic.orders.arn}", "policy": policy_text(_allowing(_EVENTS, "sns:Publish"))}
        },
        "aws_lambda_function": {"worker": {"function_name": "shop-prod-worker"}},
        "aws_lambda_permission": {
            "orders": {
                "function_name": "${aws_lambda_function.worker.function_name}",
                "action": "lambda:InvokeFunction",
                "principal": _EVENTS,
            },
            "topic": {
                "function_name": "${aws_lambda_function.worker.function_name}",
                "action": "lambda:InvokeFunction",
                "principal": _SNS,
            },
        },
        _TARGET: {
            name: {
                "rule": "${aws_cloudwatch_event_rule.orders.name}",
                "arn": f"${{{address}.arn}}",
                "dead_letter_config": {"arn": "${aws_sqs_queue.failed.arn}"},
            }
            for name, address in (
                ("queue", "aws_sqs_queue.jobs"),
                ("topic", "aws_sns_topic.orders"),
                ("function", "aws_lambda_function.worker"),
            )
        },
        _SUBSCRIPTION: {
            "jobs": {
                "topic_arn": "${aws_sns_topic.orders.arn}",
                "protocol": "sqs",
                "endpoint": "${aws_sqs_queue.jobs.arn}",
                "redrive_policy": '{"deadLetterTargetArn": "${aws_sqs_queue.failed.arn}"}',
            },
            "worker": {
                "topic_arn": "${aws_sns_topic.orders.arn}",
                "protocol": "lambda",
                "endpoint": "${aws_lambda_function.worker.arn}",
                "redrive_policy": '{"deadLetterTargetArn": "${aws_sqs_queue.failed.arn}"}',
            },
        },
        _SCHEDULE: {
            "nightly": {
                "schedule_expression": "cron(0 3 * * ? *)",
                "kms_key_arn": "${aws_kms_key.k.arn}",
                "target": {
                    "arn": "${aws_lambda_function.worker.arn}",
                    "dead_letter_config": {"arn": "${aws_sqs_queue.failed.arn}"},
                },
            }
        },
        _PIPE: {"orders": {"name": "shop-prod-orders", "kms_key_identifier": "${aws_kms_key.k.arn}"}},
    }
}


@rule(
    "MSG-013",
    "EventBridge target or schedule has a dead-letter queue",
    why="EventBridge drops an event after 24 hours of retries, or at once if it has no permission to invoke the "
    "target.",
    fix="Set dead_letter_config of the target with the ARN of an SQS queue.",
    page=f"{_EB}/eb-rule-dlq.html",
    types=[_TARGET, _SCHEDULE],
    severity=Severity("info", "warning", "warning"),
    good=_GOOD,
    breaks=[
        {f"resource.{_TARGET}.queue.dead_letter_config": REMOVED},
        {f"resource.{_TARGET}.function.dead_letter_config": [{"arn": ""}]},
        {f"resource.{_SCHEDULE}.nightly.target.dead_letter_config": REMOVED},
    ],
)
def target_has_a_dead_letter_queue(block: Block) -> Iterator[Outcome]:
    """EventBridge rules and EventBridge Scheduler have the same dead_letter_config."""
    at = "dead_letter_config.arn" if block.type == _TARGET else "target.dead_letter_config.arn"
    yield from expect_set(block, at, "must be the ARN of an SQS queue, or events that cannot be delivered are lost")


def _delivers(block: Block, at: str, service: str) -> Iterator[Outcome]:
    """Fail if the queue, topic or function at a path does not allow the service to deliver."""
    function = function_of(block, at)
    receiver = meant(block, at, QUEUE) or meant(block, at, TOPIC)
    if function is not None:
        allowed = may_call(function, block, at, service)
        text = wanted_permission(function, block, at, service)
    elif receiver is not None:
        allowed = admits(receiver, service)
        text = f"the policy of {called(receiver, block)} must allow {SENDING[receiver.type]} for {service}"
    else:
        yield NotApplicable("it delivers to no queue, topic or function in these stacks")
        return
    if isinstance(allowed, Unknown):
        yield block.undecided(allowed, at)
    elif not allowed:
        yield block.fail(text, at)


@rule(
    "MSG-014",
    "EventBridge has permission to deliver to its targets",
    why="Events for a target that EventBridge cannot invoke are dropped; only the FailedInvocations metric shows it.",
    fix="Allow sqs:SendMessage or sns:Publish for events.amazonaws.com in the policy of the queue or topic, add an "
    "aws_lambda_permission for a function, or set role_arn of the target.",
    page=f"{_EB}/eb-use-resource-based.html",
    types=[_TARGET],
    good=_GOOD,
    breaks=[
        {"resource.aws_sqs_queue_policy": REMOVED},
        {"resource.aws_sqs_queue_policy.jobs.policy": policy_text(_allowing(_SNS, "sqs:SendMessage"))},
        {"resource.aws_sns_topic_policy.orders.policy": policy_text(_allowing(_EVENTS, "sns:Subscribe"))},
        {"resource.aws_lambda_permission.orders.principal": "s3.amazonaws.com"},
    ],
)
def targets_allow_eventbridge(target: Block) -> Iterator[Outcome]:
    """Skip targets with a role_arn, which EventBridge assumes."""
    if target.raw("role_arn") is not None:
        yield NotApplicable("it has a role")
        return
    yield from _delivers(target, "arn", _EVENTS)


@rule(
    "MSG-022",
    "SNS has permission to deliver to its subscribers",
    why="SNS cannot deliver messages to a queue or function that does not allow it, and the messages are lost.",
    fix="Allow sqs:SendMessage for sns.amazonaws.com in the queue policy, or add an aws_lambda_permission; restrict "
    "both to the ARN of the topic.",
    page=f"{AWS}/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html",
    types=[_SUBSCRIPTION],
    good=_GOOD,
    breaks=[
        {"resource.aws_sqs_queue_policy.jobs.policy": policy_text(_allowing(_EVENTS, "sqs:SendMessage"))},
        {
            "resource.aws_sqs_queue_policy.jobs.policy": policy_text(
                {**_allowing(_SNS, "sqs:SendMessage"), "Effect": "Deny"}
            )
        },
        {"resource.aws_lambda_permission.topic": REMOVED},
    ],
)
def subscribers_allow_sns(subscription: Block) -> Iterator[Outcome]:
    """Check queues and functions that are defined in these stacks."""
    yield from _delivers(subscription, "endpoint", _SNS)


@rule(
    "MSG-023",
    "SQS queue or SNS topic is encrypted with a KMS key that its senders can use",
    why="Messages are rejected: the policy of an AWS managed key allows no service principal, and a customer managed "
    "key allows only those that its policy names.",
    fix="Use a customer managed key whose policy allows kms:GenerateDataKey* and kms:Decrypt for the service "
    "principal.",
    page=f"{AWS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html",
    types=[QUEUE, TOPIC],
    good=_GOOD,
    breaks=[
        {"resource.aws_sqs_queue.jobs.kms_master_key_id": "alias/aws/sqs"},
        {"resource.aws_sns_topic.orders.kms_master_key_id": "alias/aws/sns"},
        {"resource.aws_kms_key.k.policy": policy_text(OWNER)},
        {"resource.aws_kms_key.k.policy": policy_text(OWNER, _allowing(_SNS, "kms:*"))},
        {"resource.aws_kms_key.k": {"description": "without a policy"}},
    ],
)
def senders_can_use_the_key(receiver: Block) -> Iterator[Outcome]:
    """SSE-SQS needs no permission for a key."""
    at = "kms_master_key_id"
    senders = _senders(receiver)
    if receiver.raw(at) is None or not senders:
        yield NotApplicable("it has no KMS key, or no service sends to it in these stacks")
        return
    service, sender = next(iter(senders.items()))
    value = receiver.get(at)
    if isinstance(value, str) and value.removeprefix("arn:").rpartition(":")[2] in _AWS_KEYS:
        yield receiver.fail(
            f"must be a customer managed key: {called(sender, receiver)} sends to it, and {service} cannot use an AWS "
            "managed key",
            at,
        )
        return
    key = receiver.target(at, *_KEYS, "aws_kms_alias")
    key = key.target("target_key_id", *_KEYS) if key is not None and key.type == "aws_kms_alias" else key
    if key is None:
        if isinstance(value, Unknown):
            yield receiver.undecided(value, at)
        return
    holders = key.referrers_at("key_id", "aws_kms_key_policy")
    found = [statements(holder, "policy") for holder in holders or [key]]
    for service, sender in senders.items():
        unknown = next((each for each in found if isinstance(each, Unknown)), None)
        if unknown:
            yield key.undecided(unknown, "policy")
            return
        usable = [
            statement
            for each in found
            if not isinstance(each, Unknown)
            for statement in each
            if any(who.value in (service, "*") for who in statement.principals)
        ]
        if not any(statement.allows(_USING[0]) for statement in usable):
            yield key.fail(
                f"must allow {' and '.join(_USING)} for {service}, because {called(sender, key)} sends to "
                f"{receiver.address}",
                "policy",
            )


def _senders(receiver: Block) -> dict[str, Block]:
    """Return the service principals that send to a queue or topic, each with a block that causes it."""
    found: dict[str, Block] = {}
    for target in pointing(receiver, _TARGET, "arn"):
        if target.raw("role_arn") is None:
            found.setdefault(_EVENTS, target)
    for subscription in pointing(receiver, _SUBSCRIPTION, "endpoint") if receiver.type == QUEUE else ():
        found.setdefault(_SNS, subscription)
    for notification in receiver.referrers("aws_s3_bucket_notification"):
        found.setdefault("s3.amazonaws.com", notification)
    for alarm in receiver.referrers("aws_cloudwatch_metric_alarm") if receiver.type == TOPIC else ():
        found.setdefault("cloudwatch.amazonaws.com", alarm)
    return found


@rule(
    "MSG-024",
    "EventBridge schedule or pipe is encrypted with a customer managed key",
    why="By default the input of a schedule and the definition of a pipe are encrypted with an AWS owned key, which "
    "you can neither audit nor disable.",
    fix="Set kms_key_arn of the schedule, or kms_key_identifier of the pipe, to a customer managed key.",
    page=f"{_EB}/eb-encryption.html",
    types=[_SCHEDULE, _PIPE],
    severity=_QUIET,
    frameworks=Frameworks(checkov=("CKV_AWS_297",)),
    good=_GOOD,
    breaks=[
        {f"resource.{_SCHEDULE}.nightly.kms_key_arn": REMOVED},
        {f"resource.{_PIPE}.orders.kms_key_identifier": REMOVED},
    ],
)
def schedules_have_a_customer_managed_key(block: Block) -> Iterator[Outcome]:
    """The argument for the key differs between the two resource types."""
    at = "kms_key_arn" if block.type == _SCHEDULE else "kms_key_identifier"
    yield from expect_set(block, at, "must be the ARN of a customer managed key")


@rule(
    "MSG-025",
    "SNS subscription has a dead-letter queue",
    why="SNS drops messages that it cannot deliver; after a client-side error, such as a deleted queue or a missing "
    "permission, it does not even retry.",
    fix="Set redrive_policy of the subscription with the ARN of an SQS queue as deadLetterTargetArn.",
    page=f"{AWS}/sns/latest/dg/sns-dead-letter-queues.html",
    types=[_SUBSCRIPTION],
    severity=ADVICE,
    good=_GOOD,
    breaks=[
        {f"resource.{_SUBSCRIPTION}.jobs.redrive_policy": REMOVED},
        {f"resource.{_SUBSCRIPTION}.worker.redrive_policy": "failed"},
    ],
)
def subscription_has_a_dead_letter_queue(subscription: Block) -> Iterator[Outcome]:
    """Skip protocols that deliver to people, such as email and sms."""
    protocol = subscription.get("protocol")
    if isinstance(protocol, str) and protocol not in ("sqs", "lambda", "http", "https", "firehose"):
        yield NotApplicable("its protocol delivers to people")
        return
    try:
        policy = document(subscription, "redrive_policy")
    except ValueError:
        policy = None
    if isinstance(policy, Unknown) and not subscription.targets("redrive_policy", QUEUE):
        yield subscription.undecided(policy, "redrive_policy")
    elif not policy:
        yield subscription.fail(
            'must be a JSON object with the ARN of an SQS queue as "deadLetterTargetArn"', "redrive_policy"
        )
