"""Lifecycle arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.rules.queries.common import TERRAFORM
from constructs_lib.rules.queries.documents import resources
from constructs_lib.rules.rule import WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome


@rule(
    "STATE-024",
    "Resource does not ignore all changes",
    why="Terraform applies no changes of the configuration, and does not detect drift.",
    fix="Set ignore_changes to the attributes that are managed outside Terraform.",
    page=f"{TERRAFORM}/language/meta-arguments/lifecycle",
    types=["terraform"],
    severity=WARNING,
    good={
        "resource": {"aws_ecs_service": {"web": {"name": "web", "lifecycle": {"ignore_changes": ["desired_count"]}}}}
    },
    breaks=[
        {"resource.aws_ecs_service.web.lifecycle.ignore_changes": "all"},
        {"resource.aws_ecs_service.web.lifecycle": [{"ignore_changes": ["all"]}]},
    ],
    unknown_passes="Terraform does not allow expressions in lifecycle",
)
def changes_are_not_ignored(root: Block) -> Iterator[Outcome]:
    """Check for all, also within a list."""
    for block in resources(root.stack):
        if block.raw("lifecycle.ignore_changes") in ("all", "${all}", ["all"], ["${all}"]):
            yield block.fail(
                "must list attributes instead of all, with which Terraform ignores every change",
                "lifecycle.ignore_changes",
            )
