"""Dependencies of Lambda functions: log groups and role policies."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.links import (
    LOG_GROUP,
    ROLE,
    called,
    has_module,
    meant,
    pointing,
    predecessors,
    with_name,
)
from constructs_lib.rules.rule import REMOVED, WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Stack
    from constructs_lib.rules.outcomes import Outcome

_ATTACHING: Final = (
    ("aws_iam_role_policy", "role"),
    ("aws_iam_role_policy_attachment", "role"),
)

_GOOD = {
    "resource": {
        "aws_cloudwatch_log_group": {"worker": {"name": "/aws/lambda/shop-prod-worker", "retention_in_days": 30}},
        "aws_iam_role": {"worker": {"name": "shop-prod-worker"}},
        "aws_iam_role_policy": {"worker": {"role": "${aws_iam_role.worker.id}", "policy": "{}"}},
        "aws_iam_role_policy_attachment": {
            "tracing": {
                "role": "${aws_iam_role.worker.name}",
                "policy_arn": "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess",
            }
        },
        "aws_lambda_function": {
            "worker": {
                "function_name": "shop-prod-worker",
                "role": "${aws_iam_role.worker.arn}",
                "depends_on": [
                    "aws_cloudwatch_log_group.worker",
                    "aws_iam_role_policy.worker",
                    "aws_iam_role_policy_attachment.tracing",
                ],
            }
        },
    }
}


@rule(
    "LAM-021",
    "Lambda function depends on its log group",
    why="Lambda creates a missing log group at the first invocation, without retention and KMS key; Terraform then "
    "fails because the log group already exists.",
    fix="Declare an aws_cloudwatch_log_group named /aws/lambda/<function name> and add it to depends_on of the "
    "function, or set logging_config.log_group.",
    page=f"{AWS}/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    types=["aws_lambda_function"],
    severity=WARNING,
    lessons=["EVT-8"],
    good=_GOOD,
    breaks=[
        {
            "resource.aws_lambda_function.worker.depends_on": [
                "aws_iam_role_policy.worker",
                "aws_iam_role_policy_attachment.tracing",
            ]
        },
        {"resource.aws_lambda_function.worker.depends_on": REMOVED},
        {"resource.aws_cloudwatch_log_group.worker": REMOVED},
        {"resource.aws_cloudwatch_log_group.worker.name": "/aws/lambda/worker"},
        {"resource.aws_cloudwatch_log_group.worker.name": "/aws/lambda/${aws_lambda_function.worker.function_name}"},
    ],
)
def function_depends_on_its_log_group(function: Block) -> Iterator[Outcome]:
    """A log group in another stack needs no depends_on."""
    given = function.raw("logging_config.log_group") is not None
    name = function.get("logging_config.log_group" if given else "function_name")
    group = meant(function, "logging_config.log_group", LOG_GROUP) if given else _own_group(function, name)
    if group is None and isinstance(name, Unknown):
        yield function.undecided(name, "logging_config.log_group" if given else "function_name")
    elif group is None and given:
        yield NotApplicable("its log group is not defined in these stacks")
    elif group is None:
        unknown = _group_without_name(function.stack)
        if unknown:
            yield function.undecided(unknown, "function_name")
        else:
            yield function.fail(
                f"must have an aws_cloudwatch_log_group named /aws/lambda/{name}, and depend on it",
                "function_name",
            )
    elif group.stack is function.stack:
        earlier = predecessors(function)
        if function.base in predecessors(group):
            yield function.fail(
                f"must be created after its log group {group.address}, whose name refers to the function; set both "
                "names from one local value, and add the log group to depends_on",
                "function_name",
            )
        elif group.base not in earlier and not has_module(earlier):
            yield function.fail(
                f'must contain "{group.base}", its log group, or Lambda may create the log group first', "depends_on"
            )


def _own_group(function: Block, name: object) -> Block | None:
    text = name.text if isinstance(name, Unknown) else name
    found = with_name(function, LOG_GROUP, f"/aws/lambda/{text}") if text else None
    return found or next(iter(function.referrers_at("name", LOG_GROUP)), None)


@lru_cache(maxsize=64)
def _group_without_name(stack: Stack) -> Unknown | None:
    names = (group.get("name") for group in stack.estate.of(LOG_GROUP) if group.stack is stack)
    return next((name for name in names if isinstance(name, Unknown)), None)


@rule(
    "LAM-022",
    "Lambda function depends on the policies of its execution role",
    why="Lambda checks some permissions when it creates the function, such as those for network interfaces and KMS "
    "keys, and the first invocations lack the others.",
    fix="Add the policies and policy attachments of the role to depends_on of the function.",
    page=f"{AWS}/lambda/latest/dg/lambda-intro-execution-role.html",
    types=["aws_lambda_function"],
    severity=WARNING,
    lessons=["EVT-8"],
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.depends_on": ["aws_cloudwatch_log_group.worker"]},
        {"resource.aws_lambda_function.worker.depends_on": REMOVED},
        {"resource.aws_lambda_function.worker.depends_on": ["aws_iam_role_policy.worker"]},
    ],
)
def function_depends_on_its_policies(function: Block) -> Iterator[Outcome]:
    """Skip policies that refer to the function: depends_on would be a cycle."""
    role = meant(function, "role", ROLE)
    if role is None or role.stack is not function.stack:
        yield NotApplicable("its role is not defined in the same stack")
        return
    policies = {block.base: block for type_, at in _ATTACHING for block in pointing(role, type_, at)}
    policies = {base: block for base, block in policies.items() if block.stack is function.stack}
    earlier = predecessors(function) if policies else set()
    missing = [
        base for base, block in policies.items() if base not in earlier and function.base not in predecessors(block)
    ]
    if missing and not has_module(earlier):
        listed = ", ".join(f'"{base}"' for base in sorted(missing))
        yield function.fail(f"must contain {listed}: policies of its role {called(role, function)}", "depends_on")
