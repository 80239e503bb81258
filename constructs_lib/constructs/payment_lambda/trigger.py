"""Checks of who may invoke a function: a service on behalf of one resource, or one account."""

from __future__ import annotations

from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.principals import check_source_arn, is_account, is_service
from constructs_lib.foundation.regions import is_token


def check_trigger(path: str, service: str, source_arn: str | None, source_account: str | None) -> None:
    """Refuse a permission that somebody else's resource could use.

    Raises:
        ConfigurationError: A principal that is neither a service nor an account id; a source ARN that is missing,
            names no account where it should, or matches everything; a malformed account id.
    """
    problems = Problems(path)
    if not (is_service(service) or is_account(service)):
        problems.stop(
            "service",
            service,
            "must be a service principal such as 'events.amazonaws.com' or an account id of 12 digits; a role of this "
            "account invokes the function by its own policy, see grant_invoke",
        )
    if is_account(service):
        for argument, value in (("source_arn", source_arn), ("source_account", source_account)):
            problems.check(value is None, argument, value, "callers of an account have no source; leave it out")
    elif source_arn is None:
        problems.add(
            "source_arn",
            source_arn,
            f"must be the ARN of what invokes the function; without it {service} does so for every account",
        )
    else:
        check_source_arn(problems, service, source_arn)
    if source_account is not None and not is_account(service):
        problems.check(
            is_token(source_account) or is_account(source_account),
            "source_account",
            source_account,
            "must be an account id of 12 digits, or a reference to one",
        )
    problems.raise_if_any()


def as_lambda_writes_it(principal: str, region: Region) -> str:
    """Return the principal as Lambda gives it back: an account is the ARN of its root, or every plan would differ."""
    account = is_account(principal) or region.stack.text(principal).endswith(".account_id}")
    return f"arn:{region.partition}:iam::{principal}:root" if account else principal
