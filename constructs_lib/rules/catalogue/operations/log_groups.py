"""CloudWatch log groups."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.log_retention import DAYS
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.admission import document
from constructs_lib.rules.queries.apis import STAGE, api_of, settings_of
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.instances import MAKERS, script_of
from constructs_lib.rules.queries.links import LOG_GROUP, with_name
from constructs_lib.rules.rule import ADVICE, REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate
    from constructs_lib.rules.outcomes import Outcome

_LOGS: Final = f"{AWS}/AmazonCloudWatch/latest/logs"
_TASK: Final = "aws_ecs_task_definition"
_EXECUTION_LOG: Final = "API-Gateway-Execution-Logs_"
_AGENT_GROUP: Final = re.compile(r'"?log_group_name"?\s*[:=]\s*"?([^"\s,}{]+(?:\$\{[^}]*\}[^"\s,}{]*)*)')
_EXPRESSION: Final = re.compile(r"\$\{[^}]*\}")
_PLACE: Final = "resource.aws_cloudwatch_log_group"

_CONTAINERS: Final = (
    '[{"name": "shop", "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/shop/prod/tasks"}}}]'
)
_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_api_gateway_rest_api": {"shop": {"name": "shop-prod-api"}},
        "aws_api_gateway_stage": {"main": {"rest_api_id": "${aws_api_gateway_rest_api.shop.id}", "stage_name": "prod"}},
        "aws_api_gateway_method_settings": {
            "all": {
                "rest_api_id": "${aws_api_gateway_rest_api.shop.id}",
                "stage_name": "${aws_api_gateway_stage.main.stage_name}",
                "method_path": "*/*",
                "settings": {"logging_level": "ERROR"},
            }
        },
        "aws_instance": {
            "web": {"user_data": '#!/bin/sh\necho \'{"log_group_name": "/shop/prod/web"}\' > /opt/agent.json\n'}
        },
        "aws_ecs_task_definition": {"shop": {"family": "shop-prod", "container_definitions": _CONTAINERS}},
        "aws_cloudwatch_log_group": {
            "web": {"name": "/shop/prod/web", "retention_in_days": 30},
            "tasks": {"name": "/shop/prod/tasks", "retention_in_days": 30},
            "api": {
                "name": "API-Gateway-Execution-Logs_${aws_api_gateway_rest_api.shop.id}/prod",
                "retention_in_days": 30,
            },
        },
    }
}


@rule(
    "OPS-001",
    "CloudWatch log group has a retention period",
    why="By default log events never expire: storage costs grow without limit, and personal data is never deleted.",
    fix=f"Set retention_in_days to one of {', '.join(map(str, DAYS))}.",
    page=f"{_LOGS}/Working-with-log-groups-and-streams.html",
    types=[LOG_GROUP],
    severity=WARNING,
    lessons=["TRD-11"],
    frameworks=Frameworks(pci=("10.5.1",), checkov=("CKV_AWS_66",)),
    good=_GOOD,
    breaks=[
        {f"{_PLACE}.web.retention_in_days": REMOVED},
        {f"{_PLACE}.web.retention_in_days": 0},
        {f"{_PLACE}.web.retention_in_days": "45"},
    ],
)
def group_has_a_retention_period(group: Block) -> Iterator[Outcome]:
    """Skip groups of the class DELIVERY, whose retention is fixed."""
    if group.get("log_group_class") == "DELIVERY":
        yield NotApplicable("its log group class is DELIVERY")
        return
    value = group.number("retention_in_days")
    if isinstance(value, Unknown):
        yield group.undecided(value, "retention_in_days")
    elif not value:
        yield group.fail("must be set, for example to 30; without it log events never expire", "retention_in_days")
    elif value not in DAYS:
        below = max((days for days in DAYS if days < value), default=DAYS[0])
        above = min((days for days in DAYS if days > value), default=DAYS[-1])
        nearest = f"{below} or {above}" if below < value < above else str(above if value < above else below)
        yield group.fail(f"must be a retention period of CloudWatch Logs, such as {nearest}", "retention_in_days")


@rule(
    "OPS-002",
    "Log group of an agent, container or API is defined",
    why="Otherwise the first writer creates the log group, without retention and KMS key, and destroy does not delete "
    "it.",
    fix="Add an aws_cloudwatch_log_group with the same name and retention_in_days.",
    page=f"{_LOGS}/Working-with-log-groups-and-streams.html",
    types=[STAGE, _TASK, *MAKERS],
    severity=ADVICE,
    lessons=["TRD-11"],
    good=_GOOD,
    breaks=[
        {f"{_PLACE}.web": REMOVED},
        {f"{_PLACE}.api": REMOVED},
        {f"{_PLACE}.tasks": REMOVED},
        {f"{_PLACE}.web.name": "/shop/prod/website"},
    ],
    unknown_passes="a log group with an unknown name may be the right one",
)
def log_groups_are_defined(block: Block) -> Iterator[Outcome]:
    """Skip names with placeholders of the agent, such as {instance_id}; LAM-021 checks the groups of functions."""
    if block.type == STAGE:
        api = api_of(block)
        chatty = [one for one in settings_of(block) if one.get("settings.logging_level") in ("ERROR", "INFO")]
        groups = [str(group.raw("name")) for each in (api, block) if each for group in each.referrers(LOG_GROUP)]
        if chatty and api is not None and not any(_EXECUTION_LOG in name for name in groups):
            yield block.fail(
                f'must have the log group "{_EXECUTION_LOG}${{{api.address}.id}}/{block.text("stage_name")}"; add an '
                f"{LOG_GROUP} with this name",
                "stage_name",
            )
        return
    at, names = _written_in_tasks(block) if block.type == _TASK else _written_by_agent(block)
    for name in dict.fromkeys(names):
        if with_name(block, LOG_GROUP, name):
            continue
        if doubt := _may_be_called(block.estate, name):
            yield block.undecided(doubt, at)
        else:
            yield block.fail(f'must write to a log group that is defined; add an {LOG_GROUP} named "{name}"', at)


def _may_be_called(estate: Estate, name: str) -> Unknown | None:
    """Return the partly unknown name of a group that may be this one, or None."""
    for group in estate.of(LOG_GROUP):
        value = group.get("name")
        if isinstance(value, Unknown):
            pattern = ".*".join(map(re.escape, _EXPRESSION.split(value.text)))
            if re.fullmatch(pattern or ".*", name):
                return value
    return None


def _written_by_agent(block: Block) -> tuple[str, list[str]]:
    found = script_of(block)
    if found is None:
        return "", []
    at, script, _ = found
    names = (block.resolve(name) for name in _AGENT_GROUP.findall(script))
    return at, [name for name in names if isinstance(name, str) and "{" not in name and "$" not in name]


def _written_in_tasks(task: Block) -> tuple[str, list[str]]:
    at = "container_definitions"
    try:
        containers = document(task, at)
    except ValueError:
        return at, []
    names = []
    for container in containers if isinstance(containers, list) else ():
        logging = container.get("logConfiguration") if isinstance(container, dict) else None
        options = logging.get("options") if isinstance(logging, dict) else None
        if isinstance(options, dict):
            names.append(options.get("awslogs-group"))
    return at, [name for name in names if isinstance(name, str)]
