"""CloudWatch alarms: metrics, actions and resources without alarms."""

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
"""Resources that need an alarm: their metric namespace, the argument that dimensions refer to, and their plural."""

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
    "CloudWatch alarm has a metric or a metric query",
    why="AWS rejects every other alarm at apply; validate and plan do not report it.",
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
def alarm_has_a_metric(alarm: Block) -> Iterator[Outcome]:
    """Accept values that are known after apply."""
    queries, metric = alarm.sections("metric_query"), alarm.get("metric_name")
    if unknown := undecidable(metric):
        yield alarm.undecided(unknown, "metric_name")
    elif queries and is_given(metric):
        yield alarm.fail("must not be combined with metric_query; remove one of the two", "metric_name")
    elif queries:
        yield from _returns_one(alarm, queries)
    elif not is_given(metric):
        yield alarm.fail("must be set, with namespace and statistic; or add metric_query blocks", "metric_name")
    else:
        if alarm.get("namespace") in (None, ""):
            yield alarm.fail(f"must be the namespace of {metric}, such as AWS/Lambda", "namespace")
        if alarm.get("statistic") in (None, "") and alarm.get("extended_statistic") in (None, ""):
            yield alarm.fail("must be set, for example to Sum; or set extended_statistic", "statistic")


def _returns_one(alarm: Block, queries: list[Section]) -> Iterator[Outcome]:
    flags = [query.body if isinstance(query.body, Unknown) else query.flag("return_data") for query in queries]
    unknown = next((flag for flag in flags if isinstance(flag, Unknown)), None)
    if unknown:
        yield alarm.undecided(unknown, "metric_query")
    elif flags.count(True) != 1 and not any("dynamic" in query.at for query in queries):
        yield alarm.fail("must have exactly one query with return_data = true", "metric_query")


@rule(
    "OPS-004",
    "CloudWatch alarm has an action",
    why="An alarm without an action changes its state and notifies no one.",
    fix="Set alarm_actions to the ARN of an SNS topic, and do not set actions_enabled to false.",
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
def alarm_has_an_action(alarm: Block) -> Iterator[Outcome]:
    """Skip alarms that another block uses: a composite alarm, a rollback or a health check."""
    enabled, given = alarm.flag("actions_enabled", default=True), [alarm.items(at) for at in _ACTIONS]
    if enabled is True and any(is_given(value) for value in given):
        return
    if any(block.type not in _SHOWING for block in alarm.referrers()) or _is_in_composite(alarm):
        yield NotApplicable("another block uses it")
    elif isinstance(enabled, Unknown):
        yield alarm.undecided(enabled, "actions_enabled")
    elif not enabled:
        yield alarm.fail("must be true, or the alarm runs no actions", "actions_enabled")
    elif unknown := next(filter(None, map(undecidable, given)), None):
        yield alarm.undecided(unknown, "alarm_actions")
    else:
        yield alarm.fail("must contain an action, such as the ARN of an SNS topic", "alarm_actions")


def _is_in_composite(alarm: Block) -> bool:
    name = alarm.get("alarm_name")
    rules = (str(each.get("alarm_rule")) for each in alarm.estate.of(_COMPOSITE))
    return isinstance(name, str) and any(name in rule for rule in rules)


@rule(
    "OPS-005",
    "Production resource has a CloudWatch alarm",
    why="Customers are the first to notice failing functions, messages in a dead-letter queue or a full database.",
    fix="Add an aws_cloudwatch_metric_alarm for Errors of a function, ApproximateNumberOfMessagesVisible of a queue, "
    "HTTPCode_ELB_5XX_Count of a load balancer, or CPUUtilization or FreeStorageSpace of a database.",
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
    """Report all resources of a type in a stack as one finding; of queues check dead-letter queues only."""
    if block.environment != "prod" or (block.type == QUEUE and not _is_dead_letter_queue(block)):
        yield NotApplicable("it is not in production, or it is a queue that is not a dead-letter queue")
        return
    without, doubt = _without_alarm(block.stack, block.type)
    if without[:1] != [block]:
        return
    if doubt:
        yield block.undecided(doubt)
        return
    namespace, _, plural = _WATCHED[block.type]
    others = f"; other {plural} without one in this stack: {listed(without[1:])}" if len(without) > 1 else ""
    yield block.fail(f"must have an alarm; add one for a metric of {namespace}{others}")


def _is_dead_letter_queue(queue: Block) -> bool:
    users = queue.referrers_at("redrive_policy", QUEUE, _REDRIVE)
    return any(user is not queue for user in users)


@lru_cache(maxsize=256)
def _without_alarm(stack: Stack, type_: str) -> tuple[list[Block], Unknown | None]:
    """Return the blocks of a type without an alarm, and an unknown value of an alarm that may be theirs."""
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
    """Whether an alarm, or a module, refers to the block or to an instance of the cluster."""
    instances = block.referrers("aws_rds_cluster_instance") if block.type == "aws_rds_cluster" else []
    return any(each.referrers(ALARM, "module") for each in (block, *instances))


@lru_cache(maxsize=64)
def _measured(estate: Estate, namespace: str) -> tuple[frozenset[object], bool, Unknown | None]:
    """Return the dimension values of alarms in a namespace, whether one covers all of it, and an unknown value."""
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
