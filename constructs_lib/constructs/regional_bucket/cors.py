"""Which web pages' scripts may reach a bucket."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from constructs_lib._engine import aws
from constructs_lib.constructs.regional_bucket.base import Bucket
from constructs_lib.foundation.environment import Environment
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.opt_out import OptOut
from constructs_lib.foundation.regions import is_token

CorsMethod = Literal["GET", "PUT", "POST", "DELETE", "HEAD"]
"""The HTTP methods that S3 lets pages use."""

MAX_RULES: Final = 100
MAX_AGE_SECONDS: Final = 86400
# A browser leaves the default port out, so that an origin with it matches nothing.
_HTTPS: Final = re.compile(r"https://(\*\.[a-z0-9-]+\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:(?!443$)[1-9][0-9]{0,4})?", re.ASCII)
_LOCAL: Final = re.compile(r"http://localhost(:(?!80$)[1-9][0-9]{0,4})?", re.ASCII)
_HEADER: Final = re.compile(r"[A-Za-z0-9_-]+\*?", re.ASCII)


@dataclass(frozen=True)
class AnyOrigin(OptOut):
    """Scripts of every page on the internet may send the requests of a rule."""


@dataclass(frozen=True)
class CorsRule:
    """What scripts of web pages may ask of a bucket; who asks still needs the right to.

    Attributes:
        origins: Where the pages come from, such as `https://shop.example.com` or `https://*.example.com`;
            `http://localhost:3000` in dev only. `AnyOrigin(reason)` for every page there is.
        methods: HTTP methods, of GET, PUT, POST, DELETE and HEAD.
        headers: Request headers that scripts may send, such as `content-type` or `x-amz-*`; none by default.
        exposed: Response headers that scripts may read, such as `ETag`; none by default.
        max_age_seconds: Seconds that browsers keep the answer, 0 to 86,400; 300 by default.

    See https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html.
    """

    origins: Sequence[str] | AnyOrigin
    methods: Sequence[CorsMethod]
    headers: Sequence[str] = ()
    exposed: Sequence[str] = ()
    max_age_seconds: int = 300


def check_cors(problems: Problems, environment: Environment, rules: Sequence[CorsRule]) -> None:
    """Note what S3 refuses, and origins that are not who they say."""
    if not isinstance(rules, (list, tuple)) or not all(isinstance(rule, CorsRule) for rule in rules):
        problems.add("cors", rules, "must be a list of CorsRule(origins, methods)")
        return
    problems.check(
        len(rules) <= MAX_RULES,
        "cors",
        len(rules),
        f"S3 takes {MAX_RULES} rules; put origins with the same rights in one",
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
                "must be a header such as 'content-type', or the beginning of some such as 'x-amz-*'",
            )
        for header in _texts(problems, f"{at}.exposed", rule.exposed):
            problems.check(
                _HEADER.fullmatch(header) and "*" not in header,
                f"{at}.exposed",
                header,
                "must be a whole header such as 'ETag'; S3 takes no '*' here",
            )
        problems.check_whole(f"{at}.max_age_seconds", rule.max_age_seconds, 0, MAX_AGE_SECONDS, "seconds")


def write_cors(bucket: Bucket, rules: Sequence[CorsRule]) -> None:
    """Give a bucket its rules."""
    module = aws.s3_bucket_cors_configuration
    bucket.resources["cors"] = bucket.region.create(
        bucket,
        (*bucket.components, "cors"),
        module.S3BucketCorsConfiguration,
        bucket=bucket.id,
        cors_rule=[
            module.S3BucketCorsConfigurationCorsRule(
                allowed_origins=["*"] if isinstance(rule.origins, AnyOrigin) else list(rule.origins),
                allowed_methods=list(rule.methods),
                allowed_headers=list(rule.headers) or None,
                expose_headers=list(rule.exposed) or None,
                max_age_seconds=rule.max_age_seconds,
            )
            for rule in rules
        ],
    )


def _check_origin(problems: Problems, at: str, origin: str, environment: Environment) -> None:
    problems.check(
        origin != "*", at, origin, "is every page on the internet; name the origins, or give AnyOrigin(reason)"
    )
    if origin == "*" or (origin.startswith("https://") and is_token(origin)):
        return
    local = _LOCAL.fullmatch(origin)
    problems.check(
        not local or environment is Environment.DEV, at, origin, f"may be http in dev only, not in {environment.value}"
    )
    problems.check(
        local or _HTTPS.fullmatch(origin),
        at,
        origin,
        "must be https:// and a host in small letters, without path or default port, such as "
        "'https://shop.example.com' or 'https://*.example.com'",
    )


def _texts(problems: Problems, at: str, given: object, *, required: bool = False) -> Sequence[str]:
    """Return a sequence of texts that are all different, or nothing and note it."""
    ok = isinstance(given, (list, tuple)) and all(isinstance(text, str) for text in given)
    if not problems.check(ok and (given or not required), at, given, f"must be a {'filled ' * required}tuple of texts"):
        return ()
    assert isinstance(given, (list, tuple))  # noqa: S101  checked above
    problems.check(len(set(given)) == len(given), at, given, "must name each once")
    return given
