"""What is asked of waivers themselves: rules like the others, whose subject is a waiver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.rule import ERROR, REMOVED, WARNING, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_FINDINGS: Final = 20
"""Findings that one waiver may accept."""
LONGEST_DAYS: Final = 366
"""Days from today to the last day of a waiver."""

_PAGE: Final = "https://docs.aws.amazon.com/securityhub/latest/userguide/findings-workflow-status.html"

GOOD: Final[Mapping[str, Any]] = {
    "waiver": [
        {
            "rules": ["MSG-001"],
            "scope": "shop:aws_sqs_queue.jobs",
            "reason": "The queue holds public prices only.",
            "owner": "team-shop",
            "until": "2027-03-31",
            "accepts": ["33b5287f2c57"],
        }
    ]
}
"""A waiver that every rule here is content with, for a queue without encryption."""


def _waiver_rule(number: int, title: str, why: str, fix: str, severity: Severity, *breaks: Mapping[str, Any]) -> Rule:
    return Rule(
        id=f"WAIVER-{number:03d}",
        title=title,
        why=why,
        fix=fix,
        page=_PAGE,
        severity=severity,
        types=("waiver",),
        check=lambda _: (),  # waivers are looked at after all other rules, with what these found
        good=GOOD,
        breaks=tuple({f"waiver.0.{name}": value for name, value in change.items()} for change in breaks),
    )


EXPIRED: Final = _waiver_rule(
    1,
    "A waiver has not expired",
    "What was accepted for a while is nobody's decision any more.",
    "Mend what it accepted and delete it, or have the owner decide again and give a new date.",
    ERROR,
    {"until": "2026-10-31"},
)
UNMATCHED: Final = _waiver_rule(
    2,
    "A waiver accepts something",
    "A waiver that matches nothing is a leftover, or has a typing error and does not do what its author thinks.",
    "Delete it, or correct its scope or rule.",
    WARNING,
    {"scope": "shop:aws_sqs_queue.job"},
    {"rules": ["MSG-001", "MSG-002"]},
)
BROAD: Final = _waiver_rule(
    3,
    "A waiver is narrow",
    "A broad waiver accepts mistakes that nobody has seen, also those that are made tomorrow.",
    f"Name the construct or the address. One waiver accepts at most {MOST_FINDINGS} findings of rules that it names.",
    ERROR,
    {"scope": "**"},
    {"rules": ["MSG-*"]},
)
UNBOUND: Final = _waiver_rule(
    4,
    "A waiver is bound to the value that was accepted",
    "Without the value's fingerprint, a later and worse value is accepted too, and nobody hears of it.",
    "Add the fingerprint that the finding shows, as accepts.",
    WARNING,
    {"accepts": REMOVED},
)
LONG: Final = _waiver_rule(
    5,
    "A waiver ends within a year",
    "A decision that is never looked at again is not accepted risk but forgotten risk.",
    "Give a date within a year from today; renew it when it ends.",
    ERROR,
    {"until": "2029-01-01"},
)
NO_RULE: Final = _waiver_rule(
    6,
    "A waiver names rules that exist",
    "A waiver of a rule that does not exist accepts nothing.",
    "Correct the id; `check --explain ID` shows a rule.",
    ERROR,
    {"rules": ["MSG-999"]},
)

WAIVER_RULES: Final = (EXPIRED, UNMATCHED, BROAD, UNBOUND, LONG, NO_RULE)
