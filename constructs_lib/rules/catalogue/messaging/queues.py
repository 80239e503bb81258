"""Encryption and visibility timeout of SQS queues."""

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
    "SQS queue is encrypted at rest",
    why="Without server-side encryption, messages are stored in plain text.",
    fix="Set kms_master_key_id to a customer managed key, or sqs_managed_sse_enabled to true.",
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
    """Accept SSE-KMS and SSE-SQS."""
    key = queue.get("kms_master_key_id")
    if isinstance(key, Computed) or (key and not isinstance(key, Unknown)):
        return
    if isinstance(key, Unknown):
        yield queue.undecided(key, "kms_master_key_id")
        return
    yield from expect_flag(
        queue,
        "sqs_managed_sse_enabled",
        "must be true if kms_master_key_id is not set; prefer kms_master_key_id with a customer managed key",
    )


@rule(
    "MSG-002",
    "SQS queue has a visibility timeout of at least six times the Lambda function timeout",
    why="If the function is throttled, messages become visible again before they are processed, and are processed "
    "twice.",
    fix="Set visibility_timeout_seconds to at least six times the timeout of the function.",
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
def visibility_timeout_covers_retries(mapping: Block) -> Iterator[Outcome]:
    """Skip visibility timeouts that Lambda rejects: MSG-026 reports them."""
    yield from _compare(mapping, lambda visibility, timeout: not timeout <= visibility < _ATTEMPTS * timeout)


@rule(
    "MSG-026",
    "SQS queue has a visibility timeout no shorter than the Lambda function timeout",
    why="Lambda rejects the event source mapping at apply; validate and plan do not report it.",
    fix="Set visibility_timeout_seconds to at least six times the timeout of the function.",
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
def visibility_timeout_covers_the_function(mapping: Block) -> Iterator[Outcome]:
    """Compare with the default of either timeout if it is not set."""
    yield from _compare(mapping, lambda visibility, timeout: visibility >= timeout)


def _compare(mapping: Block, ok: Callable[[float, float], bool]) -> Iterator[Outcome]:
    """Fail unless `ok(visibility timeout of the queue, timeout of the function)`."""
    queue = meant(mapping, "event_source_arn", QUEUE)
    function = function_of(mapping, "function_name")
    if queue is None or function is None:
        yield NotApplicable("its queue or function is not defined in these stacks")
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
        f"must be at least {int(_ATTEMPTS * seconds)} seconds, six times the timeout of {called(function, queue)}",
    )
