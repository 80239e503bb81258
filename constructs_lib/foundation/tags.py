"""Tags that every resource carries, checked against AWS's rules and the library's required keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.errors import Problems

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIRED_TAGS: Final = ("Project", "Environment", "Owner")
"""Without these nobody knows what a resource belongs to or who to ask."""
MAX_TAGS: Final = 50
MAX_KEY_LENGTH: Final = 128
MAX_VALUE_LENGTH: Final = 256
_LEGAL: Final = re.compile(r"[\w .:/=+\-@]*")


def check_tags(path: str, tags: Mapping[str, str], *, required: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the tags as a dictionary in the order of their keys.

    Args:
        path: The construct path, for the error.
        tags: Keys of 1 to 128 characters, values of at most 256, letters, digits, spaces and `_.:/=+-@`; 50 at most.
        required: Keys that must be there with a value.

    Raises:
        ConfigurationError: A key or value that AWS refuses, more than 50, or a required key missing.

    See https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html.
    """
    problems = Problems(path)
    lowered: dict[str, str] = {}
    for key, value in tags.items():
        argument = f"tags[{key!r}]"
        if not isinstance(value, str):
            problems.add(argument, value, "a tag's value must be a string")
            continue
        problems.check(
            0 < len(key) <= MAX_KEY_LENGTH and _LEGAL.fullmatch(key),
            argument,
            value,
            f"a tag's key must be 1 to {MAX_KEY_LENGTH} letters, digits, spaces or _.:/=+-@",
        )
        problems.check(not key.lower().startswith("aws:"), argument, value, "keys starting with aws: belong to AWS")
        # A reference such as ${aws_vpc.x.id} is only known at apply; its length and characters are not ours to judge.
        problems.check(
            "${" in value or (len(value) <= MAX_VALUE_LENGTH and _LEGAL.fullmatch(value)),
            argument,
            value,
            f"a tag's value must be at most {MAX_VALUE_LENGTH} letters, digits, spaces or _.:/=+-@",
        )
        twin = lowered.setdefault(key.lower(), key)
        problems.check(twin == key, argument, value, f"differs from the key {twin!r} in case only")
    for key in required:
        problems.check(tags.get(key), "tags", sorted(tags), f"the tag {key!r} is required and must not be empty")
    problems.check(len(tags) <= MAX_TAGS, "tags", len(tags), f"AWS allows at most {MAX_TAGS} tags on a resource")
    problems.raise_if_any()
    return dict(sorted(tags.items()))
