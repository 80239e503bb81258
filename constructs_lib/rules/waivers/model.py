"""A waiver: the findings that it accepts, the reason, the owner and the expiry date."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from constructs_lib.foundation.errors import Problems
    from constructs_lib.rules.engine import Finding

MIN_REASON_LENGTH: Final = 20
MIN_REASON_WORDS: Final = 4

_RULE: Final = re.compile(r"[A-Z][A-Z0-9]*-[0-9]{3}")
_RULE_OR_GLOB: Final = re.compile(r"[A-Z0-9*?]+(-[0-9*?]+)?")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{12}")
_ADDRESS: Final = re.compile(r"[^/:]+:.+")
_PRIMARY: Final = "/Resource"


@dataclass(frozen=True)
class Waiver:
    """A waiver.

    Attributes:
        rules: Ids of the rules, without wildcards.
        scope: A construct path (`shop/orders`, which includes its primary resource), everything below one
            (`shop/orders/**`), a Terraform address in a stack (`shop:aws_sqs_queue.orders`), or a glob of either, in
            which `*` matches within one step of a path and `**` across steps.
        reason: Why, in a sentence.
        owner: The team or person that is responsible for it.
        until: The last day on which it is valid.
        accepts: Fingerprints of the accepted values; another value is reported again. Empty accepts any value.
        origin: Where it is defined: `waivers.toml:12` or a line of Python.
    """

    rules: tuple[str, ...]
    scope: str
    reason: str
    owner: str
    until: date
    accepts: tuple[str, ...] = ()
    origin: str = ""

    @property
    def name(self) -> str:
        """Its name in findings about it."""
        return f"waiver of {', '.join(self.rules)} at {self.scope}"

    @property
    def is_bare(self) -> bool:
        """Whether the scope consists of wildcards only."""
        return not self.scope.strip("*?/: .")

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is in the scope."""
        if _ADDRESS.fullmatch(self.scope):
            base = finding.address.partition("[")[0]
            places = {f"{finding.stack}:{finding.address}", f"{finding.stack}:{base}"}
        elif finding.path:
            places = {finding.path, finding.path.removesuffix(_PRIMARY)}
        else:
            return False
        return any(self._pattern.fullmatch(place) for place in places)

    def as_document(self) -> dict[str, Any]:
        """Return it as `constructs.json` has it."""
        return {
            "rules": list(self.rules),
            "scope": self.scope,
            "reason": self.reason,
            "owner": self.owner,
            "until": self.until.isoformat(),
            "accepts": list(self.accepts),
            "origin": self.origin,
        }

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        step = "." if _ADDRESS.fullmatch(self.scope) else "[^/]"
        words = {"**": ".*", "*": f"{step}*", "?": step}
        parts = re.split(r"(\*\*|\*|\?)", self.scope)
        text = "".join(words.get(part) or re.escape(part) for part in parts)
        # Everything below a path includes the path itself.
        return re.compile(text.removesuffix("/.*") + "(/.*)?" if self.scope.endswith("/**") else text)


def check_waiver(given: Mapping[str, Any], problems: Problems, *, globs: bool = False) -> Waiver | None:
    """Return the waiver that a file or a call describes.

    Args:
        given: The fields of `Waiver`; `rule` or `rules`, `accepts` one or several, `until` a date or a string.
        problems: Collects the problems.
        globs: Accept wildcards in rule ids; they are reported as too broad when the waiver is applied.

    Returns:
        The waiver; None if there are problems.
    """
    before = len(problems.found)
    for name in sorted(given.keys() - {"rule", "rules", "scope", "reason", "owner", "until", "accepts", "origin"}):
        problems.add(name, given[name], "unknown key; a waiver has rules, scope, reason, owner, until and accepts")
    rules = _texts(given.get("rules", given.get("rule")))
    pattern = _RULE_OR_GLOB if globs else _RULE
    right = [pattern.fullmatch(rule) and not rule.startswith("WAIVER") for rule in rules]
    if problems.check(
        rules and all(right), "rules", list(rules), "must be ids of rules such as 'NET-003', without wildcards"
    ):
        problems.check(len(set(rules)) == len(rules), "rules", list(rules), "duplicate rule")
    scope = given.get("scope")
    problems.check(
        isinstance(scope, str) and scope.strip() == scope and scope,
        "scope",
        scope,
        "must be a construct path ('shop/orders', 'shop/orders/**') or an address ('shop:aws_sqs_queue.orders')",
    )
    reason = given.get("reason")
    problems.check(
        isinstance(reason, str)
        and len(reason.strip()) >= MIN_REASON_LENGTH
        and len(re.findall(r"\w*[^\W\d_]\w*", reason)) >= MIN_REASON_WORDS,
        "reason",
        reason,
        f"must be a sentence of at least {MIN_REASON_LENGTH} characters and {MIN_REASON_WORDS} words",
    )
    owner = given.get("owner")
    problems.check(isinstance(owner, str) and owner.strip(), "owner", owner, "must be the responsible team or person")
    until = _day(given.get("until"))
    problems.check(until, "until", given.get("until"), "must be the last valid day, such as 2027-03-31")
    accepts = _texts(given.get("accepts", ()))
    problems.check(
        accepts is not None and all(_FINGERPRINT.fullmatch(text) for text in accepts),
        "accepts",
        given.get("accepts"),
        "must be fingerprints of findings, 12 hexadecimal digits each",
    )
    if len(problems.found) > before or until is None:
        return None
    return Waiver(rules, str(scope), str(reason), str(owner), until, accepts, str(given.get("origin", "")))


def _texts(given: Iterable[Any] | None) -> tuple[str, ...]:
    """Return one string or several as a tuple; anything else as a string that no pattern matches."""
    if given is None:
        return ()
    if isinstance(given, str):
        return (given,)
    if isinstance(given, list | tuple | set | frozenset):
        return tuple(str(item) for item in given)
    return (repr(given),)


def _day(given: object) -> date | None:
    if isinstance(given, datetime):
        return given.date()
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        return None
