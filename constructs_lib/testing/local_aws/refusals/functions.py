"""Functions whose concurrency or execution role is not enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.testing.local_aws.policies import allowed
from constructs_lib.testing.local_aws.refusals.asking import RefusedError, refuses

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws.refusals.asking import Asked

INVALID: Final = "InvalidParameterValueException"

# What Lambda checks for each kind of event source, first the action that its message names.
SOURCE_ACTIONS: Final = {
    "sqs": ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
    "dynamodb": ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams"),
    "kinesis": ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams"),
}
DESTINATION_ACTIONS: Final = {
    "sqs": ("sqs:SendMessage", "SendMessage on SQS"),
    "sns": ("sns:Publish", "Publish on SNS"),
}


@refuses("lambda:PutFunctionConcurrency")
def unreserved_concurrency(asked: Asked) -> None:
    """At least 100 executions stay unreserved; in an account with a lower quota, none can be reserved.

    See: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """
    limit = asked.quota("lambda-concurrent-executions")
    kept = min(limit, asked.quota("lambda-unreserved-concurrency"))
    functions = asked.backend("lambda").list_functions()
    name = asked.parameters["FunctionName"]
    others = sum(
        function.reserved_concurrency or 0
        for function in functions
        if name not in (function.function_name, function.function_arn)
    )
    if limit - others - int(asked.parameters["ReservedConcurrentExecutions"]) < kept:
        raise RefusedError(
            INVALID,
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{kept}].",
        )


@refuses("lambda:CreateFunction", "lambda:UpdateFunctionConfiguration")
def execution_roles_of_functions(asked: Asked) -> None:
    """The execution role of a function in a VPC may create network interfaces, and write to the dead-letter target.

    See: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    """
    given = asked.parameters
    role = given.get("Role") or _role_of(asked, given["FunctionName"])
    if (given.get("VpcConfig") or {}).get("SubnetIds"):
        _check(asked, role, "ec2:CreateNetworkInterface", "*", "CreateNetworkInterface on EC2")
    target = (given.get("DeadLetterConfig") or {}).get("TargetArn") or ""
    if service := DESTINATION_ACTIONS.get(_service(target)):
        _check(asked, role, service[0], target, service[1])


@refuses("lambda:PutFunctionEventInvokeConfig", "lambda:UpdateFunctionEventInvokeConfig")
def execution_roles_of_destinations(asked: Asked) -> None:
    """The execution role of a function may write to its destinations.

    See: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    config = asked.parameters.get("DestinationConfig") or {}
    role = _role_of(asked, asked.parameters["FunctionName"])
    for outcome in ("OnSuccess", "OnFailure"):
        target = (config.get(outcome) or {}).get("Destination") or ""
        if service := DESTINATION_ACTIONS.get(_service(target)):
            _check(asked, role, service[0], target, service[1])


@refuses("lambda:CreateEventSourceMapping")
def execution_roles_of_event_sources(asked: Asked) -> None:
    """The execution role of a function may read its event source.

    See: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    source = asked.parameters.get("EventSourceArn") or ""
    service = _service(source)
    role = _role_of(asked, asked.parameters["FunctionName"])
    for action in SOURCE_ACTIONS.get(service, ()):
        # ListStreams has no resource.
        resource = "*" if action == "ListStreams" else source
        _check(asked, role, f"{service}:{action}", resource, f"{action} on {service.upper()}")


def _service(arn: str) -> str:
    return arn.split(":")[2] if arn.count(":") > 4 else ""  # noqa: PLR2004  parts of an ARN


def _role_of(asked: Asked, function: str) -> str | None:
    backend: Any = asked.backend("lambda")
    plain = function.rsplit(":function:", maxsplit=1)[-1].split(":", maxsplit=1)[0]
    return next((each.role for each in backend.list_functions() if each.function_name == plain), None)


def _check(asked: Asked, role: str | None, action: str, resource: str, named: str) -> None:
    policy = asked.role_statements(role)
    if policy is not None and not allowed(policy, action, resource=resource):
        raise RefusedError(INVALID, f"The provided execution role does not have permissions to call {named}")
