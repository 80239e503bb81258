"""IAM users, roles and the policies attached to them."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.permissions import ADMINISTRATING, MAX_ATTACHED
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.documents import is_plan
from constructs_lib.rules.queries.links import undecidable
from constructs_lib.rules.queries.permissions import GUIDE, ROLE, shown
from constructs_lib.rules.rule import WARNING, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate
    from constructs_lib.rules.outcomes import Outcome

_ATTACHED_AT: Final = {
    "aws_iam_role_policy_attachment": "policy_arn",
    "aws_iam_user_policy_attachment": "policy_arn",
    "aws_iam_group_policy_attachment": "policy_arn",
    "aws_iam_policy_attachment": "policy_arn",
    "aws_iam_role_policy_attachments_exclusive": "policy_arns",
    "aws_ssoadmin_managed_policy_attachment": "managed_policy_arn",
    ROLE: "managed_policy_arns",
}
_USERS: Final = {
    "aws_iam_user": "must be removed; use IAM Identity Center for people and IAM roles for workloads",
    "aws_iam_access_key": "must be removed: it never expires, and its secret is in the state; use an IAM role",
    "aws_iam_user_login_profile": "must be removed; use IAM Identity Center for people",
}
_TO_USERS: Final = ("aws_iam_user_policy", "aws_iam_user_policy_attachment", "aws_iam_policy_attachment")
_INLINE: Final = ("inline_policy", "managed_policy_arns")
_PRACTICES: Final = f"{GUIDE}/best-practices.html"
_QUIET: Final = Severity("info", "info", "info")

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        ROLE: {"worker": {"name": "shop-prod-worker"}},
        "aws_iam_group": {"readers": {"name": "readers"}},
        "aws_iam_policy": {
            "data": {"name": "shop-prod-data", "policy": json.dumps({"Version": "2012-10-17", "Statement": []})}
        },
        "aws_iam_role_policy_attachment": {
            "data": {"role": "${aws_iam_role.worker.name}", "policy_arn": "${aws_iam_policy.data.arn}"},
            "tracing": {
                "role": "${aws_iam_role.worker.name}",
                "policy_arn": "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess",
            },
        },
        "aws_iam_policy_attachment": {
            "data": {"name": "x", "groups": ["readers"], "policy_arn": "${aws_iam_policy.data.arn}"}
        },
    }
}
_TRACING: Final = "resource.aws_iam_role_policy_attachment.tracing.policy_arn"


@rule(
    "IAM-018",
    "IAM identity has no administrator policy",
    why="Anyone who obtains credentials of the identity controls the account.",
    fix="Attach a policy with the actions that are needed; for a deployment pipeline, add a waiver and a permissions "
    "boundary.",
    page=_PRACTICES,
    types=list(_ATTACHED_AT),
    lessons=["PLAT-9"],
    frameworks=Frameworks(fsbp=("IAM.1",), cis=("1.16",), pci=("7.2.1",), checkov=("CKV_AWS_274", "CKV2_AWS_56")),
    good=_GOOD,
    breaks=[
        {_TRACING: "arn:aws:iam::aws:policy/AdministratorAccess"},
        {_TRACING: "arn:aws-cn:iam::aws:policy/PowerUserAccess"},
        {
            _TRACING: "${data.aws_iam_policy.admin.arn}",
            "data": {"aws_iam_policy": {"admin": {"name": "AdministratorAccess"}}},
        },
        {f"resource.{ROLE}.worker.managed_policy_arns": ["arn:aws:iam::aws:policy/IAMFullAccess"]},
    ],
)
def no_administrators(block: Block) -> Iterator[Outcome]:
    """Check AWS managed policies with full access or a path of privilege escalation."""
    at = _ATTACHED_AT[block.type]
    values = block.items(at)
    given = values if isinstance(values, list) else [values]
    names = [shown(each).rpartition("/")[2] for each in given if isinstance(each, str | Unknown)]
    read = block.targets(at, "data.aws_iam_policy")
    names += [str(policy.get("name") or policy.get("arn")).rpartition("/")[2] for policy in read]
    unknown = next(filter(None, map(undecidable, given)), None)
    found = [name for name in names if name in ADMINISTRATING]
    for name in found:
        yield block.fail(
            f"must not be {name}, which allows full access or privilege escalation; allow the actions that are needed",
            at,
        )
    if unknown and not found:
        yield block.undecided(unknown, at)


@rule(
    "IAM-019",
    "Configuration defines no IAM users, login profiles or access keys",
    why="Passwords and access keys do not expire: a leaked one is valid until somebody deletes it.",
    fix="Use IAM Identity Center for people, OIDC federation for pipelines, and the role of the instance, task or "
    "function for workloads.",
    page=_PRACTICES,
    types=[*_USERS, ROLE],
    severity=WARNING,
    frameworks=Frameworks(pci=("8.6.1",), checkov=("CKV_AWS_273",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_iam_access_key": {"ci": {"user": "ci"}}},
        {"resource.aws_iam_user": {"ci": {"name": "ci"}}},
        {"resource.aws_iam_user_login_profile": {"anna": {"user": "anna"}}},
    ],
)
def no_users_are_defined(block: Block) -> Iterator[Outcome]:
    """Report users, login profiles and access keys; roles pass."""
    if block.type in _USERS:
        yield block.fail(_USERS[block.type])


@rule(
    "IAM-020",
    "IAM user has no directly attached policies",
    why="Permissions of single users are hard to review, and remain when the user's job changes.",
    fix="Attach the policy to a group or a role.",
    page=_PRACTICES,
    types=_TO_USERS,
    severity=WARNING,
    frameworks=Frameworks(fsbp=("IAM.2",), cis=("1.15",), checkov=("CKV_AWS_40",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_iam_user_policy": {"anna": {"user": "anna", "policy": "{}"}}},
        {
            "resource.aws_iam_user_policy_attachment": {
                "anna": {"user": "anna", "policy_arn": "arn:aws:iam::aws:policy/X"}
            }
        },
        {"resource.aws_iam_policy_attachment.data.users": ["anna"]},
    ],
    unknown_passes="an unknown list of users may be empty",
)
def users_have_no_policies(block: Block) -> Iterator[Outcome]:
    """Check users of aws_iam_policy_attachment too, which also has groups and roles."""
    if block.type != "aws_iam_policy_attachment":
        yield block.fail("must be attached to a group or a role, not to a user")
    elif block.items("users"):
        yield block.fail("must be empty; attach the policy to a group or a role", "users")


@rule(
    "IAM-021",
    f"IAM role has at most {MAX_ATTACHED} managed policies",
    why="AWS rejects further attachments at apply, unless the quota of the account is higher; validate and plan do not "
    "report it.",
    fix="Merge managed policies, or request a quota increase and add a waiver.",
    page=f"{GUIDE}/reference_iam-quotas.html",
    types=[ROLE],
    good=_GOOD,
    breaks=[
        {
            "resource.aws_iam_role_policy_attachment": {
                f"p{number}": {
                    "role": "${aws_iam_role.worker.name}",
                    "policy_arn": f"arn:aws:iam::aws:policy/P{number}",
                }
                for number in range(11)
            }
        },
        {f"resource.{ROLE}.worker.managed_policy_arns": [f"arn:aws:iam::aws:policy/P{n}" for n in range(9)]},
    ],
    unknown_passes="unknown attachments are not counted",
)
def roles_have_few_policies(role: Block) -> Iterator[Outcome]:
    """Count the attachments of the role and its managed_policy_arns."""
    listed = role.items("managed_policy_arns")
    own = [shown(each) for each in listed] if isinstance(listed, list) else []
    arns = {
        *own,
        *(
            shown(arn) or block.address
            for block in role.referrers_at("role", "aws_iam_role_policy_attachment")
            if isinstance(arn := block.get("policy_arn"), str | Unknown)
        ),
    }
    if len(arns) > MAX_ATTACHED:
        yield role.fail(
            f"must have at most {MAX_ATTACHED} managed policies, unless the quota is increased; it has {len(arns)}"
        )


@rule(
    "IAM-022",
    "IAM policy is attached to an identity",
    why="Unused policies are not reviewed, and can be attached by mistake.",
    fix="Attach the policy, define an output with its ARN, or remove it.",
    page=f"{GUIDE}/access_policies_managed-vs-inline.html",
    types=["aws_iam_policy"],
    severity=_QUIET,
    good=_GOOD,
    breaks=[
        {"resource.aws_iam_policy.idle": {"name": "shop-prod-idle", "policy": "{}"}},
    ],
    unknown_passes="its values do not decide whether it is attached",
)
def policies_are_attached(policy: Block) -> Iterator[Outcome]:
    """Find references to the policy, and ARNs that end in its name."""
    name = policy.get("name")
    used = policy.referrers() or policy in _in_outputs(policy.estate)
    used = used or (isinstance(name, str) and name in _names_in_arns(policy.estate))
    if not used and policy.estate.by_type.get("module"):
        yield NotApplicable("a module may attach it")
    elif not used:
        yield policy.fail("must be attached to an identity or be in an output; attach it or remove it")


@lru_cache(maxsize=2)
def _in_outputs(estate: Estate) -> frozenset[Block]:
    """Return the blocks that outputs refer to, also through local values."""
    return frozenset(
        block for output in estate.of("output") for block, _ in output.stack.follow(output.body.get("value"), output)
    )


@lru_cache(maxsize=2)
def _names_in_arns(estate: Estate) -> frozenset[str]:
    """Return the names of policies in the ARNs of attachments and outputs."""
    found: set[str] = set()
    for type_, at in (*_ATTACHED_AT.items(), ("output", "value")):
        for block in estate.of(type_):
            values = block.items(at)
            given = values if isinstance(values, list) else [values]
            found.update(shown(each).rpartition("/")[2] for each in given if isinstance(each, str | Unknown))
    return frozenset(found)


@rule(
    "IAM-023",
    "IAM role does not use the deprecated inline_policy and managed_policy_arns",
    why="Both arguments manage the policies exclusively: apply removes those that other resources and stacks attach.",
    fix="Use aws_iam_role_policy and aws_iam_role_policy_attachment.",
    page="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role",
    types=[ROLE],
    severity=_QUIET,
    good=_GOOD,
    breaks=[
        {f"resource.{ROLE}.worker.inline_policy": [{"name": "p", "policy": "{}"}]},
        {f"resource.{ROLE}.worker.managed_policy_arns": ["arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"]},
    ],
    unknown_passes="the argument is deprecated, whatever its value",
)
def no_deprecated_policy_arguments(role: Block) -> Iterator[Outcome]:
    """Skip plans: both arguments are computed, so a plan always has them."""
    if is_plan(role.stack):
        yield NotApplicable("a plan does not show whether the configuration sets the arguments")
        return
    for at in _INLINE:
        if role.raw(at) not in (None, [], [{}], {}):
            other = "aws_iam_role_policy" if at == "inline_policy" else "aws_iam_role_policy_attachment"
            yield role.fail(f"must not be set: the argument is deprecated; use {other}", at)
