"""ApiGatewayAccount: the role with which API Gateway writes logs, a setting of an account and region."""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

from constructs_lib._engine import aws
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import ServiceRole, Statement
from constructs_lib.core.stack import Region

LOG_ACTIONS: Final = (
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
)
"""What AWS's own AmazonAPIGatewayPushToCloudWatchLogs allows; API Gateway refuses a role that lacks one of them.

See https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonAPIGatewayPushToCloudWatchLogs.html.
"""


class ApiGatewayAccount(HardenedConstruct):
    """The CloudWatch role of API Gateway in one region; made once for all APIs of a stack's region.

    Without it API Gateway refuses a stage that logs. The setting belongs to the account and region and not to an API:
    two stacks that both make it overwrite each other's role.

    See https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html.
    """

    def __init__(self, region: Region) -> None:
        super().__init__(region.stack, f"api-gateway-account-{region.name}", region=region)
        role = ServiceRole(
            self,
            "log-role",
            region=region,
            service="apigateway.amazonaws.com",
            description=f"Lets API Gateway write the logs of every API in {region.name}",
            # Every API of the account and region logs with this one role, so it cannot name single log groups.
            statements=[
                Statement(sid="WriteLogs", actions=LOG_ACTIONS, resources=(region.arn("logs", "log-group:*"),))
            ],
        )
        self.resource = self._create(
            aws.api_gateway_account.ApiGatewayAccount,
            "Resource",
            cloudwatch_role_arn=role.arn,
            # API Gateway tries the role when it is set.
            depends_on=[role.policy],
        )


_MADE: Final[WeakKeyDictionary[Region, aws.api_gateway_account.ApiGatewayAccount]] = WeakKeyDictionary()


def account_log_role(region: Region) -> aws.api_gateway_account.ApiGatewayAccount:
    """Return the setting of the stack's region, made at the first call; a stage that logs depends on it."""
    if region not in _MADE:
        _MADE[region] = ApiGatewayAccount(region).resource
    return _MADE[region]
