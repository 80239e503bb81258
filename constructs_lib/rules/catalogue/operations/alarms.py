"""Alarms: what they measure, whom they call, and what has none."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.apis import listed
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.links import QUEUE, is_given, undecidable
from constructs_lib.rules.rule import ADVICE, REMOVED, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate, Section, Stack
    from constructs_lib.rules.outcomes import Outcome

_CLOUDWATCH: Final = f"{AWS}/AmazonCloudWatch/latest"
ALARM: Final = "aws_cloudwatch_metric_alarm"
_COMPOSITE: Final = "aws_cloudwatch_composite_alarm"
_REDRIVE: Final = "aws_sqs_queue_redrive_policy"
_ACTIONS: Final = ("alarm_actions", "ok_actions", "insufficient_data_actions")
_SHOWING: Final = ("aws_cloudwatch_dashboard", "module")
_WATCHED: Final = {
    "aws_lambda_function": ("AWS/Lambda", "function_name", "functions"),
    QUEUE: ("AWS/SQS", "name", "dead-letter queues"),
    "aws_lb": ("AWS/ApplicationELB", "name", "load balancers"),
    "aws_alb": ("AWS/ApplicationELB", "name", "load balancers"),
    "aws_rds_cluster": ("AWS/RDS", "cluster_identifier", "database clusters"),
    "aws_db_instance": ("AWS/RDS", "identifier", "databases"),
}
"""What wants an alarm: the namespace of its metrics, the attribute that dimensions name, and what messages call it."""

_AT: Final = f"resource.{ALARM}.errors"
_METRIC: Final = {"metric_name": "Errors", "namespace": "AWS/Lambda", "period": 300, "stat": "Sum"}
_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_sns_topic": {"oncall": {"name": "shop-prod-oncall"}},
        "aws_lambda_function": {"worker": {"function_name": "shop-prod-worker"}},
        "aws_rds_cluster": {"shop": {"cluster_identifier": "shop-prod"}},
        ALARM: {
            "errors": {
                "alarm_name": "shop-prod-worker-errors",
                "comparison_operator": "GreaterThanThreshold",
                "evaluation_periods": 1,
                "threshold": 0,
                "metric_name": "Errors",
                "namespace": "AWS/Lambda",
                "period": 300,
                "statistic": "Sum",
                "dimensions": {"FunctionName": "${aws_lambda_function.worker.function_name}"},
                "alarm_actions": ["${aws_sns_topic.oncall.arn}"],
            },
            "cpu": {
                "alarm_name": "shop-prod-cpu",
                "comparison_operator": "GreaterThanThreshold",
                "evaluation_periods": 3,
                "threshold": 80,
                "metric_query": [
                    {
                        "id": "cpu",
                        "return_data": True,
                        "metric": {
                            "metric_name": "CPUUtilization",
                            "namespace": "AWS/RDS",
                            "period": 300,
                            "stat": "Average",
                            "dimensions": {"DBClusterIdentifier": "shop-prod"},
                        },
                    }
                ],
                "alarm_actions": ["${aws_sns_topic.oncall.arn}"],
            },
        },
    }
}


@rule(
    "OPS-003",
    "An alarm says what it measures",
    why="AWS refuses an alarm with neither metric nor query; neither validate nor plan says so.",
    fix="Set metric_name, namespace and statistic (or extended_statistic); or metric_query blocks, one of them with "
    "return_data = true.",
    page=f"{_CLOUDWATCH}/APIReference/API_PutMetricAlarm.html",
    types=[ALARM],
    good=_GOOD,
    breaks=[
        {f"{_AT}.metric_name": REMOVED},
        {f"{_AT}.statistic": REMOVED},
        {f"{_AT}.namespace": REMOVED},
        {f"{_AT}.metric_query": [{"id": "e", "return_data": True, "metric": _METRIC}]},
        {f"resource.{ALARM}.cpu.metric_query.0.return_data": REMOVED},
        {f"resource.{ALARM}.cpu.metric_query": []},
    ],
)
def alarm_measures_something(alarm: Block) -> Iterator[Outcome]:
    """An attribute that only an apply knows is there."""
    queries, metric = alarm.sections("metric_query"), alarm.get("metric_name")
    if unknown := undecidable(metric):
        yield alarm.undecided(unknown, "metric_name")
    elif queries and is_given(metric):
        yield alarm.fail("must not stand beside metric_query; an alarm has one of the two", "metric_name")
    elif queries:
        yield from _returns_one(alarm, queries)
    elif not is_given(metric):
        yield alarm.fail("must name a metric, with its namespace and statistic; or give metric_query", "metric_name")
    else:
        if alarm.get("namespace") in (None, ""):
            yield alarm.fail(f"must be the namespace of {metric}, such as AWS/Lambda", "namespace")
        if alarm.get("statistic") in (None, "") and alarm.get("extended_statistic") in (None, ""):
            yield alarm.fail(
                "must say what is made of the values, such as Sum; or give extended_statistic", "statistic"
            )


def _returns_one(alarm: Block, queries: list[Section]) -> Iterator[Outcome]:
    flags = [query.body if isinstance(query.body, Unknown) else query.flag("return_data") for query in queries]
    unknown = next((flag for flag in flags if isinstance(flag, Unknown)), None)
    if unknown:
        yield alarm.undecided(unknown, "metric_query")
    elif flags.count(True) != 1 and not any("dynamic" in query.at for query in queries):
        yield alarm.fail("must have return_data = true in exactly one of the queries", "metric_query")


@rule(
    "OPS-004",
    "An alarm calls somebody",
    why="It turns red and nobody is told.",
    fix="Give alarm_actions with the ARN of a topic, and leave actions_enabled on.",
    page=f"{_CLOUDWATCH}/monitoring/AlarmThatSendsEmail.html",
    types=[ALARM, _COMPOSITE],
    severity=ADVICE,
    frameworks=Frameworks(checkov=("CKV_AWS_319",)),
    good=_GOOD,
    breaks=[
        {f"{_AT}.alarm_actions": REMOVED},
        {f"{_AT}.alarm_actions": []},
        {f"{_AT}.actions_enabled": "false"},
    ],
)
def alarm_calls_somebody(alarm: Block) -> Iterator[Outcome]:
    """An alarm that another block refers to acts through it: a composite alarm, a rollback, a health check."""
    enabled, given = alarm.flag("actions_enabled", default=True), [alarm.items(at) for at in _ACTIONS]
    if enabled is True and any(is_given(value) for value in given):
        return
    if any(block.type not in _SHOWING for block in alarm.referrers()) or _is_in_composite(alarm):
        yield NotApplicable("another block acts on it")
    elif isinstance(enabled, Unknown):
        yield alarm.undecided(enabled, "actions_enabled")
    elif not enabled:
        yield alarm.fail("must be true, or nothing is done", "actions_enabled")
    elif unknown := next(filter(None, map(undecidable, given)), None):
        yield alarm.undecided(unknown, "alarm_actions")
    else:
        yield alarm.fail("must name a topic that somebody reads, or what else is to be done", "alarm_actions")


def _is_in_composite(alarm: Block) -> bool:
    name = alarm.get("alarm_name")
    rules = (str(each.get("alarm_rule")) for each in alarm.estate.of(_COMPOSITE))
    return isinstance(name, str) and any(name in rule for rule in rules)


@rule(
    "OPS-005",
    "What production depends on has an alarm",
    why="Customers notice first that functions fail, messages are given up, or a database is full.",
    fix="Declare an aws_cloudwatch_metric_alarm on its errors, its visible messages, its answers 5xx or its load.",
    page=f"{_CLOUDWATCH}/monitoring/Best_Practice_Recommended_Alarms_AWS_Services.html",
    types=list(_WATCHED),
    severity=ADVICE,
    good=_GOOD,
    breaks=[
        {f"{_AT}.dimensions.FunctionName": "shop-prod-other"},
        {f"resource.{ALARM}": {}},
        {
            "resource.aws_sqs_queue": {
                "jobs": {"redrive_policy": '{"deadLetterTargetArn": "${aws_sqs_queue.dlq.arn}", "maxReceiveCount": 5}'},
                "dlq": {"name": "shop-prod-dlq"},
            }
        },
        {"resource.aws_lb": {"web": {"name": "shop-prod-web"}}},
    ],
)
def production_has_alarms(block: Block) -> Iterator[Outcome]:
    """One finding for all of a type in a stack; of queues only those that others give messages up to."""
    if block.environment != "prod" or (block.type == QUEUE and not _is_dead_letter_queue(block)):
        yield NotApplicable("not in production, or a queue that messages are taken from")
        return
    without, doubt = _without_alarm(block.stack, block.type)
    if without[:1] != [block]:
        return
    if doubt:
        yield block.undecided(doubt)
        return
    namespace, _, called = _WATCHED[block.type]
    others = f"; neither have {listed(without[1:])} of the stack's {called}" if len(without) > 1 else ""
    yield block.fail(f"has no alarm; add one on a metric of {namespace}{others}")


def _is_dead_letter_queue(queue: Block) -> bool:
    users = queue.referrers_at("redrive_policy", QUEUE, _REDRIVE)
    return any(user is not queue for user in users)


@lru_cache(maxsize=256)
def _without_alarm(stack: Stack, type_: str) -> tuple[list[Block], Unknown | None]:
    """Return the blocks of a type that no alarm is about, and what is not known about an alarm."""
    namespace, at, _ = _WATCHED[type_]
    named, whole, doubt = _measured(stack.estate, namespace.replace("ApplicationELB", "NetworkELB"))
    more, also_whole, also_doubt = _measured(stack.estate, namespace)
    if whole or also_whole:
        return [], None
    found = [
        block
        for block in stack.estate.of(type_)
        if block.stack is stack
        and (type_ != QUEUE or _is_dead_letter_queue(block))
        and not _has_alarm(block)
        and str(block.get(at)) not in named | more
    ]
    return found, doubt or also_doubt


def _has_alarm(block: Block) -> bool:
    """Whether an alarm, or a module, refers to it or to an instance of it."""
    instances = block.referrers("aws_rds_cluster_instance") if block.type == "aws_rds_cluster" else []
    return any(each.referrers(ALARM, "module") for each in (block, *instances))


@lru_cache(maxsize=64)
def _measured(estate: Estate, namespace: str) -> tuple[frozenset[object], bool, Unknown | None]:
    """Return what the dimensions of alarms in a namespace name, whether one is about all of it, and a doubt."""
    named: set[object] = set()
    whole, doubt = False, None
    for alarm in estate.of(ALARM):
        queries = alarm.sections("metric_query")
        whole = whole or any(namespace in str(query.get("expression")) for query in queries)
        for metric in (alarm, *(metric for query in queries for metric in query.sections("metric"))):
            if metric.get("namespace") != namespace:
                continue
            dimensions = metric.get("dimensions")
            whole = whole or not dimensions
            values = dimensions.values() if isinstance(dimensions, dict) else [dimensions]
            for value in values:
                if unknown := undecidable(value):
                    doubt = doubt or unknown
                elif isinstance(value, str):
                    named.add(value)
    return frozenset(named), whole, doubt
