"""Statements of identity-based policies."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.permissions import DECRYPTING, ESCALATING, RESOURCE_OF, SCOPED
from constructs_lib.rules.queries.common import policy_text
from constructs_lib.rules.queries.permissions import (
    GUIDE,
    IDENTITY,
    OTHER_RESOURCES,
    allowing,
    is_everything,
    listed,
    matches,
    on_everything,
    unknown_among,
)
from constructs_lib.rules.rule import ADVICE, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.estate.policies import Statement
    from constructs_lib.rules.outcomes import Outcome

_PRACTICES: Final = f"{GUIDE}/best-practices.html"
_PASS: Final = "iam:PassRole"  # noqa: S105  an action


def _allow(action: object, resource: object = "*", **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


_READS: Final = ["logs:DescribeLogGroups", "logs:DescribeLogStreams", "xray:PutTraceSegments"]
_DESCRIBE: Final = _allow(_READS)
_WRITE: Final = _allow(
    ["logs:CreateLogStream", "logs:PutLogEvents"],
    ["${aws_cloudwatch_log_group.flow.arn}", "${aws_cloudwatch_log_group.flow.arn}:*"],
)
_PASSING: Final = _allow(
    _PASS,
    "arn:aws:iam::111122223333:role/shop-prod-task",
    Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
)
_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_cloudwatch_log_group": {"flow": {"name": "/shop/prod/flow"}},
        "aws_iam_role": {"flow": {"name": "shop-prod-flow"}},
        "aws_iam_role_policy": {
            "flow": {"role": "${aws_iam_role.flow.id}", "policy": policy_text(_DESCRIBE, _WRITE, _PASSING)}
        },
    }
}
_POLICY: Final = "resource.aws_iam_role_policy.flow.policy"


def _other(type_: str, *found: dict[str, object]) -> dict[str, Any]:
    return {f"resource.{type_}": {"other": {"policy": policy_text(*found)}}}


def _in_role(*found: dict[str, object]) -> dict[str, Any]:
    return {"resource.aws_iam_role.flow.inline_policy": [{"name": "p", "policy": policy_text(*found)}]}


def _by_document(**statement: object) -> dict[str, Any]:
    return {
        "data": {"aws_iam_policy_document": {"flow": {"statement": [statement]}}},
        _POLICY: "${data.aws_iam_policy_document.flow.json}",
    }


@rule(
    "IAM-001",
    "IAM policy does not allow all actions",
    why="Anyone who obtains credentials of the identity controls the account.",
    fix="List the actions that are needed; `aws iam generate-service-last-accessed-details` shows the used ones.",
    page=_PRACTICES,
    types=[*IDENTITY, *OTHER_RESOURCES],
    lessons=["PLAT-9"],
    frameworks=Frameworks(
        fsbp=("IAM.1",), cis=("1.16",), pci=("7.2.1",), checkov=("CKV_AWS_1", "CKV_AWS_49", "CKV_AWS_62", "CKV_AWS_63")
    ),
    good=_GOOD,
    breaks=[
        {_POLICY: policy_text(_allow("*"))},
        {_POLICY: policy_text(_allow(["s3:GetObject", "*:*"], "${aws_cloudwatch_log_group.flow.arn}"))},
        _by_document(actions=["*"], resources=["*"]),
        _other("aws_iam_policy", _allow("**")),
        _in_role(_allow("*")),
    ],
)
def no_statement_allows_everything(block: Block) -> Iterator[Outcome]:
    """Check identity-based and resource-based policies."""
    for one in allowing(block, "identity", "resource"):
        if not isinstance(one, tuple):
            yield one
            continue
        policy, statement = one
        unknown = unknown_among(statement.actions)
        if any(isinstance(action, str) and _is_all(action) for action in statement.actions):
            yield policy.fail(statement, "must not allow all actions; list the actions that are needed")
        elif unknown:
            yield policy.section.undecided(unknown, policy.at)


def _is_all(action: str) -> bool:
    return set(action) <= set("*:") and "*" in action


@rule(
    "IAM-002",
    "IAM policy does not allow all actions of a service",
    why="The wildcard includes actions that delete data, grant public access and change permissions, and every action "
    "that AWS adds later.",
    fix="List the actions that are needed, or a prefix such as s3:Get*.",
    page=_PRACTICES,
    types=IDENTITY,
    severity=WARNING,
    lessons=["PLAT-9"],
    frameworks=Frameworks(fsbp=("IAM.21",), pci=("7.2.1",)),
    good=_GOOD,
    breaks=[
        {_POLICY: policy_text(_allow("logs:*", "${aws_cloudwatch_log_group.flow.arn}:*"))},
        {_POLICY: policy_text(_allow(["sqs:SendMessage", "s3:*"], "arn:aws:s3:::shop-prod-data/*"))},
        _by_document(actions=["dynamodb:*"], resources=["arn:aws:dynamodb:eu-west-1:111122223333:table/shop"]),
    ],
)
def no_statement_allows_a_service(block: Block) -> Iterator[Outcome]:
    """Check Allow statements only; Deny of a whole service is fine."""
    for one in allowing(block, "identity"):
        if not isinstance(one, tuple):
            yield one
            continue
        policy, statement = one
        whole = [
            action
            for action in statement.actions
            if isinstance(action, str) and action.endswith(":*") and not _is_all(action)
        ]
        if whole:
            yield policy.fail(statement, f"must not allow {listed(whole)}; list the actions that are needed")


@rule(
    "IAM-003",
    "IAM policy does not allow resource-level actions on all resources",
    why="The identity can read, change and delete every resource of the service in the account.",
    fix="Set Resource to ARNs; use * only for actions without resource-level permissions, such as most Describe "
    "actions.",
    page="https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html",
    types=IDENTITY,
    lessons=["PLAT-9"],
    frameworks=Frameworks(pci=("7.2.1",), checkov=("CKV_AWS_288", "CKV_AWS_290", "CKV_AWS_355")),
    good=_GOOD,
    breaks=[
        {_POLICY: policy_text(_allow([*_READS, "logs:CreateLogGroup", "logs:PutLogEvents"]))},
        {_POLICY: policy_text(_DESCRIBE, _allow("s3:Get*", ["*"], Sid="Read"))},
        {_POLICY: policy_text(_allow("dynamodb:PutItem", "arn:aws:dynamodb:*:*:*"))},
        _by_document(actions=["sqs:SendMessage"], resources=["*"]),
        _other("aws_iam_policy", _allow("lambda:InvokeFunction")),
        _other("aws_iam_user_policy", _allow("s3:PutObject", "arn:aws:s3:::*")),
        _in_role(_allow("secretsmanager:GetSecretValue")),
    ],
)
def actions_have_resources(block: Block) -> Iterator[Outcome]:
    """IAM-004, IAM-007 and IAM-008 check PassRole, privilege escalation and decryption."""
    for one in allowing(block, "identity"):
        if not isinstance(one, tuple):
            yield one
            continue
        policy, statement = one
        wide = [action for action in statement.actions if isinstance(action, str) and _can_be_narrowed(action.lower())]
        if not wide:
            continue
        unknown = unknown_among(statement.resources)
        if on_everything(statement):
            yield policy.fail(
                statement,
                f"must not allow {listed(wide)} on all resources; set Resource to ARNs"
                f"{_example(policy.section.block, wide)}",
            )
        elif unknown:
            yield policy.section.undecided(unknown, policy.at)


@cache
def _can_be_narrowed(action: str) -> bool:
    """Return whether a pattern matches an action with resource-level permissions, other than List and Describe."""
    service, _, verb = action.partition(":")
    if _is_all(action) or (verb.startswith(("describe", "list")) and verb != "listbucket"):
        return False
    return any(matches(action, f"{service}:{name}") for name in SCOPED.get(service, ()))


def _example(block: Block, actions: list[str]) -> str:
    """Return the ARN of the stack's only resource of the service as an example for the message."""
    service = actions[0].partition(":")[0].lower()
    type_, attribute = RESOURCE_OF.get(service, ("", ""))
    found = [one for one in block.estate.by_type.get(type_, ()) if one.stack is block.stack]
    if len(found) != 1:
        return ""
    below = ":*" if service == "logs" else "/*" if service == "s3" else ""
    return f", such as ${{{found[0].address}.{attribute}}}{below}"


@rule(
    "IAM-004",
    "IAM policy allows iam:PassRole for specific roles only",
    why="With iam:PassRole on all roles, the identity can pass the most privileged role to a service and use it.",
    fix="Set Resource to the ARNs of the roles.",
    page=f"{GUIDE}/id_roles_use_passrole.html",
    types=IDENTITY,
    lessons=["PLAT-9"],
    frameworks=Frameworks(checkov=("CKV_AWS_286",)),
    good=_GOOD,
    breaks=[
        {_POLICY: policy_text({**_PASSING, "Resource": "*"})},
        {_POLICY: policy_text({**_PASSING, "Resource": "arn:aws:iam::111122223333:role/*"})},
        {_POLICY: policy_text({**_PASSING, "Action": "iam:Pass*", "Resource": ["arn:aws:iam::*:role/*"]})},
        _by_document(actions=["iam:PassRole"], resources=["*"]),
    ],
)
def specific_roles_are_passed(block: Block) -> Iterator[Outcome]:
    """Accept a prefix, such as role/shop-*."""
    for one in allowing(block, "identity"):
        if not isinstance(one, tuple):
            yield one
            continue
        policy, statement = one
        if not _passes(statement):
            continue
        wide = [each for each in statement.resources if is_everything(each) or _is_any_role(each)]
        unknown = unknown_among(statement.resources)
        if wide:
            yield policy.fail(statement, f"must not allow {_PASS} on {listed(wide)}; set Resource to ARNs of roles")
        elif unknown:
            yield policy.section.undecided(unknown, policy.at)


def _passes(statement: Statement) -> bool:
    """Return whether a statement allows iam:PassRole, but not all actions, which IAM-001 reports."""
    return any(
        isinstance(action, str) and not _is_all(action) and matches(action, _PASS) for action in statement.actions
    )


def _is_any_role(resource: str | Unknown) -> bool:
    text = resource.text if isinstance(resource, Unknown) else resource
    return text.endswith(":role/*")


@rule(
    "IAM-005",
    "IAM policy restricts iam:PassRole to a service",
    why="Without a condition the role can be passed to every service in its trust policy, for example to an EC2 "
    "instance that the user can log in to.",
    fix="Add a condition on iam:PassedToService.",
    page=f"{GUIDE}/id_roles_use_passrole.html",
    types=IDENTITY,
    severity=ADVICE,
    good=_GOOD,
    breaks=[
        {_POLICY: policy_text({**_PASSING, "Condition": {}})},
        _by_document(actions=["iam:PassRole"], resources=["arn:aws:iam::111122223333:role/shop"]),
    ],
)
def roles_are_passed_to_a_service(block: Block) -> Iterator[Outcome]:
    """Accept a condition on iam:AssociatedResourceArn too."""
    for one in allowing(block, "identity"):
        if not isinstance(one, tuple):
            yield one
            continue
        policy, statement = one
        limited = statement.condition("iam:PassedToService") or statement.condition("iam:AssociatedResourceArn")
        if _passes(statement) and not limited:
            yield policy.fail(
                statement, f"must not allow {_PASS} to every service; add a condition on iam:PassedToService"
            )


@rule(
    "IAM-006",
    "IAM policy does not combine Allow with NotAction, NotResource or NotPrincipal",
    why="NotAction and NotResource also allow all actions and resources that are added later; NotPrincipal also allows "
    "anonymous users.",
    fix="Use Action, Resource and Principal with Allow; use NotAction, NotResource and NotPrincipal with Deny only.",
    page=f"{GUIDE}/reference_policies_elements_notaction.html",
    types=[*IDENTITY, *OTHER_RESOURCES],
    lessons=["PLAT-9"],
    good=_GOOD,
    breaks=[
        {_POLICY: policy_text({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})},
        {_POLICY: policy_text({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::payroll/*"})},
        _by_document(not_actions=["iam:*"], resources=["*"]),
        {
            "resource.aws_secretsmanager_secret_policy": {
                "open": {"policy": policy_text(_allow("secretsmanager:GetSecretValue", NotPrincipal={"AWS": "1"}))}
            }
        },
    ],
)
def allow_has_no_exceptions(block: Block) -> Iterator[Outcome]:
    """Check Allow statements only."""
    for one in allowing(block, "identity", "resource", "trust"):
        if not isinstance(one, tuple):
            yield one
            continue
        policy, statement = one
        given = {
            "NotAction": statement.not_actions,
            "NotResource": statement.not_resources,
            "NotPrincipal": statement.not_principals,
        }
        used = [name for name, values in given.items() if values]
        if used:
            instead = " and ".join(name.removeprefix("Not") for name in used)
            yield policy.fail(statement, f"must not combine Allow with {' and '.join(used)}; use {instead}")


@rule(
    "IAM-007",
    "IAM policy does not allow privilege escalation",
    why="An identity that can change any policy, role, key or function code can grant itself all permissions.",
    fix="Set Resource to ARNs, or allow the action for the deployment pipeline only.",
    page=f"{GUIDE}/access_policies_boundaries.html",
    types=IDENTITY,
    lessons=["PLAT-9"],
    frameworks=Frameworks(pci=("7.2.1",), checkov=("CKV_AWS_286", "CKV_AWS_289")),
    good=_GOOD,
    breaks=[
        {_POLICY: policy_text(_allow("iam:CreatePolicyVersion"))},
        {_POLICY: policy_text(_allow(["iam:Attach*", "iam:List*"]))},
        {_POLICY: policy_text(_allow("lambda:UpdateFunctionCode", "arn:aws:lambda:*:*:*"))},
        _by_document(actions=["iam:UpdateAssumeRolePolicy"], resources=["*"]),
    ],
)
def no_privilege_escalation(block: Block) -> Iterator[Outcome]:
    """IAM-001 checks statements with all actions."""
    yield from _on_specific_resources(
        block, ESCALATING, "must not allow privilege escalation with {} on all resources; set Resource to ARNs"
    )


@rule(
    "IAM-008",
    "IAM policy allows decryption with specific KMS keys only",
    why="An identity that can decrypt with all keys can read all encrypted data in the account.",
    fix="Set Resource to the ARNs of the keys, or add a condition on kms:ViaService or kms:ResourceAliases.",
    page="https://docs.aws.amazon.com/kms/latest/developerguide/iam-policies-best-practices.html",
    types=IDENTITY,
    lessons=["PLAT-9"],
    frameworks=Frameworks(fsbp=("KMS.1", "KMS.2")),
    good=_GOOD,
    breaks=[
        {_POLICY: policy_text(_allow(["kms:Decrypt", "kms:GenerateDataKey"]))},
        {_POLICY: policy_text(_allow("kms:*"))},
        {_POLICY: policy_text(_allow("kms:ReEncrypt*", "arn:aws:kms:eu-west-1:111122223333:key/*"))},
        _by_document(actions=["kms:Decrypt"], resources=["*"]),
    ],
)
def decryption_has_keys(block: Block) -> Iterator[Outcome]:
    """Accept a condition for key/* ARNs."""
    yield from _on_specific_resources(
        block, DECRYPTING, "must not allow {} with all keys; set Resource to ARNs of keys"
    )


def _on_specific_resources(block: Block, actions: tuple[str, ...], text: str) -> Iterator[Outcome]:
    for one in allowing(block, "identity"):
        if not isinstance(one, tuple):
            yield one
            continue
        policy, statement = one
        wide = [action for action in statement.actions if isinstance(action, str) and _takes_in(action, actions)]
        keys = actions is DECRYPTING and any(str(each).endswith(":key/*") for each in statement.resources)
        unknown = unknown_among(statement.resources)
        if wide and (on_everything(statement) or (keys and not statement.conditions)):
            yield policy.fail(statement, text.format(listed(wide)))
        elif wide and unknown:
            yield policy.section.undecided(unknown, policy.at)


@cache
def _takes_in(pattern: str, actions: tuple[str, ...]) -> bool:
    return not _is_all(pattern) and any(matches(pattern, action) for action in actions)
