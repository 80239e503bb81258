"""Applies waivers to findings, and reports what is wrong with the waivers."""

from __future__ import annotations

import difflib
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from constructs_lib.rules.engine import Finding, fingerprint
from constructs_lib.rules.waivers.rules import (
    BROAD,
    EXPIRED,
    LONG,
    LONGEST_DAYS,
    MOST_FINDINGS,
    NO_RULE,
    UNBOUND,
    UNMATCHED,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import date

    from constructs_lib.rules.rule import Rule
    from constructs_lib.rules.waivers.model import Waiver


@dataclass(frozen=True)
class Waived:
    """A finding that a waiver accepts."""

    finding: Finding
    waiver: Waiver


@dataclass
class Outcome:
    """The result of applying waivers.

    Attributes:
        findings: Findings that no waiver accepts, and findings about the waivers themselves.
        waived: Findings that a waiver accepts.
    """

    findings: list[Finding] = field(default_factory=list)
    waived: list[Waived] = field(default_factory=list)


def apply(
    findings: Iterable[Finding],
    waivers: Iterable[Waiver],
    *,
    today: date,
    run: Collection[str],
    known: Collection[str],
) -> Outcome:
    """Apply waivers to findings.

    Args:
        findings: The findings of the rules.
        waivers: The waivers.
        today: A waiver is valid up to and including its last day.
        run: Ids of the rules that were run; waivers of other rules are not reported as unmatched.
        known: Ids of all rules.
    """
    findings, waivers = list(findings), list(waivers)
    by_rule: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_rule[finding.id].append(finding)
    outcome = Outcome()
    accepted: dict[Finding, Waiver] = {}
    notes: dict[Finding, str] = {}
    for waiver in waivers:
        covered = [finding for rule in waiver.rules for finding in by_rule.get(rule, ()) if waiver.covers(finding)]
        complaints = list(_complaints(waiver, covered, today, known))
        outcome.findings += complaints
        if complaints:
            notes.update((finding, f"{waiver.name} ({waiver.origin}) is ignored") for finding in covered)
            continue
        outcome.findings += _unused(waiver, covered, by_rule, run)
        holding = [finding for finding in covered if not waiver.accepts or finding.fingerprint in waiver.accepts]
        for finding in holding:
            accepted.setdefault(finding, waiver)
        for finding in covered:
            if finding not in accepted:
                notes[finding] = f"{waiver.name} ({waiver.origin}) accepts another value, {', '.join(waiver.accepts)}"
        if holding and not waiver.accepts:
            shown = ", ".join(f'"{one}"' for one in sorted({finding.fingerprint for finding in holding}))
            outcome.findings.append(_about(waiver, UNBOUND, f"accepts any value; add accepts = [{shown}]"))
    outcome.waived = [Waived(finding, accepted[finding]) for finding in findings if finding in accepted]
    outcome.findings += [
        replace(finding, note=notes.get(finding, "")) for finding in findings if finding not in accepted
    ]
    return outcome


def _complaints(waiver: Waiver, covered: list[Finding], today: date, known: Collection[str]) -> Iterator[Finding]:
    """Yield the reasons for which a waiver is ignored."""
    globs = [rule for rule in waiver.rules if "*" in rule or "?" in rule]
    if waiver.is_bare:
        yield _about(waiver, BROAD, f"scope = {waiver.scope!r} matches everything; name a construct or an address")
    if globs:
        yield _about(waiver, BROAD, f"rules = {globs[0]!r} is a wildcard; write each id")
    if not globs and not waiver.is_bare and len(covered) > MOST_FINDINGS:
        text = f"matches {len(covered)} findings; a waiver may accept at most {MOST_FINDINGS}"
        yield _about(waiver, BROAD, text)
    if waiver.until < today:
        days = (today - waiver.until).days
        text = f"expired on {waiver.until}, {days} {'day' if days == 1 else 'days'} ago; its owner is {waiver.owner}"
        yield _about(waiver, EXPIRED, text)
    elif (waiver.until - today).days > LONGEST_DAYS:
        yield _about(waiver, LONG, f"until = {waiver.until} is more than a year away")
    for rule in waiver.rules:
        if rule not in known and rule not in globs:
            yield _about(waiver, NO_RULE, f"rule {rule} not found{_nearest(rule, known)}")


def _unused(
    waiver: Waiver, covered: list[Finding], by_rule: dict[str, list[Finding]], run: Collection[str]
) -> Iterator[Finding]:
    """Yield the parts of a waiver that match no finding."""
    met = {finding.id for finding in covered}
    for rule in waiver.rules:
        if rule in run and rule not in met:
            places = {place for finding in by_rule.get(rule, ()) for place in _places(finding)}
            yield _about(waiver, UNMATCHED, f"{rule} has no finding there{_nearest(waiver.scope, places)}")
    prints = {finding.fingerprint for finding in covered}
    stale = [one for one in waiver.accepts if one not in prints]
    if stale and prints <= set(waiver.accepts) and met == set(waiver.rules):
        yield _about(waiver, UNMATCHED, f"no finding there has the fingerprint {', '.join(stale)} any more")


def _places(finding: Finding) -> Iterator[str]:
    yield f"{finding.stack}:{finding.address}"
    if finding.path:
        yield finding.path.removesuffix("/Resource")


def _nearest(word: str, words: Collection[str]) -> str:
    near = difflib.get_close_matches(word, sorted(words), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""


def _about(waiver: Waiver, rule: Rule, text: str) -> Finding:
    return Finding(
        rule=rule,
        level=rule.severity.prod,
        stack="",
        address=waiver.scope,
        path="",
        caller=waiver.origin,
        environment="",
        at="",
        message=f"{waiver.name}: {text}",
        fingerprint=fingerprint(rule.id, waiver.scope, [*waiver.rules, text]),
    )
