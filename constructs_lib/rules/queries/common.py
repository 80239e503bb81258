"""Checks of an attribute that many rules share: set, true, a number in a range."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs_lib.rules.estate.model import Section
    from constructs_lib.rules.outcomes import Outcome

AWS: Final = "https://docs.aws.amazon.com"
TERRAFORM: Final = "https://developer.hashicorp.com/terraform"
PROVIDER: Final = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs"


def policy_text(*found: dict[str, object]) -> str:
    """Return statements as a policy document, for the documents of a rule."""
    return json.dumps({"Version": "2012-10-17", "Statement": found})


def is_partly_known(value: Unknown) -> bool:
    """Return whether a text has a known part, as `${aws_x.y.arn}/*` has, so that it cannot be empty."""
    return bool(value.text) and not (value.text.startswith("${") and value.text.endswith("}"))


def expect(section: Section, at: str, ok: Callable[[Any], bool], text: str) -> Iterator[Outcome]:
    """Fail unless the resolved value, None when missing, is right; undecided when it is unknown.

    Args:
        section: The block or nested block.
        at: Dotted path of the attribute.
        ok: Asked with the known value.
        text: What is allowed and how to mend it.
    """
    value = section.get(at)
    if isinstance(value, Unknown):
        yield section.undecided(value, at)
    elif not ok(value):
        yield section.fail(text, at)


def expect_flag(
    section: Section, at: str, text: str, *, default: bool = False, wanted: bool = True
) -> Iterator[Outcome]:
    """Fail unless a boolean, possibly written as text, has the expected value; `default` is AWS's default."""
    value = section.flag(at, default=default)
    if isinstance(value, Unknown):
        yield section.undecided(value, at)
    elif value is not wanted:
        yield section.fail(text, at)


def expect_number(section: Section, at: str, ok: Callable[[float | None], bool], text: str) -> Iterator[Outcome]:
    """Fail unless a number, possibly written as text, passes `ok`, which receives None if it is missing."""
    value = section.number(at)
    if isinstance(value, Unknown):
        yield section.undecided(value, at)
    elif not ok(value):
        yield section.fail(text, at)


def expect_set(section: Section, at: str, text: str) -> Iterator[Outcome]:
    """Fail unless the attribute is set; a reference to a block counts as set, a variable without default is unknown."""
    value = section.get(at)
    if isinstance(value, Unknown):
        if not isinstance(value, Computed) and not is_partly_known(value):
            yield section.undecided(value, at)
    elif value in (None, "", [], {}):
        yield section.fail(text, at)
