"""Outputs of stacks."""

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
"""Flat outputs that are still readable without grouping."""

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
    """Whether the value is known to be an object."""
    return isinstance(output.get("value"), dict)


@rule(
    "STATE-020",
    "Stack has outputs",
    why="Without outputs, tests and pipelines must guess the names and addresses of the deployed resources.",
    fix="Add outputs for the names, addresses and IDs that tests and pipelines need.",
    page=_PAGE,
    types=["terraform"],
    severity=_INFO,
    lessons=["TICK-4"],
    good=_GOOD,
    breaks=[{"output": REMOVED}, {"output": {}}],
)
def stack_has_outputs(root: Block) -> Iterator[Outcome]:
    """Skip modules and stacks without resources."""
    stack = root.stack
    if not is_root(stack) or not any(resources(stack)):
        yield NotApplicable("it is a module, or has no resources")
    elif not _outputs(stack):
        doubt = unread(stack)
        text = "must have outputs; add those that tests and pipelines need, such as addresses and names"
        yield root.undecided(doubt) if doubt else root.fail(text)


@rule(
    "STATE-021",
    "Outputs are not all objects",
    why="Pipelines that read terraform output -raw cannot read values within objects.",
    fix="Add an output for each value in addition to the object.",
    page=_PAGE,
    types=["terraform"],
    severity=_INFO,
    lessons=["EVT-20"],
    good=_GOOD,
    breaks=[
        {"output.jobs_url": REMOVED},
        {"output.jobs_url.value": {"url": "${aws_sqs_queue.jobs.url}"}},
    ],
    unknown_passes="an unknown value may be flat",
)
def some_outputs_are_flat(root: Block) -> Iterator[Outcome]:
    """Accept one flat output."""
    outputs = _outputs(root.stack)
    if outputs and all(_is_nested(output) for output in outputs):
        yield outputs[0].fail("must not be an object like all other outputs; add outputs for its values", "value")


@rule(
    "STATE-022",
    f"Stack with more than {_MANY} outputs has an output that groups them",
    why="A long flat list does not show which values belong together, and consumers must read each one separately.",
    fix="Add an output with an object, such as deployment_summary, that groups the values.",
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
    """Accept an object, or an unknown value, which may be one."""
    outputs = _outputs(root.stack)
    values = [output.body.get("value") for output in outputs]
    plain = [value for value in values if isinstance(value, str | int | float)]
    if len(plain) == len(values) > _MANY and not any(_is_nested(output) for output in outputs):
        yield root.fail(
            f"must have an output that groups its {len(values)} outputs; add an object such as deployment_summary"
        )
