"""Reads IAM policies from JSON, `jsonencode`, policy document data sources, locals and outputs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Encoded, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from constructs_lib.rules.estate.model import Block, Section

DOCUMENT: Final = "data.aws_iam_policy_document"
"""The data source that writes policies."""

Text = str | Unknown

_EXPRESSION: Final = re.compile(r"\$\{[^{}]*\}")
_LOCAL: Final = re.compile(r"\$\{\s*(local\.[\w-]+)\s*\}")
_MARK: Final = "<expression>"


@dataclass(frozen=True)
class Principal:
    """Who a statement is about.

    Attributes:
        kind: `AWS`, `Service`, `Federated`, `CanonicalUser`, or `*` for everyone.
        value: An ARN, account, service or `*`.
    """

    kind: str
    value: Text


@dataclass(frozen=True)
class Condition:
    """One test of a statement's condition.

    Attributes:
        operator: Such as `StringEquals`.
        key: Such as `aws:SourceArn`.
        values: What the key is compared with.
    """

    operator: str
    key: str
    values: tuple[Text, ...]


@dataclass(frozen=True)
class Statement:
    """One statement of a policy.

    Attributes:
        sid: Its name; may be empty.
        effect: `Allow` or `Deny`; what is not known counts as `Allow`.
        actions: Patterns such as `s3:Get*`.
        not_actions: Everything but these.
        resources: ARNs or patterns.
        not_resources: Everything but these.
        principals: Who; empty in a policy of a role or user.
        not_principals: Everyone but these.
        conditions: All of them must hold.
        at: Dotted path of the attribute that the policy stands at, with the statement's number.
    """

    sid: str = ""
    effect: str = "Allow"
    actions: tuple[Text, ...] = ()
    not_actions: tuple[Text, ...] = ()
    resources: tuple[Text, ...] = ()
    not_resources: tuple[Text, ...] = ()
    principals: tuple[Principal, ...] = ()
    not_principals: tuple[Principal, ...] = ()
    conditions: tuple[Condition, ...] = ()
    at: str = ""

    def allows(self, action: str) -> bool:
        """Return whether it allows an action, whatever its resources and conditions; an unknown one it does not."""
        return self.effect == "Allow" and self.covers(action)

    def covers(self, action: str) -> bool:
        """Return whether an action is among its own, whatever its effect, resources and conditions; as `allows`."""
        if self.not_actions:
            return not any(_matches(pattern, action) for pattern in self.not_actions)
        return any(_matches(pattern, action) for pattern in self.actions)

    def condition(self, key: str) -> tuple[Text, ...]:
        """Return what a condition key is compared with, whatever the operator and the case of its letters."""
        wanted = key.lower()
        return tuple(value for found in self.conditions if found.key.lower() == wanted for value in found.values)


class RolePolicies(list[tuple["Block", "list[Statement] | Unknown"]]):
    """The policies of a role, each with the block that holds it.

    Attributes:
        managed: ARNs of attached policies that are not in the estate, such as AWS's own; `Unknown` where not known.
    """

    def __init__(self) -> None:
        super().__init__()
        self.managed: list[Text] = []


def statements(section: Section, path: str) -> list[Statement] | Unknown:
    """Return the statements of the policy at an attribute; none where the attribute is missing.

    Args:
        section: The block, or a block in it.
        path: The dotted path of the attribute, such as `policy`.

    Returns:
        The statements in order; `Unknown` with the reason where the policy cannot be read.
    """
    at = f"{section.at}.{path}" if section.at else path
    raw = section.raw(path)
    if raw is None:
        return []
    return _read(section.block, raw, at)


def roles_policies(role: Block) -> RolePolicies:
    """Return the policies of an `aws_iam_role`: inline ones, and those that other blocks attach to it."""
    found = RolePolicies()
    for inline in role.sections("inline_policy"):
        found.append((role, statements(inline, "policy")))
    for block in role.referrers_at("role", "aws_iam_role_policy"):
        found.append((block, statements(block, "policy")))
    for block in role.referrers_at("role", "aws_iam_role_policy_attachment"):
        _attach(found, block, "policy_arn")
    for block in role.referrers_at("role_name", "aws_iam_role_policy_attachments_exclusive"):
        _attach(found, block, "policy_arns")
    for block in role.referrers_at("roles", "aws_iam_policy_attachment"):
        _attach(found, block, "policy_arn")
    _attach(found, role, "managed_policy_arns")
    return found


def _attach(found: RolePolicies, block: Block, path: str) -> None:
    for item in _list(block.get(path)):
        policy = item.block if isinstance(item, Computed) else None
        if policy is not None and policy.type == "aws_iam_policy":
            if all(known is not policy for known, _ in found):
                found.append((policy, statements(policy, "policy")))
        elif policy is not None and policy.type == "data.aws_iam_policy":
            arn = policy.get("arn") or policy.get("name")
            found.managed.append(arn if isinstance(arn, str | Unknown) else item)
        elif isinstance(item, str | Unknown):
            found.managed.append(item)


def _read(block: Block, raw: object, at: str) -> list[Statement] | Unknown:
    """Read a policy that stands in a block, or in a local value that it names, as text or as a structure."""
    seen: set[str] = set()
    while isinstance(raw, str) and (named := _LOCAL.fullmatch(raw)) and named[1] not in seen:
        seen.add(named[1])
        local = block.stack.one(named[1])
        raw = raw if local is None else local.body.get("value")
    if isinstance(raw, str):
        parsed = _json(raw) or _json_around_expressions(raw)
        if parsed is not None:
            return _policy(block.resolve(parsed), at)
    return _value(block.resolve(raw), at)


def _value(value: object, at: str, seen: frozenset[int] = frozenset()) -> list[Statement] | Unknown:
    """Read a policy that a value holds, after its references are resolved."""
    if isinstance(value, Encoded):
        return _policy(value.value, at)
    if isinstance(value, Computed) and value.block is not None and value.block.type == DOCUMENT:
        if value.attribute in ("json", "minified_json"):
            return _document(value.block, at, seen)
        return Unknown(f"{value.text} is not a policy")
    if isinstance(value, Unknown):
        parsed = _json(value.text) if value.text else None
        return Unknown(value.reason, value.text) if parsed is None else _policy(_with_unknown(parsed, value), at)
    if isinstance(value, str):
        parsed = _json(value)
        return Unknown("the policy is not JSON", value) if parsed is None else _policy(parsed, at)
    return _policy(value, at)


def _json(text: str) -> Any:  # noqa: ANN401  JSON
    """Return the structure of a JSON object or list in a text; None when it is no such text."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        found = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


def _json_around_expressions(text: str) -> Any:  # noqa: ANN401  JSON
    """Return the structure of a JSON text whose expressions hold quotes of their own, such as `${join(",", x)}`."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    expressions = _EXPRESSION.findall(text)
    parsed = _json(_EXPRESSION.sub(_MARK, text))
    return _filled(parsed, iter(expressions)) if expressions and _MARK not in text else None


def _filled(value: object, expressions: Iterator[str]) -> Any:  # noqa: ANN401  JSON
    """Put expressions back where marks stand, in the order of the text."""
    if isinstance(value, str):
        return re.sub(_MARK, lambda _: next(expressions), value)
    if isinstance(value, list):
        return [_filled(item, expressions) for item in value]
    if isinstance(value, dict):
        return {_filled(key, expressions): _filled(item, expressions) for key, item in value.items()}
    return value


def _with_unknown(value: object, reason: Unknown) -> Any:  # noqa: ANN401  JSON
    """Return a structure whose texts with `${…}` are unknown."""
    if isinstance(value, str):
        return Unknown(reason.reason, value) if "${" in value else value
    if isinstance(value, list):
        return [_with_unknown(item, reason) for item in value]
    if isinstance(value, dict):
        return {key: _with_unknown(item, reason) for key, item in value.items()}
    return value


def _policy(value: object, at: str) -> list[Statement] | Unknown:
    """Read a policy's structure: an object with `Statement`, which is an object or a list."""
    if isinstance(value, Unknown):
        return value
    if not isinstance(value, dict | list):
        return Unknown("the policy is not JSON")
    if isinstance(value, dict):
        value = value.get("Statement", [])
    found: list[Statement] = []
    for number, body in enumerate(_list(value)):
        if isinstance(body, Unknown):
            return body
        if not isinstance(body, dict):
            return Unknown("a statement of the policy is not an object")
        found.append(_statement(body, f"{at}.Statement.{number}"))
    return found


def _statement(body: dict[str, Any], at: str) -> Statement:
    effect, sid = body.get("Effect"), body.get("Sid")
    return Statement(
        sid=sid if isinstance(sid, str) else "",
        effect=effect if isinstance(effect, str) else "Allow",
        actions=_texts(body.get("Action")),
        not_actions=_texts(body.get("NotAction")),
        resources=_texts(body.get("Resource")),
        not_resources=_texts(body.get("NotResource")),
        principals=_principals(body.get("Principal")),
        not_principals=_principals(body.get("NotPrincipal")),
        conditions=tuple(_conditions(body.get("Condition"))),
        at=at,
    )


def _principals(value: object) -> tuple[Principal, ...]:
    if isinstance(value, dict):
        return tuple(Principal(kind, text) for kind, given in value.items() for text in _texts(given))
    return tuple(Principal("*", text) for text in _texts(value))


def _conditions(value: object) -> Iterator[Condition]:
    if isinstance(value, Unknown):
        yield Condition("", "", (value,))
    if not isinstance(value, dict):
        return
    for operator, tests in value.items():
        if isinstance(tests, dict):
            for key, given in tests.items():
                yield Condition(operator, key, _texts(given))
        elif isinstance(tests, Unknown):
            yield Condition(operator, "", (tests,))


def _document(block: Block, at: str, seen: frozenset[int]) -> list[Statement] | Unknown:
    """Read the data source: the documents that it starts from, its own statements, the documents that override."""
    if id(block) in seen:
        return Unknown(f"{block.address} refers to itself")
    seen |= {id(block)}
    found: list[Statement] = []
    for path in ("source_json", "source_policy_documents"):
        for value in _documents(block, path):
            part = _value(value, at, seen)
            if isinstance(part, Unknown):
                return part
            found.extend(part)
    raw = block.get("statement")
    if isinstance(raw, Unknown):
        return raw
    own = [_block_statement(section, f"{block.address}.{section.at}") for section in block.sections("statement")]
    found = _laid_over(found, own)
    for path in ("override_json", "override_policy_documents"):
        for value in _documents(block, path):
            part = _value(value, at, seen)
            if isinstance(part, Unknown):
                return part
            found = _laid_over(found, part)
    return found


def _documents(block: Block, path: str) -> list[Any]:
    value = block.get(path)
    return [] if value is None else _list(value)


def _laid_over(below: list[Statement], above: list[Statement]) -> list[Statement]:
    """Return statements with those of the same sid replaced, and the others after them."""
    named = {statement.sid: statement for statement in above if statement.sid}
    replaced = [named.pop(statement.sid, statement) if statement.sid else statement for statement in below]
    return [*replaced, *(statement for statement in above if not statement.sid or statement.sid in named)]


def _block_statement(section: Section, at: str) -> Statement:
    effect, sid = section.get("effect"), section.get("sid")
    conditions = []
    for one in section.sections("condition"):
        operator, key = one.get("test"), one.get("variable")
        conditions.append(Condition(_word(operator), _word(key), _texts(one.get("values"))))
    return Statement(
        sid=sid if isinstance(sid, str) else "",
        effect=effect if isinstance(effect, str) else "Allow",
        actions=_texts(section.get("actions")),
        not_actions=_texts(section.get("not_actions")),
        resources=_texts(section.get("resources")),
        not_resources=_texts(section.get("not_resources")),
        principals=tuple(_block_principals(section.sections("principals"))),
        not_principals=tuple(_block_principals(section.sections("not_principals"))),
        conditions=tuple(conditions),
        at=at,
    )


def _block_principals(sections: Iterable[Section]) -> Iterator[Principal]:
    for section in sections:
        for value in _texts(section.get("identifiers")):
            yield Principal(_word(section.get("type")), value)


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _texts(value: object) -> tuple[Text, ...]:
    """Return what may be one text or a list of them as texts."""
    found: list[Text] = []
    for item in _list(value):
        if isinstance(item, str | Unknown):
            found.append(item)
        elif isinstance(item, bool):
            found.append(str(item).lower())
        elif isinstance(item, list):
            found.extend(_texts(item))
        elif item is not None:
            found.append(str(item))
    return tuple(found)


def _matches(pattern: Text, action: str) -> bool:
    return isinstance(pattern, str) and _pattern(pattern.lower()).fullmatch(action.lower()) is not None


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern with `*` and `?`."""
    parts = re.split(r"([*?]+)", pattern)
    return re.compile(
        "".join(_wildcard(part) if part[:1] in ("*", "?") else re.escape(part) for part in parts), re.DOTALL
    )


def _wildcard(part: str) -> str:
    return "." * part.count("?") + (".*" if "*" in part else "")
