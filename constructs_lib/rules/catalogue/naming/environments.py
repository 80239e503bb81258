"""The environment in resource names and tags."""

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
_ENVIRONMENT_NAME: Final = re.compile(r"(?:^|[._-])(?:env|environment|stage|suffix|workspace|tier)(?:[._-]|$)")
_TAGS: Final = ("Environment", "environment", "Env", "env", "Stage", "stage")


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


@lru_cache(maxsize=4096)
def _refers_to_environment(stack: Stack, text: str) -> bool:
    """Whether an expression contains a variable or local value for the environment."""
    return any(_ENVIRONMENT_NAME.search(name) for name in made_of(stack, text))


def _tagged(block: Block) -> set[str]:
    """Return the values of the environment tags, in lowercase."""
    tags = block.tags
    values = [tags.get(key) for key in _TAGS] if isinstance(tags, dict) else []
    return {value.lower() for value in values if isinstance(value, str)}


def _names_environment(block: Block, at: str, text: str) -> bool:
    words = _words(text)
    if any(word in WORDS or word in _SHARED for word in words):
        return True
    lower = text.lower()
    if any(value and value in lower for value in _tagged(block)):
        return True
    raw = block.raw(at)
    # Cached by text, of which there are fewer than blocks.
    return isinstance(raw, str) and "${" in raw and _refers_to_environment(block.stack, raw)


@rule(
    "NAME-001",
    "Resource name contains the environment",
    why="A second environment in the same account fails because the names are taken, or changes resources of the "
    "first.",
    fix="Add the environment to the name, such as shop-prod-worker.",
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
def name_contains_the_environment(block: Block) -> Iterator[Outcome]:
    """Skip names that derive from another block, whose own name is checked."""
    at = NAMES[block.type].at
    value, text = name_of(block), text_of(block)
    if not (text or isinstance(value, Unknown)) or _names_environment(block, at, text):
        return
    if not isinstance(value, Unknown):
        yield block.fail("must contain the environment, such as dev, staging or prod", at)
    elif not sources(block, at):
        yield block.undecided(value, at)


_SURE: Final = frozenset({"dev", "development", "prd", "preprod", "prod", "production", "staging", "uat"})
"""Words that mean an environment only."""
_OTHERWISE: Final = re.compile(r"\bdev(?=[-_ ]?(?:centers?|docs?|ops|portal|sites?|teams?|tools?)\b)")


@rule(
    "NAME-014",
    "Resource name matches the Environment tag",
    why="A cleanup of dev deletes production resources, or misses resources that are no longer needed.",
    fix="Set names and tags from the same environment value.",
    page=_PAGE,
    types=_OWN,
    severity=WARNING,
    lessons=["PLAT-12"],
    good=_GOOD,
    breaks=[
        {"resource.aws_s3_bucket.uploads.bucket": "shop-dev-uploads"},
        {"resource.aws_lambda_function.worker.tags": {"Environment": "staging"}},
    ],
    unknown_passes="NAME-001 reports names whose environment is not known.",
)
def name_matches_the_tag(block: Block) -> Iterator[Outcome]:
    """Compare only if both contain a known environment."""
    at = NAMES[block.type].at
    name = name_of(block)
    tagged = {WORDS[value] for value in _tagged(block) if value in WORDS}
    if not isinstance(name, str) or not tagged:
        return
    words = {WORDS[word] for word in _words(_OTHERWISE.sub("", name)) if word in _SURE}
    if words and not words & tagged:
        yield block.fail(f"must contain {' or '.join(sorted(tagged))}, the value of the Environment tag", at)
