"""Runtime, timeouts, sizes and tracing of functions."""

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
_LONGEST: Final = 300
_API_LIMIT: Final = 29
_INTEGRATIONS: Final = (("aws_api_gateway_integration", "uri"), ("aws_apigatewayv2_integration", "integration_uri"))
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
    "A function's runtime gets security patches",
    why="A deprecated runtime gets no patches, and later AWS refuses to create and to change functions that use it.",
    fix="Move to a runtime that AWS supports.",
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
def runtime_is_patched(function: Block) -> Iterator[Outcome]:
    """A container image has no runtime; one that the table does not know is newer than the table."""
    runtime = function.get("runtime")
    if runtime is None:
        yield NotApplicable("it names no runtime")
    elif isinstance(runtime, Unknown):
        yield function.undecided(runtime, "runtime")
    else:
        since = ENDS.get(str(runtime))
        if since is not None and since <= today():
            yield function.fail(f"gets no patches since {since}; move to {successor(runtime)}", "runtime")


@rule(
    "LAM-008",
    "A function may run for 30 to 300 seconds",
    why="A few seconds, and Lambda's default is 3, do not cover a cold start and one retried call; a quarter of an "
    "hour "
    "hides what hangs, and is paid for.",
    fix="Set timeout to 30, or up to 300 where the work takes longer.",
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
    """A missing timeout is Lambda's default of 3 seconds."""
    yield from expect_number(
        function,
        "timeout",
        lambda value: value is not None and _SHORTEST <= value <= _LONGEST,
        "must be 30 to 300 seconds; Lambda's default is 3",
    )


@rule(
    "LAM-009",
    "A function behind an API ends before the API gives up",
    why="API Gateway answers its caller with an error after its own timeout, while the function goes on, is paid for, "
    "and "
    "may do its work although the caller tries again.",
    fix="Set the function's timeout to 30 at most, or have the API only start the work, through a queue.",
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
def function_ends_before_the_api(function: Block) -> Iterator[Outcome]:
    """30 seconds pass, since functions shall have them; so does a longer timeout that the account has for REST APIs."""
    waits = [
        (_API_LIMIT if milliseconds is None or isinstance(milliseconds, Unknown) else milliseconds / 1000, integration)
        for type_, at in _INTEGRATIONS
        for integration in pointing(function, type_, at)
        if "'Event'" not in str(integration.body.get("request_parameters"))
        for milliseconds in [integration.number("timeout_milliseconds")]
    ]
    timeout = function.number("timeout")
    if not waits:
        yield NotApplicable("no API of the estate waits for it")
    elif isinstance(timeout, Unknown):
        yield function.undecided(timeout, "timeout")
    else:
        seconds, integration = min(waits, key=lambda each: each[0])
        most = max(seconds, _SHORTEST)
        if timeout is not None and timeout > most:
            yield function.fail(
                f"must be at most {most:g}: {called(integration, function)} waits {seconds:g} seconds for an answer",
                "timeout",
            )


@rule(
    "LAM-010",
    "A function is traced",
    why="Without traces nobody sees which call of which service was slow or failed.",
    fix='Set mode to "Active" in tracing_config.',
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
    """PassThrough, the default, traces only what a caller has chosen to trace."""
    yield from expect(function, "tracing_config.mode", lambda value: value == "Active", 'must be "Active"')


@rule(
    "LAM-031",
    "Memory and temporary storage are within Lambda's limits",
    why="AWS refuses the function.",
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
    """Missing ones are 128 and 512 MB."""
    for at, least in (("memory_size", _SMALLEST_MEMORY), ("ephemeral_storage.size", _SMALLEST_STORAGE)):
        yield from expect_number(
            function,
            at,
            lambda value, least=least: value is None or least <= value <= _LARGEST,  # type: ignore[misc]
            f"must be {least} to {_LARGEST} MB",
        )
