"""Buckets, and the resources that configure them: by reference, by name or by ARN."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.policies import statements
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.documents import unread
from constructs_lib.rules.queries.links import called, has_module, predecessors, undecidable
from constructs_lib.rules.queries.names import by_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate, Section
    from constructs_lib.rules.estate.policies import Statement
    from constructs_lib.rules.outcomes import Outcome

GUIDE: Final = f"{AWS}/AmazonS3/latest/userguide"
BUCKET: Final = "aws_s3_bucket"
POLICY: Final = f"{BUCKET}_policy"
VERSIONING: Final = f"{BUCKET}_versioning"
ENCRYPTION: Final = f"{BUCKET}_server_side_encryption_configuration"
LOGGING: Final = f"{BUCKET}_logging"

BALANCERS: Final = ("aws_lb", "aws_alb", "aws_elb")
_LOGS_AT: Final = (
    *((type_, "access_logs.bucket") for type_ in BALANCERS),
    *((type_, "connection_logs.bucket") for type_ in BALANCERS[:2]),
    (LOGGING, "target_bucket"),
)
_ARN: Final = re.compile(r"arn:[^:]*:s3:::([^/]*)")


def bucket_of(section: Section, at: str) -> Block | None:
    """Return the bucket that a value refers to, or None if the estate has no such bucket."""
    found = section.target(at, BUCKET)
    if found is not None or section.raw(at) is None:
        return found
    value = section.get(at)
    text = value.text if isinstance(value, Unknown) else value
    if not isinstance(text, str) or not text:
        return None
    arn = _ARN.match(text)
    same = by_name(section.block.estate, BUCKET, "bucket").get(arn[1] if arn else text, ())
    own = [block for block in same if block.stack is section.block.stack]
    return next(iter(own or same), None)


def parts(bucket: Block, type_: str, at: str = "bucket") -> list[Block]:
    """Return the blocks of a type that configure a bucket."""
    return _parts(bucket.estate, type_, at)[0].get(bucket, [])


def missing(bucket: Block, type_: str, text: str) -> Outcome:
    """Return that a bucket has no such part, or that it may have one whose bucket is not known."""
    doubt = _parts(bucket.estate, type_, "bucket")[1] or unread(bucket.stack)
    return bucket.undecided(doubt) if doubt else bucket.fail(text)


def policies_of(bucket: Block) -> Iterator[tuple[Block, list[Statement] | Unknown]]:
    """Yield the policies of a bucket, each with the block that holds it under `policy`."""
    for holder in (bucket, *parts(bucket, POLICY)):
        found = policy_of(holder)
        if found is not None:
            yield holder, found


def policy_of(holder: Block) -> list[Statement] | Unknown | None:
    """Return what stands under `policy` of a bucket or of an aws_s3_bucket_policy."""
    return _policies(holder.estate).get(holder)


def log_writers(bucket: Block) -> list[tuple[Block, str]]:
    """Return what writes access logs into a bucket, each with the path that names it."""
    return _log_writers(bucket.estate).get(bucket, [])


def wants_aes256(writer: Block) -> bool:
    """Return whether a log source can write only to buckets with SSE-S3."""
    return writer.type not in BALANCERS or writer.get("load_balancer_type") in (None, "application")


def after(block: Block, others: list[Block]) -> bool:
    """Return whether Terraform creates a block after one of the others, as far as the stack's document shows."""
    made = predecessors(block)
    return has_module(made) or any(other.stack is not block.stack or other.base in made for other in others)


def names_of(blocks: list[Block], viewer: Block) -> str:
    """Return the names of blocks for a message."""
    return " and ".join(called(block, viewer) for block in blocks)


@lru_cache(maxsize=2)
def _policies(estate: Estate) -> dict[Block, list[Statement] | Unknown]:
    return {
        block: statements(block, "policy") for block in estate.of(BUCKET, POLICY) if block.raw("policy") is not None
    }


@lru_cache(maxsize=64)
def _parts(estate: Estate, type_: str, at: str) -> tuple[dict[Block, list[Block]], Unknown | None]:
    found: dict[Block, list[Block]] = defaultdict(list)
    doubt: Unknown | None = None
    for block in estate.of(type_):
        bucket = bucket_of(block, at)
        if bucket is None:
            doubt = undecidable(block.get(at)) or doubt
        else:
            found[bucket].append(block)
    return found, doubt


@lru_cache(maxsize=2)
def _log_writers(estate: Estate) -> dict[Block, list[tuple[Block, str]]]:
    found: dict[Block, list[tuple[Block, str]]] = defaultdict(list)
    for type_, at in _LOGS_AT:
        for block in estate.of(type_):
            label, _, last = at.rpartition(".")
            section = block.section(label) if label else block
            bucket = bucket_of(section, last) if section else None
            if section is None or bucket is None:
                continue
            if section is block or section.flag("enabled", default=type_ == "aws_elb") is not False:
                found[bucket].append((block, at))
    return found
