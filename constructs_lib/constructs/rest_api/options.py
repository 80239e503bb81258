"""The functions and opt-outs of an API's methods, and checks of arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from constructs_lib._engine import core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems, warn
from constructs_lib.foundation.opt_out import OptOut
from constructs_lib.foundation.quotas import QUOTAS

MAX_TIMEOUT: Final = QUOTAS["api-integration-timeout-seconds"].default
"""Seconds after which API Gateway responds with 504."""
_STAGE: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_REQUIRED_PARAMETER: Final = re.compile(r"(header|querystring)\.[A-Za-z0-9._$-]+")


@dataclass(frozen=True)
class PublicAccess(OptOut):
    """The method does not require authorization: everyone on the internet may invoke it."""


@dataclass(frozen=True)
class ShorterTimeout(OptOut):
    """The API's timeout is shorter than the function's: a client that retries after a 504 may invoke it twice."""


class ApiFunction(Protocol):
    """A function that an API invokes, such as a `PaymentLambda`."""

    @property
    def region(self) -> Region:
        """Its region."""

    @property
    def path(self) -> str:
        """Its construct path."""

    @property
    def name(self) -> str:
        """Its name in AWS."""

    @property
    def timeout(self) -> int:
        """Its timeout in seconds."""

    @property
    def invoke_arn(self) -> str:
        """A reference to its invoke ARN."""

    @property
    def named_invoke_arn(self) -> str:
        """Its invoke ARN without a reference to it."""

    def allow_invoke(self, id_: str, /, *, service: str, source_arn: str) -> core.TerraformResource:
        """Allow a service to invoke the function, and return the permission."""


def check_limits(problems: Problems, rate_limit: object, burst_limit: object) -> None:
    """Report invalid throttling limits; None is the default."""
    for argument, value in (("rate_limit", rate_limit), ("burst_limit", burst_limit)):
        problems.check(
            value is None or _is_count(value),
            argument,
            value,
            "must be a whole number of at least 1; 0 would reject every request, and -1 would turn throttling off",
        )


def check_authorization(problems: Problems, authorization: object, *, default: str) -> str:
    """Return the authorization type of a method as API Gateway names it."""
    problems.check(
        authorization in ("AWS_IAM", "DEFAULT") or isinstance(authorization, PublicAccess),
        "authorization",
        authorization,
        "must be 'AWS_IAM' or PublicAccess(reason)",
    )
    if isinstance(authorization, PublicAccess):
        return "NONE"
    return default if authorization == "DEFAULT" else str(authorization)


def check_api(
    problems: Problems, region: Region, key: MultiRegionKey, stage: object, limits: tuple[object, object]
) -> None:
    """Report a key of another stack, an invalid stage name and invalid limits."""
    problems.check(
        key.region.stack is region.stack,
        "key",
        key.path,
        f"belongs to the stack {key.region.stack.path}; expected a key of the stack {region.stack.path}: the name of "
        "the execution log group contains the API's id, which only a key policy of the same stack can reference",
    )
    problems.check(
        isinstance(stage, str) and _STAGE.fullmatch(stage),
        "stage",
        stage,
        "must be 1 to 128 letters, digits, hyphens and underscores",
    )
    check_limits(problems, *limits)


def check_timeout(problems: Problems, timeout: object) -> None:
    """Report an integration timeout that API Gateway refuses."""
    quota = QUOTAS["api-integration-timeout-seconds"]
    problems.check(
        _is_count(timeout) and timeout in range(1, MAX_TIMEOUT + 1),
        "timeout",
        timeout,
        f"must be a whole number of seconds from 1 to {MAX_TIMEOUT}, the quota of API Gateway: {quota.source}",
    )


def check_parameters(problems: Problems, parameters: Sequence[str]) -> None:
    """Report required parameters that are neither headers nor query string parameters."""
    if isinstance(parameters, str):
        problems.add("required_parameters", parameters, "must be a list of names")
        return
    for name in parameters:
        problems.check(
            isinstance(name, str) and _REQUIRED_PARAMETER.fullmatch(name),
            "required_parameters",
            name,
            "must be a name such as 'header.Idempotency-Key' or 'querystring.page'",
        )


def warn_of_shorter_timeout(path: str, method: str, function: ApiFunction, timeout: int) -> None:
    """Warn that the function may still run when API Gateway has responded with 504."""
    warn(
        f"{path}: {method}: the function {function.path} has a timeout of {function.timeout} seconds, and API Gateway "
        f"waits {timeout} seconds: it responds with 504 while the function still runs, and a client that retries "
        f"invokes it again. Set the function's timeout to at most {timeout} seconds, or make the function idempotent "
        "and give shorter_timeout=ShorterTimeout(reason)",
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
