"""Which environment a block belongs to, read from what it says itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown

if TYPE_CHECKING:
    from constructs_lib.rules.estate.blocks import Block
    from constructs_lib.rules.estate.model import Stack

STRICTEST: Final = "prod"
"""What a block counts as when nothing says."""

WORDS: Final = {
    "dev": "dev",
    "develop": "dev",
    "development": "dev",
    "sandbox": "dev",
    "test": "dev",
    "testing": "dev",
    "qa": "staging",
    "stage": "staging",
    "staging": "staging",
    "preprod": "staging",
    "uat": "staging",
    "live": "prod",
    "prd": "prod",
    "prod": "prod",
    "production": "prod",
}
"""Words that teams use, and which of the three they mean."""

_TAG_KEYS: Final = ("Environment", "environment", "Env", "env", "Stage", "stage")


def environment_of(block: Block) -> str:
    """Return dev, staging or prod: from the block's tags or its provider's, else from its stack, else the strictest."""
    tags = block.tags
    if not isinstance(tags, Unknown):
        found = _from_tags(tags)
        if found:
            return found
    return block.stack.environment or STRICTEST


def stack_environment(stack: Stack) -> str | None:
    """Return the environment that a stack's providers, variables or name speak of; None when they do not."""
    for block in stack.blocks:
        # of a plan, the tags of resources: those of a provider may come from a local value, which it does not show
        tags = block.get("default_tags.tags" if block.type == "provider.aws" else "tags_all")
        found = _from_tags(tags) if isinstance(tags, dict) else None
        if found:
            return found
    for base in ("local.environment", "local.env", "var.environment", "var.env"):
        block_ = stack.one(base)
        value = block_.get("value" if base.startswith("local") else "default") if block_ else None
        if isinstance(value, str) and value.lower() in WORDS:
            return WORDS[value.lower()]
    words = re.split(r"[^a-z]+", stack.name.lower())
    return next((WORDS[word] for word in words if word in WORDS), None)


def _from_tags(tags: dict[str, Any]) -> str | None:
    for key in _TAG_KEYS:
        value = tags.get(key)
        if isinstance(value, str) and value.lower() in WORDS:
            return WORDS[value.lower()]
    return None
