"""Checks of a subscription's filter policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, Final, Literal

from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.event_pattern import check_pattern

Scope = Literal["MessageAttributes", "MessageBody"]

OPERATORS: Final = frozenset({"anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix"})
"""See https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html."""
MAX_BYTES: Final = 256 * 1024
MAX_KEYS: Final = 5
MAX_COMBINATIONS: Final = 150
"""The product of the numbers of values of each key.

See https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html.
"""


def check_filter_policy(problems: Problems, policy: Mapping[str, Any], scope: Scope) -> None:
    """Report what SNS refuses of a filter policy."""
    wrong = check_pattern(policy, fields=None, operators=OPERATORS, limit=MAX_BYTES)
    for where, value, allowed in wrong:
        problems.add(f"filter_policy{where}", value, allowed)
    if wrong:
        return
    keys = [key for key in policy if key != "$or"]
    problems.check(
        len(keys) <= MAX_KEYS, "filter_policy", keys, f"has {len(keys)} keys; SNS accepts at most {MAX_KEYS}"
    )
    combinations = prod(_lengths(policy))
    problems.check(
        combinations <= MAX_COMBINATIONS,
        "filter_policy",
        keys,
        f"has {combinations} combinations of values; SNS accepts at most {MAX_COMBINATIONS}",
    )
    nested = [key for key in keys if isinstance(policy[key], Mapping)]
    problems.check(
        scope == "MessageBody" or not nested,
        "filter_policy",
        nested,
        "is nested, and message attributes are not; give filter_policy_scope='MessageBody'",
    )


def _lengths(policy: Mapping[str, Any]) -> Iterator[int]:
    """Yield the number of values of each key, nested ones included."""
    for key, value in policy.items():
        if isinstance(value, Mapping):
            yield from _lengths(value)
        elif key == "$or":
            yield sum(prod(_lengths(alternative)) for alternative in value)
        else:
            yield len(value)
