"""The environment in names."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.environments import WORDS
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.names import NAMES
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.documents import made_of
from constructs_lib.rules.queries.links import sources
from constructs_lib.rules.queries.names import name_of, text_of
from constructs_lib.rules.rule import WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Stack
    from constructs_lib.rules.outcomes import Outcome

_OWN: Final = sorted(type_ for type_, fact in NAMES.items() if fact.is_own)
_PAGE: Final = f"{AWS}/whitepapers/latest/tagging-best-practices/tagging-best-practices.html"

_GOOD: Final[dict[str, Any]] = {
    "provider": {"aws": {"region": "us-east-1", "default_tags": {"tags": {"Environment": "prod"}}}},
    "resource": {
        "aws_lambda_function": {"worker": {"function_name": "shop-prod-worker"}},
        "aws_elasticache_replication_group": {"cache": {"replication_group_id": "shop-prod-cache"}},
        "aws_s3_bucket": {"uploads": {"bucket": "shop-prod-uploads"}},
    },
}

_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SHARED: Final = frozenset({"shared", "global"})
_SPEAKS: Final = re.compile(r"(?:^|[._-])(?:env|environment|stage|suffix|workspace|tier)(?:[._-]|$)")
_TAGS: Final = ("Environment", "environment", "Env", "env", "Stage", "stage")


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


@lru_cache(maxsize=4096)
def _speaks(stack: Stack, text: str) -> bool:
    """Whether an expression is made of a variable or local value that names the environment."""
    return any(_SPEAKS.search(name) for name in made_of(stack, text))


def _said(block: Block) -> set[str]:
    """Return how the block's tags call its environment."""
    tags = block.tags
    values = [tags.get(key) for key in _TAGS] if isinstance(tags, dict) else []
    return {value.lower() for value in values if isinstance(value, str)}


def _names_environment(block: Block, at: str, text: str) -> bool:
    words = _words(text)
    if any(word in WORDS or word in _SHARED for word in words):
        return True
    lower = text.lower()
    if any(value and value in lower for value in _said(block)):
        return True
    raw = block.raw(at)
    # Bounded by the number of different texts, not of blocks.
    return isinstance(raw, str) and "${" in raw and _speaks(block.stack, raw)


@rule(
    "NAME-001",
    "A name says which environment it is of",
    why="A second environment in the account fails on names that are taken, or changes what is the first one's.",
    fix="Put the environment into the name, such as shop-prod-worker.",
    page=_PAGE,
    types=_OWN,
    severity=WARNING,
    lessons=["TICK-2", "TICK-3", "EVT-4"],
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.function_name": "shop-worker"},
        {"resource.aws_elasticache_replication_group.cache.replication_group_id": "shop-redis"},
        {
            "resource.aws_s3_bucket.uploads.bucket": "${local.app_name}-uploads",
            "locals": {"app_name": "shop"},
        },
    ],
)
def names_say_the_environment(block: Block) -> Iterator[Outcome]:
    """A name that is made of another block's name or id is as good as that one."""
    at = NAMES[block.type].at
    value, text = name_of(block), text_of(block)
    if not (text or isinstance(value, Unknown)) or _names_environment(block, at, text):
        return
    if not isinstance(value, Unknown):
        yield block.fail("must contain the environment, such as dev, staging or prod", at)
    elif not sources(block, at):
        yield block.undecided(value, at)


_SURE: Final = frozenset({"dev", "development", "prd", "preprod", "prod", "production", "staging", "uat"})
"""Words that are an environment and hardly anything else."""
_OTHERWISE: Final = re.compile(r"\bdev(?=[-_ ]?(?:centers?|docs?|ops|portal|sites?|teams?|tools?)\b)")


@rule(
    "NAME-014",
    "The environment in a name is the one of its tags",
    why="Somebody cleans up dev and deletes production, or the other way round pays for what nobody needs.",
    fix="Take the environment for names and tags from one place.",
    page=_PAGE,
    types=_OWN,
    severity=WARNING,
    lessons=["PLAT-12"],
    good=_GOOD,
    breaks=[
        {"resource.aws_s3_bucket.uploads.bucket": "shop-dev-uploads"},
        {"resource.aws_lambda_function.worker.tags": {"Environment": "staging"}},
    ],
    unknown_passes="NAME-001 asks for the environment in the name",
)
def names_and_tags_agree(block: Block) -> Iterator[Outcome]:
    """Compare only where both speak plainly."""
    at = NAMES[block.type].at
    name = name_of(block)
    said = {WORDS[value] for value in _said(block) if value in WORDS}
    if not isinstance(name, str) or not said:
        return
    words = {WORDS[word] for word in _words(_OTHERWISE.sub("", name)) if word in _SURE}
    if words and not words & said:
        yield block.fail(f"must say {' or '.join(sorted(said))}, which the tag Environment says", at)
