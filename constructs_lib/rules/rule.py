"""A rule: its check, its texts, its severity, and a document that passes and one that fails."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

Level = Literal["error", "warning", "info"]

LEVELS: Final[tuple[Level, ...]] = ("info", "warning", "error")

FAMILIES: Final = {
    "API": "API Gateway, load balancers and domains",
    "DDB": "DynamoDB and ElastiCache",
    "ENC": "Encryption, KMS keys and secrets",
    "IAM": "IAM permissions",
    "LAM": "Lambda functions",
    "MSG": "SQS, SNS and EventBridge",
    "NAME": "Names and tags",
    "NET": "VPC networking",
    "OPS": "Operations: logs, alarms and scaling",
    "RDS": "RDS and Aurora",
    "REG": "Regions and providers",
    "S3": "S3 buckets",
    "STATE": "Terraform state, references and secrets",
    "WAIVER": "Waivers",
}

REMOVED: Final = object()
"""In a change: removes the attribute."""


@dataclass(frozen=True)
class Severity:
    """The level of a finding, by environment."""

    dev: Level
    staging: Level
    prod: Level

    def in_(self, environment: str) -> Level:
        """Return the level in dev, staging or prod."""
        level: Level = getattr(self, environment)
        return level


ERROR: Final = Severity("error", "error", "error")
"""AWS or Terraform rejects it, or it is always wrong."""
WARNING: Final = Severity("warning", "warning", "warning")
"""It works, but is likely to cause problems later."""
PRODUCTION: Final = Severity("info", "info", "error")
"""A protection that is required in production only."""
ADVICE: Final = Severity("info", "info", "warning")
"""Production requires an explicit choice."""


@dataclass(frozen=True)
class Frameworks:
    """The controls of public frameworks that the rule covers.

    Attributes:
        fsbp: AWS Foundational Security Best Practices controls, such as `EC2.6`.
        cis: CIS AWS Foundations Benchmark v3.0 recommendations, such as `5.2`.
        pci: PCI DSS v4.0 requirements, such as `1.3.1`.
        checkov: Equivalent checks of checkov, such as `CKV2_AWS_11`.
    """

    fsbp: tuple[str, ...] = ()
    cis: tuple[str, ...] = ()
    pci: tuple[str, ...] = ()
    checkov: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """A rule; created by the decorator `rule`.

    Attributes:
        id: Family and number, such as `NET-003`; never given to another rule.
        title: The assertion that holds when the rule passes, as a short sentence.
        why: What goes wrong without it.
        fix: What to write instead.
        page: The page of AWS's or Terraform's documentation that says so.
        severity: By environment.
        types: Types of blocks it looks at; `*` for every resource and data source.
        check: Called with each block of these types; yields what it found, nothing when the block keeps the rule.
        good: A document that keeps the rule.
        breaks: Changes to the good document, each of which alone breaks the rule, as dotted path and new value. The
            first one makes the document `bad`.
        lessons: Lessons of the catalogue that it encodes.
        frameworks: Controls of others that it serves.
        unknown_passes: Why a value that is unknown until apply passes; empty if it is reported as undecided.
    """

    id: str
    title: str
    why: str
    fix: str
    page: str
    severity: Severity
    types: tuple[str, ...]
    check: Callable[[Block], Iterable[Outcome]] = field(compare=False, repr=False)
    good: Mapping[str, Any] = field(compare=False, repr=False)
    breaks: tuple[Mapping[str, Any], ...] = field(compare=False, repr=False)
    lessons: tuple[str, ...] = ()
    frameworks: Frameworks = Frameworks()
    unknown_passes: str = ""

    @property
    def family(self) -> str:
        """The part of the id before the number."""
        return self.id.partition("-")[0]

    @property
    def bad(self) -> dict[str, Any]:
        """A document that breaks the rule."""
        return changed(self.good, self.breaks[0])


def rule(  # noqa: D417  the rest is described in Rule
    id_: str,
    title: str,
    *,
    why: str,
    fix: str,
    page: str,
    types: Iterable[str],
    good: Mapping[str, Any],
    breaks: Iterable[Mapping[str, Any]],
    severity: Severity = ERROR,
    lessons: Iterable[str] = (),
    frameworks: Frameworks = Frameworks(),
    unknown_passes: str = "",
) -> Callable[[Callable[[Block], Iterable[Outcome]]], Rule]:
    """Create a rule from a check function.

    Args:
        id_: Family and number.
    """

    def make(check: Callable[[Block], Iterable[Outcome]]) -> Rule:
        return Rule(
            id=id_,
            title=title,
            why=why,
            fix=fix,
            page=page,
            severity=severity,
            types=tuple(types),
            check=check,
            good=good,
            breaks=tuple(breaks),
            lessons=tuple(lessons),
            frameworks=frameworks,
            unknown_passes=unknown_passes,
        )

    return make


def changed(document: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a document with values replaced, added or removed at dotted paths.

    Raises:
        KeyError: A path leads nowhere; only its last step may be new.
    """
    copied = copy.deepcopy(dict(document))
    for path, value in change.items():
        *steps, last = path.split(".")
        place: Any = copied
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        key = int(last) if isinstance(place, list) else last
        if value is REMOVED:
            del place[key]
        elif isinstance(place, list) and key == len(place):
            place.append(value)
        else:
            place[key] = value
    return copied
