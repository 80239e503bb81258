"""Names of SQS queues and SNS topics, and limits of queue attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.queries.common import AWS, expect_number
from constructs_lib.rules.queries.documents import is_plan
from constructs_lib.rules.queries.links import undecidable
from constructs_lib.rules.rule import REMOVED, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_FLAG: Final = {"aws_sqs_queue": "fifo_queue", "aws_sns_topic": "fifo_topic"}
_REUSE: Final = "kms_data_key_reuse_period_seconds"
_RANGES: Final = {
    "visibility_timeout_seconds": (0, 43_200),
    "message_retention_seconds": (60, 1_209_600),
    "delay_seconds": (0, 900),
    "receive_wait_time_seconds": (0, 20),
    "max_message_size": (1_024, 1_048_576),
    _REUSE: (60, 86_400),
}
_GOOD = {
    "resource": {
        "aws_sqs_queue": {
            "jobs": {"name": "shop-prod-jobs", "visibility_timeout_seconds": 180, "message_retention_seconds": 345600},
            "ordered": {"name": "shop-prod-ordered.fifo", "fifo_queue": True, "content_based_deduplication": True},
        },
        "aws_sns_topic": {"ordered": {"name": "shop-prod-ordered.fifo", "fifo_topic": True}},
    }
}


@rule(
    "MSG-019",
    "SQS queue or SNS topic name matches its type, standard or FIFO",
    why="AWS rejects a FIFO queue or topic whose name does not end in .fifo, a standard one whose name does, and "
    "content-based deduplication on a standard one.",
    fix="Set fifo_queue or fifo_topic to true and end the name in .fifo, or do neither.",
    page=f"{AWS}/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html",
    types=list(_FLAG),
    good=_GOOD,
    breaks=[
        {"resource.aws_sqs_queue.ordered.name": "shop-prod-ordered"},
        {"resource.aws_sqs_queue.ordered.fifo_queue": REMOVED},
        {"resource.aws_sns_topic.ordered.fifo_topic": "false"},
        {"resource.aws_sqs_queue.jobs.content_based_deduplication": True},
    ],
)
def name_matches_the_type(block: Block) -> Iterator[Outcome]:
    """The provider adds .fifo to a name that it generates from name_prefix."""
    at = _FLAG[block.type]
    fifo, by_content = block.flag(at), block.flag("content_based_deduplication")
    name = block.get("name")
    if isinstance(fifo, Unknown):
        yield block.undecided(fifo, at)
        return
    text = name.text if isinstance(name, Unknown) else name
    if isinstance(text, str) and text and not text.endswith("}"):
        if fifo and not text.endswith(".fifo"):
            yield block.fail(f"must end in .fifo if {at} is true", "name")
        elif not fifo and text.endswith(".fifo"):
            yield block.fail("must be true if the name ends in .fifo", at)
    elif unknown := undecidable(name):
        yield block.undecided(unknown, "name")
    if by_content is True and not fifo:
        yield block.fail(f"must not be true unless {at} is true", "content_based_deduplication")
    elif isinstance(by_content, Unknown) and not fifo:
        yield block.undecided(by_content, "content_based_deduplication")


@rule(
    "MSG-020",
    "SQS queue attributes are within the service limits",
    why="SQS rejects the queue at apply.",
    fix="Keep visibility_timeout_seconds at 0 to 43,200, message_retention_seconds at 60 to 1,209,600, delay_seconds "
    "at 0 to 900 and receive_wait_time_seconds at 0 to 20.",
    page=f"{AWS}/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html",
    types=["aws_sqs_queue"],
    good=_GOOD,
    breaks=[
        {"resource.aws_sqs_queue.jobs.visibility_timeout_seconds": 50_000},
        {"resource.aws_sqs_queue.jobs.message_retention_seconds": "30"},
        {"resource.aws_sqs_queue.jobs.delay_seconds": 901},
        {"resource.aws_sqs_queue.jobs.receive_wait_time_seconds": 60},
        {"resource.aws_sqs_queue.jobs.max_message_size": 512},
        {"resource.aws_sqs_queue.jobs.kms_data_key_reuse_period_seconds": 30},
    ],
)
def attributes_are_in_range(queue: Block) -> Iterator[Outcome]:
    """A plan has a data key reuse period of 0 if the queue has no KMS key."""
    for at, (least, most) in _RANGES.items():
        if at == _REUSE and is_plan(queue.stack) and queue.get(at) == 0:
            continue
        yield from expect_number(
            queue,
            at,
            lambda value, least=least, most=most: value is None or least <= value <= most,  # type: ignore[misc]
            f"must be {least} to {most}",
        )
