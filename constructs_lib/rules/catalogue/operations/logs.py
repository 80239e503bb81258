"""Log groups."""

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
    "A log group keeps its events for a set time",
    why="Without one events are kept, and paid for, for ever; personal data in them too.",
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
def group_has_a_retention(group: Block) -> Iterator[Outcome]:
    """Groups of the class DELIVERY have one that cannot be changed."""
    if group.get("log_group_class") == "DELIVERY":
        yield NotApplicable("of the class DELIVERY")
        return
    value = group.number("retention_in_days")
    if isinstance(value, Unknown):
        yield group.undecided(value, "retention_in_days")
    elif not value:
        yield group.fail("must be set, or events are kept, and paid for, for ever; 30 is usual", "retention_in_days")
    elif value not in DAYS:
        below = max((days for days in DAYS if days < value), default=DAYS[0])
        above = min((days for days in DAYS if days > value), default=DAYS[-1])
        nearest = f"{below} or {above}" if below < value < above else str(above if value < above else below)
        yield group.fail(f"is refused by CloudWatch Logs; the nearest that it takes: {nearest}", "retention_in_days")


@rule(
    "OPS-002",
    "Log groups that agents, containers and APIs write to are declared",
    why="Who writes first makes the group: without retention, without key, and left behind when the stack goes.",
    fix="Declare an aws_cloudwatch_log_group of that name, with retention_in_days.",
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
    unknown_passes="a group whose name is not known may be the one that is written to",
)
def written_groups_are_declared(block: Block) -> Iterator[Outcome]:
    """Functions have a rule of their own; names that the writer makes up, such as {instance_id}, are not compared."""
    if block.type == STAGE:
        api = api_of(block)
        chatty = [one for one in settings_of(block) if one.get("settings.logging_level") in ("ERROR", "INFO")]
        groups = [str(group.raw("name")) for each in (api, block) if each for group in each.referrers(LOG_GROUP)]
        if chatty and api is not None and not any(_EXECUTION_LOG in name for name in groups):
            yield block.fail(
                f'logs to "{_EXECUTION_LOG}${{{api.address}.id}}/{block.text("stage_name")}"; declare that {LOG_GROUP}',
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
            yield block.fail(f'writes to the log group "{name}"; declare an {LOG_GROUP} of that name', at)


def _may_be_called(estate: Estate, name: str) -> Unknown | None:
    """Return the name of a group, not wholly known, that may come to be this one; None when there is none."""
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
