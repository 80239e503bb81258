"""Checks of the principals and sources in a function's resource-based policy."""

from __future__ import annotations

from constructs_lib.core.iam import Condition, Statement
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.principals import check_source_arn, is_account, is_service
from constructs_lib.foundation.regions import is_token


def check_permission(path: str, service: str, source_arn: str | None, source_account: str | None) -> None:
    """Check a permission that lets a service or another account invoke a function.

    Raises:
        ConfigurationError: A principal that is neither a service nor an account id; a source ARN that is missing,
            names no account where it should, or matches everything; a malformed account id.
    """
    problems = Problems(path)
    if not (is_service(service) or is_account(service)):
        problems.stop(
            "service",
            service,
            "expected a service principal such as 'events.amazonaws.com' or an account id of 12 digits. For a role of "
            "this account use grant_invoke",
        )
    if is_account(service):
        for argument, value in (("source_arn", source_arn), ("source_account", source_account)):
            problems.check(value is None, argument, value, "not available for an account as principal; leave it out")
    elif source_arn is None:
        problems.add(
            "source_arn",
            source_arn,
            f"without it {service} may invoke the function for resources of any account; expected the ARN of the "
            "resource that it invokes the function for",
        )
    else:
        check_source_arn(problems, service, source_arn)
    if source_account is not None and not is_account(service):
        problems.check(
            is_token(source_account) or is_account(source_account),
            "source_account",
            source_account,
            "expected an account id of 12 digits, or a reference to one",
        )
    problems.raise_if_any()


def as_lambda_returns_it(principal: str, region: Region) -> str:
    """Return the principal as Lambda returns it, an account as its root's ARN, or every plan has changes."""
    account = is_account(principal) or region.stack.text(principal).endswith(".account_id}")
    return f"arn:{region.partition}:iam::{principal}:root" if account else principal


def permission_statement(
    id_: str, live_arn: str, principal: str, source_arn: str | None, source_account: str | None
) -> Statement:
    """Return the statement that Lambda adds to a function's policy for a permission."""
    sources = (
        ("ArnLike", "AWS:SourceArn", source_arn),
        ("StringEquals", "AWS:SourceAccount", source_account),
    )
    return Statement(
        sid=id_,
        actions=("lambda:InvokeFunction",),
        resources=(live_arn,),
        principals=(("Service" if is_service(principal) else "AWS", (principal,)),),
        conditions=tuple(Condition(test, variable, (value,)) for test, variable, value in sources if value),
    )
