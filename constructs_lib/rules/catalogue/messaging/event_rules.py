"""EventBridge rules and schedules: event patterns, schedule expressions, targets, event loops."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.admission import document
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.links import (
    BUS,
    EVENT_RULE,
    called,
    function_of,
    is_given,
    meant,
    pointing,
    undecidable,
)
from constructs_lib.rules.rule import REMOVED, WARNING, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate
    from constructs_lib.rules.outcomes import Outcome

_EB: Final = f"{AWS}/eventbridge/latest/userguide"
_TARGET: Final = "aws_cloudwatch_event_target"
_FIELDS: Final = frozenset(
    {
        "$or",
        "account",
        "detail",
        "detail-type",
        "id",
        "region",
        "replay-name",
        "resources",
        "source",
        "time",
        "trace-header",
        "version",
    }
)
_RATE: Final = re.compile(r"rate\((\d+) (minutes?|hours?|days?)\)")
_CRON: Final = re.compile(r"cron\(([^()]*)\)")
_AT_TIME: Final = re.compile(r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)")
_CRON_FIELDS: Final = 6
_DEFAULT: Final = "default"

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_cloudwatch_event_bus": {"orders": {"name": "shop-prod-orders"}, "audit": {"name": "shop-prod-audit"}},
        "aws_cloudwatch_event_rule": {
            "paid": {
                "name": "shop-prod-paid",
                "event_bus_name": "${aws_cloudwatch_event_bus.orders.name}",
                "event_pattern": '{"source": ["shop.orders"], "detail": {"state": ["paid", {"prefix": "re"}]}}',
            },
            "nightly": {"name": "shop-prod-nightly", "schedule_expression": "cron(0 3 * * ? *)"},
        },
        "aws_cloudwatch_event_target": {
            "paid": {
                "rule": "${aws_cloudwatch_event_rule.paid.name}",
                "event_bus_name": "${aws_cloudwatch_event_bus.orders.name}",
                "arn": "${aws_cloudwatch_event_bus.audit.arn}",
            },
            "nightly": {"rule": "shop-prod-nightly", "arn": "${aws_lambda_function.worker.arn}"},
        },
        "aws_lambda_function": {"worker": {"function_name": "shop-prod-worker"}},
        "aws_sns_topic": {"done": {"name": "shop-prod-done"}, "orders": {"name": "shop-prod-orders"}},
        "aws_sns_topic_subscription": {
            "worker": {
                "topic_arn": "${aws_sns_topic.orders.arn}",
                "protocol": "lambda",
                "endpoint": "${aws_lambda_function.worker.arn}",
            }
        },
        "aws_lambda_function_event_invoke_config": {
            "worker": {
                "function_name": "${aws_lambda_function.worker.function_name}",
                "destination_config": {"on_success": {"destination": "${aws_sns_topic.done.arn}"}},
            }
        },
        "aws_scheduler_schedule": {"often": {"schedule_expression": "rate(5 minutes)"}},
    }
}
_RULE: Final = "resource.aws_cloudwatch_event_rule"


@rule(
    "MSG-015",
    "EventBridge event pattern is valid",
    why="EventBridge rejects a pattern whose values are not lists; a pattern with a field that events do not have "
    "never matches.",
    fix="Write each value as a non-empty list, under source, detail-type, account, region, resources or detail.",
    page=f"{_EB}/eb-event-patterns.html",
    types=["aws_cloudwatch_event_rule", "aws_cloudwatch_event_archive"],
    good=_GOOD,
    breaks=[
        {f"{_RULE}.paid.event_pattern": '{"source": "shop.orders"}'},
        {f"{_RULE}.paid.event_pattern": '{"source": []}'},
        {f"{_RULE}.paid.event_pattern": '{"source": ["shop.orders"], "detailType": ["Order Paid"]}'},
        {f"{_RULE}.paid.event_pattern": "{source: [shop.orders]}"},
        {f"{_RULE}.paid.event_pattern": '["shop.orders"]'},
        {f"{_RULE}.paid.event_pattern": '{"detail": {}}'},
        {f"{_RULE}.paid.event_pattern": '${jsonencode({source = ["shop.orders"], detail = {state = "paid"}})}'},
    ],
)
def event_pattern_is_valid(block: Block) -> Iterator[Outcome]:
    """Check fields and lists; comparison operators such as prefix are not validated."""
    at = "event_pattern"
    if block.raw(at) is None:
        yield NotApplicable("it has no event pattern")
        return
    try:
        pattern = document(block, at)
    except ValueError as error:
        yield block.fail(f"must be valid JSON: {error}", at)
        return
    if isinstance(pattern, Unknown):
        yield block.undecided(pattern, at)
    elif not isinstance(pattern, dict):
        yield block.fail('must be a JSON object such as {"source": ["shop.orders"]}', at)
    else:
        strange = sorted(set(pattern) - _FIELDS)
        if strange:
            yield block.fail(
                f"{strange[0]!r} is not a field of an event; use {', '.join(sorted(_FIELDS - {'$or'}))}", at
            )
        yield from (block.fail(fault, at) for fault in _faults(pattern, ""))


def _faults(value: object, path: str) -> Iterator[str]:
    if isinstance(value, Unknown):
        return
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            below = f"{path}.{name}" if path else str(name)
            if name == "$or" and isinstance(inner, list):
                for number, each in enumerate(inner):
                    yield from _faults(each, f"{below}.{number}")
            else:
                yield from _faults(inner, below)
    elif isinstance(value, list | dict):
        if not value:
            yield f"{path or 'the pattern'} must not be empty"
    else:
        yield f"{path} must be a list; write {json.dumps([value])}"


@rule(
    "MSG-016",
    "EventBridge rule has an event pattern, or a schedule on the default event bus",
    why="EventBridge rejects a rule without pattern and schedule, and a scheduled rule on any other event bus.",
    fix="Set event_pattern or schedule_expression; omit event_bus_name in a scheduled rule.",
    page=f"{_EB}/eb-rules.html",
    types=["aws_cloudwatch_event_rule"],
    good=_GOOD,
    breaks=[
        {f"{_RULE}.paid.event_pattern": REMOVED},
        {f"{_RULE}.nightly.schedule_expression": ""},
        {f"{_RULE}.nightly.event_bus_name": "${aws_cloudwatch_event_bus.orders.name}"},
    ],
)
def rule_has_a_trigger(event_rule: Block) -> Iterator[Outcome]:
    """A rule on the default event bus may have both."""
    pattern, schedule = event_rule.get("event_pattern"), event_rule.get("schedule_expression")
    bus = event_rule.get("event_bus_name")
    if isinstance(schedule, Unknown):
        yield event_rule.undecided(schedule, "schedule_expression")
    elif not schedule and not pattern:
        yield event_rule.fail("must be set if schedule_expression is not set", "event_pattern")
    elif schedule and isinstance(bus, Unknown) and not event_rule.targets("event_bus_name", BUS):
        yield event_rule.undecided(bus, "event_bus_name")
    elif schedule and bus is not None and not str(bus).endswith(_DEFAULT):
        yield event_rule.fail(
            "must not be set with schedule_expression: scheduled rules run on the default event bus only",
            "event_bus_name",
        )


@rule(
    "MSG-017",
    "EventBridge rule has a target",
    why="A rule without targets matches events and does nothing.",
    fix="Add an aws_cloudwatch_event_target for the rule, or remove the rule.",
    page=f"{_EB}/eb-targets.html",
    types=["aws_cloudwatch_event_rule"],
    severity=WARNING,
    good=_GOOD,
    breaks=[
        {"resource.aws_cloudwatch_event_target.paid": REMOVED},
        {"resource.aws_cloudwatch_event_target.nightly.rule": "shop-prod-daily"},
        {"resource.aws_cloudwatch_event_target": REMOVED},
    ],
)
def rule_has_a_target(event_rule: Block) -> Iterator[Outcome]:
    """Skip disabled rules."""
    if event_rule.get("state") == "DISABLED" or event_rule.flag("is_enabled", default=True) is False:
        yield NotApplicable("it is disabled")
        return
    if pointing(event_rule, _TARGET, "rule"):
        return
    unknown = _target_of_unknown(event_rule.estate)
    if unknown:
        yield event_rule.undecided(unknown, "name")
    else:
        yield event_rule.fail("must have a target; add an aws_cloudwatch_event_target, or remove the rule")


@lru_cache(maxsize=8)
def _target_of_unknown(estate: Estate) -> Unknown | None:
    targets = (target for target in estate.of(_TARGET) if not target.target("rule", EVENT_RULE))
    return next(filter(None, (undecidable(target.get("rule")) for target in targets)), None)


@rule(
    "MSG-018",
    "EventBridge schedule expression is valid",
    why="EventBridge rejects the rule or schedule at apply; validate and plan do not report it.",
    fix="Write rate(1 hour), rate(5 minutes), or cron(...) with six fields and ? as day of month or day of week.",
    page=f"{_EB}/eb-scheduled-rule-pattern.html",
    types=["aws_cloudwatch_event_rule", "aws_scheduler_schedule"],
    good=_GOOD,
    breaks=[
        {f"{_RULE}.nightly.schedule_expression": "cron(0 3 * * *)"},
        {f"{_RULE}.nightly.schedule_expression": "cron(0 3 * * * *)"},
        {f"{_RULE}.nightly.schedule_expression": "rate(1 hours)"},
        {f"{_RULE}.nightly.schedule_expression": "rate(5 minute)"},
        {f"{_RULE}.nightly.schedule_expression": "0 3 * * *"},
        {"resource.aws_scheduler_schedule.often.schedule_expression": "rate(0 minutes)"},
    ],
)
def schedule_expression_is_valid(block: Block) -> Iterator[Outcome]:
    """EventBridge Scheduler also accepts at(…), and any unit with any number: rate(1 hours)."""
    at = "schedule_expression"
    value = block.get(at)
    if isinstance(value, Unknown):
        yield block.undecided(value, at)
        return
    if not value:
        yield NotApplicable("it has no schedule expression")
        return
    fault = _schedule_fault(str(value).strip(), in_rule=block.type == EVENT_RULE)
    if fault:
        yield block.fail(fault, at)


def _schedule_fault(text: str, *, in_rule: bool) -> str:
    rate, cron = _RATE.fullmatch(text), _CRON.fullmatch(text)
    if rate:
        count, unit = int(rate[1]), rate[2].removesuffix("s")
        if count == 0:
            return "must have a rate of at least 1"
        wanted = unit if count == 1 else f"{unit}s"
        return f"must be rate({count} {wanted})" if in_rule and rate[2] != wanted else ""
    if cron:
        fields = cron[1].split()
        if len(fields) != _CRON_FIELDS:
            names = "minutes, hours, day of month, month, day of week, year"
            return f"must have {_CRON_FIELDS} fields ({names}); it has {len(fields)}"
        return "" if "?" in (fields[2], fields[4]) else "must have ? as day of month or day of week: cron(0 3 * * ? *)"
    if _AT_TIME.fullmatch(text) and not in_rule:
        return ""
    return "must be rate(…) or cron(…)" if in_rule else "must be rate(…), cron(…) or at(yyyy-mm-ddThh:mm:ss)"


def _in_region(arn: str, region: str | Unknown) -> bool:
    return isinstance(region, Unknown) or f":{region}:" in arn


@rule(
    "MSG-021",
    "EventBridge target or Lambda destination does not create an event loop",
    why="Each event creates the next one: the loop runs, and is charged, until someone stops it.",
    fix="Send the events to another event bus, topic or function.",
    page=f"{AWS}/lambda/latest/dg/invocation-recursion.html",
    types=[_TARGET, "aws_lambda_function_event_invoke_config"],
    good=_GOOD,
    breaks=[
        {"resource.aws_cloudwatch_event_target.paid.arn": "${aws_cloudwatch_event_bus.orders.arn}"},
        {
            "resource.aws_cloudwatch_event_target.nightly.arn": (
                "arn:aws:events:eu-west-1:111122223333:event-bus/default"
            ),
            "resource.aws_cloudwatch_event_target.paid": REMOVED,
        },
        {
            "resource.aws_lambda_function_event_invoke_config.worker.destination_config.on_success.destination": (
                "${aws_lambda_function.worker.arn}"
            )
        },
        {
            "resource.aws_lambda_function_event_invoke_config.worker.destination_config.on_success.destination": (
                "${aws_sns_topic.orders.arn}"
            )
        },
    ],
    unknown_passes="A destination that is not known is assumed to be another one than the source.",
)
def events_do_not_loop(block: Block) -> Iterator[Outcome]:
    """Find event buses that send to themselves, and functions whose destination invokes them again."""
    if block.type == _TARGET:
        event_rule = meant(block, "rule", EVENT_RULE)
        sides = [side for side in (block, event_rule) if side is not None and side.raw("event_bus_name") is not None]
        source = meant(sides[0], "event_bus_name", BUS) if sides else None
        target = meant(block, "arn", BUS)
        arn = block.text("arn")
        to_default = isinstance(arn, str) and arn.endswith(f":event-bus/{_DEFAULT}") and _in_region(arn, block.region)
        if (source is not None and target is source) or (not sides and to_default):
            yield block.fail("must not be the event bus of the rule: each event would create the next one", "arn")
        return
    function = function_of(block, "function_name")
    for outcome in ("on_success", "on_failure"):
        at = f"destination_config.{outcome}.destination"
        if function is None or block.raw(at) is None:
            continue
        if function_of(block, at) is function:
            yield block.fail(f"must not be {function.address} itself: each invocation would cause the next one", at)
        topic = meant(block, at, "aws_sns_topic")
        for subscription in pointing(topic, "aws_sns_topic_subscription", "topic_arn") if topic else ():
            if function_of(subscription, "endpoint") is function and not is_given(subscription.get("filter_policy")):
                yield block.fail(
                    "must not be the topic that invokes the function: each invocation would cause the next one; set "
                    f"filter_policy of {called(subscription, block)}, or use another topic",
                    at,
                )
