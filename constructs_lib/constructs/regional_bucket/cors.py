"""Cross-origin resource sharing (CORS) of a bucket."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from constructs_lib._engine import aws
from constructs_lib.constructs.regional_bucket.base import Bucket
from constructs_lib.foundation.deprecation import renamed_fields
from constructs_lib.foundation.environment import Environment
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.opt_out import OptOut
from constructs_lib.foundation.regions import is_token

CorsMethod = Literal["GET", "PUT", "POST", "DELETE", "HEAD"]
"""The HTTP methods that S3 accepts in CORS rules."""

MAX_RULES: Final = 100
MAX_AGE_SECONDS: Final = 86400
# Browsers omit the default port, so an origin with it never matches.
_HTTPS: Final = re.compile(r"https://(\*\.[a-z0-9-]+\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:(?!443$)[1-9][0-9]{0,4})?", re.ASCII)
_LOCAL: Final = re.compile(r"http://localhost(:(?!80$)[1-9][0-9]{0,4})?", re.ASCII)
_HEADER: Final = re.compile(r"[A-Za-z0-9_-]+\*?", re.ASCII)


@dataclass(frozen=True)
class AnyOrigin(OptOut):
    """A CORS rule allows every origin (`*`)."""


@renamed_fields(exposed="expose_headers")
@dataclass(frozen=True)
class CorsRule:
    """A CORS rule: cross-origin requests that browsers may send. Requests still need to be authorized.

    Attributes:
        origins: Allowed origins, such as `https://shop.example.com` or `https://*.example.com`; `http://localhost:3000`
            in dev only. `AnyOrigin(reason)` for all origins.
        methods: Allowed methods: `GET`, `PUT`, `POST`, `DELETE` and `HEAD`.
        headers: Allowed request headers, such as `content-type` or `x-amz-*`; none by default.
        expose_headers: Response headers that scripts may read, such as `ETag`; none by default.
        max_age_seconds: Seconds that browsers cache the preflight response, 0 to 86,400.

    See https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html.
    """

    origins: Sequence[str] | AnyOrigin
    methods: Sequence[CorsMethod]
    headers: Sequence[str] = ()
    expose_headers: Sequence[str] = ()
    max_age_seconds: int = 300


def check_cors(problems: Problems, environment: Environment, rules: Sequence[CorsRule]) -> None:
    """Report rules that S3 refuses, and origins without TLS."""
    if not isinstance(rules, (list, tuple)) or not all(isinstance(rule, CorsRule) for rule in rules):
        problems.add("cors", rules, "must be a list of CorsRule(origins, methods)")
        return
    problems.check(
        len(rules) <= MAX_RULES,
        "cors",
        len(rules),
        f"exceeds the {MAX_RULES} rules that S3 allows; combine origins with the same permissions in one rule",
    )
    for index, rule in enumerate(rules):
        at = f"cors[{index}]"
        if not isinstance(rule.origins, AnyOrigin):
            for origin in _texts(problems, f"{at}.origins", rule.origins, required=True):
                _check_origin(problems, f"{at}.origins", origin, environment)
        known = get_args(CorsMethod)
        for method in _texts(problems, f"{at}.methods", rule.methods, required=True):
            problems.check(method in known, f"{at}.methods", method, f"must be one of {', '.join(known)}")
        for header in _texts(problems, f"{at}.headers", rule.headers):
            problems.check(
                _HEADER.fullmatch(header),
                f"{at}.headers",
                header,
                "must be a header such as 'content-type', or a prefix with a wildcard such as 'x-amz-*'",
            )
        for header in _texts(problems, f"{at}.expose_headers", rule.expose_headers):
            problems.check(
                _HEADER.fullmatch(header) and "*" not in header,
                f"{at}.expose_headers",
                header,
                "must be a header such as 'ETag'; S3 does not allow wildcards here",
            )
        problems.check_whole(f"{at}.max_age_seconds", rule.max_age_seconds, 0, MAX_AGE_SECONDS, "seconds")


def write_cors(bucket: Bucket, rules: Sequence[CorsRule]) -> None:
    """Create the CORS configuration of a bucket."""
    module = aws.s3_bucket_cors_configuration
    bucket.resources["cors"] = bucket.region.create(
        bucket,
        (*bucket.components, "cors"),
        module.S3BucketCorsConfiguration,
        bucket=bucket.region.stack.ref(bucket.resource, "id"),
        cors_rule=[
            module.S3BucketCorsConfigurationCorsRule(
                allowed_origins=["*"] if isinstance(rule.origins, AnyOrigin) else list(rule.origins),
                allowed_methods=list(rule.methods),
                allowed_headers=list(rule.headers) or None,
                expose_headers=list(rule.expose_headers) or None,
                max_age_seconds=rule.max_age_seconds,
            )
            for rule in rules
        ],
    )


def _check_origin(problems: Problems, at: str, origin: str, environment: Environment) -> None:
    problems.check(origin != "*", at, origin, "allows every origin; list the origins, or give AnyOrigin(reason)")
    if origin == "*" or (origin.startswith("https://") and is_token(origin)):
        return
    local = _LOCAL.fullmatch(origin)
    problems.check(
        not local or environment is Environment.DEV,
        at,
        origin,
        f"http is allowed in dev only, not in {environment.value}",
    )
    problems.check(
        local or _HTTPS.fullmatch(origin),
        at,
        origin,
        "must be https:// and a host name in lower case, without a path and a default port, such as "
        "'https://shop.example.com' or 'https://*.example.com'",
    )


def _texts(problems: Problems, at: str, given: object, *, required: bool = False) -> Sequence[str]:
    """Return a sequence of distinct strings, or an empty one and report it."""
    ok = isinstance(given, (list, tuple)) and all(isinstance(text, str) for text in given)
    if not problems.check(
        ok and (given or not required), at, given, f"must be a {'non-empty ' * required}list of strings"
    ):
        return ()
    assert isinstance(given, (list, tuple))  # noqa: S101  checked above
    problems.check(len(set(given)) == len(given), at, given, "contains duplicates; give each once")
    return given
