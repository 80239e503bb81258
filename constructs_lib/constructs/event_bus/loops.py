"""Event loops: rules whose targets put events into the bus that the same rule matches again."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from constructs_lib.constructs.event_bus.base import Bus
from constructs_lib.constructs.event_bus.rule import EventRule
from constructs_lib.foundation.event_pattern import could_match, matches


def loops(bus: Bus, rules: Iterable[EventRule]) -> list[str]:
    """Return a sentence for each event loop that the rules of a bus and the grants of `grant_put` allow."""
    rules = [rule for rule in rules if rule.pattern is not None and rule.loop is None]
    return [
        *(sentence for rule in rules for sentence in _through_functions(bus, rule)),
        *(sentence for rule in rules for sentence in _through_buses(bus, rule)),
    ]


def _through_functions(bus: Bus, rule: EventRule) -> list[str]:
    assert rule.pattern is not None  # noqa: S101  schedules match no events
    found = []
    for target in rule.targets:
        for function in target.functions:
            senders = [sender for sender in bus.senders if sender.grantee in (function, function.role)]
            for sender in senders:
                for source, type_ in product(sender.sources, sender.detail_types or (None,)):
                    known = {"source": source} if type_ is None else {"source": source, "detail-type": type_}
                    if could_match(rule.pattern, known):
                        found.append(
                            f"rule {rule.path}: event loop: its target {function.path} may put events with "
                            f"{_described(known)} into the same bus, and the rule matches them again; narrow the "
                            "pattern, or detail_types of grant_put, or give loop=AcceptedLoop(reason)"
                        )
    return found


def _through_buses(bus: Bus, rule: EventRule) -> list[str]:
    back = [
        there
        for target in rule.targets
        for there in getattr(target.to, "rules", ())
        if there.pattern is not None and any(last.to is bus for last in there.targets)
    ]
    return [
        f"rule {rule.path}: event loop: it sends samples[{index}] to {there.bus.path}, whose rule {there.path} sends "
        "it back; narrow one of the patterns, or give loop=AcceptedLoop(reason)"
        for there in back
        for index, sample in enumerate(rule.samples)
        if there.pattern is not None and matches(there.pattern, sample)
    ]


def _described(known: dict[str, str]) -> str:
    return " and ".join(f"{name}={value!r}" for name, value in known.items())
