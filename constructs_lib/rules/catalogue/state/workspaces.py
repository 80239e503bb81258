"""Workspaces, environments and regions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.references import edges
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import TERRAFORM
from constructs_lib.rules.queries.documents import is_plan, made_of, once
from constructs_lib.rules.rule import ADVICE, REMOVED, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Stack
    from constructs_lib.rules.outcomes import Outcome

_WORKSPACE: Final = "terraform.workspace"
_PAGE: Final = f"{TERRAFORM}/language/state/workspaces"
_ENVIRONMENT: Final = re.compile(r"(?:^|_)(?:env|environment|stage)(?:_|$)")
_CONDITIONS: Final = ("condition", "provisioner")
"""Parts of a block that can stop a plan or an apply."""

_GOOD: Final[dict[str, Any]] = {
    "terraform": {"backend": {"s3": {"key": "shop/terraform.tfstate", "workspace_key_prefix": "workspaces"}}},
    "variable": {"environment": {"type": "string", "default": "dev"}},
    "locals": {"workspace": "${terraform.workspace}"},
    "provider": {"aws": {"region": "us-east-1"}},
    "resource": {"aws_sqs_queue": {"jobs": {"name": "shop-${var.environment}-jobs"}}},
    "output": {
        "workspace": {
            "value": "${local.workspace}",
            "precondition": {
                "condition": '${contains(["default", var.environment], local.workspace)}',
                "error_message": "workspace and environment must agree",
            },
        }
    },
}


def _environment(stack: Stack) -> Block | None:
    """Return the variable or local value with the environment of a stack, or None."""
    found = (block for block in once(stack) if block.type in ("var", "local") and _ENVIRONMENT.search(block.name))
    return next(found, None)


def _uses(stack: Stack) -> Iterator[tuple[Block, str]]:
    """Yield every reference to the workspace, direct or through a local value."""
    local_values = {
        block.base
        for block in once(stack)
        if block.type == "local" and _WORKSPACE in made_of(stack, block.body["value"])
    }
    for block in once(stack):
        for at, reference in block.edges:
            if reference.text == _WORKSPACE or (reference.kind == "local" and reference.block in local_values):
                yield block, at


@rule(
    "STATE-015",
    "Stack with workspaces checks that the workspace matches the environment",
    why="Without a check, the values of prod can be applied in the workspace of dev: Terraform replaces its resources.",
    fix='Add a precondition such as contains(["default", var.environment], terraform.workspace).',
    page=_PAGE,
    types=["terraform"],
    severity=ADVICE,
    lessons=["PLAT-12", "TRD-8"],
    good=_GOOD,
    breaks=[
        {"output": REMOVED},
        {"output.workspace.precondition": REMOVED, "terraform.backend": {"s3": {}}},
        {"output.workspace.precondition.condition": '${var.environment != ""}'},
    ],
    unknown_passes="the condition is checked as written, not its value",
)
def workspace_has_a_precondition(root: Block) -> Iterator[Outcome]:
    """Skip stacks without an environment, and accept one that is the workspace."""
    stack = root.stack
    environment = _environment(stack)
    prefix = None if is_plan(stack) else root.raw("backend.s3.workspace_key_prefix")
    uses = list(_uses(stack))
    if environment is None or is_plan(stack) or not (uses or prefix):
        yield NotApplicable("it has no workspaces or no environment")
        return
    guarded = any(word in at.split(".") for _, at in uses for word in _CONDITIONS)
    checks = (reference.text for _, reference in edges(stack.source.document.get("check"), ""))
    same = any(
        _ENVIRONMENT.search(block.name) and _WORKSPACE in made_of(stack, block.body.get("value"))
        for block in once(stack)
        if block.type == "local"
    )
    if guarded or same or _WORKSPACE in checks:
        return
    text = (
        f"must have a precondition that compares {environment.address} with terraform.workspace, so that it is not "
        "applied in the workspace of another environment"
    )
    if prefix:
        yield root.fail(text, "backend.s3.workspace_key_prefix")
    else:
        yield uses[0][0].fail(text, uses[0][1])


@rule(
    "STATE-016",
    "Provider region does not depend on the workspace",
    why="Every region needs a separate apply, no plan shows all regions, and one of them can be forgotten.",
    fix="Define one provider per region, and apply all of them in one plan.",
    page=_PAGE,
    types=["provider.aws"],
    severity=ADVICE,
    lessons=["TRD-1", "TRD-8"],
    good=_GOOD,
    breaks=[
        {"provider.aws.region": "${local.workspace}"},
        {"provider.aws.region": '${terraform.workspace == "eu" ? "eu-west-1" : "us-east-1"}'},
    ],
    unknown_passes="a variable is not the workspace",
)
def region_does_not_depend_on_the_workspace(provider: Block) -> Iterator[Outcome]:
    """Resolve local values in the region."""
    if _WORKSPACE in made_of(provider.stack, provider.body.get("region")):
        yield provider.fail("must not depend on the workspace; define one provider per region", "region")
