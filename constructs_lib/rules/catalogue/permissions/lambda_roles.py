"""Permissions that Lambda requires of an execution role."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.links import FUNCTION, QUEUE, ROLE, TOPIC, called, function_of, meant, undecidable
from constructs_lib.rules.queries.permissions import held, shown
from constructs_lib.rules.rule import REMOVED, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate, Section
    from constructs_lib.rules.estate.policies import Statement
    from constructs_lib.rules.outcomes import Outcome

_MAPPING: Final = "aws_lambda_event_source_mapping"
_VPC: Final = ("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface")
_SOURCES: Final = {
    QUEUE: ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    "aws_kinesis_stream": ("kinesis:GetRecords", "kinesis:GetShardIterator"),
    "aws_dynamodb_table": ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"),
}
_SENDING: Final = {QUEUE: ("sqs:SendMessage",), TOPIC: ("sns:Publish",)}
_ATTACHING: Final = {
    "aws_iam_role_policy": "",
    "aws_iam_role_policy_attachment": "policy_arn",
    "aws_iam_policy_attachment": "policy_arn",
}
"""Types that attach a policy to a role, and their argument with its ARN; the first has an inline policy instead."""
_MANAGED: Final = {
    "AWSLambdaBasicExecutionRole": (),
    "AWSLambdaVPCAccessExecutionRole": _VPC,
    "AWSLambdaENIManagementAccess": _VPC,
    "AWSLambdaSQSQueueExecutionRole": _SOURCES[QUEUE],
    "AWSLambdaKinesisExecutionRole": _SOURCES["aws_kinesis_stream"],
    "AWSLambdaDynamoDBExecutionRole": _SOURCES["aws_dynamodb_table"],
    "AWSXRayDaemonWriteAccess": (),
    "AWSXrayWriteOnlyAccess": (),
    "AmazonSSMManagedInstanceCore": (),
    "CloudWatchAgentServerPolicy": (),
    "CloudWatchLambdaInsightsExecutionRolePolicy": (),
}
"""The actions of AWS managed policies that this rule requires; the actions of other managed policies are unknown."""

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        FUNCTION: {
            "worker": {
                "function_name": "shop-prod-worker",
                "role": "${aws_iam_role.worker.arn}",
                "vpc_config": {"subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"]},
                "dead_letter_config": {"target_arn": "${aws_sqs_queue.failed.arn}"},
            }
        },
        QUEUE: {"jobs": {"name": "shop-prod-jobs"}, "failed": {"name": "shop-prod-failed"}},
        _MAPPING: {
            "jobs": {
                "event_source_arn": "${aws_sqs_queue.jobs.arn}",
                "function_name": "${aws_lambda_function.worker.arn}",
            }
        },
        ROLE: {"worker": {"name": "shop-prod-worker"}},
        "aws_iam_role_policy_attachment": {
            "vpc": {
                "role": "${aws_iam_role.worker.name}",
                "policy_arn": "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole",
            }
        },
        "aws_iam_role_policy": {
            "worker": {
                "role": "${aws_iam_role.worker.id}",
                "policy": json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                                "Resource": "${aws_sqs_queue.jobs.arn}",
                            },
                            {
                                "Effect": "Allow",
                                "Action": "sqs:SendMessage",
                                "Resource": "${aws_sqs_queue.failed.arn}",
                            },
                        ],
                    }
                ),
            }
        },
    }
}


@rule(
    "IAM-024",
    "Lambda execution role has the permissions for the VPC, the event source and the dead-letter target",
    why="Lambda rejects the function or event source mapping at apply when its execution role lacks them; validate and "
    "plan do not report it.",
    fix="Attach AWSLambdaVPCAccessExecutionRole to the role, and allow the actions on the queue, stream or topic in a "
    "policy of the role.",
    page=f"{AWS}/lambda/latest/dg/lambda-intro-execution-role.html",
    types=[FUNCTION, _MAPPING],
    good=_GOOD,
    breaks=[
        {"resource.aws_iam_role_policy_attachment": REMOVED},
        {"resource.aws_iam_role_policy": REMOVED},
        {
            "resource.aws_iam_role_policy_attachment.vpc.policy_arn": (
                "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
            )
        },
        {
            f"resource.{FUNCTION}.worker.dead_letter_config": {"target_arn": "${aws_sns_topic.failed.arn}"},
            f"resource.{TOPIC}": {"failed": {"name": "shop-prod-failed"}},
        },
    ],
)
def execution_role_has_the_permissions(block: Block) -> Iterator[Outcome]:
    """Compare actions only, not resources; roles with unknown policies are undecided."""
    function = block if block.type == FUNCTION else function_of(block, "function_name")
    role = meant(function, "role", ROLE) if function else None
    required = list(_required(block))
    if function is None or role is None or not required:
        yield NotApplicable("its role is not in these stacks, or it requires none of these permissions")
        return
    for section in block.sections("dead_letter_config"):
        target = undecidable(section.get("target_arn"))
        if target:
            yield section.undecided(target, "target_arn")
    for section, at, actions in required:
        given = {action: _allows(role, action) for action in actions}
        missing = [action for action, allowed in given.items() if allowed is False]
        doubt = next((allowed for allowed in given.values() if isinstance(allowed, Unknown)), None)
        if missing:
            yield section.fail(f"must be allowed {', '.join(missing)} in a policy of {called(role, block)}", at)
        elif doubt:
            yield section.undecided(doubt, at)


def _required(block: Block) -> Iterator[tuple[Section, str, tuple[str, ...]]]:
    """Yield the arguments that require permissions of the role, with the actions."""
    if block.type == _MAPPING:
        queue = meant(block, "event_source_arn", QUEUE)
        stream = queue or block.target("event_source_arn", *_SOURCES)
        if stream is not None:
            yield block, "event_source_arn", _SOURCES[stream.type]
        return
    for section in block.sections("vpc_config"):
        if section.items("subnet_ids"):
            yield section, "subnet_ids", _VPC
    for section in block.sections("dead_letter_config"):
        for type_, actions in _SENDING.items():
            if meant(section, "target_arn", type_) is not None:
                yield section, "target_arn", actions


def _allows(role: Block, action: str) -> bool | Unknown:
    """Return whether a policy of a role allows an action on any resource."""
    statements, managed, doubt = _rights(role.estate, role)
    if any(statement.allows(action) for statement in statements) or action in managed:
        return True
    return doubt or False


@lru_cache(maxsize=4096)
def _rights(estate: Estate, role: Block) -> tuple[list[Statement], frozenset[str], Unknown | None]:
    """Return the statements of a role, the actions of its AWS managed policies, and an unknown value, if any."""
    holders, arns, doubt = _attached(estate)
    listed = role.items("managed_policy_arns")
    statements: list[Statement] = []
    for policy in (each for holder in (role, *holders.get(role, ())) for each in held(holder)):
        if policy.kind != "identity":
            continue
        if isinstance(policy.found, Unknown):
            doubt = policy.found
            continue
        statements.extend(policy.found)
        unknown = (undecidable(action) for statement in policy.found for action in statement.actions)
        doubt = next(filter(None, unknown), doubt)
    managed: set[str] = set()
    for arn in (*arns.get(role, ()), *(listed if isinstance(listed, list) else [listed])):
        name = str(shown(arn)).rpartition("/")[2]
        if name in _MANAGED:
            managed.update(_MANAGED[name])
        else:
            doubt = arn if isinstance(arn, Unknown) else Unknown(f"the permissions of {name} are not in these stacks")
    return statements, frozenset(managed), doubt


_Attached = tuple[dict["Block", list["Block"]], dict["Block", list[Any]], Unknown | None]


@lru_cache(maxsize=2)
def _attached(estate: Estate) -> _Attached:
    """Return the policies of each role, the ARNs of other policies, and why the role of a policy is unknown."""
    holders: dict[Block, list[Block]] = defaultdict(list)
    arns: dict[Block, list[Any]] = defaultdict(list)
    doubt = Unknown("a module may attach policies") if estate.by_type.get("module") else None
    for type_, at in _ATTACHING.items():
        for block in estate.of(type_):
            roles = block.targets("roles" if type_ == "aws_iam_policy_attachment" else "role", ROLE)
            value = block.get("role")
            if not roles:
                doubt = (
                    value if isinstance(value, Unknown) else Unknown(f"the role of {block.address} is a literal name")
                )
            policy = block.target(at, "aws_iam_policy") if at else block
            read = block.target(at, "data.aws_iam_policy") if at else None
            for role in roles:
                if policy is not None:
                    holders[role].append(policy)
                else:
                    arns[role].append((read.get("name") or read.get("arn")) if read else block.get(at))
    return holders, arns, doubt
