"""Runs rules over an estate and counts the blocks that they checked."""

from __future__ import annotations

import gc
import hashlib
import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from constructs_lib.rules.outcomes import Fail, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from constructs_lib.rules.estate.model import Block, Estate
    from constructs_lib.rules.outcomes import Undecided
    from constructs_lib.rules.rule import Level, Rule


@dataclass(frozen=True)
class Finding:
    """A violation of a rule by one block.

    Attributes:
        rule: The rule.
        level: Its severity in the block's environment.
        stack: The stack's name.
        address: The block's Terraform address.
        path: Its construct path; empty where the document has none.
        caller: The line of Python that made it, such as `stacks/payments.py:62`; may be empty.
        environment: dev, staging or prod.
        at: Dotted path of the attribute, empty for the whole block.
        message: What is wrong, what was found, what is allowed.
        fingerprint: Identifies the rule and the value found: a waiver that accepts it is void when the value changes.
        note: A remark, such as that a waiver accepts another value; may be empty.
    """

    rule: Rule
    level: Level
    stack: str
    address: str
    path: str
    caller: str
    environment: str
    at: str
    message: str
    fingerprint: str
    note: str = ""

    @property
    def id(self) -> str:
        """The rule's id."""
        return self.rule.id

    def __str__(self) -> str:
        return f"{self.id} {self.stack}: {self.message}"


@dataclass(frozen=True)
class Doubt:
    """A rule that cannot be decided, because a value is unknown until apply.

    Attributes:
        rule: The rule.
        stack: The stack's name.
        address: The block's address.
        at: The attribute.
        reason: Why it is unknown.
    """

    rule: Rule
    stack: str
    address: str
    at: str
    reason: str


@dataclass
class Result:
    """The results of all rules.

    Attributes:
        findings: By stack, address and rule.
        doubts: What could not be decided.
        looked_at: Number of blocks that each rule checked, by rule id; 0 for rules that matched no block.
        passed_over: Why each rule did not concern blocks of its types, with how many, by rule id.
        without_rule: How many blocks there are of each resource type that no rule looks at.
        broken: Where a rule itself failed, with its error as the reason.
    """

    findings: list[Finding] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    looked_at: Counter[str] = field(default_factory=Counter)
    passed_over: dict[str, Counter[str]] = field(default_factory=dict)
    without_rule: Counter[str] = field(default_factory=Counter)
    broken: list[Doubt] = field(default_factory=list)


def run(estate: Estate, rules: Iterable[Rule], *, strict: bool = True) -> Result:
    """Run rules over every block of their types.

    Args:
        estate: The blocks to check.
        rules: The rules to run.
        strict: Raise errors of rules; otherwise record them as `broken` and continue.
    """
    result = Result()
    seen: set[str] = set()
    with _without_collector():
        for rule in rules:
            seen.update(rule.types)
            _run(rule, estate, result, strict=strict)
    result.without_rule.update(
        block.type for block in estate.blocks if block.type.startswith("aws_") and block.type not in seen
    )
    result.findings.sort(key=lambda found: (found.stack, found.address, found.id, found.at))
    return result


def _run(rule: Rule, estate: Estate, result: Result, *, strict: bool) -> None:
    result.looked_at[rule.id] = 0
    for type_ in rule.types if "*" not in rule.types else _managed(estate):
        for block in estate.by_type.get(type_, ()):
            try:
                _check(rule, block, result)
            except Exception as error:
                if strict:
                    raise
                reason = f"{type(error).__name__}: {error}"
                result.broken.append(Doubt(rule, block.stack.name, block.address, "", reason))


@contextmanager
def _without_collector() -> Iterator[None]:
    """Pause the garbage collector: resolved values stay in memory, and scanning them slows down large estates."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _managed(estate: Estate) -> list[str]:
    """Return the types of resources and data sources."""
    return [type_ for type_ in estate.by_type if "_" in type_]


def _check(rule: Rule, block: Block, result: Result) -> None:
    applicable = True
    for outcome in rule.check(block):
        if isinstance(outcome, NotApplicable):
            applicable = False
            result.passed_over.setdefault(rule.id, Counter())[outcome.reason] += 1
        elif isinstance(outcome, Fail):
            result.findings.append(_finding(rule, outcome))
        else:
            result.doubts.append(_doubt(rule, outcome))
    result.looked_at[rule.id] += applicable


def _finding(rule: Rule, fail: Fail) -> Finding:
    block = fail.block
    return Finding(
        rule=rule,
        level=rule.severity.in_(block.environment),
        stack=block.stack_name,
        address=block.address,
        path=block.path,
        caller=block.caller,
        environment=block.environment,
        at=fail.at,
        message=f"{block.address}: {_shown(fail)}{fail.text}",
        fingerprint=fingerprint(rule.id, fail.at, fail.value),
    )


def _doubt(rule: Rule, undecided: Undecided) -> Doubt:
    block = undecided.block
    return Doubt(rule, block.stack_name, block.address, undecided.at, undecided.reason)


_LONGEST_SHOWN = 60


def _shown(fail: Fail) -> str:
    if not fail.at:
        return ""
    value = json.dumps(fail.value, default=str)
    short = value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…"
    return f"{fail.at} = {short}: "


def fingerprint(rule_id: str, at: str, value: Any) -> str:  # noqa: ANN401  a raw value has any shape
    """Return twelve hexadecimal digits that change with the rule, the attribute and the value found there.

    For a whole block the metadata under `//` is ignored: a renamed construct keeps its fingerprint.
    """
    if isinstance(value, dict):
        value = {key: item for key, item in value.items() if key != "//"}
    text = json.dumps([rule_id, at, value], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
