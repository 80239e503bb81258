"""A function URL with IAM authorization and explicit origins; public URLs in dev only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from constructs_lib._engine import aws, core
from constructs_lib.constructs.payment_lambda.resource_policy import as_lambda_returns_it
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.foundation.deprecation import renamed_fields
from constructs_lib.foundation.environment import Profile
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.opt_out import MIN_REASON_LENGTH, OptOut
from constructs_lib.foundation.regions import is_token

METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
MAX_AGE_SECONDS: Final = 86400
PUBLIC_URL_PROVIDER: Final = ">= 6.29.0, < 7.0.0"
"""The first AWS provider that can limit `lambda:InvokeFunction` to invocations through the URL."""

_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
_PRINCIPAL: Final = re.compile(r"[0-9]{12}|arn:aws[a-z-]*:iam::[0-9]{12}:(root|(role|user)/[\w+=,.@/-]+)")
_SIGNING_HEADERS: Final = (
    "authorization",
    "content-type",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
)


@dataclass(frozen=True)
class UnsignedUrl(OptOut):
    """The function URL is public: everyone on the internet may invoke it; dev only."""


@renamed_fields(max_age="max_age_seconds")
@dataclass(frozen=True)
class FunctionUrl:
    """A function URL: authorization and CORS.

    Attributes:
        authorization: `AWS_IAM` (default) for signed requests, or `NONE` for a public URL, in dev only and with a
            reason.
        reason: Why the URL is public, at least 20 characters; for `NONE` only.
        principals: Account ids and ARNs of roles and users that may invoke the function through the URL; this account
            by default, whose IAM policies then decide.
        origins: Allowed CORS origins, such as `https://shop.example.com`; no CORS by default. `http://` and `*` in dev
            only, and `*` never with credentials.
        methods: Allowed CORS methods: `DELETE`, `GET`, `HEAD`, `PATCH`, `POST`, `PUT`.
        headers: Allowed CORS headers; by default those of signed requests.
        credentials: Whether browsers may send cookies; False by default.
        max_age_seconds: Seconds that browsers cache the preflight response, 0 to 86400; 300 by default.
        streaming: Whether the response is streamed (invoke mode `RESPONSE_STREAM`); False by default.

    See https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html.
    """

    authorization: Literal["AWS_IAM", "NONE"] = "AWS_IAM"
    reason: str | None = None
    principals: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("GET", "POST")
    headers: tuple[str, ...] = _SIGNING_HEADERS
    credentials: bool = False
    max_age_seconds: int = 300
    streaming: bool = False


def check_url(problems: Problems, url: FunctionUrl, profile: Profile) -> None:
    """Report what AWS or the environment does not allow for the URL."""
    if url.authorization == "NONE":
        _check_unsigned(problems, url, profile)
    else:
        problems.check(
            url.authorization == "AWS_IAM", "function_url.authorization", url.authorization, "expected AWS_IAM or NONE"
        )
    for principal in url.principals:
        problems.check(
            is_token(principal) or _PRINCIPAL.fullmatch(str(principal)),
            "function_url.principals",
            principal,
            "expected an account id of 12 digits, or the ARN of a role or user",
        )
    for origin in url.origins:
        _check_origin(problems, url, origin, profile)
    for method in url.methods:
        problems.check(method in METHODS, "function_url.methods", method, f"expected one of {', '.join(METHODS)}")
    problems.check(
        "*" not in url.headers,
        "function_url.headers",
        url.headers,
        "'*' allows every header; expected a list of headers",
    )
    problems.check(
        url.origins or not url.credentials,
        "function_url.credentials",
        url.credentials,
        "has no effect without origins; give them, or leave it out",
    )
    problems.check_whole("function_url.max_age_seconds", url.max_age_seconds, 0, MAX_AGE_SECONDS, "seconds")


def _check_unsigned(problems: Problems, url: FunctionUrl, profile: Profile) -> None:
    if problems.check(
        not profile.function_url_must_be_signed,
        "function_url.authorization",
        url.authorization,
        "public URLs are allowed in dev only; expected AWS_IAM",
    ):
        problems.check(
            len((url.reason or "").strip()) >= MIN_REASON_LENGTH,
            "function_url.reason",
            url.reason,
            f"expected at least {MIN_REASON_LENGTH} characters that say why the URL is public",
        )
    problems.check(
        not url.principals,
        "function_url.principals",
        url.principals,
        "has no effect with authorization NONE; leave it out, or use AWS_IAM",
    )


def _check_origin(problems: Problems, url: FunctionUrl, origin: str, profile: Profile) -> None:
    strict = profile.function_url_must_be_signed
    if origin == "*":
        problems.check(
            not strict, "function_url.origins", origin, "'*' is allowed in dev only; expected a list of origins"
        )
        problems.check(
            not url.credentials,
            "function_url.credentials",
            url.credentials,
            "cannot be combined with the origin '*'; expected a list of origins",
        )
    elif problems.check(
        isinstance(origin, str) and _ORIGIN.fullmatch(origin),
        "function_url.origins",
        origin,
        "expected scheme and host without a path, such as 'https://shop.example.com'",
    ):
        problems.check(
            not strict or origin.startswith("https://"),
            "function_url.origins",
            origin,
            "http is allowed in dev only; expected https",
        )


class UrlEndpoint(HardenedConstruct):
    """A function URL of the alias, with the two permissions that an invocation through it requires.

    Args:
        scope: The function.
        id_: The construct's id.
        region: The function's region.
        function_name: A reference to the function's name.
        qualifier: A reference to the alias's name.
        options: Authorization and CORS, already checked.

    See https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        function_name: str,
        qualifier: str,
        options: FunctionUrl,
    ) -> None:
        super().__init__(scope, id_, region=region)
        self._function_name = function_name
        self._qualifier = qualifier
        self.resource = self._create(
            aws.lambda_function_url.LambdaFunctionUrl,
            "Resource",
            function_name=function_name,
            qualifier=qualifier,
            authorization_type=options.authorization,
            invoke_mode="RESPONSE_STREAM" if options.streaming else "BUFFERED",
            cors=_cors(options),
        )
        if options.authorization == "NONE":
            self._record(UnsignedUrl(options.reason or ""))
            _, invoke = self._allow("anybody", "*", "NONE")
            # Not in the bindings. Without it, everyone could invoke the function through Lambda's API as well.
            invoke.add_override("invoked_via_function_url", True)  # noqa: FBT003
            region.stack.require_provider("aws", PUBLIC_URL_PROVIDER)
        else:
            for number, principal in enumerate(options.principals or (region.account_id,), start=1):
                self._allow(str(number), as_lambda_returns_it(principal, region), "AWS_IAM")

    @cached_property
    def url(self) -> str:
        """The function URL."""
        return self.resource.function_url

    def _allow(
        self, name: str, principal: str, authorization: str
    ) -> tuple[aws.lambda_permission.LambdaPermission, aws.lambda_permission.LambdaPermission]:
        """Add both permissions; since October 2025 an invocation through the URL requires the second one too."""
        through_url = self._create(
            aws.lambda_permission.LambdaPermission,
            f"invoke-url-{name}",
            statement_id=f"url-{name}",
            action="lambda:InvokeFunctionUrl",
            function_name=self._function_name,
            qualifier=self._qualifier,
            principal=principal,
            function_url_auth_type=authorization,
        )
        invoke = self._create(
            aws.lambda_permission.LambdaPermission,
            f"invoke-function-{name}",
            statement_id=f"url-invoke-{name}",
            action="lambda:InvokeFunction",
            function_name=self._function_name,
            qualifier=self._qualifier,
            principal=principal,
        )
        return through_url, invoke


def _cors(options: FunctionUrl) -> aws.lambda_function_url.LambdaFunctionUrlCors | None:
    if not options.origins:
        return None
    return aws.lambda_function_url.LambdaFunctionUrlCors(
        allow_origins=list(options.origins),
        allow_methods=list(options.methods),
        allow_headers=list(options.headers),
        allow_credentials=options.credentials,
        max_age=options.max_age_seconds,
    )
