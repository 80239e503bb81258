"""Workspaces: what they may choose, and that they agree with the environment."""

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
"""Where in a block something may stop a plan or an apply."""

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
    """Return the variable or local value that says which environment a stack is for; None when nothing does."""
    found = (block for block in once(stack) if block.type in ("var", "local") and _ENVIRONMENT.search(block.name))
    return next(found, None)


def _uses(stack: Stack) -> Iterator[tuple[Block, str]]:
    """Yield every place where the workspace is read, directly or through a local value."""
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
    "A stack with workspaces checks that the workspace is its environment's",
    why="Production's values are applied to the state of dev: Terraform destroys what is there and makes it anew.",
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
    unknown_passes="a condition is read as it is written, not by what it comes to",
)
def workspace_and_environment_agree(root: Block) -> Iterator[Outcome]:
    """Nothing to compare where no environment is named, or where it is the workspace."""
    stack = root.stack
    environment = _environment(stack)
    prefix = None if is_plan(stack) else root.raw("backend.s3.workspace_key_prefix")
    uses = list(_uses(stack))
    if environment is None or is_plan(stack) or not (uses or prefix):
        yield NotApplicable("it has no workspaces, or no environment beside them")
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
        f"nothing keeps {environment.address} from being applied in another environment's workspace; add a "
        "precondition that compares it with terraform.workspace"
    )
    if prefix:
        yield root.fail(text, "backend.s3.workspace_key_prefix")
    else:
        yield uses[0][0].fail(text, uses[0][1])


@rule(
    "STATE-016",
    "A workspace does not choose the region",
    why="Every region needs a run of its own; nothing shows what is where, and one region is forgotten.",
    fix="Write one provider for each region, and apply all of them in one plan.",
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
def workspace_is_no_region(provider: Block) -> Iterator[Outcome]:
    """Follow the region through local values."""
    if _WORKSPACE in made_of(provider.stack, provider.body.get("region")):
        yield provider.fail("must not depend on the workspace; write one provider for each region", "region")
