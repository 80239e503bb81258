"""Outputs: what a stack tells its tests, its pipeline and its readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import TERRAFORM
from constructs_lib.rules.queries.documents import is_root, resources, unread
from constructs_lib.rules.rule import REMOVED, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Stack
    from constructs_lib.rules.outcomes import Outcome

_INFO: Final = Severity("info", "info", "info")
_PAGE: Final = f"{TERRAFORM}/language/values/outputs"
_MANY: Final = 12
"""Flat outputs that a reader still takes in at a glance."""

_GOOD: Final[dict[str, Any]] = {
    "provider": {"aws": {"region": "us-east-1"}},
    "resource": {"aws_sqs_queue": {"jobs": {"name": "shop-prod-jobs"}}},
    "output": {
        "jobs_url": {"value": "${aws_sqs_queue.jobs.url}"},
        "summary": {"value": {"jobs": {"url": "${aws_sqs_queue.jobs.url}", "arn": "${aws_sqs_queue.jobs.arn}"}}},
    },
}


def _outputs(stack: Stack) -> list[Block]:
    return [block for block in stack.blocks if block.type == "output"]


def _is_nested(output: Block) -> bool:
    """Whether a value is known to be an object with something in it."""
    return isinstance(output.get("value"), dict)


@rule(
    "STATE-020",
    "A stack has outputs",
    why="Tests and pipelines cannot find what was deployed, and guess names instead.",
    fix="Put out the names, addresses and ids that somebody outside needs.",
    page=_PAGE,
    types=["terraform"],
    severity=_INFO,
    lessons=["TICK-4"],
    good=_GOOD,
    breaks=[{"output": REMOVED}, {"output": {}}],
)
def stack_has_outputs(root: Block) -> Iterator[Outcome]:
    """A module without provider answers to its caller, and a stack without resources has nothing to tell."""
    stack = root.stack
    if not is_root(stack) or not any(resources(stack)):
        yield NotApplicable("it is a module, or has no resources")
    elif not _outputs(stack):
        doubt = unread(stack)
        text = "has no outputs; put out what tests and pipelines need, such as addresses and names"
        yield root.undecided(doubt) if doubt else root.fail(text)


@rule(
    "STATE-021",
    "Outputs are not all nested",
    why="A pipeline that reads names and values from terraform output cannot look into objects.",
    fix="Put out each value by itself, and the object beside them.",
    page=_PAGE,
    types=["terraform"],
    severity=_INFO,
    lessons=["EVT-20"],
    good=_GOOD,
    breaks=[
        {"output.jobs_url": REMOVED},
        {"output.jobs_url.value": {"url": "${aws_sqs_queue.jobs.url}"}},
    ],
    unknown_passes="a value that is not known may be flat",
)
def some_outputs_are_flat(root: Block) -> Iterator[Outcome]:
    """One flat output shows that somebody thought of it."""
    outputs = _outputs(root.stack)
    if outputs and all(_is_nested(output) for output in outputs):
        yield outputs[0].fail("is an object like every output; put out its values one by one beside it", "value")


@rule(
    "STATE-022",
    "Many outputs are summed up in one object",
    why="Nobody sees in a long flat list what belongs together, and a consumer must name each value.",
    fix="Add one output such as deployment_summary that groups them.",
    page=_PAGE,
    types=["terraform"],
    severity=_INFO,
    lessons=["TRD-10"],
    good={
        **_GOOD,
        "output": {
            **_GOOD["output"],
            **{f"jobs_{number}": {"value": f"shop-prod-jobs-{number}"} for number in range(_MANY)},
        },
    },
    breaks=[{"output.summary": REMOVED}],
)
def many_outputs_are_grouped(root: Block) -> Iterator[Outcome]:
    """An object, or a value that is not known and may be one, groups them."""
    outputs = _outputs(root.stack)
    values = [output.body.get("value") for output in outputs]
    plain = [value for value in values if isinstance(value, str | int | float)]
    if len(plain) == len(values) > _MANY and not any(_is_nested(output) for output in outputs):
        yield root.fail(f"has {len(values)} outputs and none that groups them; add one such as deployment_summary")
