"""Permissions: execution roles, function URLs and resource-based policies of Lambda functions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.policies import statements
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, expect
from constructs_lib.rules.queries.links import FUNCTION, ROLE, function_of, is_given, meant, pointing, undecidable
from constructs_lib.rules.rule import REMOVED, WARNING, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_DG: Final = f"{AWS}/lambda/latest/dg"
_SERVICE: Final = "lambda.amazonaws.com"
_OUTSIDE_DEV: Final = Severity("info", "error", "error")


def _trust(service: str) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_lambda_function": {"worker": {"function_name": "shop-prod-worker", "role": "${aws_iam_role.worker.arn}"}},
        "aws_iam_role": {"worker": {"name": "shop-prod-worker", "assume_role_policy": _trust(_SERVICE)}},
        "aws_lambda_function_url": {
            "worker": {
                "function_name": "${aws_lambda_function.worker.function_name}",
                "authorization_type": "AWS_IAM",
                "cors": {"allow_origins": ["https://shop.example.com"]},
            }
        },
        "aws_sns_topic": {"orders": {"name": "shop-prod-orders"}},
        "aws_lambda_permission": {
            "orders": {
                "action": "lambda:InvokeFunction",
                "function_name": "${aws_lambda_function.worker.function_name}",
                "principal": "sns.amazonaws.com",
                "source_arn": "${aws_sns_topic.orders.arn}",
            },
            "url": {
                "action": "lambda:InvokeFunctionUrl",
                "function_name": "${aws_lambda_function.worker.function_name}",
                "principal": "111122223333",
                "function_url_auth_type": "AWS_IAM",
            },
            "call": {
                "action": "lambda:InvokeFunction",
                "function_name": "${aws_lambda_function.worker.function_name}",
                "principal": "111122223333",
            },
        },
    }
}


@rule(
    "LAM-015",
    "Lambda execution role trusts the Lambda service",
    why="Lambda cannot assume the role and rejects the function at apply; validate and plan do not report it.",
    fix="Allow sts:AssumeRole for lambda.amazonaws.com in assume_role_policy of the role.",
    page=f"{_DG}/lambda-intro-execution-role.html",
    types=["aws_lambda_function"],
    good=_GOOD,
    breaks=[
        {"resource.aws_iam_role.worker.assume_role_policy": _trust("ec2.amazonaws.com")},
        {"resource.aws_iam_role.worker.assume_role_policy": _trust(_SERVICE).replace("Allow", "Deny")},
        {"resource.aws_iam_role.worker.assume_role_policy": _trust(_SERVICE).replace("sts:AssumeRole", "lambda:*")},
    ],
)
def role_trusts_lambda(function: Block) -> Iterator[Outcome]:
    """Skip roles that are not defined in these stacks."""
    role = meant(function, "role", ROLE)
    if role is None:
        yield NotApplicable("its role is not defined in these stacks")
        return
    found = statements(role, "assume_role_policy")
    if isinstance(found, Unknown):
        yield role.undecided(found, "assume_role_policy")
        return
    trusted = [
        who
        for each in found
        if each.allows("sts:AssumeRole")
        for who in each.principals
        if who.kind in ("Service", "*")
    ]
    unknown = [who.value for who in trusted if isinstance(who.value, Unknown)]
    if any(who.value in (_SERVICE, "*") for who in trusted):
        return
    if unknown:
        yield role.undecided(unknown[0], "assume_role_policy")
    elif function in pointing(role, FUNCTION, "role")[:1]:
        yield role.fail(
            f"must allow sts:AssumeRole for {_SERVICE}, because {function.address} uses the role",
            "assume_role_policy",
        )


@rule(
    "LAM-016",
    "Lambda function URL requires authentication",
    why="With NONE, anyone on the internet can invoke the function, at your cost.",
    fix='Set authorization_type to "AWS_IAM", or use API Gateway with an authorizer instead.',
    page=f"{_DG}/urls-auth.html",
    types=["aws_lambda_function_url"],
    severity=_OUTSIDE_DEV,
    lessons=["PLAT-10"],
    frameworks=Frameworks(checkov=("CKV_AWS_258",)),
    good=_GOOD,
    breaks=[{"resource.aws_lambda_function_url.worker.authorization_type": "NONE"}],
)
def url_requires_authentication(url: Block) -> Iterator[Outcome]:
    """Terraform itself reports a missing authorization_type."""
    yield from expect(
        url,
        "authorization_type",
        lambda value: value != "NONE",
        'must be "AWS_IAM"; with NONE, anyone on the internet can invoke the function',
    )


@rule(
    "LAM-017",
    "Lambda function URL allows named CORS origins only",
    why="With *, scripts of any website can invoke the function from their visitors' browsers.",
    fix="List the allowed origins, each with its scheme, in cors.allow_origins.",
    page=f"{_DG}/urls-configuration.html",
    types=["aws_lambda_function_url"],
    severity=_OUTSIDE_DEV,
    lessons=["PLAT-10"],
    frameworks=Frameworks(checkov=("CKV2_AWS_75",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function_url.worker.cors.allow_origins": ["*"]},
        {"resource.aws_lambda_function_url.worker.cors": [{"allow_origins": ["https://shop.example.com", "http://*"]}]},
    ],
)
def url_restricts_origins(url: Block) -> Iterator[Outcome]:
    """Without cors, browsers block cross-origin requests."""
    for cors in url.sections("cors"):
        origins = cors.items("allow_origins")
        if isinstance(origins, Unknown):
            yield cors.undecided(origins, "allow_origins")
        elif any(origin in ("*", "http://*", "https://*") for origin in origins):
            yield cors.fail(
                'must list each origin, such as ["https://shop.example.com"]; * is not allowed', "allow_origins"
            )


def _principal(permission: Block) -> object:
    """Return the principal, as text if it is an ARN whose account is not known."""
    principal = permission.get("principal")
    return principal.text if isinstance(principal, Unknown) and principal.text.startswith("arn:") else principal


@rule(
    "LAM-018",
    "Lambda permission has a source condition for service principals",
    why="Without a source, the service can be made to invoke the function on behalf of any AWS account (the confused "
    "deputy problem).",
    fix="Set source_arn or source_account of the permission.",
    page=f"{_DG}/permissions-function-services.html",
    types=["aws_lambda_permission"],
    severity=WARNING,
    frameworks=Frameworks(checkov=("CKV_AWS_364",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_permission.orders.source_arn": REMOVED},
        {"resource.aws_lambda_permission.orders.source_arn": "*"},
    ],
)
def service_has_a_source(permission: Block) -> Iterator[Outcome]:
    """Alexa skills are identified by event_source_token."""
    principal = _principal(permission)
    if isinstance(principal, Unknown):
        yield permission.undecided(principal, "principal")
        return
    if ".amazon" not in str(principal):
        yield NotApplicable("its principal is not a service")
        return
    given = [permission.get(at) for at in ("source_arn", "source_account", "event_source_token", "principal_org_id")]
    if any(is_given(value) and value != "*" for value in given):
        return
    unknown = next(filter(None, map(undecidable, given)), None)
    if unknown:
        yield permission.undecided(unknown, "source_arn")
    else:
        yield permission.fail(
            f"must be the ARN of the resource for which {principal} invokes the function; or set source_account",
            "source_arn",
        )


@rule(
    "LAM-019",
    "Lambda function or layer policy does not allow public access",
    why="The principal * is every AWS account: anyone can invoke the function or use the layer.",
    fix="Name an account, role or service as principal; for an organization, set principal_org_id or organization_id.",
    page=f"{_DG}/access-control-resource-based.html",
    types=["aws_lambda_permission", "aws_lambda_layer_version_permission"],
    frameworks=Frameworks(fsbp=("Lambda.1",), checkov=("CKV_AWS_301",)),
    good={
        "resource": {
            **_GOOD["resource"],
            "aws_lambda_layer_version_permission": {
                "common": {
                    "layer_name": "shop-prod-common",
                    "version_number": 1,
                    "action": "lambda:GetLayerVersion",
                    "principal": "*",
                    "organization_id": "o-a1b2c3d4e5",
                    "statement_id": "organisation",
                }
            },
        }
    },
    breaks=[
        {"resource.aws_lambda_permission.call.principal": "*"},
        {"resource.aws_lambda_layer_version_permission.common.organization_id": REMOVED},
    ],
)
def permission_is_not_public(permission: Block) -> Iterator[Outcome]:
    """A function URL without authentication needs such a permission; LAM-016 reports the URL."""
    principal = _principal(permission)
    if isinstance(principal, Unknown):
        yield permission.undecided(principal, "principal")
        return
    if principal != "*" or permission.get("function_url_auth_type") == "NONE":
        return
    at = "principal_org_id" if permission.type == "aws_lambda_permission" else "organization_id"
    limits = [permission.get(each) for each in (at, "source_arn", "source_account")]
    unknown = next(filter(None, map(undecidable, limits)), None)
    if unknown:
        yield permission.undecided(unknown, at)
    elif permission.flag("invoked_via_function_url") is not True and not any(map(is_given, limits)):
        yield permission.fail(
            f"must be an account, role or service; to allow an organization, set {at} as well", "principal"
        )


@rule(
    "LAM-020",
    "Lambda function URL callers have both required permissions",
    why="Function URLs created since October 2025 require lambda:InvokeFunction in addition to "
    "lambda:InvokeFunctionUrl, and return 403 without it.",
    fix="Add a second aws_lambda_permission for the same principal with the action lambda:InvokeFunction.",
    page=f"{_DG}/urls-auth.html",
    types=["aws_lambda_permission"],
    severity=WARNING,
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_permission.call": REMOVED},
        {"resource.aws_lambda_permission.call.principal": "444455556666"},
    ],
)
def url_has_both_permissions(permission: Block) -> Iterator[Outcome]:
    """Compare the permissions of the same function and principal."""
    function = function_of(permission, "function_name")
    if permission.get("action") != "lambda:InvokeFunctionUrl" or function is None:
        yield NotApplicable("it is not a permission of a function URL in these stacks")
        return
    principal = permission.text("principal")
    others = [
        other for other in pointing(function, "aws_lambda_permission", "function_name") if other is not permission
    ]
    callers = [other for other in others if other.get("action") in ("lambda:InvokeFunction", "lambda:*")]
    if any(_same(other.text("principal"), principal) for other in callers):
        return
    unknown = next(filter(None, (undecidable(other.get("principal")) for other in [permission, *callers])), None)
    if unknown:
        yield permission.undecided(unknown, "principal")
    else:
        yield permission.fail(
            f"{principal} must have lambda:InvokeFunction as well; add a second aws_lambda_permission for "
            f"{function.address}",
            "action",
        )


def _same(one: object, other: object) -> bool:
    texts = [value.text if isinstance(value, Unknown) else value for value in (one, other)]
    return texts[0] == texts[1]
