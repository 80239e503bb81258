"""Who may read and write a table, down to single partition keys."""

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
"""Reads whatever there is and names no keys, so that no condition on keys holds it back."""
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
    """Whether something holds several values; a text holds one."""
    return isinstance(given, Iterable) and not isinstance(given, str)


def key_conditions(path: str, leading_keys: Iterable[str]) -> tuple[Condition, ...]:
    """Return the conditions that hold a grant to items with certain partition keys; none without keys.

    Raises:
        ConfigurationError: A text in place of a list, an empty key, or what Terraform would take for its own.

    See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html.
    """
    if not is_list(leading_keys):
        raise ConfigurationError(path, f"leading_keys={leading_keys!r}: must be a list of partition key values")
    values = tuple(leading_keys)
    for value in values:
        if not isinstance(value, str) or not value or "${" in value:
            raise ConfigurationError(
                path,
                f"leading_keys={value!r}: must be a plain value of the partition key; write a policy variable as "
                "&{aws:PrincipalTag/tenant}",
            )
        if value == "*":
            raise ConfigurationError(path, "leading_keys='*': is every key; leave leading_keys out to grant the table")
    if not values:
        return ()
    like = any(sign in value for value in values for sign in "*?")
    return (
        Condition(f"ForAllValues:{'StringLike' if like else 'StringEquals'}", "dynamodb:LeadingKeys", values),
        # A request that names no keys would satisfy the condition above.
        Condition("Null", "dynamodb:LeadingKeys", ("false",)),
    )


def choose(path: str, actions: Iterable[str] | None, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the actions that are asked for; by default all that are allowed.

    Raises:
        ConfigurationError: A text in place of a list, no action, or one that this grant does not give.
    """
    if actions is None:
        return allowed
    asked = tuple(actions) if is_list(actions) else ()
    if not asked or any(action not in allowed for action in asked):
        raise ConfigurationError(path, f"actions={actions!r}: must be a list of some of {', '.join(allowed)}")
    return tuple(action for action in allowed if action in asked)


def table_statement(
    sid: str,
    actions: tuple[str, ...],
    arn: str,
    indexes: Iterable[str] = (),
    conditions: tuple[Condition, ...] = (),
    *,
    chosen: bool = False,
) -> Statement:
    """Return the statement on a table and some of its indexes; its sid tells grants of other keys and actions apart."""
    names = tuple(indexes)
    resources = (arn, *(f"{arn}/index/{name}" for name in names))
    told_apart = [*names, *(value for condition in conditions for value in condition.values)]
    told_apart += actions if chosen else ()
    digest = hashlib.sha256("\n".join(told_apart).encode()).hexdigest()[:8] if told_apart else ""
    return Statement(sid=f"{sid}{digest}", actions=actions, resources=resources, conditions=conditions)


def key_statement(sid: str, actions: tuple[str, ...], key_arn: str, place: Region) -> Statement:
    """Return the statement that lets a role use the table's key through DynamoDB, and in no other way."""
    service = f"dynamodb.{place.name}.{place.dns_suffix}"
    return Statement(
        sid=sid,
        actions=actions,
        resources=(key_arn,),
        conditions=(Condition("StringEquals", "kms:ViaService", (service,)),),
    )
