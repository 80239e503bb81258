"""Whether a KMS key is a customer managed key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.rules.queries.common import expect_set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Section
    from constructs_lib.rules.outcomes import Outcome

_MANAGED: Final = "alias/aws/"
_BY_ALIAS: Final = ("data.aws_kms_alias", "data.aws_kms_key")


def expect_customer_key(section: Section, at: str, text: str) -> Iterator[Outcome]:
    """Fail if the attribute has no key or an AWS managed key."""
    value = section.get(at)
    named = [value, *(one.get("name") or one.get("key_id") for one in section.targets(at, *_BY_ALIAS))]
    if any(isinstance(name, str) and _MANAGED in name for name in named):
        yield section.fail(f"is an AWS managed key; {text}", at)
    else:
        yield from expect_set(section, at, text)
