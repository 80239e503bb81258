"""Stages of APIs: throttling, logs, tracing, caches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.apis import (
    EVERY_METHOD,
    GATEWAY,
    HTTP_API,
    HTTP_STAGE,
    METHOD,
    SETTINGS,
    STAGE,
    api_of,
    general_settings,
    is_private,
    parts_of,
    settings_of,
)
from constructs_lib.rules.queries.common import PROVIDER, expect, expect_flag, expect_set
from constructs_lib.rules.queries.firewalls import is_behind_web_acl
from constructs_lib.rules.queries.links import has_module, predecessors
from constructs_lib.rules.queries.texts import elsewhere
from constructs_lib.rules.rule import PRODUCTION, REMOVED, WARNING, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.blocks import Block, Section
    from constructs_lib.rules.outcomes import Outcome

_ACCOUNT: Final = "aws_api_gateway_account"
_FIREHOSE: Final = "aws_kinesis_firehose_delivery_stream"
_AT_SETTINGS: Final = "resource.aws_api_gateway_method_settings.all"
_AT_STAGE: Final = "resource.aws_api_gateway_stage.main"
_AT_HTTP: Final = "resource.aws_apigatewayv2_stage.main"
_FORMAT: Final = '{"id":"$context.requestId","status":"$context.status"}'

_GOOD: Final[dict[str, Any]] = {
    "provider": {"aws": {"region": "eu-west-1"}},
    "resource": {
        "aws_api_gateway_rest_api": {"shop": {"name": "shop-prod-api"}},
        "aws_api_gateway_account": {"this": {"cloudwatch_role_arn": "${aws_iam_role.api_logs.arn}"}},
        "aws_iam_role": {"api_logs": {"name": "shop-prod-api-logs"}},
        "aws_cloudwatch_log_group": {"api": {"name": "/shop/prod/api", "retention_in_days": 30}},
        "aws_api_gateway_stage": {
            "main": {
                "rest_api_id": "${aws_api_gateway_rest_api.shop.id}",
                "stage_name": "prod",
                "xray_tracing_enabled": True,
                "access_log_settings": {
                    "destination_arn": "${aws_cloudwatch_log_group.api.arn}",
                    "format": _FORMAT,
                },
                "depends_on": ["aws_api_gateway_account.this"],
            }
        },
        "aws_api_gateway_method_settings": {
            "all": {
                "rest_api_id": "${aws_api_gateway_rest_api.shop.id}",
                "stage_name": "${aws_api_gateway_stage.main.stage_name}",
                "method_path": "*/*",
                "settings": {
                    "throttling_rate_limit": 100,
                    "throttling_burst_limit": 200,
                    "logging_level": "ERROR",
                    "metrics_enabled": True,
                    "data_trace_enabled": False,
                    "caching_enabled": True,
                    "cache_data_encrypted": True,
                },
            }
        },
        "aws_apigatewayv2_api": {"shop": {"name": "shop-prod-http", "protocol_type": "HTTP"}},
        "aws_apigatewayv2_stage": {
            "main": {
                "api_id": "${aws_apigatewayv2_api.shop.id}",
                "name": "$default",
                "default_route_settings": {"throttling_rate_limit": 100, "throttling_burst_limit": 200},
                "access_log_settings": {
                    "destination_arn": "${aws_cloudwatch_log_group.api.arn}",
                    "format": _FORMAT,
                },
            }
        },
        "aws_wafv2_web_acl_association": {
            "api": {
                "resource_arn": "${aws_api_gateway_stage.main.arn}",
                "web_acl_arn": "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/1",
            }
        },
    },
}


def _needs_settings(stage: Block, what: str) -> Iterator[Outcome]:
    """Fail unless settings for every method are there, or settings of their own for each."""
    general = general_settings(stage)
    if isinstance(general, Unknown):
        yield stage.undecided(general, "stage_name")
        return
    methods = parts_of(stage.estate, METHOD).get(api_of(stage), [])
    if not general and not (methods and len(settings_of(stage)) >= len(methods)):
        yield stage.fail(
            f'needs an {SETTINGS} of this stage with the method_path "{EVERY_METHOD}" that {what}', "stage_name"
        )


@rule(
    "API-001",
    "A stage limits how many requests it takes",
    why="One client, or one loop, uses up the requests a second that the whole account may serve, and the money.",
    fix='Set throttling_rate_limit and throttling_burst_limit in aws_api_gateway_method_settings for "*/*"; for an '
    "HTTP API in the stage's default_route_settings.",
    page=f"{GATEWAY}/api-gateway-request-throttling.html",
    types=[STAGE, SETTINGS, HTTP_STAGE],
    severity=WARNING,
    lessons=["EVT-6"],
    good=_GOOD,
    breaks=[
        {_AT_SETTINGS: REMOVED},
        {f"{_AT_SETTINGS}.settings.throttling_rate_limit": REMOVED},
        {f"{_AT_SETTINGS}.settings.throttling_burst_limit": -1},
        {f"{_AT_SETTINGS}.method_path": "orders/GET"},
        {f"{_AT_HTTP}.default_route_settings": REMOVED},
        {f"{_AT_HTTP}.default_route_settings": [{"throttling_rate_limit": 100}]},
    ],
)
def stage_is_throttled(block: Block) -> Iterator[Outcome]:
    """Settings of one method inherit nothing from those of all, so that each needs limits."""
    if block.type == STAGE:
        yield from _needs_settings(block, "sets throttling_rate_limit and throttling_burst_limit")
        return
    at = "settings" if block.type == SETTINGS else "default_route_settings"
    section = block.section(at)
    if section is None:
        yield block.fail("must set throttling_rate_limit and throttling_burst_limit", at)
        return
    for name in ("throttling_rate_limit", "throttling_burst_limit"):
        value = section.number(name)
        if isinstance(value, Unknown):
            yield section.undecided(value, name)
        elif value is None or value < 0:
            yield section.fail("must be a number of requests; without one the only limit is the account's", name)


@rule(
    "API-002",
    "Throttling is not written into a REST stage",
    why="aws_api_gateway_stage has no such argument: Terraform refuses it, and no limit is ever set.",
    fix="Write the limits into aws_api_gateway_method_settings, as throttling_rate_limit and throttling_burst_limit.",
    page=f"{PROVIDER}/resources/api_gateway_method_settings",
    types=[STAGE],
    lessons=["EVT-6"],
    good=_GOOD,
    breaks=[
        {f"{_AT_STAGE}.throttle_settings": {"rate_limit": 100, "burst_limit": 200}},
        {f"{_AT_STAGE}.default_route_settings": [{"throttling_rate_limit": 100}]},
    ],
)
def stage_has_no_throttle_settings(stage: Block) -> Iterator[Outcome]:
    """The names come from usage plans, HTTP APIs and CloudFormation."""
    for name in ("throttle_settings", "default_route_settings", "method_settings", "settings"):
        if stage.raw(name) is not None:
            yield stage.fail(f"is no argument of {STAGE}; the limits belong into {SETTINGS}", name)


@rule(
    "API-003",
    "API Gateway has a role for its logs where a stage logs",
    why="AWS refuses a stage that logs while the account's settings of that region name no role. Neither validate nor "
    "plan says so.",
    fix="Declare one aws_api_gateway_account per region with a cloudwatch_role_arn, and let the stage depend on it. "
    "Waive this where a configuration of its own sets it for the account.",
    page=f"{GATEWAY}/set-up-logging.html",
    types=[STAGE, HTTP_STAGE, _ACCOUNT],
    lessons=["EVT-9"],
    good=_GOOD,
    breaks=[
        {f"resource.{_ACCOUNT}": {}, f"{_AT_STAGE}.depends_on": REMOVED},
        {f"resource.{_ACCOUNT}.this.cloudwatch_role_arn": REMOVED},
        {f"{_AT_STAGE}.depends_on": REMOVED},
        {f"{_AT_STAGE}.access_log_settings": REMOVED, f"{_AT_STAGE}.depends_on": REMOVED},
        {f"resource.{_ACCOUNT}.other": {"cloudwatch_role_arn": "${aws_iam_role.api_logs.arn}"}},
        {
            "resource.aws_apigatewayv2_api.shop.protocol_type": "WEBSOCKET",
            f"resource.{_ACCOUNT}": {},
            f"{_AT_STAGE}": REMOVED,
            f"{_AT_SETTINGS}": REMOVED,
        },
    ],
    unknown_passes="depends_on takes addresses, and a role that a variable names is a role.",
)
def account_has_a_log_role(block: Block) -> Iterator[Outcome]:
    """HTTP APIs and delivery streams need no role; an account's settings are one for a region."""
    if block.type == _ACCOUNT:
        yield from _account_is_sound(block)
        return
    logger = _logger(block)
    if logger is None:
        yield NotApplicable("it does not log to CloudWatch by the account's role")
        return
    places = {account: elsewhere(block, account) for account in block.estate.of(_ACCOUNT)}
    here = [account for account, other in places.items() if other is not True]
    if not here:
        where = block.region if isinstance(block.region, str) else "its region"
        yield block.fail(
            f"logs, and needs an {_ACCOUNT} with a cloudwatch_role_arn in {where}; none of these stacks has one"
        )
        return
    own = [account for account in here if account.stack is block.stack]
    earlier = predecessors(logger)
    if own and not has_module(earlier) and not any(account.base in earlier for account in own):
        yield logger.fail(f'must hold "{own[0].base}": AWS refuses logs that are set before the role is', "depends_on")


def _account_is_sound(account: Block) -> Iterator[Outcome]:
    yield from expect_set(account, "cloudwatch_role_arn", "must be the ARN of a role that API Gateway writes logs with")
    same = [
        other
        for other in account.estate.of(_ACCOUNT)
        if other.stack is account.stack and elsewhere(account, other) is False
    ]
    if same[0] is not account:
        yield account.fail(f"sets the same as {same[0].address}: an account has these settings once in a region")


def _logger(stage: Block) -> Block | None:
    """Return the block that turns logs to CloudWatch on: the stage, or the settings of its methods."""
    destination = stage.raw("access_log_settings.destination_arn")
    streams = stage.targets("access_log_settings.destination_arn", _FIREHOSE) or ":firehose:" in str(destination)
    logs = destination is not None and not streams
    if stage.type == HTTP_STAGE:
        api = stage.target("api_id", HTTP_API)
        return stage if logs and api is not None and api.get("protocol_type") == "WEBSOCKET" else None
    if logs:
        return stage
    chatty = (each for each in settings_of(stage) if each.get("settings.logging_level") in ("ERROR", "INFO"))
    return next(chatty, None)


@rule(
    "API-004",
    "A stage writes access logs",
    why="Nobody can tell afterwards who called what, with which result.",
    fix="Give access_log_settings with a log group's ARN and a format.",
    page=f"{GATEWAY}/set-up-logging.html",
    types=[STAGE, HTTP_STAGE],
    severity=PRODUCTION,
    lessons=["EVT-9"],
    frameworks=Frameworks(fsbp=("APIGateway.9",), pci=("10.2.1",), checkov=("CKV_AWS_76",)),
    good=_GOOD,
    breaks=[
        {f"{_AT_STAGE}.access_log_settings": REMOVED},
        {f"{_AT_HTTP}.access_log_settings": REMOVED},
        {f"{_AT_STAGE}.access_log_settings": [{"destination_arn": "", "format": _FORMAT}]},
    ],
)
def stage_writes_access_logs(stage: Block) -> Iterator[Outcome]:
    """REST, HTTP and WebSocket stages alike."""
    section: Section = stage.section("access_log_settings") or stage
    at = "access_log_settings" if section is stage else "destination_arn"
    yield from expect_set(section, at, "must name a log group, or a delivery stream, as destination_arn")


@rule(
    "API-005",
    "A REST stage logs errors and counts requests by method",
    why="A failing integration or authorizer leaves no trace, and no alarm can tell one method from another.",
    fix='Set logging_level to "ERROR" and metrics_enabled to true in aws_api_gateway_method_settings.',
    page=f"{GATEWAY}/set-up-logging.html",
    types=[STAGE, SETTINGS],
    severity=Severity("info", "warning", "warning"),
    lessons=["EVT-9"],
    frameworks=Frameworks(fsbp=("APIGateway.1",), checkov=("CKV2_AWS_4",)),
    good=_GOOD,
    breaks=[
        {_AT_SETTINGS: REMOVED},
        {f"{_AT_SETTINGS}.settings.logging_level": "OFF"},
        {f"{_AT_SETTINGS}.settings.logging_level": REMOVED},
        {f"{_AT_SETTINGS}.settings.metrics_enabled": "false"},
    ],
)
def stage_logs_execution(block: Block) -> Iterator[Outcome]:
    """INFO writes more than ERROR does, and is right too."""
    if block.type == STAGE:
        yield from _needs_settings(block, "sets logging_level and metrics_enabled")
        return
    for section in block.sections("settings"):
        yield from expect(
            section, "logging_level", lambda value: value in ("ERROR", "INFO"), 'must be "ERROR", or "INFO" for a while'
        )
        yield from expect_flag(section, "metrics_enabled", "must be true, or no alarm can tell methods apart")


@rule(
    "API-006",
    "A stage does not log whole requests",
    why="Data traces write headers and bodies, with tokens and personal data, into the log.",
    fix="Set data_trace_enabled to false.",
    page=f"{GATEWAY}/set-up-logging.html",
    types=[SETTINGS, HTTP_STAGE],
    severity=PRODUCTION,
    frameworks=Frameworks(checkov=("CKV_AWS_276",)),
    good=_GOOD,
    breaks=[
        {f"{_AT_SETTINGS}.settings.data_trace_enabled": True},
        {f"{_AT_SETTINGS}.settings": [{"data_trace_enabled": "true"}]},
        {f"{_AT_HTTP}.default_route_settings.data_trace_enabled": True},
    ],
)
def stage_does_not_trace_data(block: Block) -> Iterator[Outcome]:
    """Off is the default."""
    names = ("settings",) if block.type == SETTINGS else ("default_route_settings", "route_settings")
    for section in (section for name in names for section in block.sections(name)):
        yield from expect_flag(
            section, "data_trace_enabled", "must be false: it writes headers and bodies into the log", wanted=False
        )


@rule(
    "API-007",
    "A REST stage traces requests",
    why="Without traces nobody sees in which of the services behind the API the time goes.",
    fix="Set xray_tracing_enabled to true.",
    page=f"{GATEWAY}/apigateway-xray.html",
    types=[STAGE],
    severity=Severity("info", "warning", "warning"),
    frameworks=Frameworks(fsbp=("APIGateway.3",), checkov=("CKV_AWS_73",)),
    good=_GOOD,
    breaks=[{f"{_AT_STAGE}.xray_tracing_enabled": False}, {f"{_AT_STAGE}.xray_tracing_enabled": REMOVED}],
)
def stage_traces(stage: Block) -> Iterator[Outcome]:
    """HTTP APIs cannot trace."""
    yield from expect_flag(stage, "xray_tracing_enabled", "must be true, or nobody can follow a request")


@rule(
    "API-015",
    "A REST stage stands behind a web ACL",
    why="Every bot and every known attack reaches the code behind the API.",
    fix="Associate an aws_wafv2_web_acl with the stage's ARN, or with a CloudFront distribution in front of it.",
    page=f"{GATEWAY}/apigateway-control-access-aws-waf.html",
    types=[STAGE],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("APIGateway.4",), pci=("6.4.2",), checkov=("CKV2_AWS_29",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_wafv2_web_acl_association": {}},
        {"resource.aws_wafv2_web_acl_association.api.resource_arn": "${aws_apigatewayv2_stage.main.arn}"},
    ],
)
def stage_has_a_web_acl(stage: Block) -> Iterator[Outcome]:
    """A private API is not on the internet."""
    api = api_of(stage)
    if is_private(api):
        yield NotApplicable("a private API")
        return
    found = is_behind_web_acl(stage, api)
    if isinstance(found, Unknown):
        yield stage.undecided(found)
    elif not found:
        yield stage.fail("needs an aws_wafv2_web_acl_association with its ARN as resource_arn")


@rule(
    "API-017",
    "What a stage caches is encrypted",
    why="Answers, with whatever they hold, lie in the cache in plain text.",
    fix="Set cache_data_encrypted to true wherever caching_enabled is.",
    page=f"{GATEWAY}/api-gateway-caching.html",
    types=[SETTINGS],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("APIGateway.5",), checkov=("CKV_AWS_308",)),
    good=_GOOD,
    breaks=[
        {f"{_AT_SETTINGS}.settings.cache_data_encrypted": False},
        {f"{_AT_SETTINGS}.settings.cache_data_encrypted": REMOVED},
    ],
)
def cache_is_encrypted(settings: Block) -> Iterator[Outcome]:
    """Only where caching is on."""
    for section in settings.sections("settings"):
        cached = section.flag("caching_enabled")
        if isinstance(cached, Unknown):
            yield section.undecided(cached, "caching_enabled")
        elif cached:
            yield from expect_flag(section, "cache_data_encrypted", "must be true, since caching is on")
