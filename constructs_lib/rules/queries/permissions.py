"""Every IAM policy of an estate: the block that contains it, its kind and its statements."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.policies import Condition, Statement, statements
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import Fail, NotApplicable
from constructs_lib.rules.queries.common import AWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from constructs_lib.rules.estate.model import Block, Estate, Section
    from constructs_lib.rules.outcomes import Outcome

GUIDE: Final = f"{AWS}/IAM/latest/UserGuide"
ROLE: Final = "aws_iam_role"
IDENTITY: Final = (
    "aws_iam_policy",
    "aws_iam_role_policy",
    "aws_iam_user_policy",
    "aws_iam_group_policy",
    ROLE,
)
"""Types that hold policies of identities."""
OTHER_RESOURCES: Final = (
    "aws_backup_vault_policy",
    "aws_cloudwatch_log_resource_policy",
    "aws_dynamodb_resource_policy",
    "aws_ecr_repository_policy",
    "aws_efs_file_system_policy",
    "aws_kinesis_resource_policy",
    "aws_opensearch_domain_policy",
    "aws_secretsmanager_secret",
    "aws_secretsmanager_secret_policy",
)
"""Types that hold policies of resources which the rules of no other family look at."""

_AT: Final = {
    "aws_cloudwatch_log_resource_policy": "policy_document",
    "aws_dynamodb_resource_policy": "policy",
    "aws_opensearch_domain_policy": "access_policies",
}
_EXPRESSION: Final = re.compile(r"\$\{[^{}]*\}")
_ALL: Final = re.compile(r"\*(?::\*)*|arn:[^:]+:\*(?::\*)*|arn:[^:]+:[^:]+:[*:]*\*")


@dataclass(frozen=True)
class Held:
    """One policy.

    Attributes:
        section: The block, or the nested block, that holds it.
        at: The attribute.
        kind: `identity`, `trust` or `resource`.
        found: Its statements.
    """

    section: Section
    at: str
    kind: str
    found: list[Statement] | Unknown

    def fail(self, statement: Statement, text: str) -> Fail:
        """Return a finding about a statement."""
        name = f'the statement "{statement.sid}"' if statement.sid else "a statement"
        return self.section.fail(f"{name} {text}", self.at)


def held(block: Block) -> list[Held]:
    """Return the policies that a block holds."""
    return _held(block.estate).get(block, [])


def each(block: Block, *kinds: str) -> Iterator[tuple[Held, Statement] | Outcome]:
    """Yield the statements of a block's policies of some kinds, or why they are not known."""
    mine = [policy for policy in held(block) if policy.kind in kinds]
    if not mine:
        yield NotApplicable("it has no such policy")
    for policy in mine:
        if isinstance(policy.found, Unknown):
            yield policy.section.undecided(policy.found, policy.at)
            continue
        for statement in policy.found:
            yield policy, statement


def allowing(block: Block, *kinds: str) -> Iterator[tuple[Held, Statement] | Outcome]:
    """Yield the Allow statements of a block's policies of some kinds, or why they are not known."""
    for one in each(block, *kinds):
        if not isinstance(one, tuple) or one[1].effect == "Allow":
            yield one


def shown(value: str | Unknown) -> str:
    """Return a text of a policy as it is written, with expressions for what is not known."""
    return value.text if isinstance(value, Unknown) else value


def listed(values: Iterable[str | Unknown]) -> str:
    """Return texts of a policy as words for a message; three at most."""
    found = [shown(value) or "something" for value in values]
    return ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")  # noqa: PLR2004  named above


def is_everything(resource: str | Unknown) -> bool:
    """Return whether a resource is `*`, or an ARN with nothing but wildcards behind the service."""
    return _ALL.fullmatch(_EXPRESSION.sub("x", shown(resource))) is not None


def on_everything(statement: Statement) -> bool:
    """Return whether a statement is for every resource, and no condition on resources narrows it."""
    return any(map(is_everything, statement.resources)) and not any(map(_narrows, statement.conditions))


def matches(pattern: str | Unknown, action: str) -> bool:
    """Return whether a pattern of a statement takes in an action."""
    return isinstance(pattern, str) and Statement(actions=(pattern,)).allows(action)


def unknown_among(values: Iterable[str | Unknown]) -> Unknown | None:
    """Return the first value of which nothing is known, neither a part nor the block that it comes from."""
    return next(
        (
            value
            for value in values
            if isinstance(value, Unknown) and not isinstance(value, Computed) and not _EXPRESSION.sub("", value.text)
        ),
        None,
    )


def _narrows(condition: Condition) -> bool:
    key = condition.key.lower()
    return "resource" in key or not key.startswith("aws:") or key.startswith("aws:requesttag/")


@lru_cache(maxsize=2)
def _held(estate: Estate) -> dict[Block, list[Held]]:
    found: dict[Block, list[Held]] = {}
    for type_ in (*IDENTITY, *OTHER_RESOURCES):
        for block in estate.of(type_):
            mine = list(_of(block))
            if mine:
                found[block] = mine
    return found


def _of(block: Block) -> Iterator[Held]:
    if block.type == ROLE:
        if block.raw("assume_role_policy") is not None:
            yield Held(block, "assume_role_policy", "trust", statements(block, "assume_role_policy"))
        for section in block.sections("inline_policy"):
            if section.raw("policy") is not None:
                yield Held(section, "policy", "identity", statements(section, "policy"))
        return
    at = _AT.get(block.type, "policy")
    if block.raw(at) is not None:
        yield Held(block, at, "identity" if block.type in IDENTITY else "resource", statements(block, at))
