"""ApiGatewayAccount: the role that API Gateway writes logs with, a setting of an account and region."""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

from constructs_lib._engine import aws, core
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import ServiceRole, Statement
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import ConfigurationError

LOG_ACTIONS: Final = (
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
)
"""The actions of AmazonAPIGatewayPushToCloudWatchLogs; API Gateway refuses a role without any of them.

See https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonAPIGatewayPushToCloudWatchLogs.html.
"""


class ApiGatewayAccount(HardenedConstruct):
    """API Gateway's CloudWatch log role ARN, created once for all APIs of a stack in a region.

    API Gateway refuses a stage that logs without it. It is a setting of the account and region, not of an API: two
    stacks that create it overwrite each other's role with every apply.

    Raises:
        ConfigurationError: Another stack of the App creates it for the region, and both may be of one account.

    See https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html.
    """

    def __init__(self, region: Region) -> None:
        super().__init__(region.stack, f"api-gateway-account-{region.name}", region=region)
        self._claim()
        role = ServiceRole(
            self,
            "log-role",
            region=region,
            service="apigateway.amazonaws.com",
            description=f"Lets API Gateway write the logs of every API in {region.name}",
            # Every API of the account and region logs with this role: its log groups are not known here.
            statements=[
                Statement(sid="WriteLogs", actions=LOG_ACTIONS, resources=(region.arn("logs", "log-group:*"),))
            ],
        )
        self.resource = self._create(
            aws.api_gateway_account.ApiGatewayAccount,
            "Resource",
            cloudwatch_role_arn=self._ref(role.resource, "arn"),
            # API Gateway verifies the role when it is set.
            depends_on=[role.policy],
        )

    def _claim(self) -> None:
        region, stack = self.region, self.region.stack
        owners = _OWNERS.setdefault(core.App.of(stack), [])
        for other in owners:
            accounts = {*other.stack.allowed_account_ids}, {*stack.allowed_account_ids}
            if other.name == region.name and not (all(accounts) and accounts[0].isdisjoint(accounts[1])):
                raise ConfigurationError(
                    self.path,
                    f"region={region.name!r}: the stack {other.stack.path} sets API Gateway's CloudWatch log role of "
                    "this account and region too, and each apply would overwrite the other's; expected one owner. Give "
                    f"the APIs of {stack.path} account_has_log_role=True, or both stacks the allowed_account_ids of "
                    "their accounts",
                )
        owners.append(region)


_OWNERS: Final[WeakKeyDictionary[core.App, list[Region]]] = WeakKeyDictionary()
_CREATED: Final[WeakKeyDictionary[Region, aws.api_gateway_account.ApiGatewayAccount]] = WeakKeyDictionary()


def account_log_role(region: Region) -> aws.api_gateway_account.ApiGatewayAccount:
    """Return the setting, created at the first call in a stack's region; a stage that logs depends on it."""
    if region not in _CREATED:
        _CREATED[region] = ApiGatewayAccount(region).resource
    return _CREATED[region]
