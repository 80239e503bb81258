"""Stages of APIs: throttling, logging, tracing, caching."""

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

    from constructs_lib.rules.estate.model import Block, Section
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
    """Fail unless there are settings for all methods at once, or for each of them."""
    general = general_settings(stage)
    if isinstance(general, Unknown):
        yield stage.undecided(general, "stage_name")
        return
    methods = parts_of(stage.estate, METHOD).get(api_of(stage), [])
    if not general and not (methods and len(settings_of(stage)) >= len(methods)):
        yield stage.fail(f'must have an {SETTINGS} with method_path "{EVERY_METHOD}" that {what}', "stage_name")


@rule(
    "API-001",
    "API Gateway stage has throttling limits",
    why="A single client, or a loop, can use up the account's request quota for the region, and cause high costs.",
    fix="Set throttling_rate_limit and throttling_burst_limit in an aws_api_gateway_method_settings with "
    'method_path "*/*"; for an HTTP API in default_route_settings of the stage.',
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
def stage_has_throttling_limits(block: Block) -> Iterator[Outcome]:
    """Settings of one method do not inherit those of all methods, so each needs limits."""
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
            yield section.fail("must be 0 or more; without a limit only the account's quota applies", name)


@rule(
    "API-002",
    "API Gateway REST stage has no throttling arguments",
    why="aws_api_gateway_stage has no throttling arguments: Terraform rejects the configuration.",
    fix="Set throttling_rate_limit and throttling_burst_limit in aws_api_gateway_method_settings.",
    page=f"{PROVIDER}/resources/api_gateway_method_settings",
    types=[STAGE],
    lessons=["EVT-6"],
    good=_GOOD,
    breaks=[
        {f"{_AT_STAGE}.throttle_settings": {"rate_limit": 100, "burst_limit": 200}},
        {f"{_AT_STAGE}.default_route_settings": [{"throttling_rate_limit": 100}]},
    ],
)
def stage_has_no_throttling_arguments(stage: Block) -> Iterator[Outcome]:
    """The names are those of usage plans, HTTP APIs and CloudFormation."""
    for name in ("throttle_settings", "default_route_settings", "method_settings", "settings"):
        if stage.raw(name) is not None:
            yield stage.fail(f"must not be set, since {STAGE} has no such argument; set the limits in {SETTINGS}", name)


@rule(
    "API-003",
    "API Gateway account has a CloudWatch Logs role",
    why="AWS rejects a stage with logging while the account settings of the region have no role; terraform validate "
    "and plan do not report it.",
    fix="Declare one aws_api_gateway_account per region with cloudwatch_role_arn, and add it to depends_on of the "
    "stage. Waive this rule if another configuration manages the account settings.",
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
    unknown_passes="depends_on takes addresses only, and a role ARN from a variable is a role",
)
def account_has_a_cloudwatch_role(block: Block) -> Iterator[Outcome]:
    """HTTP APIs and delivery streams need no role; the account settings exist once per region."""
    if block.type == _ACCOUNT:
        yield from _account_is_valid(block)
        return
    logger = _logger(block)
    if logger is None:
        yield NotApplicable("it does not write to CloudWatch Logs with the account's role")
        return
    places = {account: elsewhere(block, account) for account in block.estate.of(_ACCOUNT)}
    here = [account for account, other in places.items() if other is not True]
    if not here:
        where = block.region if isinstance(block.region, str) else "its region"
        yield block.fail(
            f"must have an {_ACCOUNT} with cloudwatch_role_arn in {where}, since it writes logs; the checked stacks "
            "have none"
        )
        return
    own = [account for account in here if account.stack is block.stack]
    earlier = predecessors(logger)
    if own and not has_module(earlier) and not any(account.base in earlier for account in own):
        yield logger.fail(f'must contain "{own[0].base}": AWS rejects logging before the role is set', "depends_on")


def _account_is_valid(account: Block) -> Iterator[Outcome]:
    yield from expect_set(
        account, "cloudwatch_role_arn", "must be the ARN of a role that lets API Gateway write to CloudWatch Logs"
    )
    same = [
        other
        for other in account.estate.of(_ACCOUNT)
        if other.stack is account.stack and elsewhere(account, other) is False
    ]
    if same[0] is not account:
        yield account.fail(f"must be the only one per region: {same[0].address} sets the same account settings")


def _logger(stage: Block) -> Block | None:
    """Return the block that enables CloudWatch logging: the stage, or the settings of its methods."""
    destination = stage.raw("access_log_settings.destination_arn")
    streams = stage.targets("access_log_settings.destination_arn", _FIREHOSE) or ":firehose:" in str(destination)
    logs = destination is not None and not streams
    if stage.type == HTTP_STAGE:
        api = stage.target("api_id", HTTP_API)
        return stage if logs and api is not None and api.get("protocol_type") == "WEBSOCKET" else None
    if logs:
        return stage
    logging = (each for each in settings_of(stage) if each.get("settings.logging_level") in ("ERROR", "INFO"))
    return next(logging, None)


@rule(
    "API-004",
    "API Gateway stage has access logging enabled",
    why="Incidents cannot be investigated: who sent a request, and what the result was.",
    fix="Add access_log_settings with a format and the ARN of a log group as destination_arn.",
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
def stage_has_access_logging(stage: Block) -> Iterator[Outcome]:
    """REST, HTTP and WebSocket stages are checked alike."""
    section: Section = stage.section("access_log_settings") or stage
    at = "access_log_settings" if section is stage else "destination_arn"
    yield from expect_set(section, at, "must have the ARN of a log group or a delivery stream as destination_arn")


@rule(
    "API-005",
    "API Gateway REST stage has execution logging and detailed metrics enabled",
    why="Failing integrations and authorizers leave no trace, and alarms cannot distinguish methods.",
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
def stage_has_execution_logging(block: Block) -> Iterator[Outcome]:
    """INFO logs more than ERROR and is accepted too."""
    if block.type == STAGE:
        yield from _needs_settings(block, "sets logging_level and metrics_enabled")
        return
    for section in block.sections("settings"):
        yield from expect(
            section,
            "logging_level",
            lambda value: value in ("ERROR", "INFO"),
            'must be "ERROR", or "INFO" while debugging',
        )
        yield from expect_flag(section, "metrics_enabled", "must be true, or alarms cannot distinguish methods")


@rule(
    "API-006",
    "API Gateway stage has data tracing disabled",
    why="Data traces contain whole requests and responses, with tokens and personal data.",
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
def stage_has_no_data_tracing(block: Block) -> Iterator[Outcome]:
    """The default is false."""
    names = ("settings",) if block.type == SETTINGS else ("default_route_settings", "route_settings")
    for section in (section for name in names for section in block.sections(name)):
        yield from expect_flag(
            section, "data_trace_enabled", "must be false: data traces contain headers and bodies", wanted=False
        )


@rule(
    "API-007",
    "API Gateway REST stage has X-Ray tracing enabled",
    why="Without traces you cannot see which service behind the API is slow or fails.",
    fix="Set xray_tracing_enabled to true.",
    page=f"{GATEWAY}/apigateway-xray.html",
    types=[STAGE],
    severity=Severity("info", "warning", "warning"),
    frameworks=Frameworks(fsbp=("APIGateway.3",), checkov=("CKV_AWS_73",)),
    good=_GOOD,
    breaks=[{f"{_AT_STAGE}.xray_tracing_enabled": False}, {f"{_AT_STAGE}.xray_tracing_enabled": REMOVED}],
)
def stage_has_xray_tracing(stage: Block) -> Iterator[Outcome]:
    """HTTP APIs do not support X-Ray tracing."""
    yield from expect_flag(stage, "xray_tracing_enabled", "must be true, or requests cannot be traced across services")


@rule(
    "API-015",
    "API Gateway REST stage is associated with a WAF web ACL",
    why="Bots and known exploits reach the integrations unfiltered.",
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
        yield NotApplicable("private API")
        return
    found = is_behind_web_acl(stage, api)
    if isinstance(found, Unknown):
        yield stage.undecided(found)
    elif not found:
        yield stage.fail("must have an aws_wafv2_web_acl_association with its ARN as resource_arn")


@rule(
    "API-017",
    "API Gateway cache is encrypted",
    why="Responses, and the personal data in them, are cached in plain text.",
    fix="Set cache_data_encrypted to true where caching_enabled is true.",
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
    """Settings without caching are exempt."""
    for section in settings.sections("settings"):
        cached = section.flag("caching_enabled")
        if isinstance(cached, Unknown):
            yield section.undecided(cached, "caching_enabled")
        elif cached:
            yield from expect_flag(section, "cache_data_encrypted", "must be true, since caching_enabled is true")
