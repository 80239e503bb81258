"""Principals of trust policies and resource-based policies."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.policies import statements
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.permissions import ACTING_FOR_OTHERS
from constructs_lib.rules.queries.admission import has_source, is_for_everyone
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.links import ROLE, called, meant
from constructs_lib.rules.queries.permissions import GUIDE, OTHER_RESOURCES, allowing, listed, shown
from constructs_lib.rules.rule import ADVICE, REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.estate.policies import Statement
    from constructs_lib.rules.outcomes import Outcome

_WEB: Final = "sts:AssumeRoleWithWebIdentity"
_GITHUB: Final = "token.actions.githubusercontent.com"
_COGNITO: Final = "cognito-identity.amazonaws.com"
_BY_AUDIENCE: Final = (_COGNITO, "accounts.google.com", "graph.facebook.com", "www.amazon.com")
_ROOT: Final = re.compile(r"(?:arn:[^:]*:iam::)?([0-9]{12})(?::root)?")
_KNOWN_BY: Final = (
    "sts:ExternalId",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalArn",
    "aws:MultiFactorAuthPresent",
    "aws:MultiFactorAuthAge",
    "sts:SourceIdentity",
    "aws:SourceIdentity",
)


def _trust(principal: object, action: str = "sts:AssumeRole", **conditions: object) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return json.dumps(
        {"Version": "2012-10-17", "Statement": statement | ({"Condition": conditions} if conditions else {})}
    )


def _service(name: str, **conditions: object) -> str:
    return _trust({"Service": name}, "sts:AssumeRole", **conditions)


_ACCOUNT: Final = {"aws:SourceAccount": "111122223333"}
_OIDC: Final = f"arn:aws:iam::111122223333:oidc-provider/{_GITHUB}"
_REPOSITORY: Final = {
    f"{_GITHUB}:sub": "repo:shop/web:ref:refs/heads/main",
    f"{_GITHUB}:aud": "sts.amazonaws.com",
}
_GOOD: Final[dict[str, Any]] = {
    "provider": {"aws": {"region": "eu-west-1", "allowed_account_ids": ["111122223333"]}},
    "resource": {
        ROLE: {
            "flow": {
                "name": "shop-prod-flow",
                "assume_role_policy": _service("vpc-flow-logs.amazonaws.com", StringEquals=_ACCOUNT),
            },
            "worker": {"name": "shop-prod-worker", "assume_role_policy": _service("lambda.amazonaws.com")},
            "auditor": {
                "name": "shop-prod-auditor",
                "assume_role_policy": _trust(
                    {"AWS": "arn:aws:iam::444455556666:root"}, StringEquals={"sts:ExternalId": "7b1c"}
                ),
            },
            "deploy": {
                "name": "shop-prod-deploy",
                "assume_role_policy": _trust({"Federated": _OIDC}, _WEB, StringEquals=_REPOSITORY),
            },
        },
        "aws_flow_log": {"all": {"iam_role_arn": "${aws_iam_role.flow.arn}", "vpc_id": "vpc-1"}},
        "aws_secretsmanager_secret_policy": {
            "db": {
                "secret_arn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db",
                "policy": json.dumps(
                    {
                        "Statement": {
                            "Effect": "Allow",
                            "Principal": {"AWS": "arn:aws:iam::111122223333:role/app"},
                            "Action": "secretsmanager:GetSecretValue",
                            "Resource": "*",
                        }
                    }
                ),
            }
        },
    },
}
_WORKER: Final = f"resource.{ROLE}.worker.assume_role_policy"
_AUDITOR: Final = f"resource.{ROLE}.auditor.assume_role_policy"
_DEPLOY: Final = f"resource.{ROLE}.deploy.assume_role_policy"
_FLOW: Final = f"resource.{ROLE}.flow.assume_role_policy"
_DB: Final = "resource.aws_secretsmanager_secret_policy.db.policy"


@rule(
    "IAM-009",
    "IAM trust policy or resource-based policy does not allow public access",
    why="The principal * is every AWS account: everyone can assume the role or use the resource.",
    fix="Set Principal to accounts, roles or services, or add a condition on aws:PrincipalOrgID.",
    page=f"{GUIDE}/reference_policies_elements_principal.html",
    types=[ROLE, *OTHER_RESOURCES],
    lessons=["PLAT-9"],
    frameworks=Frameworks(pci=("7.2.1",), checkov=("CKV_AWS_60",)),
    good=_GOOD,
    breaks=[
        {_WORKER: _trust("*")},
        {_WORKER: _trust({"AWS": ["*"]})},
        {_DEPLOY: _trust({"Federated": "*"}, _WEB)},
        {
            _DB: json.dumps(
                {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*"}]}
            )
        },
    ],
)
def no_public_principals(block: Block) -> Iterator[Outcome]:
    """The families MSG, S3 and ENC check queues, topics, event buses, buckets and keys."""
    for one in allowing(block, "trust" if block.type == ROLE else "resource"):
        if not isinstance(one, tuple):
            yield one
            continue
        policy, statement = one
        federated = any(who.kind == "Federated" and who.value == "*" for who in statement.principals)
        known = any(statement.condition(key) for key in _KNOWN_BY)
        if federated or (is_for_everyone(statement) and not known):
            yield policy.fail(
                statement, "must not allow every AWS account; set Principal, or add a condition on aws:PrincipalOrgID"
            )


@rule(
    "IAM-010",
    "IAM trust policy has a source condition for service principals",
    why="Without it another account can have the service assume the role for its resources (confused deputy).",
    fix="Add a condition on aws:SourceAccount, and on aws:SourceArn where possible.",
    page=f"{GUIDE}/confused-deputy.html",
    types=[ROLE],
    severity=ADVICE,
    lessons=["PLAT-9"],
    good=_GOOD,
    breaks=[
        {_FLOW: _service("vpc-flow-logs.amazonaws.com")},
        {_FLOW: _service("scheduler.amazonaws.com", StringLike={"aws:SourceArn": "*"})},
        {_WORKER: _trust({"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]})},
    ],
)
def services_have_a_source_condition(role: Block) -> Iterator[Outcome]:
    """Check services that send a source account or ARN only; Lambda and EC2 do not."""
    for one in allowing(role, "trust"):
        if not isinstance(one, tuple):
            yield one
            continue
        policy, statement = one
        services = [
            who.value for who in statement.principals if who.kind == "Service" and who.value in ACTING_FOR_OTHERS
        ]
        if services and not has_source(statement) and not statement.condition("sts:ExternalId"):
            yield policy.fail(
                statement,
                f"must not allow {listed(services)} on behalf of every account; add a condition on aws:SourceAccount",
            )


@rule(
    "IAM-011",
    "IAM trust policy has a condition for other accounts",
    why="Otherwise every identity of the other account can assume the role, and a service provider can be tricked into "
    "assuming it for another customer (confused deputy).",
    fix="Set Principal to a role instead of the account, or add a condition on sts:ExternalId, aws:PrincipalOrgID or "
    "aws:MultiFactorAuthPresent.",
    page=f"{GUIDE}/id_roles_common-scenarios_third-party.html",
    types=[ROLE],
    severity=WARNING,
    lessons=["PLAT-9"],
    frameworks=Frameworks(checkov=("CKV_AWS_61",)),
    good=_GOOD,
    breaks=[
        {_AUDITOR: _trust({"AWS": "arn:aws:iam::444455556666:root"})},
        {_AUDITOR: _trust({"AWS": "444455556666"})},
        {_AUDITOR: _trust({"AWS": ["111122223333", "444455556666"]}, Bool={"aws:SecureTransport": "true"})},
    ],
)
def accounts_have_a_condition(role: Block) -> Iterator[Outcome]:
    """Accept this account, from aws_caller_identity or from allowed_account_ids of a provider."""
    for one in allowing(role, "trust"):
        if not isinstance(one, tuple):
            yield one
            continue
        policy, statement = one
        own = _own_accounts(role.stack.name, role.estate)
        roots = (_ROOT.fullmatch(who.value) for who in statement.principals if isinstance(who.value, str))
        others = [found[0] for found in roots if found and found[1] not in own]
        if others and not any(statement.condition(key) for key in _KNOWN_BY):
            yield policy.fail(
                statement,
                f"must not allow all identities of {listed(others)}; set Principal to a role, or add a condition on "
                "sts:ExternalId",
            )


@lru_cache(maxsize=64)
def _own_accounts(stack: str, estate: Any) -> frozenset[str]:  # noqa: ANN401  an Estate, which is hashed by identity
    found: set[str] = set()
    for provider in estate.of("provider.aws"):
        accounts = provider.items("allowed_account_ids")
        if provider.stack.name == stack and not isinstance(accounts, Unknown):
            found.update(str(account) for account in accounts)
    return frozenset(found)


@rule(
    "IAM-012",
    "IAM trust policy restricts the subjects of an identity provider",
    why="Without a condition every user of the identity provider can assume the role, such as any GitHub repository.",
    fix="Add a condition on the sub claim, such as repo:OWNER/REPOSITORY:ref:refs/heads/main, and on the aud claim.",
    page=f"{GUIDE}/id_roles_create_for-idp_oidc.html",
    types=[ROLE],
    lessons=["PLAT-9"],
    frameworks=Frameworks(checkov=("CKV_AWS_358",)),
    good=_GOOD,
    breaks=[
        {_DEPLOY: _trust({"Federated": _OIDC}, _WEB)},
        {_DEPLOY: _trust({"Federated": _OIDC}, _WEB, StringEquals={f"{_GITHUB}:aud": "sts.amazonaws.com"})},
        {_DEPLOY: _trust({"Federated": _OIDC}, _WEB, StringLike={f"{_GITHUB}:sub": "repo:*"})},
        {_DEPLOY: _trust({"Federated": _COGNITO}, _WEB)},
    ],
)
def federation_restricts_subjects(role: Block) -> Iterator[Outcome]:
    """Require a condition on the audience for web identity providers, on the subject for others."""
    for one in allowing(role, "trust"):
        if not isinstance(one, tuple):
            yield one
            continue
        policy, statement = one
        federated = [shown(who.value) for who in statement.principals if who.kind == "Federated"]
        if not federated or not statement.allows(_WEB) or "*" in federated:
            continue
        by_audience = any(name.endswith(_BY_AUDIENCE) for name in federated)
        ends = (
            (":sub", ":aud", ":app_id", ":oaud", ":amr")
            if by_audience
            else (":sub", ":job_workflow_ref", ":repository")
        )
        given = [
            shown(value)
            for condition in statement.conditions
            if condition.key.lower().endswith(ends) or not condition.key
            for value in condition.values
        ]
        if not given or all(re.fullmatch(r"\*|repo:\*.*|repo:\*/.*", value) for value in given):
            yield policy.fail(
                statement,
                f"must not allow every user of {listed(federated)}; add a condition on its "
                f"{'aud' if by_audience else 'sub'} claim",
            )


_USERS: Final = {
    "aws_api_gateway_account": (("cloudwatch_role_arn", "apigateway"),),
    "aws_backup_selection": (("iam_role_arn", "backup"),),
    "aws_cloudtrail": (("cloud_watch_logs_role_arn", "cloudtrail"),),
    "aws_cloudwatch_event_target": (("role_arn", "events"),),
    "aws_cloudwatch_log_subscription_filter": (("role_arn", "logs"),),
    "aws_codebuild_project": (("service_role", "codebuild"),),
    "aws_db_instance": (("monitoring_role_arn", "monitoring.rds"),),
    "aws_db_proxy": (("role_arn", "rds"),),
    "aws_ecs_task_definition": (("execution_role_arn", "ecs-tasks"), ("task_role_arn", "ecs-tasks")),
    "aws_flow_log": (("iam_role_arn", "vpc-flow-logs"),),
    "aws_iam_instance_profile": (("role", "ec2"),),
    "aws_pipes_pipe": (("role_arn", "pipes"),),
    "aws_rds_cluster": (("monitoring_role_arn", "monitoring.rds"),),
    "aws_rds_cluster_instance": (("monitoring_role_arn", "monitoring.rds"),),
    "aws_s3_bucket_replication_configuration": (("role", "s3"),),
    "aws_scheduler_schedule": (("target.role_arn", "scheduler"),),
    "aws_sfn_state_machine": (("role_arn", "states"),),
}
"""The arguments of each type that refer to a role, and the service that assumes it."""


@rule(
    "IAM-013",
    "IAM role trusts the service that assumes it",
    why="AWS rejects the resource at apply, or the service fails at runtime; validate and plan do not report it.",
    fix="Allow sts:AssumeRole for the service in assume_role_policy of the role.",
    page=f"{AWS}/IAM/latest/UserGuide/id_roles_create_for-service.html",
    types=list(_USERS),
    good=_GOOD,
    breaks=[
        {_FLOW: _service("ec2.amazonaws.com")},
        {"resource.aws_flow_log.all.iam_role_arn": "${aws_iam_role.worker.arn}"},
        {
            "resource.aws_flow_log": REMOVED,
            "resource.aws_iam_instance_profile": {"web": {"role": "shop-prod-worker"}},
        },
        {
            "resource.aws_scheduler_schedule": {
                "nightly": {"target": {"role_arn": "arn:aws:iam::111122223333:role/shop-prod-worker", "arn": "x"}}
            }
        },
    ],
)
def roles_trust_their_service(user: Block) -> Iterator[Outcome]:
    """Skip roles that are not in the estate; LAM-015 checks the roles of functions."""
    for at, service in _USERS[user.type]:
        role = meant(user, at, ROLE)
        if role is None:
            value = user.get(at)
            if isinstance(value, Unknown):
                yield user.undecided(value, at)
            continue
        found = statements(role, "assume_role_policy")
        if isinstance(found, Unknown):
            yield role.undecided(found, "assume_role_policy")
        elif not any(_trusts(statement, service) for statement in found):
            yield role.fail(
                f"must allow sts:AssumeRole for {service}.amazonaws.com, because {called(user, role)} uses the role",
                "assume_role_policy",
            )


def _trusts(statement: Statement, service: str) -> bool:
    names = (shown(who.value) for who in statement.principals if who.kind in ("Service", "*", "AWS"))
    return statement.allows("sts:AssumeRole") and any(
        name == "*"
        or not name
        or name.startswith("${")
        or re.match(rf"{re.escape(service)}\.(?:.*\.)?(?:amazonaws|\$)", name)
        for name in names
    )
