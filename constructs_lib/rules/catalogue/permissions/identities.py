"""Users, roles, and what is attached to them."""

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
    "aws_iam_user": "must go: give people a role through IAM Identity Center, and programs a role of their own",
    "aws_iam_access_key": "must go: it is good for ever, and its secret is in the state; give the program a role",
    "aws_iam_user_login_profile": "must go: give people a role through IAM Identity Center",
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
    "No identity has the rights of an administrator",
    why="Whoever gets hold of the identity owns the account.",
    fix="Write a policy with the actions that are needed; a pipeline that deploys everything is worth a waiver, and a "
    "permissions boundary.",
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
    """Look at the policies of AWS that give all rights, or the way to them."""
    at = _ATTACHED_AT[block.type]
    values = block.items(at)
    given = values if isinstance(values, list) else [values]
    names = [shown(each).rpartition("/")[2] for each in given if isinstance(each, str | Unknown)]
    read = block.targets(at, "data.aws_iam_policy")
    names += [str(policy.get("name") or policy.get("arn")).rpartition("/")[2] for policy in read]
    unknown = next(filter(None, map(undecidable, given)), None)
    found = [name for name in names if name in ADMINISTRATING]
    for name in found:
        yield block.fail(f"{name} gives all rights, or the way to them; name the actions that are needed", at)
    if unknown and not found:
        yield block.undecided(unknown, at)


@rule(
    "IAM-019",
    "There are no users with passwords or access keys",
    why="Access keys and passwords are good until somebody takes them away; they leak, and nobody sees who uses them.",
    fix="Give people roles through IAM Identity Center, pipelines a role by OIDC, and programs the role of what they "
    "run on.",
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
def there_are_no_users(block: Block) -> Iterator[Outcome]:
    """Roles are what users are replaced by."""
    if block.type in _USERS:
        yield block.fail(_USERS[block.type])


@rule(
    "IAM-020",
    "Users get their rights from groups",
    why="Rights that hang on single users are seen by nobody, and stay when the user's work has changed.",
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
    unknown_passes="a list of users that is not known may be empty",
)
def users_have_groups(block: Block) -> Iterator[Outcome]:
    """A shared attachment may name users beside groups and roles."""
    if block.type != "aws_iam_policy_attachment":
        yield block.fail("must go to a group or a role, not to a user")
    elif block.items("users"):
        yield block.fail("must be left out; attach the policy to a group or a role", "users")


@rule(
    "IAM-021",
    f"A role has at most {MAX_ATTACHED} managed policies",
    why="AWS refuses the eleventh, unless the account's quota is raised; neither validate nor plan says so.",
    fix="Join policies that always go together.",
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
    unknown_passes="attachments that are not known do not count",
)
def roles_have_few_policies(role: Block) -> Iterator[Outcome]:
    """Count attachments, and what the role lists itself."""
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
        yield role.fail(f"has {len(arns)} managed policies; IAM takes {MAX_ATTACHED}, unless the quota is raised")


@rule(
    "IAM-022",
    "Every policy is used",
    why="A policy that nothing attaches is forgotten, and attached by the next reader who takes it for right.",
    fix="Attach it, put its ARN out, or remove it.",
    page=f"{GUIDE}/access_policies_managed-vs-inline.html",
    types=["aws_iam_policy"],
    severity=_QUIET,
    good=_GOOD,
    breaks=[
        {"resource.aws_iam_policy.idle": {"name": "shop-prod-idle", "policy": "{}"}},
    ],
    unknown_passes="whether a policy is used does not hang on its values",
)
def policies_are_used(policy: Block) -> Iterator[Outcome]:
    """Look for any reference, and for ARNs that end in its name."""
    name = policy.get("name")
    used = policy.referrers() or policy in _put_out(policy.estate)
    used = used or (isinstance(name, str) and name in _names_in_arns(policy.estate))
    if not used and policy.estate.by_type.get("module"):
        yield NotApplicable("a module of the estate may attach it")
    elif not used:
        yield policy.fail("is attached to nothing and put out nowhere; attach or remove it")


@lru_cache(maxsize=2)
def _put_out(estate: Estate) -> frozenset[Block]:
    """Return what outputs refer to, through local values as well."""
    return frozenset(
        block for output in estate.of("output") for block, _ in output.stack.follow(output.body.get("value"), output)
    )


@lru_cache(maxsize=2)
def _names_in_arns(estate: Estate) -> frozenset[str]:
    """Return the names of policies that ARNs in attachments end in."""
    found: set[str] = set()
    for type_, at in (*_ATTACHED_AT.items(), ("output", "value")):
        for block in estate.of(type_):
            values = block.items(at)
            given = values if isinstance(values, list) else [values]
            found.update(shown(each).rpartition("/")[2] for each in given if isinstance(each, str | Unknown))
    return frozenset(found)


@rule(
    "IAM-023",
    "A role's policies are resources of their own",
    why="The provider no longer recommends inline_policy and managed_policy_arns: they take away what other stacks "
    "attach, and change the whole role for one statement.",
    fix="Use aws_iam_role_policy and aws_iam_role_policy_attachment.",
    page="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role",
    types=[ROLE],
    severity=_QUIET,
    good=_GOOD,
    breaks=[
        {f"resource.{ROLE}.worker.inline_policy": [{"name": "p", "policy": "{}"}]},
        {f"resource.{ROLE}.worker.managed_policy_arns": ["arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"]},
    ],
    unknown_passes="the argument is out of date whatever its value is",
)
def policies_stand_alone(role: Block) -> Iterator[Outcome]:
    """A plan shows what AWS holds, not what is written: there they are always set."""
    if is_plan(role.stack):
        yield NotApplicable("a plan does not tell what is written")
        return
    for at in _INLINE:
        if role.raw(at) not in (None, [], [{}], {}):
            other = "aws_iam_role_policy" if at == "inline_policy" else "aws_iam_role_policy_attachment"
            yield role.fail(f"is out of date; use {other}", at)
