"""Queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, expect_flag, expect_number
from constructs_lib.rules.queries.links import QUEUE, called, function_of, meant
from constructs_lib.rules.rule import REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_SQS = f"{AWS}/AWSSimpleQueueService/latest/SQSDeveloperGuide"


_ATTEMPTS: Final = 6
_DEFAULT_TIMEOUT: Final = 3
_DEFAULT_VISIBILITY: Final = 30

_CONSUMED: Final[dict[str, Any]] = {
    "resource": {
        "aws_sqs_queue": {"jobs": {"name": "shop-prod-jobs", "visibility_timeout_seconds": 180}},
        "aws_lambda_function": {"worker": {"function_name": "shop-prod-worker", "timeout": 30}},
        "aws_lambda_event_source_mapping": {
            "jobs": {
                "event_source_arn": "${aws_sqs_queue.jobs.arn}",
                "function_name": "${aws_lambda_function.worker.arn}",
            }
        },
    }
}


@rule(
    "MSG-001",
    "A queue is encrypted",
    why="Messages lie on disk in plain text, and are readable with the queue's permissions alone.",
    fix="Set kms_master_key_id to a customer key, or sqs_managed_sse_enabled to true.",
    page=f"{_SQS}/sqs-server-side-encryption.html",
    types=["aws_sqs_queue"],
    lessons=["EVT-11"],
    frameworks=Frameworks(fsbp=("SQS.1",), pci=("3.5.1",), checkov=("CKV_AWS_27",)),
    good={
        "resource": {
            "aws_kms_key": {"k": {"enable_key_rotation": True}},
            "aws_sqs_queue": {"jobs": {"name": "shop-prod-jobs", "kms_master_key_id": "${aws_kms_key.k.arn}"}},
        }
    },
    breaks=[
        {"resource.aws_sqs_queue.jobs.kms_master_key_id": REMOVED},
        {
            "resource.aws_sqs_queue.jobs.kms_master_key_id": "",
            "resource.aws_sqs_queue.jobs.sqs_managed_sse_enabled": False,
        },
    ],
)
def queue_is_encrypted(queue: Block) -> Iterator[Outcome]:
    """Look at both ways of encryption; one is enough."""
    key = queue.get("kms_master_key_id")
    if isinstance(key, Computed) or (key and not isinstance(key, Unknown)):
        return
    if isinstance(key, Unknown):
        yield queue.undecided(key, "kms_master_key_id")
        return
    yield from expect_flag(
        queue, "sqs_managed_sse_enabled", "must be true where no kms_master_key_id is set; a customer key is better"
    )


@rule(
    "MSG-002",
    "A queue gives its consumer six times the consumer's timeout",
    why="A message that is still being processed becomes visible again and is processed twice.",
    fix="Set visibility_timeout_seconds to at least six times the function's timeout.",
    page=f"{AWS}/lambda/latest/dg/services-sqs-configure.html",
    types=["aws_lambda_event_source_mapping"],
    severity=WARNING,
    good=_CONSUMED,
    breaks=[
        {"resource.aws_sqs_queue.jobs.visibility_timeout_seconds": 60},
        {"resource.aws_sqs_queue.jobs.visibility_timeout_seconds": REMOVED},
        {"resource.aws_lambda_function.worker.timeout": 120},
    ],
)
def visibility_covers_the_consumer(mapping: Block) -> Iterator[Outcome]:
    """Look at queues whose visibility AWS accepts; MSG-026 speaks of the others."""
    yield from _compare(mapping, lambda visibility, timeout: not timeout <= visibility < _ATTEMPTS * timeout)


@rule(
    "MSG-026",
    "A queue's visibility is not below its consumer's timeout",
    why="AWS refuses the event source mapping; neither validate nor plan says so.",
    fix="Set visibility_timeout_seconds to at least six times the function's timeout.",
    page=f"{AWS}/lambda/latest/dg/services-sqs-configure.html",
    types=["aws_lambda_event_source_mapping"],
    good=_CONSUMED,
    breaks=[
        {"resource.aws_sqs_queue.jobs.visibility_timeout_seconds": 20},
        {
            "resource.aws_sqs_queue.jobs.visibility_timeout_seconds": REMOVED,
            "resource.aws_lambda_function.worker.timeout": 60,
        },
    ],
)
def visibility_is_accepted(mapping: Block) -> Iterator[Outcome]:
    """Both figures may be defaults."""
    yield from _compare(mapping, lambda visibility, timeout: visibility >= timeout)


def _compare(mapping: Block, ok: Callable[[float, float], bool]) -> Iterator[Outcome]:
    """Ask with the visibility of the queue and the timeout of the function at the two ends of a mapping."""
    queue = meant(mapping, "event_source_arn", QUEUE)
    function = function_of(mapping, "function_name")
    if queue is None or function is None:
        yield NotApplicable("one of its ends is not in the estate")
        return
    timeout = function.number("timeout")
    if isinstance(timeout, Unknown):
        yield function.undecided(timeout, "timeout")
        return
    seconds = _DEFAULT_TIMEOUT if timeout is None else timeout
    yield from expect_number(
        queue,
        "visibility_timeout_seconds",
        lambda value: ok(_DEFAULT_VISIBILITY if value is None else value, seconds),
        f"must be at least {int(_ATTEMPTS * seconds)}, six times the timeout of {called(function, queue)}",
    )
