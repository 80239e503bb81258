"""Roles that the service cannot assume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.testing.local_aws.policies import allowed, statements
from constructs_lib.testing.local_aws.refusals.asking import RefusedError, refuses

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws.refusals.asking import Asked

INVALID: Final = "InvalidParameterValueException"


def _assumable(asked: Asked, arn: str | None, *services: str) -> bool:
    """Return whether one of the services can assume a role; a role that does not exist is for moto to refuse."""
    role = asked.role(arn)
    if role is None:
        return True
    trust = statements(role.assume_role_policy_document)
    context = {"aws:SourceAccount": asked.account}
    return any(
        allowed(trust, "sts:AssumeRole", principal=("Service", service), context=context) for service in services
    )


@refuses("lambda:CreateFunction", "lambda:UpdateFunctionConfiguration")
def lambda_assumes_the_role(asked: Asked) -> None:
    """The trust policy of an execution role names Lambda.

    See: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    if not _assumable(asked, asked.parameters.get("Role"), "lambda.amazonaws.com"):
        raise RefusedError(INVALID, "The role defined for the function cannot be assumed by Lambda.")


@refuses("stepfunctions:CreateStateMachine", "stepfunctions:UpdateStateMachine")
def step_functions_assumes_the_role(asked: Asked) -> None:
    """The trust policy of a state machine's role names Step Functions.

    See: https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
    """
    services = ("states.amazonaws.com", f"states.{asked.call.region}.amazonaws.com")
    if not _assumable(asked, asked.parameters.get("roleArn"), *services):
        raise RefusedError(
            "AccessDeniedException",
            f"Neither the global service principal {services[0]}, nor the regional one is authorized to assume the "
            "provided role.",
        )


@refuses("events:PutTargets")
def eventbridge_assumes_the_role(asked: Asked) -> None:
    """The trust policy of a target's role names EventBridge.

    See: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-iam-roles.html
    """
    for target in asked.parameters.get("Targets") or []:
        if not _assumable(asked, arn := target.get("RoleArn"), "events.amazonaws.com"):
            raise RefusedError(
                "ValidationException", f"Provided role '{arn}' cannot be assumed by principal 'events.amazonaws.com'."
            )


@refuses("scheduler:CreateSchedule", "scheduler:UpdateSchedule")
def scheduler_assumes_the_role(asked: Asked) -> None:
    """The trust policy of a schedule's role names EventBridge Scheduler.

    See: https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html
    """
    if not _assumable(asked, asked.parameters["Target"].get("RoleArn"), "scheduler.amazonaws.com"):
        raise RefusedError(
            "ValidationException",
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
        )


@refuses("rds:CreateDBInstance", "rds:ModifyDBInstance", "rds:CreateDBCluster", "rds:ModifyDBCluster")
def rds_assumes_the_monitoring_role(asked: Asked) -> None:
    """The trust policy of a monitoring role names Enhanced Monitoring.

    See: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Monitoring.OS.Enabling.html
    """
    if not _assumable(asked, asked.parameters.get("MonitoringRoleArn"), "monitoring.rds.amazonaws.com"):
        raise RefusedError(
            "InvalidParameterValue",
            "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING",
        )


@refuses("ec2:CreateFlowLogs")
def flow_logs_assume_the_role(asked: Asked) -> None:
    """The trust policy of a flow log's role names VPC Flow Logs.

    See: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    """
    if not _assumable(asked, asked.parameters.get("DeliverLogsPermissionArn"), "vpc-flow-logs.amazonaws.com"):
        raise RefusedError("InvalidParameter", "Unable to assume given IAM role")


@refuses("apigateway:UpdateAccount")
def api_gateway_assumes_the_logging_role(asked: Asked) -> None:
    """The trust policy of the account's logging role names API Gateway.

    See: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """
    for change in asked.parameters.get("patchOperations") or []:
        if change.get("path") == "/cloudwatchRoleArn" and not _assumable(
            asked, change.get("value"), "apigateway.amazonaws.com"
        ):
            raise RefusedError(
                "BadRequestException",
                "The role ARN does not have required permissions configured. Please grant trust permission for API "
                "Gateway and add the required role policy.",
            )
