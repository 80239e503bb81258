"""LambdaAuthorizer: a function that authorizes the requests to an API's methods."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, Protocol

from constructs_lib._engine import aws, core
from constructs_lib.constructs.rest_api.options import MAX_TIMEOUT, ApiFunction, ShorterTimeout
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import ServiceRole
from constructs_lib.core.stack import Region
from constructs_lib.foundation.deprecation import renamed_fields
from constructs_lib.foundation.errors import Problems, warn
from constructs_lib.foundation.regions import is_token

TYPES: Final = ("TOKEN", "REQUEST")
MAX_TTL: Final = 3600
_HEADER: Final = re.compile(r"header\.[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SOURCE: Final = re.compile(rf"{_HEADER.pattern}|querystring\.[A-Za-z0-9._$-]+|context\.[A-Za-z.]+")


class AuthorizerFunction(ApiFunction, Protocol):
    """A function that authorizes requests, such as a `PaymentLambda`."""

    def grant_invoke(self, role: ServiceRole, /) -> None:
        """Allow a role to invoke the function."""


@renamed_fields(kind="type", sources="identity_sources", ttl="result_ttl_seconds", late_finish="shorter_timeout")
@dataclass(frozen=True)
class LambdaAuthorizer:
    """A Lambda authorizer: a function that returns an IAM policy for each request to the API.

    API Gateway caches the policy for `result_ttl_seconds` and applies it to every method that is requested with the
    same identity: the policy must cover all methods that the client may invoke, not only the requested one.

    Attributes:
        function: A function in the API's stack and region.
        type: `TOKEN`: the function receives one header. `REQUEST`: it receives the headers, the parameters and the
            context of the request.
        identity_sources: What identifies a client and is the cache key; API Gateway responds with 401 to requests
            without it. For `TOKEN` one `header.NAME`; for `REQUEST` one or more of `header.NAME`, `querystring.NAME`
            and `context.NAME`.
        result_ttl_seconds: Seconds that a policy is cached, 0 to 3,600; 0 turns the cache off. What the function caches
            itself is added to it: a revoked token works for the sum of both.
        token_pattern: A regular expression that a token must match before the function is invoked; for `TOKEN` only.
        shorter_timeout: Acknowledges that the function's timeout is longer than the 29 seconds that API Gateway waits.
            Without it such a function causes a warning.

    See https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html.
    """

    function: AuthorizerFunction
    type: Literal["TOKEN", "REQUEST"] = "TOKEN"
    identity_sources: tuple[str, ...] = ("header.Authorization",)
    result_ttl_seconds: int = 300
    token_pattern: str | None = None
    shorter_timeout: ShorterTimeout | None = None


def check_authorizer(problems: Problems, authorizer: LambdaAuthorizer | None, region: Region) -> None:
    """Report everything about an authorizer that API Gateway refuses."""
    if authorizer is None:
        return
    if not isinstance(authorizer, LambdaAuthorizer):
        problems.add("authorizer", authorizer, "must be a LambdaAuthorizer")
        return
    function, type_, ttl = authorizer.function, authorizer.type, authorizer.result_ttl_seconds
    problems.check(
        function.region is region,
        "authorizer.function",
        function.path,
        f"is in {function.region.name} of the stack {function.region.stack.path}; expected a function in {region.name} "
        f"of the stack {region.stack.path}",
    )
    problems.check(type_ in TYPES, "authorizer.type", type_, f"must be one of {', '.join(TYPES)}")
    problems.check_whole("authorizer.result_ttl_seconds", ttl, 0, MAX_TTL, "seconds")
    _check_sources(problems, authorizer)
    if authorizer.token_pattern is not None:
        _check_pattern(problems, authorizer)


def _check_sources(problems: Problems, authorizer: LambdaAuthorizer) -> None:
    sources = authorizer.identity_sources
    if not isinstance(sources, (list, tuple)):
        problems.add("authorizer.identity_sources", sources, "must be a tuple such as ('header.Authorization',)")
        return
    if authorizer.type == "TOKEN":
        problems.check(
            len(sources) == 1 and isinstance(sources[0], str) and _HEADER.fullmatch(sources[0]),
            "authorizer.identity_sources",
            sources,
            "must be one header such as ('header.Authorization',); type='REQUEST' allows other identity sources",
        )
        return
    for source in sources:
        problems.check(
            isinstance(source, str) and _SOURCE.fullmatch(source),
            "authorizer.identity_sources",
            source,
            "must be header.NAME, querystring.NAME or context.NAME",
        )
    problems.check(sources, "authorizer.identity_sources", sources, "must have at least one identity source")


def _check_pattern(problems: Problems, authorizer: LambdaAuthorizer) -> None:
    pattern = authorizer.token_pattern
    problems.check(
        authorizer.type == "TOKEN", "authorizer.token_pattern", pattern, "is allowed with type='TOKEN' only; remove it"
    )
    if problems.check(
        isinstance(pattern, str) and pattern and not is_token(pattern),
        "authorizer.token_pattern",
        pattern,
        "must be a regular expression without references",
    ):
        try:
            re.compile(str(pattern))
        except re.error as error:
            problems.add("authorizer.token_pattern", pattern, f"is not a valid regular expression: {error}")


def digest_of(authorizer: LambdaAuthorizer) -> dict[str, Any]:
    """Return what a deployment copies of the authorizer, as plain JSON; a renamed key would redeploy every API."""
    return {
        # The name as well as the reference: a renamed function has another ARN under the same reference.
        "function": authorizer.function.name,
        "uri": authorizer.function.region.stack.text(authorizer.function.invoke_arn),
        "kind": authorizer.type,
        "sources": list(authorizer.identity_sources),
        "ttl": authorizer.result_ttl_seconds,
        "token_pattern": authorizer.token_pattern,
    }


class ApiAuthorizer(HardenedConstruct):
    """The Lambda authorizer of an API, with a role that lets API Gateway invoke its function.

    Args:
        scope: The API.
        id_: The construct's id.
        region: The API's region.
        api_id: A reference to the API's id.
        option: The function and its settings, already checked.

    Attributes:
        resource: The `aws_api_gateway_authorizer`.
        ready: The role's policy: the stage depends on it, since API Gateway cannot invoke the function before.

    See https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html.
    """

    def __init__(
        self, scope: HardenedConstruct, id_: str, *, region: Region, api_id: str, option: LambdaAuthorizer
    ) -> None:
        super().__init__(scope, id_, region=region)
        function = option.function
        if function.timeout > MAX_TIMEOUT:
            self._acknowledge_timeout(scope.path, function, option.shorter_timeout)
        role = ServiceRole(
            self,
            "role",
            region=region,
            service="apigateway.amazonaws.com",
            description=f"Lets the API {scope.path} ask {function.name} who a caller is",
            statements=[],
        )
        function.grant_invoke(role)
        self.ready: core.TerraformResource = role.policy
        self.resource = self._create(
            aws.api_gateway_authorizer.ApiGatewayAuthorizer,
            "Resource",
            rest_api_id=api_id,
            name=self._name("api"),
            type=option.type,
            # By name: the deployment's create_before_destroy would otherwise reach the function and the role.
            authorizer_uri=function.named_invoke_arn,
            authorizer_credentials=f"arn:{region.partition}:iam::{region.account_id}:role/{role.name}",
            identity_source=",".join(map(_as_expression, option.identity_sources)),
            identity_validation_expression=option.token_pattern,
            authorizer_result_ttl_in_seconds=option.result_ttl_seconds,
        )

    @cached_property
    def id(self) -> str:
        """The authorizer's id."""
        return self.resource.id

    def _acknowledge_timeout(self, api: str, function: AuthorizerFunction, reason: ShorterTimeout | None) -> None:
        if reason:
            self._record(reason)
            return
        warn(
            f"{api}: the authorizer {function.path} has a timeout of {function.timeout} seconds, and API Gateway waits "
            f"{MAX_TIMEOUT} seconds: it responds with 500 while the function still runs, and a client that retries "
            f"invokes it again. Set the function's timeout to at most {MAX_TIMEOUT} seconds, or make the function "
            "idempotent and give LambdaAuthorizer(shorter_timeout=ShorterTimeout(reason))",
        )


def _as_expression(source: str) -> str:
    return source if source.startswith("context.") else f"method.request.{source}"
