"""IAM statements for a table, with conditions on partition keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from constructs_lib.core.iam import Condition, Statement
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import ConfigurationError

READ: Final = (
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:GetItem",
    "dynamodb:Query",
)
SCAN: Final = "dynamodb:Scan"
"""A scan specifies no keys, so that a condition on keys does not limit it."""
WRITE: Final = (
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
)
DESCRIBE: Final = "dynamodb:DescribeTable"
STREAM: Final = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
DECRYPT: Final = ("kms:Decrypt", "kms:DescribeKey")
ENCRYPT: Final = (
    *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
    *("kms:ReEncryptFrom", "kms:ReEncryptTo"),
)


def is_list(given: object) -> bool:
    """Whether a value is an iterable, and not a string."""
    return isinstance(given, Iterable) and not isinstance(given, str)


def key_conditions(path: str, leading_keys: Iterable[str]) -> tuple[Condition, ...]:
    """Return the conditions that limit a statement to items with certain partition keys; none without keys.

    Raises:
        ConfigurationError: A string instead of a list, an empty key, `*`, or a Terraform expression.

    See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html.
    """
    if not is_list(leading_keys):
        raise ConfigurationError(path, f"leading_keys={leading_keys!r}: must be a list of partition key values")
    values = tuple(leading_keys)
    for value in values:
        if not isinstance(value, str) or not value or "${" in value:
            raise ConfigurationError(
                path,
                f"leading_keys={value!r}: must be a non-empty string without '${{'; write policy variables as "
                "&{aws:PrincipalTag/tenant}",
            )
        if value == "*":
            raise ConfigurationError(
                path, "leading_keys='*': matches every key; remove leading_keys to grant access to all items"
            )
    if not values:
        return ()
    like = any(sign in value for value in values for sign in "*?")
    return (
        Condition(f"ForAllValues:{'StringLike' if like else 'StringEquals'}", "dynamodb:LeadingKeys", values),
        # ForAllValues is also true for requests without keys.
        Condition("Null", "dynamodb:LeadingKeys", ("false",)),
    )


def choose(path: str, actions: Iterable[str] | None, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the given actions; by default all that are allowed.

    Raises:
        ConfigurationError: A string instead of a list, no action, or an action that is not allowed here.
    """
    if actions is None:
        return allowed
    given = tuple(actions) if is_list(actions) else ()
    if not given or any(action not in allowed for action in given):
        raise ConfigurationError(
            path, f"actions={actions!r}: must be a non-empty list of actions from {', '.join(allowed)}"
        )
    return tuple(action for action in allowed if action in given)


def table_statement(
    sid: str,
    actions: tuple[str, ...],
    arn: str,
    indexes: Iterable[str] = (),
    conditions: tuple[Condition, ...] = (),
    *,
    chosen: bool = False,
) -> Statement:
    """Return a statement for a table and indexes; keys, indexes and chosen actions are hashed into its sid."""
    names = tuple(indexes)
    resources = (arn, *(f"{arn}/index/{name}" for name in names))
    distinct = [*names, *(value for condition in conditions for value in condition.values)]
    distinct += actions if chosen else ()
    digest = hashlib.sha256("\n".join(distinct).encode()).hexdigest()[:8] if distinct else ""
    return Statement(sid=f"{sid}{digest}", actions=actions, resources=resources, conditions=conditions)


def key_statement(sid: str, actions: tuple[str, ...], key_arn: str, place: Region) -> Statement:
    """Return a statement that allows the use of the table's key through DynamoDB only."""
    service = f"dynamodb.{place.name}.{place.dns_suffix}"
    return Statement(
        sid=sid,
        actions=actions,
        resources=(key_arn,),
        conditions=(Condition("StringEquals", "kms:ViaService", (service,)),),
    )
