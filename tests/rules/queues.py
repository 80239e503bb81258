"""Two rules for SQS queues and documents of queues, for tests of everything around rules."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from constructs_lib.rules.checking import Report, check
from constructs_lib.rules.estate.loading import Source
from constructs_lib.rules.estate.model import Estate
from constructs_lib.rules.queries.common import expect_number, expect_set
from constructs_lib.rules.rule import REMOVED, WARNING, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

TODAY = date(2026, 11, 22)
REASON = "The queue holds public prices only."

_GOOD = {"resource": {"aws_sqs_queue": {"jobs": {"kms_master_key_id": "key", "delay_seconds": 5}}}}


@rule(
    "OPS-901",
    "SQS queue is encrypted",
    why="Messages are stored in plain text.",
    fix="Set kms_master_key_id.",
    page="https://docs.aws.amazon.com/queues",
    types=["aws_sqs_queue"],
    severity=Severity("info", "warning", "error"),
    lessons=["TOY-1"],
    frameworks=Frameworks(fsbp=("SQS.1",)),
    good=_GOOD,
    breaks=[{"resource.aws_sqs_queue.jobs.kms_master_key_id": REMOVED}],
)
def encrypted(queue: Block) -> Iterator[Outcome]:
    yield from expect_set(queue, "kms_master_key_id", "must be set")


@rule(
    "OPS-902",
    "SQS queue has a short delay",
    why="It is a test.",
    fix="Lower delay_seconds.",
    page="https://docs.aws.amazon.com/delays",
    types=["aws_sqs_queue"],
    severity=WARNING,
    good=_GOOD,
    breaks=[{"resource.aws_sqs_queue.jobs.delay_seconds": 60}],
)
def short_delay(queue: Block) -> Iterator[Outcome]:
    yield from expect_number(queue, "delay_seconds", lambda value: (value or 0) <= 10, "must be at most 10")


@rule(
    "OPS-903",
    "Rule raises an error",
    why="It is a test.",
    fix="Correct the rule.",
    page="https://docs.aws.amazon.com/none",
    types=["aws_sqs_queue"],
    good=_GOOD,
    breaks=[{"resource.aws_sqs_queue.jobs.delay_seconds": 60}],
)
def broken(queue: Block) -> Iterator[Outcome]:
    raise KeyError(queue.name)
    yield queue.fail("")


RULES = (encrypted, short_delay)


def document(**queues: dict[str, Any]) -> dict[str, Any]:
    """Return a document of queues; `path` in a queue becomes its construct path."""
    blocks = {}
    for name, body in queues.items():
        path = body.pop("path", None)
        blocks[name] = {**body, **({"//": {"metadata": {"path": path, "uniqueId": name}}} if path else {})}
    return {"resource": {"aws_sqs_queue": blocks}}


def estate(notes: dict[str, Any] | None = None, stack: str = "shop", /, **queues: dict[str, Any]) -> Estate:
    """Return an estate of one stack in production."""
    return Estate([Source(stack, Path("cdktf.out/stacks") / stack, document(**queues), notes=notes or {})], "prod")


def report_on(given: Estate, **arguments: Any) -> Report:
    return check(given, rules=RULES, today=TODAY, **arguments)
