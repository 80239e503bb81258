"""Bucket names, and the number of buckets."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.buckets import BUCKET, GUIDE, log_writers, parts
from constructs_lib.rules.queries.links import called
from constructs_lib.rules.rule import ADVICE, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate
    from constructs_lib.rules.outcomes import Outcome

_PAGE: Final = f"{GUIDE}/bucketnamingrules.html"
_LENGTH: Final = {"bucket": (3, 63), "bucket_prefix": (0, 37)}
_ADDRESS: Final = re.compile(r"\d+\.\d+\.\d+\.\d+")
_PREFIXES: Final = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_EXPRESSION: Final = re.compile(r"\$\{[^{}]*\}")
_DOTTED: Final = (f"{BUCKET}_website_configuration",)
_QUIET: Final = Severity("info", "info", "info")
_GOOD: Final[dict[str, Any]] = {
    "provider": {"aws": {"region": "eu-west-1"}},
    "resource": {BUCKET: {"data": {"bucket": "shop-prod-data"}}},
}
_NAME: Final = f"resource.{BUCKET}.data.bucket"


@rule(
    "S3-019",
    "S3 bucket name is valid",
    why="AWS rejects the bucket at apply; terraform validate and plan do not report it.",
    fix="Use 3 to 63 lowercase letters, digits and hyphens, with a letter or digit at both ends.",
    page=_PAGE,
    types=[BUCKET],
    good=_GOOD,
    breaks=[
        {_NAME: "Shop-prod-data"},
        {_NAME: "shop_prod_data"},
        {_NAME: "ab"},
        {_NAME: "shop-prod-" + "data" * 14},
        {_NAME: "shop..data"},
        {_NAME: "-shop-data"},
        {_NAME: "10.0.0.1"},
        {_NAME: "xn--shop"},
        {_NAME: "shop-s3alias"},
        {f"resource.{BUCKET}.data": {"bucket_prefix": "Shop-"}},
        {_NAME: "Shop-${var.environment}", "variable": {"environment": {"type": "string"}}},
    ],
)
def name_is_valid(bucket: Block) -> Iterator[Outcome]:
    """In a partly known name check the known characters."""
    for at, (shortest, longest) in _LENGTH.items():
        value = bucket.get(at)
        known = _EXPRESSION.sub("", value.text) if isinstance(value, Unknown) else value
        if not known or not isinstance(known, str):
            if isinstance(value, Unknown) and not isinstance(value, Computed):
                yield bucket.undecided(value, at)
        elif wrong := re.sub(r"[a-z0-9.-]", "", known):
            yield bucket.fail(
                f"must contain lowercase letters, digits and hyphens only, not {'  '.join(dict.fromkeys(wrong))}", at
            )
        elif len(known) > longest:
            yield bucket.fail(f"must have at most {longest} characters; it has {len(known)}", at)
        elif isinstance(value, Unknown):
            continue
        elif len(known) < shortest:
            yield bucket.fail(f"must have at least {shortest} characters", at)
        elif at == "bucket" and (problem := _problem(known)):
            yield bucket.fail(problem, at)


def _problem(name: str) -> str:
    if not name[0].isalnum() or not name[-1].isalnum():
        return "must begin and end with a letter or a digit"
    if ".." in name:
        return "must not have two dots in a row"
    if _ADDRESS.fullmatch(name):
        return "must not look like an IP address"
    reserved = next((each for each in _PREFIXES if name.startswith(each)), "")
    if reserved:
        return f"must not begin with {reserved}, which S3 reserves"
    reserved = next((each for each in _SUFFIXES if name.endswith(each)), "")
    return f"must not end with {reserved}, which S3 reserves" if reserved else ""


@rule(
    "S3-020",
    "S3 bucket name has no dots",
    why="The TLS certificate of S3 covers one label: virtual-hosted-style HTTPS requests fail for a name with dots.",
    fix="Replace dots with hyphens; only a static website under its own domain needs dots.",
    page=_PAGE,
    types=[BUCKET],
    severity=ADVICE,
    good=_GOOD,
    breaks=[{_NAME: "shop.prod.data"}],
)
def name_has_no_dots(bucket: Block) -> Iterator[Outcome]:
    """A bucket for a static website has the name of its domain."""
    name = bucket.get("bucket")
    if any(parts(bucket, type_) for type_ in _DOTTED):
        yield NotApplicable("static website")
    elif isinstance(name, Unknown) and not isinstance(name, Computed) and not _EXPRESSION.sub("", name.text):
        yield bucket.undecided(name, "bucket")
    elif "." in (_EXPRESSION.sub("", name.text) if isinstance(name, Unknown) else str(name)):
        yield bucket.fail("must not contain dots, or virtual-hosted-style HTTPS requests fail", "bucket")


@rule(
    "S3-021",
    "Stack has one S3 bucket per region",
    why="Every additional bucket needs its own policy, lifecycle, key and logs.",
    fix="Store the data of a system in one bucket per region, under prefixes; a separate log bucket is fine.",
    page=f"{GUIDE}/optimizing-performance.html",
    types=[BUCKET],
    severity=_QUIET,
    lessons=["TRD-13"],
    good={
        "provider": {"aws": [{"region": "eu-west-1"}, {"region": "us-east-1", "alias": "us"}]},
        "resource": {
            BUCKET: {
                "data": {"bucket": "shop-prod-data"},
                "data_us": {"bucket": "shop-prod-data-us", "provider": "aws.us"},
                "logs": {"bucket": "shop-prod-logs"},
            },
            f"{BUCKET}_logging": {
                "data": {"bucket": "${aws_s3_bucket.data.id}", "target_bucket": "${aws_s3_bucket.logs.id}"}
            },
        },
    },
    breaks=[
        {f"resource.{BUCKET}.data_us.provider": "aws"},
        {f"resource.{BUCKET}.more": {"bucket": "shop-prod-more"}},
    ],
    unknown_passes="a bucket with an unknown provider may be in any region",
)
def one_bucket_per_region(bucket: Block) -> Iterator[Outcome]:
    """Log buckets are not counted."""
    first = _first(bucket.estate).get(bucket)
    if first is not None:
        yield bucket.fail(
            f"must be merged with {called(first, bucket)}, in the same region; separate the data by prefixes"
        )


@lru_cache(maxsize=2)
def _first(estate: Estate) -> dict[Block, Block]:
    """Return the buckets after the first of each stack and region, with the first."""
    seen: dict[tuple[str, object], Block] = {}
    found: dict[Block, Block] = {}
    for bucket in estate.of(BUCKET):
        if log_writers(bucket):
            continue
        region = bucket.region if isinstance(bucket.region, str) else id(bucket.provider)
        first = seen.setdefault((bucket.stack.name, region), bucket)
        if first is not bucket:
            found[bucket] = first
    return found
