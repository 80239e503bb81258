"""The environment that tags and names stand for."""

from __future__ import annotations

import re
from typing import Final

STRICTEST: Final = "prod"
"""The environment of a block where neither tags nor names indicate one."""

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
"""Common names of environments, and the environment that each stands for."""

_TAG_KEYS: Final = ("Environment", "environment", "Env", "env", "Stage", "stage")


def of_tags(tags: object) -> str | None:
    """Return dev, staging or prod from the environment tag; None without one that is known."""
    if not isinstance(tags, dict):
        return None
    return next((found for key in _TAG_KEYS if (found := of_word(tags.get(key)))), None)


def of_word(word: object) -> str | None:
    """Return the environment that a word such as `Production` stands for, or None."""
    return WORDS.get(word.lower()) if isinstance(word, str) else None


def of_name(name: str) -> str | None:
    """Return the environment that a part of a name such as `shop-prd` stands for, or None."""
    return next((WORDS[word] for word in re.split(r"[^a-z]+", name.lower()) if word in WORDS), None)
