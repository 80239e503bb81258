"""What a caller gives with a method: the function, the named opt-outs, and the checks of limits and parameters."""

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
"""Seconds after which API Gateway answers 504, whatever the function does."""
_STAGE: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_REQUIRED_PARAMETER: Final = re.compile(r"(header|querystring)\.[A-Za-z0-9._$-]+")


@dataclass(frozen=True)
class PublicAccess(OptOut):
    """Anybody on the internet may call the method; nothing checks who it is."""


@dataclass(frozen=True)
class LateFinish(OptOut):
    """The function may go on when API Gateway has answered 504, and why that does no harm."""


class ApiFunction(Protocol):
    """What an API needs of a function that it calls; `PaymentLambda` is one."""

    @property
    def region(self) -> Region:
        """Where the function is."""

    @property
    def path(self) -> str:
        """Its construct path."""

    @property
    def name(self) -> str:
        """Its AWS name."""

    @property
    def timeout(self) -> int:
        """Seconds that it may run."""

    @property
    def invoke_arn(self) -> str:
        """The reference that an integration calls."""

    def allow_invoke(self, id_: str, /, *, service: str, source_arn: str) -> core.TerraformResource:
        """Let a service call the function, and return the permission."""


def check_limits(problems: Problems, rate_limit: object, burst_limit: object) -> None:
    """Note a limit that is no number of requests; None stands for the default."""
    for argument, value in (("rate_limit", rate_limit), ("burst_limit", burst_limit)):
        problems.check(
            value is None or _is_count(value),
            argument,
            value,
            "must be a whole number of requests, at least 1; 0 stops every request and -1 would let all through",
        )


def check_authorization(problems: Problems, authorization: object, *, default: str) -> str:
    """Return what API Gateway calls a method's authorization, or note that there is no such one."""
    problems.check(
        authorization in ("AWS_IAM", "DEFAULT") or isinstance(authorization, PublicAccess),
        "authorization",
        authorization,
        "must be 'AWS_IAM', or PublicAccess('why anybody may call it')",
    )
    if isinstance(authorization, PublicAccess):
        return "NONE"
    return default if authorization == "DEFAULT" else str(authorization)


def check_api(
    problems: Problems, region: Region, key: MultiRegionKey, stage: object, limits: tuple[object, object]
) -> None:
    """Note a key of another stack, a stage that cannot be one, and limits that are none."""
    problems.check(
        key.region.stack is region.stack,
        "key",
        key.path,
        f"belongs to another stack than {region.stack.path}; the execution log is named after the API's id, which only "
        "a key policy in the same stack can name",
    )
    problems.check(
        isinstance(stage, str) and _STAGE.fullmatch(stage),
        "stage",
        stage,
        "must be a plain string of 1 to 128 letters, digits, '-' and '_'",
    )
    check_limits(problems, *limits)


def check_timeout(problems: Problems, timeout: object) -> None:
    """Note a timeout beyond what API Gateway waits."""
    quota = QUOTAS["api-integration-timeout-seconds"]
    problems.check(
        _is_count(timeout) and timeout in range(1, MAX_TIMEOUT + 1),
        "timeout",
        timeout,
        f"must be a whole number of seconds from 1 to {MAX_TIMEOUT}, API Gateway's own limit: {quota.source}",
    )


def check_parameters(problems: Problems, parameters: Sequence[str]) -> None:
    """Note a required parameter that is neither a header nor a query parameter."""
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


def warn_of_late_finish(path: str, method: str, function: ApiFunction, timeout: int) -> None:
    """Warn the caller of `add_method` that the function may outlive the answer."""
    warn(
        f"{path}: {method}: the function {function.path} may run for {function.timeout} s, and API Gateway answers 504 "
        f"after {timeout} s while it goes on, so that a caller who tries again starts it twice; make it safe to run "
        "twice and give late_finish=LateFinish('why it is')",
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
