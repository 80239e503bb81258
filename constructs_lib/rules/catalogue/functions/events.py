"""What calls functions, and what becomes of calls that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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
_ASYNCHRONOUS: Final = frozenset(
    {
        "events.amazonaws.com",
        "iot.amazonaws.com",
        "logs.amazonaws.com",
        "s3.amazonaws.com",
        "scheduler.amazonaws.com",
        "ses.amazonaws.com",
        "sns.amazonaws.com",
    }
)
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
    "A function that is called asynchronously keeps the calls that fail",
    why="EventBridge, SNS and S3 hand a call over and forget it; after Lambda's two further attempts the event is "
    "gone.",
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
def asynchronous_calls_are_kept(function: Block) -> Iterator[Outcome]:
    """Look at what the estate says of callers: permissions, event targets, schedules, subscriptions."""
    caller = _asynchronous_caller(function)
    if caller is None:
        yield NotApplicable("nothing in the estate calls it asynchronously")
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
        yield function.fail(f"must be the ARN of a queue or topic, since {caller.address} calls asynchronously", at)


def _asynchronous_caller(function: Block) -> Block | None:
    for permission in pointing(function, PERMISSION, "function_name"):
        if permission.text("principal") in _ASYNCHRONOUS:
            return permission
    return next((caller for type_, at in _CALLERS for caller in pointing(function, type_, at)), None)


@rule(
    "LAM-028",
    "A function that reads a queue says which messages of a batch failed",
    why="Without that one bad message brings the whole batch back, and what was done for the others is done again.",
    fix='Set function_response_types to ["ReportBatchItemFailures"] and have the code return the failed ids, or set '
    "batch_size to 1.",
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
    """A batch of one message needs no report."""
    if not _reads(mapping, (QUEUE,), (":sqs:",)) or mapping.number("batch_size") == 1:
        yield NotApplicable("it reads no queue in batches")
        return
    types = mapping.items("function_response_types")
    if isinstance(types, Unknown):
        yield mapping.undecided(types, "function_response_types")
    elif "ReportBatchItemFailures" not in types:
        yield mapping.fail('must hold "ReportBatchItemFailures", or batch_size must be 1', "function_response_types")


@rule(
    "LAM-029",
    "A function that reads a stream gives up on a bad record, and keeps it",
    why="By default Lambda repeats the batch until its records expire: for a day or more the shard stands still "
    "behind one "
    "bad record, and then it is lost.",
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
def stream_gives_up(mapping: Block) -> Iterator[Outcome]:
    """Both defaults are -1, which means without end."""
    if not _reads(mapping, ("aws_dynamodb_table", "aws_kinesis_stream"), (":kinesis:", ":dynamodb:")):
        yield NotApplicable("it reads no stream")
        return
    bounds = [mapping.number(at) for at in ("maximum_retry_attempts", "maximum_record_age_in_seconds")]
    unknown = next((bound for bound in bounds if isinstance(bound, Unknown)), None)
    if not any(isinstance(bound, int | float) and bound >= 0 for bound in bounds):
        if unknown:
            yield mapping.undecided(unknown, "maximum_retry_attempts")
        else:
            yield mapping.fail(
                "must be bounded, such as 5; or set maximum_record_age_in_seconds", "maximum_retry_attempts"
            )
    at = "destination_config.on_failure.destination_arn"
    destination = mapping.get(at)
    if is_given(destination):
        return
    unsure = undecidable(destination)
    if unsure:
        yield mapping.undecided(unsure, at)
    else:
        yield mapping.fail("must be the ARN of a queue or topic that keeps what could not be processed", at)


def _reads(mapping: Block, types: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    at = "event_source_arn"
    if mapping.target(at, *types) is not None or (QUEUE in types and meant(mapping, at, QUEUE) is not None):
        return True
    value = mapping.get(at)
    text = value.text if isinstance(value, Unknown) else str(value)
    return any(part in text for part in parts)


@rule(
    "LAM-032",
    "An API may call the functions that it integrates",
    why="Without a permission API Gateway answers every call with 500; nothing before the first call says so.",
    fix="Add an aws_lambda_permission for apigateway.amazonaws.com, with the alias as qualifier where the API calls "
    "one.",
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
def api_may_call(caller: Block) -> Iterator[Outcome]:
    """An integration with a role of its own needs no permission."""
    at, role_at = _API[caller.type]
    function = function_of(caller, at)
    if function is None or caller.raw(role_at) is not None:
        yield NotApplicable("it calls no function of the estate, or does so with a role")
        return
    alike = [each for each in pointing(function, caller.type, at) if each.target(at, ALIAS) is caller.target(at, ALIAS)]
    allowed = may_call(function, caller, at, "apigateway.amazonaws.com")
    if isinstance(allowed, Unknown):
        yield caller.undecided(allowed, at)
    elif not allowed and caller in alike[:1]:
        yield caller.fail(wanted_permission(function, caller, at, "apigateway.amazonaws.com"), at)
