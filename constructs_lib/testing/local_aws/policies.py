"""Evaluates policy documents, for what AWS checks when a resource is created.

Conditions on keys that the caller does not give are taken as fulfilled in an Allow and as not fulfilled in a Deny: a
refusal is certain.

See: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_EQUAL: Final = frozenset({"stringequals", "arnequals", "stringequalsignorecase", "bool", "numericequals", "arnlike"})
_LIKE: Final = frozenset({"stringlike", "arnlike", "arnequals"})  # ArnEquals and ArnLike behave identically

Statement = dict[str, Any]


def statements(document: str | bytes | Mapping[str, Any] | None) -> list[Statement]:
    """Return the statements of a policy document; none for a document that is no JSON object."""
    if not document:
        return []
    try:
        parsed = json.loads(document) if isinstance(document, (str, bytes)) else document
    except ValueError:
        return []
    return listed(parsed.get("Statement")) if isinstance(parsed, dict) else []


def allowed(
    policy: Iterable[Statement],
    action: str,
    *,
    resource: str = "*",
    principal: tuple[str, str] | None = None,
    context: Mapping[str, str] | None = None,
) -> bool:
    """Return whether statements allow an action and none denies it.

    Args:
        policy: The statements.
        action: Such as `sqs:SendMessage`.
        resource: The ARN of the resource; `*` matches the resources of every statement.
        principal: Kind and name, such as `("Service", "lambda.amazonaws.com")`; None for identity policies.
        context: Condition keys whose values are known.
    """
    effects = {
        statement.get("Effect")
        for statement in policy
        if _names(statement, "Action", action.lower(), lower=True)
        and (resource == "*" or _names(statement, "Resource", resource))
        and (principal is None or _is_principal(statement.get("Principal"), *principal))
        and _fulfilled(statement, context or {})
    }
    return "Allow" in effects and "Deny" not in effects


def listed(value: Any) -> list[Any]:  # noqa: ANN401  JSON
    """Return a list: policies may have one value in place of a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _names(statement: Statement, element: str, wanted: str, *, lower: bool = False) -> bool:
    def matches(patterns: Any) -> bool:  # noqa: ANN401  JSON
        return any(like(wanted, str(each).lower() if lower else str(each)) for each in listed(patterns))

    if f"Not{element}" in statement:
        return not matches(statement[f"Not{element}"])
    # The resource of a trust policy is the role itself.
    return matches(statement[element]) if element in statement else element == "Resource"


def like(value: str, pattern: str) -> bool:
    """Return whether a value matches a pattern with `*` and `?`."""
    return fnmatchcase(value, pattern.replace("[", "[[]"))


def _is_principal(given: Any, kind: str, name: str) -> bool:  # noqa: ANN401  JSON
    if given == "*":
        return True
    return isinstance(given, dict) and any(each in (name, "*") for each in listed(given.get(kind)))


def _fulfilled(statement: Statement, context: Mapping[str, str]) -> bool:
    known = {key.lower(): value for key, value in context.items()}
    return all(
        _holds(operator, known.get(key.lower()), listed(values), unknown=statement.get("Effect") == "Allow")
        for operator, tests in (statement.get("Condition") or {}).items()
        for key, values in tests.items()
    )


def _holds(operator: str, value: str | None, expected: list[Any], *, unknown: bool) -> bool:
    if value is None:
        return unknown
    name = operator.rpartition(":")[2].lower().removesuffix("ifexists")
    negated = "not" in name
    name = name.replace("not", "")
    if name not in _EQUAL | _LIKE:
        return unknown
    found = any(like(value, str(each)) if name in _LIKE else value == str(each) for each in expected)
    return found != negated
