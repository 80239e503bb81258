"""Checks of the arguments of a bus and its rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.event_pattern import (
    EVENT_FIELDS,
    EVENT_OPERATORS,
    MAX_EVENT_PATTERN,
    check_pattern,
    matches,
    mismatch,
)
from constructs_lib.foundation.principals import is_account
from constructs_lib.foundation.regions import is_token

MAX_ARCHIVE_DAYS: Final = 3650
_ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}")
_SOURCE: Final = re.compile(r"[\w.-]+(/[\w.-]+)*", re.ASCII)
_RATE: Final = re.compile(r"rate\((?P<value>[1-9][0-9]*) (?P<unit>minute|hour|day)(?P<plural>s?)\)")
_CRON: Final = re.compile(r"cron\((?P<fields>[^()]*)\)")
_CRON_FIELDS: Final = 6
_FIELD: Final = re.compile(r"[0-9A-Z*?,/#LW-]+")


def check_access(problems: Problems, accounts: Sequence[str], organization: str | None, sources: Sequence[str]) -> None:
    """Report accounts, organizations and sources that a bus policy cannot or should not allow."""
    if isinstance(accounts, str):
        problems.add("accounts", accounts, "expected a list of account ids")
        return
    for account in accounts:
        if isinstance(account, str) and account.startswith("arn:"):
            problems.add(
                "accounts",
                account,
                "is an ARN; expected an account id of 12 digits. When a role in a policy is deleted, AWS replaces its "
                "ARN with an id and refuses later changes of the policy. Allow the account; its IAM policies decide "
                "which roles may put events",
            )
        else:
            problems.check(
                is_account(account) or is_token(account), "accounts", account, "expected an account id of 12 digits"
            )
    problems.check(
        organization is None or (isinstance(organization, str) and _ORGANIZATION.fullmatch(organization)),
        "organization",
        organization,
        "expected the id of an organization, such as 'o-a1b2c3d4e5'",
    )
    check_sources(problems, "allowed_sources", sources, required=False)
    problems.check(
        not sources or accounts or organization,
        "allowed_sources",
        sources,
        "has no effect without accounts or organization; leave it out, or give one of them",
    )


def check_sources(problems: Problems, argument: str, sources: Iterable[str], *, required: bool = True) -> None:
    """Report malformed sources, and those that are reserved for AWS services."""
    given = [] if isinstance(sources, str) else list(sources)
    if isinstance(sources, str) or (required and not given):
        problems.add(argument, sources, "expected a list of at least one source, such as ['shop.orders']")
    for source in given:
        problems.check(
            isinstance(source, str) and _SOURCE.fullmatch(source) and not source.lower().startswith("aws."),
            argument,
            source,
            "expected letters, digits, dots, hyphens and underscores; the prefix 'aws.' is reserved for AWS services",
        )


def check_archive(problems: Problems, days: int, floor: int, environment: str) -> None:
    """Report a retention that EventBridge refuses, or that is below the environment's minimum."""
    if problems.check(
        type(days) is int and 0 <= days <= MAX_ARCHIVE_DAYS,
        "archive_days",
        days,
        f"expected a whole number of days from 1 to {MAX_ARCHIVE_DAYS}, or 0 for no archive",
    ):
        problems.check(
            days >= floor, "archive_days", days, f"below the minimum; expected at least {floor} in {environment}"
        )


def check_schedule(problems: Problems, schedule: object, samples: object, rejects: object) -> None:
    """Report a schedule that EventBridge refuses, and sample events, which a schedule cannot have."""
    for argument, events in (("samples", samples), ("rejects", rejects)):
        problems.check(not events, argument, events, "has no effect on a schedule; leave it out")
    if is_token(schedule) or not isinstance(schedule, str):
        problems.add("schedule", schedule, "expected plain text such as 'rate(5 minutes)' or 'cron(0 3 * * ? *)'")
        return
    rate, cron = _RATE.fullmatch(schedule), _CRON.fullmatch(schedule)
    if rate:
        problems.check(
            (rate["value"] == "1") == (rate["plural"] == ""),
            "schedule",
            schedule,
            "wrong unit; expected singular for 1 and plural for other numbers: 'rate(1 hour)', 'rate(2 hours)'",
        )
    elif cron:
        fields = cron["fields"].split(" ")
        if problems.check(
            len(fields) == _CRON_FIELDS and all(_FIELD.fullmatch(field) for field in fields),
            "schedule",
            schedule,
            "expected six fields with one space between them: minutes, hours, day of month, month, day of week, year",
        ):
            problems.check(
                (fields[2] == "?") != (fields[4] == "?"),
                "schedule",
                schedule,
                "expected ? as either day of month or day of week; EventBridge refuses a value in both",
            )
    else:
        problems.add(
            "schedule", schedule, "expected a rate or cron expression such as 'rate(5 minutes)' or 'cron(0 3 * * ? *)'"
        )


def check_events(
    problems: Problems, pattern: object, samples: Sequence[Mapping[str, Any]], rejects: Sequence[Mapping[str, Any]]
) -> None:
    """Report an invalid event pattern, samples that it does not match, and rejects that it matches."""
    wrong = check_pattern(pattern, fields=EVENT_FIELDS, operators=EVENT_OPERATORS, limit=MAX_EVENT_PATTERN)
    for where, value, allowed in wrong:
        problems.add(f"pattern{where}", value, allowed)
    problems.check(
        samples,
        "samples",
        samples,
        "expected at least one event that the pattern matches; AWS reports no error for a pattern that matches nothing",
    )
    lists = [("samples", samples), ("rejects", rejects)]
    for argument, events in lists:
        fine = isinstance(events, (list, tuple)) and all(isinstance(event, dict) for event in events)
        problems.check(fine, argument, events, "expected a list of events, each a dictionary")
    if problems.found or not isinstance(pattern, dict):
        return
    for index, event in enumerate(samples):
        reason = mismatch(pattern, event)
        problems.check(reason is None, f"samples[{index}]", _short(event), f"does not match the pattern: {reason}")
    for index, event in enumerate(rejects):
        problems.check(
            not matches(pattern, event),
            f"rejects[{index}]",
            _short(event),
            "matches the pattern; expected an event that does not",
        )


def _short(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that identify an event in a message."""
    return {name: event[name] for name in ("source", "detail-type") if name in event} or dict(event)


def resolve(path: str, event: Mapping[str, Any]) -> object:
    """Return the value at a JSON path such as `$.detail.id` in an event; None when there is none."""
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
