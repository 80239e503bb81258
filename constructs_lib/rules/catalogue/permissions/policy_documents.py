"""Syntax and quotas of IAM policy documents."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.policies import DOCUMENT
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.permissions import LIMITS
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.admission import document
from constructs_lib.rules.queries.permissions import GUIDE, IDENTITY, ROLE, held
from constructs_lib.rules.rule import WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate
    from constructs_lib.rules.estate.policies import Statement
    from constructs_lib.rules.outcomes import Outcome
    from constructs_lib.rules.queries.permissions import Held

_CURRENT: Final = "2012-10-17"
_TOP: Final = frozenset({"Version", "Id", "Statement"})
_ELEMENTS: Final = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)
_SID: Final = re.compile(r"[A-Za-z0-9]*")
_EXPRESSION: Final = re.compile(r"\$\{[^{}]*\}")
_WRAPPING: Final = 40
"""Characters of a policy outside its statements: the version and the brackets."""

_ASSUME: Final[dict[str, object]] = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
_READ: Final[dict[str, object]] = {
    "Sid": "Read",
    "Effect": "Allow",
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::shop-prod-data/*",
}


def _policy(*found: dict[str, object], **more: object) -> str:
    return json.dumps({"Version": _CURRENT, "Statement": found, **more})


_GOOD: Final[dict[str, Any]] = {
    "resource": {
        ROLE: {"worker": {"name": "shop-prod-worker", "assume_role_policy": _policy(_ASSUME)}},
        "aws_iam_role_policy": {
            "worker": {"role": "${aws_iam_role.worker.id}", "policy": _policy(_READ, {**_READ, "Sid": "More"})}
        },
        "aws_iam_policy": {"shared": {"name": "shop-prod-shared", "policy": _policy(_READ)}},
    }
}
_POLICY: Final = "resource.aws_iam_role_policy.worker.policy"
_TRUST: Final = f"resource.{ROLE}.worker.assume_role_policy"


def _documents(block: Block) -> Iterator[tuple[Held, dict[str, Any]] | Outcome]:
    """Yield the JSON policies of a block, parsed, or the outcome if one cannot be parsed."""
    mine = _structures(block.estate).get(block)
    if not mine:
        yield NotApplicable("it has no policy")
    for policy, value in mine or ():
        if isinstance(value, dict):
            yield policy, value
        elif isinstance(value, Computed) and value.block is not None and value.block.type == DOCUMENT:
            yield NotApplicable("an aws_iam_policy_document data source writes it")
        elif isinstance(value, Unknown):
            yield policy.section.undecided(value, policy.at)
        else:
            yield policy.section.fail('must be JSON, such as {"Version": "2012-10-17", "Statement": [...]}', policy.at)


@lru_cache(maxsize=2)
def _structures(estate: Estate) -> dict[Block, list[tuple[Held, object]]]:
    """Return the parsed policies of identities; False for those that are not JSON."""
    return {
        block: [(policy, _structure(policy)) for policy in held(block)]
        for type_ in IDENTITY
        for block in estate.of(type_)
    }


def _structure(policy: Held) -> object:
    try:
        return document(policy.section, policy.at)
    except ValueError:
        return False


def _written(value: object) -> list[dict[str, Any]]:
    given = value if isinstance(value, list) else [value]
    return [one for one in given if isinstance(one, dict)]


@rule(
    "IAM-014",
    "IAM policy has valid elements",
    why="AWS rejects the policy with MalformedPolicyDocument at apply; validate and plan do not report it.",
    fix="Write Effect, Action and Resource into each statement of an identity-based policy, and Effect, Principal and "
    "Action into each statement of a trust policy.",
    page=f"{GUIDE}/reference_policies_elements.html",
    types=IDENTITY,
    good=_GOOD,
    breaks=[
        {_POLICY: _policy({**_READ, "Resources": "*"})},
        {_POLICY: _policy({"Action": "s3:GetObject", "Resource": "*"})},
        {_POLICY: _policy({**_READ, "Effect": "allow"})},
        {_POLICY: _policy({"Effect": "Allow", "Resource": "*"})},
        {_POLICY: _policy({"Effect": "Allow", "Action": "s3:GetObject"})},
        {_POLICY: _policy({**_READ, "Principal": "*"})},
        {_POLICY: _policy({**_READ, "NotAction": "s3:PutObject"})},
        {_POLICY: _policy({**_READ, "Action": "GetObject"})},
        {_POLICY: _policy({**_READ, "Resource": "shop-prod-data"})},
        {_POLICY: _policy({**_READ, "Sid": "read-it"})},
        {_POLICY: _policy(_READ, statement=[])},
        {_POLICY: json.dumps({"Version": _CURRENT})},
        {_POLICY: "s3:GetObject"},
        {_TRUST: _policy({**_ASSUME, "Resource": "*"})},
        {_TRUST: _policy({"Effect": "Allow", "Action": "sts:AssumeRole"})},
        {_TRUST: _policy({**_ASSUME, "Principal": "lambda.amazonaws.com"})},
    ],
)
def policies_are_well_formed(block: Block) -> Iterator[Outcome]:
    """Skip policies of the aws_iam_policy_document data source, which are well-formed."""
    for one in _documents(block):
        if not isinstance(one, tuple):
            yield one
            continue
        policy, value = one
        extra = sorted(set(value) - _TOP)
        given = value.get("Statement")
        problems = [f'must not have the element "{name}": IAM does not support it' for name in extra]
        if given is None or given == []:
            problems.append('must have "Statement"')
        for number, statement in enumerate(_written(given)):
            named = f'the statement "{statement["Sid"]}"' if statement.get("Sid") else f"statement {number + 1}"
            problems += [f"{named} {problem}" for problem in _problems(statement, policy.kind)]
        for problem in problems:
            yield policy.section.fail(problem, policy.at)


def _problems(statement: dict[str, Any], kind: str) -> Iterator[str]:
    for name in sorted(set(statement) - _ELEMENTS):
        yield f'must not have the element "{name}": IAM does not support it'
    effect = statement.get("Effect")
    if not isinstance(effect, Unknown) and effect not in ("Allow", "Deny"):
        yield 'must have the Effect "Allow" or "Deny"'
    yield from _one_of(statement, "Action", "NotAction")
    if kind == "trust":
        yield from _trust_problems(statement)
    else:
        yield from _one_of(statement, "Resource", "NotResource")
        yield from (
            f"must not have {name} in an identity-based policy"
            for name in ("Principal", "NotPrincipal")
            if name in statement
        )
        for resource in _listed(statement.get("Resource")):
            if isinstance(resource, str) and resource != "*" and not resource.startswith(("arn:", "*", "$")):
                yield f"must have ARNs as Resource; {resource!r} is not an ARN"
    for action in _listed(statement.get("Action")):
        if isinstance(action, str) and ":" not in action and set(action) != {"*"}:
            yield f"must have actions in the form service:action; {action!r} is not"
    sid = statement.get("Sid")
    if isinstance(sid, str) and not _SID.fullmatch(sid):
        yield "must have a Sid of letters and digits only"


def _trust_problems(statement: dict[str, Any]) -> Iterator[str]:
    yield from (f"must not have {name} in a trust policy" for name in ("Resource", "NotResource") if name in statement)
    principal = statement.get("Principal")
    if principal is None and "NotPrincipal" not in statement:
        yield "must have a Principal in a trust policy"
    elif isinstance(principal, str) and principal != "*":
        yield f'must have a Principal of the form {{"Service": ...}} or {{"AWS": ...}}, not {principal!r}'


def _one_of(statement: dict[str, Any], *names: str) -> Iterator[str]:
    given = [name for name in names if name in statement]
    if not given:
        yield f"must have {names[0]}"
    elif len(given) > 1:
        yield f"must have {' or '.join(given)}, not both"


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


@rule(
    "IAM-015",
    "IAM policy statements have unique Sids",
    why="AWS rejects the policy with MalformedPolicyDocument at apply; validate and plan do not report it.",
    fix="Give each statement its own Sid, or none.",
    page=f"{GUIDE}/reference_policies_elements_sid.html",
    types=IDENTITY,
    good=_GOOD,
    breaks=[
        {_POLICY: _policy(_READ, _READ)},
        {_TRUST: _policy({**_ASSUME, "Sid": "A"}, {**_ASSUME, "Sid": "A"})},
    ],
)
def sids_are_unique(block: Block) -> Iterator[Outcome]:
    """Skip empty Sids, which need not be unique."""
    for one in _documents(block):
        if not isinstance(one, tuple):
            yield one
            continue
        policy, value = one
        sids = [sid for statement in _written(value.get("Statement")) if isinstance(sid := statement.get("Sid"), str)]
        for sid in dict.fromkeys(sids):
            if sid and sids.count(sid) > 1:
                yield policy.section.fail(
                    f'must have unique Sids; {sids.count(sid)} statements have the Sid "{sid}"', policy.at
                )


@rule(
    "IAM-016",
    "IAM policy has the version 2012-10-17",
    why="The default version 2008-10-17 does not support policy variables: ${aws:username} is a literal string, and "
    "the statement matches nothing.",
    fix=f'Set "Version" to "{_CURRENT}".',
    page=f"{GUIDE}/reference_policies_elements_version.html",
    types=[*IDENTITY, DOCUMENT],
    severity=WARNING,
    good=_GOOD,
    breaks=[
        {_POLICY: json.dumps({"Statement": [_READ]})},
        {_POLICY: _policy(_READ, Version="2008-10-17")},
        {_TRUST: json.dumps({"Statement": _ASSUME})},
        {
            "data": {
                "aws_iam_policy_document": {
                    "old": {"version": "2008-10-17", "statement": {"actions": ["s3:GetObject"]}}
                }
            }
        },
    ],
)
def versions_are_current(block: Block) -> Iterator[Outcome]:
    """The data source uses the current version by default."""
    if block.type == DOCUMENT:
        version = block.get("version")
        if isinstance(version, Unknown):
            yield block.undecided(version, "version")
        elif version not in (None, _CURRENT):
            yield block.fail(f'must be "{_CURRENT}"', "version")
        return
    for one in _documents(block):
        if not isinstance(one, tuple):
            yield one
            continue
        policy, value = one
        version = value.get("Version")
        if not isinstance(version, Unknown) and version != _CURRENT:
            yield policy.section.fail(f'must have "Version": "{_CURRENT}"', policy.at)


_INLINE: Final = {"aws_iam_role_policy": "role", "aws_iam_user_policy": "user", "aws_iam_group_policy": "group"}


@rule(
    "IAM-017",
    "IAM policy size is within the quota",
    why="AWS rejects the policy at apply; validate and plan do not report it.",
    fix="Split the statements between several managed policies, or merge statements with the same resource.",
    page=f"{GUIDE}/reference_iam-quotas.html",
    types=[*_INLINE, "aws_iam_policy", ROLE],
    good=_GOOD,
    breaks=[
        {
            "resource.aws_iam_policy.shared.policy": _policy(
                {**_READ, "Resource": [f"arn:aws:s3:::shop-prod-data/{number:040}/*" for number in range(100)]}
            )
        },
        {
            _TRUST: _policy(
                {**_ASSUME, "Principal": {"AWS": [f"arn:aws:iam::111122223333:role/shop-{n:040}" for n in range(30)]}}
            )
        },
        {_POLICY: _policy({**_READ, "Resource": [f"arn:aws:s3:::shop-prod-data/{n:040}/*" for n in range(160)]})},
        {
            "resource.aws_iam_role_policy": {
                name: {
                    "role": "${aws_iam_role.worker.id}",
                    "policy": _policy(
                        {**_READ, "Resource": [f"arn:aws:s3:::shop-prod-data/{n:040}/*" for n in range(90)]}
                    ),
                }
                for name in ("one", "two")
            }
        },
    ],
)
def policies_fit(block: Block) -> Iterator[Outcome]:
    """Count neither white space nor unknown values."""
    for policy in held(block):
        kind = {"trust": "trust"}.get(policy.kind) or _INLINE.get(block.type) or "managed"
        kind = "role" if block.type == ROLE and policy.kind == "identity" else kind
        if isinstance(policy.found, Unknown):
            yield policy.section.undecided(policy.found, policy.at)
            continue
        owner = block.target(kind) if block.type in _INLINE else None
        others = (
            [each for other in owner.referrers_at(kind, block.type) if other is not block for each in held(other)]
            if owner
            else []
        )
        size = _size(policy.found) + sum(_size(each.found) for each in others if not isinstance(each.found, Unknown))
        if size > LIMITS[kind]:
            have = f" in all inline policies of its {kind} together; they have" if others else "; it has"
            yield policy.section.fail(f"must have at most {LIMITS[kind]} characters{have} at least {size}", policy.at)


def _size(found: list[Statement]) -> int:
    """Return a lower bound of the characters that IAM counts."""
    return _WRAPPING + sum(map(_length, found))


def _length(statement: Statement) -> int:
    principals: dict[str, list[str]] = {}
    for who in statement.principals:
        principals.setdefault(who.kind, []).append(_known(who.value))
    parts: dict[str, object] = {
        "Effect": statement.effect,
        "Action": [_known(value) for value in (*statement.actions, *statement.not_actions)],
        "Resource": [_known(value) for value in (*statement.resources, *statement.not_resources)],
        "Principal": principals,
        "Condition": {
            each.operator: {each.key: [_known(value) for value in each.values]} for each in statement.conditions
        },
    }
    return len(json.dumps({name: part for name, part in parts.items() if part}, separators=(",", ":"))) - 8


def _known(value: str | Unknown) -> str:
    return _EXPRESSION.sub("", value.text) if isinstance(value, Unknown) else value
