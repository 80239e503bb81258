"""Runtime, timeout, memory, storage and tracing of Lambda functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.foundation.dates import today
from constructs_lib.foundation.lambda_runtimes import ENDS, successor
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, expect, expect_number
from constructs_lib.rules.queries.links import called, pointing
from constructs_lib.rules.rule import REMOVED, WARNING, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_DG: Final = f"{AWS}/lambda/latest/dg"
_SHORTEST: Final = 30
_SHORTEST_FOR_API: Final = 10
_LONGEST: Final = 300
_API_LIMIT: Final = 29
_INTEGRATIONS: Final = (("aws_api_gateway_integration", "uri"), ("aws_apigatewayv2_integration", "integration_uri"))
_WAITING: Final = (
    *_INTEGRATIONS,
    ("aws_api_gateway_authorizer", "authorizer_uri"),
    ("aws_apigatewayv2_authorizer", "authorizer_uri"),
)
"""What waits for the response of a function, and for no longer than 30 seconds."""
_SMALLEST_MEMORY: Final = 128
_SMALLEST_STORAGE: Final = 512
_LARGEST: Final = 10240

_GOOD = {
    "resource": {
        "aws_lambda_function": {
            "worker": {
                "function_name": "shop-prod-worker",
                "runtime": "python3.13",
                "timeout": 30,
                "memory_size": 512,
                "ephemeral_storage": {"size": 512},
                "tracing_config": {"mode": "Active"},
            }
        },
        "aws_api_gateway_integration": {
            "worker": {
                "type": "AWS_PROXY",
                "uri": "${aws_lambda_function.worker.invoke_arn}",
                "timeout_milliseconds": 29000,
            }
        },
        "aws_apigatewayv2_integration": {
            "worker": {"integration_type": "AWS_PROXY", "integration_uri": "${aws_lambda_function.worker.invoke_arn}"}
        },
    }
}


@rule(
    "LAM-007",
    "Lambda function uses a supported runtime",
    why="A deprecated runtime gets no security patches, and Lambda later blocks creating and updating functions that "
    "use it.",
    fix="Upgrade to a supported runtime.",
    page=f"{_DG}/lambda-runtimes.html",
    types=["aws_lambda_function"],
    severity=WARNING,
    frameworks=Frameworks(fsbp=("Lambda.2",), checkov=("CKV_AWS_363",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.runtime": "python3.8"},
        {"resource.aws_lambda_function.worker.runtime": "nodejs16.x"},
        {"resource.aws_lambda_function.worker.runtime": "go1.x"},
    ],
)
def runtime_is_supported(function: Block) -> Iterator[Outcome]:
    """Skip container images, which have no runtime; unlisted runtimes are assumed to be newer."""
    runtime = function.get("runtime")
    if runtime is None:
        yield NotApplicable("it sets no runtime")
    elif isinstance(runtime, Unknown):
        yield function.undecided(runtime, "runtime")
    else:
        since = ENDS.get(str(runtime))
        if since is not None and since <= today():
            yield function.fail(f"is deprecated since {since}; upgrade to {successor(runtime)}", "runtime")


@rule(
    "LAM-008",
    "Lambda function timeout is 30 to 300 seconds, or at least 10 behind an API",
    why="A short timeout, such as the default of 3 seconds, is exceeded by a cold start and one retried request; a "
    "long one hides hanging invocations, which are billed.",
    fix="Set timeout to 30, to at most 300 for longer tasks, or to 29 behind an API, which waits no longer.",
    page=f"{_DG}/configuration-timeout.html",
    types=["aws_lambda_function"],
    severity=WARNING,
    lessons=["EVT-18"],
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.timeout": 5},
        {"resource.aws_lambda_function.worker.timeout": REMOVED},
        {"resource.aws_lambda_function.worker.timeout": "900"},
    ],
)
def timeout_is_in_range(function: Block) -> Iterator[Outcome]:
    """The default is 3 seconds. An API waits for the response, and no longer than 30 seconds."""
    waited_for = any(pointing(function, type_, at) for type_, at in _WAITING)
    least = _SHORTEST_FOR_API if waited_for else _SHORTEST
    yield from expect_number(
        function,
        "timeout",
        lambda value: value is not None and least <= value <= _LONGEST,
        f"must be {least} to {_LONGEST} seconds; the default is 3",
    )


@rule(
    "LAM-009",
    "Lambda function timeout does not exceed the API integration timeout",
    why="API Gateway returns an error after its integration timeout while the function keeps running: the invocation "
    "is billed, and takes effect even if the client retries.",
    fix="Set timeout of the function to at most 30, or let the API send the request to an SQS queue.",
    page=f"{AWS}/apigateway/latest/developerguide/limits.html",
    types=["aws_lambda_function"],
    severity=WARNING,
    lessons=["EVT-18"],
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.timeout": 60},
        {"resource.aws_lambda_function.worker.timeout": "31"},
    ],
)
def timeout_is_within_the_integration_timeout(function: Block) -> Iterator[Outcome]:
    """Allow 30 seconds, the minimum of LAM-008, and longer integration timeouts after a quota increase."""
    waits = [
        (_API_LIMIT if milliseconds is None or isinstance(milliseconds, Unknown) else milliseconds / 1000, integration)
        for type_, at in _INTEGRATIONS
        for integration in pointing(function, type_, at)
        if "'Event'" not in str(integration.body.get("request_parameters"))
        for milliseconds in [integration.number("timeout_milliseconds")]
    ]
    timeout = function.number("timeout")
    if not waits:
        yield NotApplicable("no API in these stacks invokes it synchronously")
    elif isinstance(timeout, Unknown):
        yield function.undecided(timeout, "timeout")
    else:
        seconds, integration = min(waits, key=lambda each: each[0])
        most = max(seconds, _SHORTEST)
        if timeout is not None and timeout > most:
            yield function.fail(
                f"must be at most {most:g} seconds: {called(integration, function)} times out after {seconds:g} "
                "seconds",
                "timeout",
            )


@rule(
    "LAM-010",
    "Lambda function has X-Ray tracing enabled",
    why="Without traces, you cannot tell which request to which service was slow or failed.",
    fix='Set mode of tracing_config to "Active".',
    page=f"{_DG}/services-xray.html",
    types=["aws_lambda_function"],
    severity=Severity("info", "warning", "warning"),
    frameworks=Frameworks(checkov=("CKV_AWS_50",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.tracing_config.mode": "PassThrough"},
        {"resource.aws_lambda_function.worker.tracing_config": REMOVED},
    ],
)
def function_is_traced(function: Block) -> Iterator[Outcome]:
    """PassThrough, the default, traces only requests that the caller has sampled."""
    yield from expect(function, "tracing_config.mode", lambda value: value == "Active", 'must be "Active"')


@rule(
    "LAM-031",
    "Lambda function memory and ephemeral storage are within the service limits",
    why="Lambda rejects the function at apply.",
    fix="Set memory_size to 128 to 10,240 MB, and ephemeral_storage.size to 512 to 10,240 MB.",
    page=f"{_DG}/gettingstarted-limits.html",
    types=["aws_lambda_function"],
    good=_GOOD,
    breaks=[
        {"resource.aws_lambda_function.worker.memory_size": 64},
        {"resource.aws_lambda_function.worker.memory_size": 16384},
        {"resource.aws_lambda_function.worker.ephemeral_storage.size": 256},
        {"resource.aws_lambda_function.worker.ephemeral_storage.size": "20480"},
    ],
)
def sizes_are_in_range(function: Block) -> Iterator[Outcome]:
    """The defaults are 128 and 512 MB."""
    for at, least in (("memory_size", _SMALLEST_MEMORY), ("ephemeral_storage.size", _SMALLEST_STORAGE)):
        yield from expect_number(
            function,
            at,
            lambda value, least=least: value is None or least <= value <= _LARGEST,  # type: ignore[misc]
            f"must be {least} to {_LARGEST} MB",
        )
