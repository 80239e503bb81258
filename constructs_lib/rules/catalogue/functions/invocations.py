"""Asynchronous invocations, event source mappings, and invocations by API Gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.foundation.principals import ASYNCHRONOUS_SERVICES
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.admission import PERMISSION, may_call, wanted_permission
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.links import ALIAS, QUEUE, function_of, is_given, meant, pointing, undecidable
from constructs_lib.rules.rule import ADVICE, REMOVED, WARNING, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_DG: Final = f"{AWS}/lambda/latest/dg"
_MAPPING: Final = "aws_lambda_event_source_mapping"
_CALLERS: Final = (
    ("aws_cloudwatch_event_target", "arn"),
    ("aws_scheduler_schedule", "target.arn"),
    ("aws_sns_topic_subscription", "endpoint"),
)
_API: Final = {
    "aws_api_gateway_integration": ("uri", "credentials"),
    "aws_apigatewayv2_integration": ("integration_uri", "credentials_arn"),
    "aws_api_gateway_authorizer": ("authorizer_uri", "authorizer_credentials"),
    "aws_apigatewayv2_authorizer": ("authorizer_uri", "authorizer_credentials_arn"),
}

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_lambda_function": {
            "worker": {
                "function_name": "shop-prod-worker",
                "dead_letter_config": {"target_arn": "${aws_sqs_queue.failed.arn}"},
            }
        },
        "aws_sqs_queue": {"failed": {"name": "shop-prod-failed"}, "jobs": {"name": "shop-prod-jobs"}},
        "aws_dynamodb_table": {"orders": {"name": "shop-prod-orders", "stream_enabled": True}},
        "aws_lambda_permission": {
            "orders": {
                "action": "lambda:InvokeFunction",
                "function_name": "${aws_lambda_function.worker.function_name}",
                "principal": "events.amazonaws.com",
                "source_arn": "arn:aws:events:eu-west-1:111122223333:rule/orders",
            }
        },
        "aws_lambda_event_source_mapping": {
            "jobs": {
                "event_source_arn": "${aws_sqs_queue.jobs.arn}",
                "function_name": "${aws_lambda_function.worker.arn}",
                "function_response_types": ["ReportBatchItemFailures"],
            },
            "orders": {
                "event_source_arn": "${aws_dynamodb_table.orders.stream_arn}",
                "function_name": "${aws_lambda_function.worker.arn}",
                "maximum_retry_attempts": 5,
                "destination_config": {"on_failure": {"destination_arn": "${aws_sqs_queue.failed.arn}"}},
            },
        },
    }
}


@rule(
    "LAM-027",
    "Lambda function has a dead-letter queue or failure destination for asynchronous invocations",
    why="EventBridge, SNS and S3 invoke functions asynchronously: after two retries Lambda discards the event.",
    fix="Set dead_letter_config.target_arn, or an on_failure destination in aws_lambda_function_event_invoke_config.",
    page=f"{_DG}/invocation-async-retain-records.html",
    types=["aws_lambda_function"],
    severity=Severity("info", "warning", "error"),
    frameworks=Frameworks(checkov=("CKV_AWS_116",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.dead_letter_config": REMOVED},
        {"resource.aws_lambda_function.worker.dead_letter_config.target_arn": ""},
        {
            "resource.aws_lambda_function.worker.dead_letter_config": REMOVED,
            "resource.aws_lambda_permission": REMOVED,
            "resource.aws_cloudwatch_event_target": {
                "t": {"rule": "orders", "arn": "${aws_lambda_function.worker.arn}"}
            },
        },
    ],
)
def failed_invocations_are_retained(function: Block) -> Iterator[Outcome]:
    """Find asynchronous invocations by permissions, event targets, schedules and subscriptions in these stacks."""
    caller = _asynchronous_caller(function)
    if caller is None:
        yield NotApplicable("nothing in these stacks invokes it asynchronously")
        return
    at = "dead_letter_config.target_arn"
    target = function.get(at)
    invocations = pointing(function, "aws_lambda_function_event_invoke_config", "function_name")
    failures = [config.get("destination_config.on_failure.destination") for config in invocations]
    if is_given(target) or any(map(is_given, failures)):
        return
    unknown = next(filter(None, map(undecidable, [target, *failures])), None)
    if unknown:
        yield function.undecided(unknown, at)
    else:
        yield function.fail(
            f"must be the ARN of a queue or topic, because {caller.address} invokes the function asynchronously", at
        )


def _asynchronous_caller(function: Block) -> Block | None:
    for permission in pointing(function, PERMISSION, "function_name"):
        if permission.text("principal") in ASYNCHRONOUS_SERVICES:
            return permission
    return next((caller for type_, at in _CALLERS for caller in pointing(function, type_, at)), None)


@rule(
    "LAM-028",
    "Lambda event source mapping for SQS reports partial batch failures",
    why="Otherwise one failed message returns the whole batch to the queue, and messages that succeeded are processed "
    "again.",
    fix='Set function_response_types to ["ReportBatchItemFailures"] and return the failed message IDs from the '
    "function, or set batch_size to 1.",
    page=f"{_DG}/services-sqs-errorhandling.html",
    types=[_MAPPING],
    severity=ADVICE,
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_event_source_mapping.jobs.function_response_types": REMOVED},
        {"resource.aws_lambda_event_source_mapping.jobs.function_response_types": []},
    ],
)
def batch_failures_are_reported(mapping: Block) -> Iterator[Outcome]:
    """Skip batches of one message."""
    if not _reads(mapping, (QUEUE,), (":sqs:",)) or mapping.number("batch_size") == 1:
        yield NotApplicable("it does not poll an SQS queue in batches")
        return
    types = mapping.items("function_response_types")
    if isinstance(types, Unknown):
        yield mapping.undecided(types, "function_response_types")
    elif "ReportBatchItemFailures" not in types:
        yield mapping.fail('must contain "ReportBatchItemFailures", or batch_size must be 1', "function_response_types")


@rule(
    "LAM-029",
    "Lambda event source mapping for a stream limits retries and has a failure destination",
    why="By default Lambda retries a failed batch until its records expire: one invalid record blocks the shard for a "
    "day or more, and is then lost.",
    fix="Set maximum_retry_attempts or maximum_record_age_in_seconds, and destination_config.on_failure.",
    page=f"{_DG}/services-ddb-errors.html",
    types=[_MAPPING],
    severity=WARNING,
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_event_source_mapping.orders.maximum_retry_attempts": REMOVED},
        {"resource.aws_lambda_event_source_mapping.orders.maximum_retry_attempts": -1},
        {"resource.aws_lambda_event_source_mapping.orders.destination_config": REMOVED},
    ],
)
def stream_retries_are_limited(mapping: Block) -> Iterator[Outcome]:
    """Both limits default to -1, which means unlimited."""
    if not _reads(mapping, ("aws_dynamodb_table", "aws_kinesis_stream"), (":kinesis:", ":dynamodb:")):
        yield NotApplicable("it does not read a stream")
        return
    bounds = [mapping.number(at) for at in ("maximum_retry_attempts", "maximum_record_age_in_seconds")]
    unknown = next((bound for bound in bounds if isinstance(bound, Unknown)), None)
    if not any(isinstance(bound, int | float) and bound >= 0 for bound in bounds):
        if unknown:
            yield mapping.undecided(unknown, "maximum_retry_attempts")
        else:
            yield mapping.fail(
                "must be 0 or more, such as 5, or set maximum_record_age_in_seconds", "maximum_retry_attempts"
            )
    at = "destination_config.on_failure.destination_arn"
    destination = mapping.get(at)
    if is_given(destination):
        return
    unsure = undecidable(destination)
    if unsure:
        yield mapping.undecided(unsure, at)
    else:
        yield mapping.fail("must be the ARN of a queue or topic, or records that cannot be processed are lost", at)


def _reads(mapping: Block, types: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    at = "event_source_arn"
    if mapping.target(at, *types) is not None or (QUEUE in types and meant(mapping, at, QUEUE) is not None):
        return True
    value = mapping.get(at)
    text = value.text if isinstance(value, Unknown) else str(value)
    return any(part in text for part in parts)


@rule(
    "LAM-032",
    "API Gateway has permission to invoke its Lambda functions",
    why="Without permission, API Gateway returns 500 for every request; validate, plan and apply do not report it.",
    fix="Add an aws_lambda_permission for apigateway.amazonaws.com, with the alias as qualifier if the API invokes an "
    "alias.",
    page=f"{AWS}/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html",
    types=list(_API),
    good={
        "resource": {
            "aws_lambda_function": {"api": {"function_name": "shop-prod-api"}},
            "aws_lambda_alias": {"live": {"name": "live", "function_name": "${aws_lambda_function.api.function_name}"}},
            "aws_api_gateway_integration": {"api": {"type": "AWS_PROXY", "uri": "${aws_lambda_alias.live.invoke_arn}"}},
            "aws_lambda_permission": {
                "api": {
                    "action": "lambda:InvokeFunction",
                    "function_name": "${aws_lambda_function.api.function_name}",
                    "qualifier": "${aws_lambda_alias.live.name}",
                    "principal": "apigateway.amazonaws.com",
                    "source_arn": "${aws_api_gateway_rest_api.a.execution_arn}/*/*",
                }
            },
            "aws_api_gateway_rest_api": {"a": {"name": "shop-prod-api"}},
        }
    },
    breaks=[
        {"resource.aws_lambda_permission": REMOVED},
        {"resource.aws_lambda_permission.api.qualifier": REMOVED},
        {"resource.aws_lambda_permission.api.principal": "events.amazonaws.com"},
        {
            "resource.aws_lambda_permission": REMOVED,
            "resource.aws_apigatewayv2_integration": {
                "api": {"integration_type": "AWS_PROXY", "integration_uri": "${aws_lambda_function.api.arn}"}
            },
            "resource.aws_api_gateway_integration": REMOVED,
        },
    ],
)
def api_can_invoke(caller: Block) -> Iterator[Outcome]:
    """Skip integrations and authorizers with a role, which API Gateway assumes."""
    at, role_at = _API[caller.type]
    function = function_of(caller, at)
    if function is None or caller.raw(role_at) is not None:
        yield NotApplicable("it invokes no function in these stacks, or uses a role")
        return
    alike = [each for each in pointing(function, caller.type, at) if each.target(at, ALIAS) is caller.target(at, ALIAS)]
    allowed = may_call(function, caller, at, "apigateway.amazonaws.com")
    if isinstance(allowed, Unknown):
        yield caller.undecided(allowed, at)
    elif not allowed and caller in alike[:1]:
        yield caller.fail(wanted_permission(function, caller, at, "apigateway.amazonaws.com"), at)
