"""Redrive policies and dead-letter queues."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.admission import document
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.links import QUEUE, called, is_given, meant, pointing, undecidable, with_name
from constructs_lib.rules.rule import REMOVED, WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate, Section
    from constructs_lib.rules.outcomes import Outcome

_SQS: Final = f"{AWS}/AWSSimpleQueueService/latest/SQSDeveloperGuide"
_AT: Final = "redrive_policy"
_SEPARATE: Final = "aws_sqs_queue_redrive_policy"
_ARN: Final = re.compile(r"arn:[^:]*:sqs:([^:]*):[^:]*:([^:]+)$")
_DEFAULT_RETENTION: Final = 345_600
_MOST_RECEIVES: Final = 1000
_NAMES: Final = re.compile(r"dlq|dead|fail|undeliver|poison", re.IGNORECASE)
_DEAD_LETTER_ARGUMENTS: Final = (
    ("aws_lambda_function", "dead_letter_config.target_arn"),
    ("aws_lambda_function_event_invoke_config", "destination_config.on_failure.destination"),
    ("aws_lambda_event_source_mapping", "destination_config.on_failure.destination_arn"),
    ("aws_cloudwatch_event_target", "dead_letter_config.arn"),
    ("aws_scheduler_schedule", "target.dead_letter_config.arn"),
    ("aws_pipes_pipe", "source_parameters.dynamodb_stream_parameters.dead_letter_config.arn"),
    ("aws_pipes_pipe", "source_parameters.kinesis_stream_parameters.dead_letter_config.arn"),
)

_GOOD: Final[dict[str, Any]] = {
    "locals": {"failed": "${aws_sqs_queue.jobs_dlq.arn}"},
    "resource": {
        "aws_sqs_queue": {
            "jobs": {
                "name": "shop-prod-jobs",
                "redrive_policy": "${jsonencode({deadLetterTargetArn = local.failed, maxReceiveCount = 5})}",
            },
            "jobs_dlq": {"name": "shop-prod-jobs-dlq", "message_retention_seconds": 1209600},
            "ordered": {
                "name": "shop-prod-ordered.fifo",
                "fifo_queue": True,
                "redrive_policy": '{"deadLetterTargetArn": "${aws_sqs_queue.ordered_dlq.arn}", "maxReceiveCount": 3}',
            },
            "ordered_dlq": {"name": "shop-prod-ordered-dlq.fifo", "fifo_queue": True},
        }
    },
}


def _redrives(queue: Block) -> list[Section]:
    """Return the blocks that set the redrive policy of a queue."""
    own: list[Section] = [queue] if queue.raw(_AT) is not None else []
    return [*own, *pointing(queue, _SEPARATE, "queue_url")]


def _dead_letter_queue(section: Section, policy: object) -> Block | None:
    """Return the dead-letter queue of a redrive policy, or None if it is not defined in these stacks."""
    found = section.target(_AT, QUEUE)
    arn = policy.get("deadLetterTargetArn") if isinstance(policy, dict) else None
    text = arn.text if isinstance(arn, Unknown) else arn
    named = _ARN.search(text) if found is None and isinstance(text, str) else None
    return with_name(section.block, QUEUE, named[2], named[1]) if named else found


def _policy(section: Section) -> Any:  # noqa: ANN401  JSON has any shape
    """Return the parsed redrive policy, or its text if that is not JSON."""
    try:
        return document(section, _AT)
    except ValueError:
        return section.get(_AT)


@lru_cache(maxsize=8)
def _dead_letter_queues(estate: Estate) -> frozenset[Block]:
    found = {
        _dead_letter_queue(each, _policy(each)) for each in estate.of(QUEUE, _SEPARATE) if each.raw(_AT) is not None
    }
    found |= {meant(each, at, QUEUE) for type_, at in _DEAD_LETTER_ARGUMENTS for each in estate.of(type_)}
    found |= {_dead_letter_queue(each, _policy(each)) for each in estate.of("aws_sns_topic_subscription")}
    return frozenset(queue for queue in found if queue is not None)


def is_dead_letter_queue(queue: Block) -> bool:
    """Return whether a queue is a dead-letter queue, by its references, its redrive_allow_policy or its name."""
    if queue in _dead_letter_queues(queue.estate) or queue.raw("redrive_allow_policy") is not None:
        return True
    if pointing(queue, "aws_sqs_queue_redrive_allow_policy", "queue_url"):
        return True
    name = queue.get("name")
    text = name.text if isinstance(name, Unknown) else name
    return bool(_NAMES.search(f"{queue.name} {text or ''}"))


@rule(
    "MSG-003",
    "SQS queue has a dead-letter queue",
    why="A message that always fails is received again and again until its retention period ends, and is then lost.",
    fix="Create a second queue and set redrive_policy with its ARN as deadLetterTargetArn and a maxReceiveCount such "
    "as 5.",
    page=f"{_SQS}/sqs-dead-letter-queues.html",
    types=["aws_sqs_queue"],
    severity=WARNING,
    lessons=["EVT-11"],
    good=_GOOD,
    breaks=[
        {"resource.aws_sqs_queue.jobs.redrive_policy": REMOVED},
        {"resource.aws_sqs_queue.jobs.redrive_policy": ""},
    ],
)
def queue_has_a_dead_letter_queue(queue: Block) -> Iterator[Outcome]:
    """Skip dead-letter queues."""
    if is_dead_letter_queue(queue):
        yield NotApplicable("it is a dead-letter queue")
        return
    values = [section.get(_AT) for section in _redrives(queue)]
    unknown = next(filter(None, map(undecidable, values)), None)
    if any(is_given(value) for value in values) or any(section.targets(_AT, QUEUE) for section in _redrives(queue)):
        return
    if unknown:
        yield queue.undecided(unknown, _AT)
    else:
        yield queue.fail(
            'must contain "deadLetterTargetArn" and "maxReceiveCount"; without a dead-letter queue, messages that '
            "always fail are lost",
            _AT,
        )


@rule(
    "MSG-004",
    "SQS redrive policy is valid",
    why="SQS rejects the redrive policy, or cannot move messages to the dead-letter queue.",
    fix="Set deadLetterTargetArn to another queue of the same type, FIFO or standard, and maxReceiveCount to 1 to "
    "1,000.",
    page=f"{_SQS}/sqs-dead-letter-queues.html",
    types=["aws_sqs_queue", _SEPARATE],
    good=_GOOD,
    breaks=[
        {"resource.aws_sqs_queue.ordered_dlq.fifo_queue": REMOVED},
        {
            "resource.aws_sqs_queue.jobs.redrive_policy": (
                '{"deadLetterTargetArn": "${aws_sqs_queue.jobs.arn}", "maxReceiveCount": 5}'
            )
        },
        {
            "resource.aws_sqs_queue.jobs.redrive_policy": (
                '{"deadLetterTargetArn": "${aws_sqs_queue.jobs_dlq.arn}", "maxReceiveCount": 0}'
            )
        },
        {"resource.aws_sqs_queue.jobs.redrive_policy": '{"deadLetterTargetArn": "${aws_sqs_queue.jobs_dlq.arn}"}'},
        {"resource.aws_sqs_queue.jobs.redrive_policy": "aws_sqs_queue.jobs_dlq.arn"},
        {"resource.aws_sqs_queue.jobs_dlq.redrive_allow_policy": '{"redrivePermission": "denyAll"}'},
        {
            "resource.aws_sqs_queue_redrive_policy": {
                "jobs": {
                    "queue_url": "${aws_sqs_queue.jobs.id}",
                    "redrive_policy": (
                        '{"deadLetterTargetArn": "${aws_sqs_queue.ordered_dlq.arn}", "maxReceiveCount": 5}'
                    ),
                }
            }
        },
    ],
)
def redrive_policy_is_valid(holder: Block) -> Iterator[Outcome]:
    """Check the form of the policy, and both queues if they are defined in these stacks."""
    source = holder if holder.type == QUEUE else meant(holder, "queue_url", QUEUE)
    if not holder.raw(_AT):
        yield NotApplicable("it has no redrive policy")
        return
    policy = _policy(holder)
    if isinstance(policy, Unknown):
        yield holder.undecided(policy, _AT)
        return
    if not isinstance(policy, dict) or not policy.get("deadLetterTargetArn"):
        yield holder.fail('must be a JSON object with "deadLetterTargetArn" and "maxReceiveCount"', _AT)
        return
    count = policy.get("maxReceiveCount")
    if isinstance(count, Unknown):
        yield holder.undecided(count, _AT)
    elif not re.fullmatch(r"[0-9]+", str(count)) or not 1 <= int(str(count)) <= _MOST_RECEIVES:
        yield holder.fail(f'must contain a "maxReceiveCount" of 1 to {_MOST_RECEIVES}', _AT)
    target = _dead_letter_queue(holder, policy)
    if target is not None and source is not None:
        yield from _fits(holder, source, target)


def _fits(holder: Block, source: Block, target: Block) -> Iterator[Outcome]:
    if target is source:
        yield holder.fail("must name another queue as dead-letter queue, not the source queue itself", _AT)
        return
    kinds = [queue.flag("fifo_queue") for queue in (source, target)]
    unknown = next((kind for kind in kinds if isinstance(kind, Unknown)), None)
    if unknown:
        yield holder.undecided(unknown, "fifo_queue")
    elif kinds[0] is not kinds[1]:
        wanted, given = ("standard", "FIFO") if kinds[1] else ("FIFO", "standard")
        yield holder.fail(
            f"the dead-letter queue of a {wanted} queue must be a {wanted} queue; {called(target, holder)} is a "
            f"{given} queue",
            _AT,
        )
    try:
        allowed = document(target, "redrive_allow_policy")
    except ValueError:
        allowed = None
    if isinstance(allowed, Unknown):
        yield target.undecided(allowed, "redrive_allow_policy")
    elif isinstance(allowed, dict) and allowed.get("redrivePermission") == "denyAll":
        yield target.fail(
            f'must allow {called(source, target)} as source queue; "denyAll" allows none', "redrive_allow_policy"
        )


@rule(
    "MSG-005",
    "SQS dead-letter queue retains messages at least as long as its source queue",
    why="The retention period counts from the original enqueue timestamp: if that of the dead-letter queue is "
    "shorter, messages can expire before anyone examines them.",
    fix="Set message_retention_seconds of the dead-letter queue to 1209600 (14 days).",
    page=f"{_SQS}/sqs-dead-letter-queues.html",
    types=["aws_sqs_queue", _SEPARATE],
    severity=WARNING,
    lessons=["EVT-11"],
    good=_GOOD,
    breaks=[
        {"resource.aws_sqs_queue.jobs_dlq.message_retention_seconds": 86400},
        {
            "resource.aws_sqs_queue.jobs.message_retention_seconds": 1209600,
            "resource.aws_sqs_queue.jobs_dlq.message_retention_seconds": 604800,
        },
        {
            "resource.aws_sqs_queue.jobs.message_retention_seconds": "604800",
            "resource.aws_sqs_queue.jobs_dlq": {"name": "shop-prod-jobs-dlq"},
        },
    ],
)
def dead_letters_are_retained(holder: Block) -> Iterator[Outcome]:
    """The default retention period is four days; a FIFO dead-letter queue resets the enqueue timestamp."""
    source = holder if holder.type == QUEUE else meant(holder, "queue_url", QUEUE)
    target = _dead_letter_queue(holder, _policy(holder)) if holder.raw(_AT) is not None else None
    if source is None or target is None or source is target or source.flag("fifo_queue") is True:
        yield NotApplicable("it has no dead-letter queue in these stacks, or is a FIFO queue")
        return
    kept = [queue.number("message_retention_seconds") for queue in (source, target)]
    unknown = next((each for each in kept if isinstance(each, Unknown)), None)
    if unknown:
        yield target.undecided(unknown, "message_retention_seconds")
        return
    first, second = (_DEFAULT_RETENTION if each is None else each for each in kept if not isinstance(each, Unknown))
    if second < first:
        yield target.fail(
            f"must be at least {int(first)} seconds, the retention period of the source queue "
            f"{called(source, target)}; set it to 1209600, the maximum",
            "message_retention_seconds",
        )
