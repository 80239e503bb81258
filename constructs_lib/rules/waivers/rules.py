"""Rules that check waivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.rule import ERROR, REMOVED, WARNING, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_FINDINGS: Final = 20
"""Findings that one waiver may accept."""
LONGEST_DAYS: Final = 366
"""The most days from today to the last day of a waiver."""

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
"""A waiver without findings, for a queue without encryption."""


def _waiver_rule(number: int, title: str, why: str, fix: str, severity: Severity, *breaks: Mapping[str, Any]) -> Rule:
    return Rule(
        id=f"WAIVER-{number:03d}",
        title=title,
        why=why,
        fix=fix,
        page=_PAGE,
        severity=severity,
        types=("waiver",),
        check=lambda _: (),  # `apply` checks waivers, with the findings of all other rules
        good=GOOD,
        breaks=tuple({f"waiver.0.{name}": value for name, value in change.items()} for change in breaks),
    )


EXPIRED: Final = _waiver_rule(
    1,
    "Waiver has not expired",
    "An expired waiver no longer accepts its findings.",
    "Fix the findings and delete the waiver, or have its owner renew it with a new date.",
    ERROR,
    {"until": "2026-10-31"},
)
UNMATCHED: Final = _waiver_rule(
    2,
    "Waiver matches a finding",
    "A waiver that matches no finding is obsolete, or a typing error keeps it from accepting what its author intended.",
    "Delete the waiver, or correct its scope or rule.",
    WARNING,
    {"scope": "shop:aws_sqs_queue.job"},
    {"rules": ["MSG-001", "MSG-002"]},
)
BROAD: Final = _waiver_rule(
    3,
    "Waiver has a narrow scope",
    "A broad waiver also accepts findings that nobody has reviewed, such as those of resources that are added later.",
    f"Name a construct or an address, and each rule by its id. A waiver accepts at most {MOST_FINDINGS} findings.",
    ERROR,
    {"scope": "**"},
    {"rules": ["MSG-*"]},
)
UNBOUND: Final = _waiver_rule(
    4,
    "Waiver names the fingerprint of the accepted value",
    "Without a fingerprint the waiver also accepts a later, worse value, without any report.",
    "Add the fingerprint of the finding as accepts.",
    WARNING,
    {"accepts": REMOVED},
)
LONG: Final = _waiver_rule(
    5,
    "Waiver expires within a year",
    "An accepted risk must be reviewed regularly.",
    "Set until to a date within a year, and renew the waiver when it expires.",
    ERROR,
    {"until": "2029-01-01"},
)
NO_RULE: Final = _waiver_rule(
    6,
    "Waiver names existing rules",
    "A waiver of a rule that does not exist accepts nothing.",
    "Correct the id; `constructs-lib check --explain ID` shows a rule.",
    ERROR,
    {"rules": ["MSG-999"]},
)

WAIVER_RULES: Final = (EXPIRED, UNMATCHED, BROAD, UNBOUND, LONG, NO_RULE)
