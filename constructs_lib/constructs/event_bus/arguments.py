"""What the arguments of a bus and its rules may be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.event_pattern import check_pattern, matches, mismatch
from constructs_lib.foundation.principals import is_account
from constructs_lib.foundation.regions import is_token

MAX_ARCHIVE_DAYS: Final = 3650
_ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}")
_SOURCE: Final = re.compile(r"[\w.-]+(/[\w.-]+)*", re.ASCII)
_RATE: Final = re.compile(r"rate\((?P<value>[1-9][0-9]*) (?P<unit>minute|hour|day)(?P<plural>s?)\)")
_CRON: Final = re.compile(r"cron\((?P<fields>[^()]*)\)")
_CRON_FIELDS: Final = 6
_FIELD: Final = re.compile(r"[0-9A-Z*?,/#LW-]+")


def check_admitted(
    problems: Problems, accounts: Sequence[str], organization: str | None, sources: Sequence[str]
) -> None:
    """Note whom a bus cannot, or should not, let in."""
    if isinstance(accounts, str):
        problems.add("accounts", accounts, "must be a list of account ids")
        return
    for account in accounts:
        if isinstance(account, str) and account.startswith("arn:"):
            problems.add(
                "accounts",
                account,
                "must be an account id of 12 digits, never the ARN of a role or user: once that is deleted AWS keeps "
                "an id in its place and refuses every later change of the policy; let the account in, and its own "
                "policies say which role may send",
            )
        else:
            problems.check(
                is_account(account) or is_token(account), "accounts", account, "must be an account id of 12 digits"
            )
    problems.check(
        organization is None or (isinstance(organization, str) and _ORGANIZATION.fullmatch(organization)),
        "organization",
        organization,
        "must be the id of an organization, such as 'o-a1b2c3d4e5'",
    )
    check_sources(problems, "admitted_sources", sources, required=False)
    problems.check(
        not sources or accounts or organization,
        "admitted_sources",
        sources,
        "has no effect without accounts or organization",
    )


def check_sources(problems: Problems, argument: str, sources: Iterable[str], *, required: bool = True) -> None:
    """Note sources that are none, and those that AWS keeps for itself."""
    given = [] if isinstance(sources, str) else list(sources)
    if isinstance(sources, str) or (required and not given):
        problems.add(argument, sources, "must be a list of at least one source, such as ['shop.orders']")
    for source in given:
        problems.check(
            isinstance(source, str) and _SOURCE.fullmatch(source) and not source.lower().startswith("aws."),
            argument,
            source,
            "must be letters, digits, dots, hyphens and underscores, and not begin with 'aws.', which only AWS may "
            "send",
        )


def check_archive(problems: Problems, days: int, floor: int, environment: str) -> None:
    """Note a time that EventBridge does not keep events for, or that is below the environment's."""
    if problems.check(
        type(days) is int and 0 <= days <= MAX_ARCHIVE_DAYS,
        "archive_days",
        days,
        f"must be a whole number of days from 1 to {MAX_ARCHIVE_DAYS}, or 0 for no archive",
    ):
        problems.check(days >= floor, "archive_days", days, f"must be at least {floor} in {environment}")


def check_schedule(problems: Problems, schedule: object, samples: object, rejects: object) -> None:
    """Note a schedule that EventBridge refuses, and events beside it, which a schedule does not have."""
    for argument, events in (("samples", samples), ("rejects", rejects)):
        problems.check(not events, argument, events, "has no effect on a schedule; leave it out")
    if is_token(schedule) or not isinstance(schedule, str):
        problems.add("schedule", schedule, "must be a plain text such as 'rate(5 minutes)' or 'cron(0 3 * * ? *)'")
        return
    rate, cron = _RATE.fullmatch(schedule), _CRON.fullmatch(schedule)
    if rate:
        problems.check(
            (rate["value"] == "1") == (rate["plural"] == ""),
            "schedule",
            schedule,
            "must be singular for 1 and plural for every other number: 'rate(1 hour)', 'rate(2 hours)'",
        )
    elif cron:
        fields = cron["fields"].split(" ")
        if problems.check(
            len(fields) == _CRON_FIELDS and all(_FIELD.fullmatch(field) for field in fields),
            "schedule",
            schedule,
            "must have the six fields minutes, hours, day of month, month, day of week, year, one space between them",
        ):
            problems.check(
                (fields[2] == "?") != (fields[4] == "?"),
                "schedule",
                schedule,
                "must have ? as day of month or as day of week, and not as both: each day would be named twice",
            )
    else:
        problems.add("schedule", schedule, "must be such as 'rate(5 minutes)' or 'cron(0 3 * * ? *)'")


def check_events(
    problems: Problems, pattern: object, samples: Sequence[Mapping[str, Any]], rejects: Sequence[Mapping[str, Any]]
) -> None:
    """Note what is wrong with a pattern, and the events for which it decides otherwise than it should."""
    wrong = check_pattern(pattern)
    for where, value, allowed in wrong:
        problems.add(f"pattern{where}", value, allowed)
    problems.check(
        samples,
        "samples",
        samples,
        "must hold at least one event that the rule is for: a pattern that matches nothing raises no error in AWS",
    )
    lists = [("samples", samples), ("rejects", rejects)]
    for argument, events in lists:
        fine = isinstance(events, (list, tuple)) and all(isinstance(event, dict) for event in events)
        problems.check(fine, argument, events, "must be a list of events, each a dictionary")
    if problems.found or not isinstance(pattern, dict):
        return
    for index, event in enumerate(samples):
        reason = mismatch(pattern, event)
        problems.check(reason is None, f"samples[{index}]", _short(event), f"does not match the pattern: {reason}")
    for index, event in enumerate(rejects):
        problems.check(
            not matches(pattern, event), f"rejects[{index}]", _short(event), "matches the pattern and should not"
        )


def _short(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what names an event in a message."""
    return {name: event[name] for name in ("source", "detail-type") if name in event} or dict(event)


def resolve(path: str, event: Mapping[str, Any]) -> object:
    """Return what a JSON path such as `$.detail.id` names in an event; None when there is nothing."""
    value: Any = event
    for part in path.removeprefix("$").lstrip(".").split("."):
        if not part:
            continue
        name, *indexes = re.split(r"\[(\d+)\]", part)
        value = value.get(name) if isinstance(value, dict) else None
        for index in (int(text) for text in indexes if text):
            value = value[index] if isinstance(value, list) and index < len(value) else None
    return value


def is_json(text: str) -> bool:
    """Return whether a text is JSON."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
