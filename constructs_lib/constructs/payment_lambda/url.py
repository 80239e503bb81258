"""A function's own HTTPS address: signed requests and named origins, unless a dev stack says why not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from constructs_lib._engine import aws, core
from constructs_lib.constructs.payment_lambda.trigger import as_lambda_writes_it
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.foundation.environment import Profile
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.opt_out import MIN_REASON_LENGTH, OptOut
from constructs_lib.foundation.regions import is_token

METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
MAX_AGE_SECONDS: Final = 86400
PUBLIC_URL_PROVIDER: Final = ">= 6.29.0, < 7.0.0"
"""The first AWS provider that can limit `lambda:InvokeFunction` to calls through the URL."""

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
    """Anybody who knows the function's URL may call it; dev only."""


@dataclass(frozen=True)
class FunctionUrl:
    """What a function's URL accepts.

    Attributes:
        authorization: AWS_IAM, the default, for requests signed by an identity of AWS; NONE for anybody's, in dev only
            and with a reason.
        reason: Why NONE, in at least 20 characters.
        principals: Who may call it: account ids, and ARNs of roles and users; by default the account itself, whose
            IAM policies then decide.
        origins: Origins of web pages that may call it, such as `https://shop.example.com`; none by default. `*` in dev
            only, and never with credentials.
        methods: HTTP methods that such pages may use, of `METHODS`.
        headers: Request headers that such pages may send; by default what signing needs.
        credentials: Whether browsers send cookies along; off by default.
        max_age: Seconds that browsers keep these answers, 0 to 86400; 300 by default.
        streaming: Whether the answer is sent while it is made; off by default.
    """

    authorization: Literal["AWS_IAM", "NONE"] = "AWS_IAM"
    reason: str | None = None
    principals: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("GET", "POST")
    headers: tuple[str, ...] = _SIGNING_HEADERS
    credentials: bool = False
    max_age: int = 300
    streaming: bool = False


def check_url(problems: Problems, url: FunctionUrl, profile: Profile) -> None:
    """Note everything about the URL that AWS or the environment does not allow."""
    if url.authorization == "NONE":
        _check_unsigned(problems, url, profile)
    else:
        problems.check(
            url.authorization == "AWS_IAM", "function_url.authorization", url.authorization, "must be AWS_IAM or NONE"
        )
    for principal in url.principals:
        problems.check(
            is_token(principal) or _PRINCIPAL.fullmatch(str(principal)),
            "function_url.principals",
            principal,
            "must be an account id of 12 digits, or the ARN of a role or user",
        )
    for origin in url.origins:
        _check_origin(problems, url, origin, profile)
    for method in url.methods:
        problems.check(method in METHODS, "function_url.methods", method, f"must be one of {', '.join(METHODS)}")
    problems.check(
        "*" not in url.headers, "function_url.headers", url.headers, "must name the headers; '*' would allow every one"
    )
    problems.check(
        url.origins or not url.credentials,
        "function_url.credentials",
        url.credentials,
        "has no effect without origins; name the pages that may call the URL",
    )
    problems.check_whole("function_url.max_age", url.max_age, 0, MAX_AGE_SECONDS, "seconds")


def _check_unsigned(problems: Problems, url: FunctionUrl, profile: Profile) -> None:
    if problems.check(
        not profile.function_url_must_be_signed,
        "function_url.authorization",
        url.authorization,
        "anybody could call the function; only dev allows it, use AWS_IAM",
    ):
        problems.check(
            len((url.reason or "").strip()) >= MIN_REASON_LENGTH,
            "function_url.reason",
            url.reason,
            f"must say in at least {MIN_REASON_LENGTH} characters why anybody may call the function",
        )
    problems.check(
        not url.principals,
        "function_url.principals",
        url.principals,
        "has no effect without signed requests; leave it out, or use AWS_IAM",
    )


def _check_origin(problems: Problems, url: FunctionUrl, origin: str, profile: Profile) -> None:
    strict = profile.function_url_must_be_signed
    if origin == "*":
        problems.check(not strict, "function_url.origins", origin, "must be named outside dev: any page could call it")
        problems.check(
            not url.credentials,
            "function_url.credentials",
            url.credentials,
            "must not be sent from every origin; name the origins",
        )
    elif problems.check(
        isinstance(origin, str) and _ORIGIN.fullmatch(origin),
        "function_url.origins",
        origin,
        "must be scheme and host without a path, such as 'https://shop.example.com'",
    ):
        problems.check(
            not strict or origin.startswith("https://"), "function_url.origins", origin, "must be https outside dev"
        )


class UrlEndpoint(HardenedConstruct):
    """The URL of a function's alias, with both permissions that a call needs.

    Args:
        scope: The function.
        id_: The construct's id.
        region: Where the function is.
        function_name: The function's name, as a reference.
        qualifier: The alias's name, as a reference.
        options: What the URL accepts, checked before.

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
        self.url = self._ref(self.resource, "function_url")
        if options.authorization == "NONE":
            self._record(UnsignedUrl(options.reason or ""))
            _, invoke = self._allow("anybody", "*", "NONE")
            # The bindings know neither this argument nor a provider that has it. Without it, anybody could call the
            # function through Lambda's own API as well.
            invoke.add_override("invoked_via_function_url", True)  # noqa: FBT003
            region.stack.require_provider("aws", PUBLIC_URL_PROVIDER)
        else:
            for number, principal in enumerate(options.principals or (region.account_id,), start=1):
                self._allow(str(number), as_lambda_writes_it(principal, region), "AWS_IAM")

    def _allow(
        self, name: str, principal: str, authorization: str
    ) -> tuple[aws.lambda_permission.LambdaPermission, aws.lambda_permission.LambdaPermission]:
        """Give both permissions: since October 2025 a call through the URL needs the second one too."""
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
        max_age=options.max_age,
    )
