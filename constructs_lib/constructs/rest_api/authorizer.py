"""TokenAuthorizer: a function that says who a caller is, asked before an API's methods are called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from constructs_lib._engine import aws, core
from constructs_lib.constructs.rest_api.options import MAX_TIMEOUT, ApiFunction, LateFinish
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import ServiceRole
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems, warn
from constructs_lib.foundation.regions import is_token

KINDS: Final = ("TOKEN", "REQUEST")
MAX_TTL: Final = 3600
_HEADER: Final = re.compile(r"header\.[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SOURCE: Final = re.compile(rf"{_HEADER.pattern}|querystring\.[A-Za-z0-9._$-]+|context\.[A-Za-z.]+")


class AuthorizerFunction(ApiFunction, Protocol):
    """What an API needs of a function that authorizes; `PaymentLambda` is one."""

    def grant_invoke(self, role: ServiceRole, /) -> None:
        """Let a role invoke what `invoke_arn` names."""


@dataclass(frozen=True)
class TokenAuthorizer:
    """A function that API Gateway asks for a policy before it calls a method.

    A policy that was answered is kept for `ttl` seconds and used for every method of the API that is called with the
    same identity, so that it must name all that the caller may do, and not just the method that was asked for.

    Attributes:
        function: A function of the API's stack and region.
        kind: TOKEN, the default, hands it one header; REQUEST the headers, parameters and context of the request.
        sources: What identifies a caller, without which API Gateway answers 401 and asks nobody: for TOKEN one
            `header.NAME`, `header.Authorization` by default; for REQUEST one or more, also
            `querystring.NAME` and `context.NAME`.
        ttl: Seconds that an answer is kept, 0 to 3600; 300 by default. 0 asks each time.
        token_pattern: For TOKEN, the regular expression that a token must match before the function is asked.
        late_finish: Why it does no harm that the function may run for longer than API Gateway waits. Without it a
            function that may is warned about.
    """

    function: AuthorizerFunction
    kind: Literal["TOKEN", "REQUEST"] = "TOKEN"
    sources: tuple[str, ...] = ("header.Authorization",)
    ttl: int = 300
    token_pattern: str | None = None
    late_finish: LateFinish | None = None


def check_authorizer(problems: Problems, authorizer: TokenAuthorizer | None, region: Region) -> None:
    """Note everything about an authorizer that API Gateway refuses, or that asks nobody."""
    if authorizer is None:
        return
    if not isinstance(authorizer, TokenAuthorizer):
        problems.add("authorizer", authorizer, "must be TokenAuthorizer(function)")
        return
    function, kind, ttl = authorizer.function, authorizer.kind, authorizer.ttl
    problems.check(
        function.region is region,
        "authorizer.function",
        function.path,
        f"is in {function.region.name} of the stack {function.region.stack.path}, and the API in {region.name} of "
        f"{region.stack.path}; both must be the same",
    )
    problems.check(kind in KINDS, "authorizer.kind", kind, f"must be one of {', '.join(KINDS)}")
    problems.check_whole("authorizer.ttl", ttl, 0, MAX_TTL, "seconds")
    _check_sources(problems, authorizer)
    if authorizer.token_pattern is not None:
        _check_pattern(problems, authorizer)


def _check_sources(problems: Problems, authorizer: TokenAuthorizer) -> None:
    sources = authorizer.sources
    if not isinstance(sources, (list, tuple)):
        problems.add("authorizer.sources", sources, "must be a tuple of names such as 'header.Authorization'")
        return
    if authorizer.kind == "TOKEN":
        problems.check(
            len(sources) == 1 and isinstance(sources[0], str) and _HEADER.fullmatch(sources[0]),
            "authorizer.sources",
            sources,
            "must be one header such as 'header.Authorization'; kind='REQUEST' takes others too",
        )
        return
    for source in sources:
        problems.check(
            isinstance(source, str) and _SOURCE.fullmatch(source),
            "authorizer.sources",
            source,
            "must be header.NAME, querystring.NAME or context.NAME",
        )
    problems.check(sources, "authorizer.sources", sources, "must name at least one thing that identifies the caller")


def _check_pattern(problems: Problems, authorizer: TokenAuthorizer) -> None:
    pattern = authorizer.token_pattern
    problems.check(
        authorizer.kind == "TOKEN", "authorizer.token_pattern", pattern, "is for kind='TOKEN' only; leave it out"
    )
    if problems.check(
        isinstance(pattern, str) and pattern and not is_token(pattern),
        "authorizer.token_pattern",
        pattern,
        "must be a plain regular expression",
    ):
        try:
            re.compile(str(pattern))
        except re.error as error:
            problems.add("authorizer.token_pattern", pattern, f"is no regular expression: {error}")


def digest_of(authorizer: TokenAuthorizer) -> dict[str, Any]:
    """Return what a deployment takes a copy of; plain JSON."""
    return {
        # The name as well as the reference: a renamed function keeps its reference and changes its ARN.
        "function": authorizer.function.name,
        "uri": authorizer.function.invoke_arn,
        "kind": authorizer.kind,
        "sources": list(authorizer.sources),
        "ttl": authorizer.ttl,
        "token_pattern": authorizer.token_pattern,
    }


class ApiAuthorizer(HardenedConstruct):
    """The authorizer of an API, with the role by which API Gateway invokes its function and nothing else.

    Args:
        scope: The API.
        id_: The construct's id.
        region: Where the API is.
        api_id: A reference to the API's id.
        option: What the caller gave, checked before.

    See https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html.
    """

    def __init__(
        self, scope: HardenedConstruct, id_: str, *, region: Region, api_id: str, option: TokenAuthorizer
    ) -> None:
        super().__init__(scope, id_, region=region)
        function = option.function
        if function.timeout > MAX_TIMEOUT:
            self._late_finish(scope.path, function, option.late_finish)
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
        """What must be there before the API is served: a role without its policy cannot invoke anything."""
        self.resource = self._create(
            aws.api_gateway_authorizer.ApiGatewayAuthorizer,
            "Resource",
            rest_api_id=api_id,
            name=self._name("api"),
            type=option.kind,
            authorizer_uri=function.invoke_arn,
            authorizer_credentials=role.arn,
            identity_source=",".join(map(_as_expression, option.sources)),
            identity_validation_expression=option.token_pattern,
            authorizer_result_ttl_in_seconds=option.ttl,
        )
        self.id = self._ref(self.resource, "id")

    def _late_finish(self, api: str, function: AuthorizerFunction, reason: LateFinish | None) -> None:
        if reason:
            self._record(reason)
            return
        warn(
            f"{api}: the authorizer {function.path} may run for {function.timeout} s, and API Gateway answers 500 "
            f"after {MAX_TIMEOUT} s while it goes on, so that a caller who tries again starts it twice; make it safe "
            "to run twice and give TokenAuthorizer(late_finish=LateFinish('why it is'))",
        )


def _as_expression(source: str) -> str:
    return source if source.startswith("context.") else f"method.request.{source}"
