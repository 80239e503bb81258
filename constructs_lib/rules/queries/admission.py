"""Whether the policies of queues, topics and functions allow an AWS service."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.policies import statements
from constructs_lib.rules.estate.values import Encoded, Unknown
from constructs_lib.rules.queries.links import ALIAS, FUNCTION, QUEUE, TOPIC, is_given, pointing, undecidable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate, Section
    from constructs_lib.rules.estate.policies import Statement

PERMISSION: Final = "aws_lambda_permission"
POLICY_OF: Final = {QUEUE: ("aws_sqs_queue_policy", "queue_url"), TOPIC: ("aws_sns_topic_policy", "arn")}
SENDING: Final = {QUEUE: "sqs:SendMessage", TOPIC: "sns:Publish"}

_LIMITS: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:vpcsourceip",
    }
)
_SOURCES: Final = ("aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:SourceOwner")


def document(section: Section, at: str) -> Any:  # noqa: ANN401  JSON has any shape
    """Return the structure of a JSON text: with unknown leaves, `Unknown` as a whole, or None where nothing stands.

    Raises:
        ValueError: It is a text, and no JSON.
    """
    raw = section.raw(at)
    if isinstance(raw, str) and raw.lstrip().startswith("{") and "${" in raw:
        try:
            return section.block.resolve(json.loads(raw))
        except ValueError:
            pass  # an expression with quotes of its own
    value = section.get(at)
    if isinstance(value, Encoded):
        return value.value
    return json.loads(value) if isinstance(value, str) else value


def policies_of(block: Block) -> Iterator[tuple[Block, list[Statement] | Unknown]]:
    """Yield the policies of a queue or topic, each with the block that holds it under `policy`."""
    if block.raw("policy") is not None:
        yield block, statements(block, "policy")
    for holder in pointing(block, *POLICY_OF[block.type]):
        yield holder, statements(holder, "policy")


def is_for_everyone(statement: Statement) -> bool:
    """Return whether a statement allows an action to every account without a restricting condition."""
    everyone = any(who.value == "*" and who.kind in ("*", "AWS") for who in statement.principals)
    return statement.effect == "Allow" and everyone and not _is_limited(statement)


def has_source(statement: Statement) -> bool:
    """Return whether a condition says for which source, account or organisation a service acts."""
    return any(value != "*" for key in _SOURCES for value in statement.condition(key))


def admits(block: Block, service: str) -> bool | Unknown:
    """Return whether the policies of a queue or topic allow a service to send to it."""
    doubt: Unknown | None = None
    for _, found in policies_of(block):
        if isinstance(found, Unknown):
            doubt = found
            continue
        for statement in found:
            action_unknown = next(filter(None, map(undecidable, statement.actions)), None)
            if not statement.allows(SENDING[block.type]) and not action_unknown:
                continue
            if any(who.value in (service, "*") for who in statement.principals) and not action_unknown:
                return True
            doubt = action_unknown or next(
                (v.value for v in statement.principals if isinstance(v.value, Unknown)), doubt
            )
    return doubt or _policy_of_unknown(block.estate, block.type) or False


def may_call(function: Block, caller: Section, at: str, service: str) -> bool | Unknown:
    """Return whether a permission lets a service call what stands at a path: the function, or an alias of it."""
    alias = caller.target(at, ALIAS)
    plain = caller.target(at, FUNCTION) is not None and "qualified" not in str(caller.raw(at))
    doubt = _permission_of_unknown(function.estate)
    for permission in pointing(function, PERMISSION, "function_name"):
        principal, qualifier = permission.get("principal"), permission.get("qualifier")
        if alias is None:
            qualified = qualifier is None or not plain
        elif alias in (permission.target("qualifier", ALIAS), permission.target("function_name", ALIAS)):
            qualified = True
        else:
            qualified = qualifier is not None and qualifier == alias.get("name")
        if qualified and principal in (service, "*"):
            return True
        doubt = undecidable(principal) or undecidable(qualifier) or doubt
    return doubt or False


def wanted_permission(function: Block, caller: Section, at: str, service: str) -> str:
    """Return what to add, as words for a message."""
    alias = caller.target(at, ALIAS)
    qualifier = f', with the qualifier "{alias.text("name")}"' if alias else ""
    return f"must have an aws_lambda_permission for {function.address} with the principal {service}{qualifier}"


def _is_limited(statement: Statement) -> bool:
    return any(
        condition.key.lower() in _LIMITS
        and "not" not in condition.operator.lower()
        and any(is_given(value) or isinstance(value, Unknown) for value in condition.values if value != "*")
        for condition in statement.conditions
    )


@lru_cache(maxsize=16)
def _policy_of_unknown(estate: Estate, type_: str) -> Unknown | None:
    """Return what a policy is for, where it is not known which queue or topic that is; None where all are known."""
    holder, at = POLICY_OF[type_]
    return next(
        filter(None, (undecidable(each.get(at)) for each in estate.of(holder) if not each.target(at, type_))), None
    )


@lru_cache(maxsize=8)
def _permission_of_unknown(estate: Estate) -> Unknown | None:
    """Return the name of a function that a permission is for and that is not known, or None."""
    at = "function_name"
    names = (undecidable(each.get(at)) for each in estate.of(PERMISSION) if not each.target(at, FUNCTION, ALIAS))
    return next(filter(None, names), None)
