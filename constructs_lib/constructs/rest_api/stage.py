"""ApiStage: the stage of an API, with its logs, tracing and throttling."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.log_group import LogGroup
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.rest_api.account import account_log_role
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region

ACCESS_LOG_FIELDS: Final = {
    "requestId": "$context.requestId",
    "extendedRequestId": "$context.extendedRequestId",
    "ip": "$context.identity.sourceIp",
    "caller": "$context.identity.caller",
    "user": "$context.identity.user",
    "requestTime": "$context.requestTime",
    "httpMethod": "$context.httpMethod",
    "resourcePath": "$context.resourcePath",
    "status": "$context.status",
    "protocol": "$context.protocol",
    "responseLength": "$context.responseLength",
    "responseLatency": "$context.responseLatency",
    "errorType": "$context.error.responseType",
    "integrationStatus": "$context.integrationStatus",
    "integrationError": "$context.integrationErrorMessage",
}
"""The fields of the access log: the resource path without its values, and no headers and bodies.

See https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html.
"""


class ApiStage(HardenedConstruct):
    """The stage of an API.

    Args:
        scope: The API.
        id_: The construct's id.
        region: The API's region.
        key: The key that encrypts the access log and the execution log.
        api_id: A reference to the API's id.
        deployment_id: A reference to the id of the stage's deployment.
        name: The stage's name.
        rate_limit: Throttling rate of each method, in requests per second.
        burst_limit: Throttling burst of each method, in requests.
        account_has_log_role: Whether API Gateway's CloudWatch log role is set outside of the stack.

    Attributes:
        name: The stage's name.
        rate_limit: Throttling rate of each method, in requests per second.
        burst_limit: Throttling burst of each method, in requests.
        resource: The `aws_api_gateway_stage`.

    See https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-stages.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey,
        api_id: str,
        deployment_id: str,
        name: str,
        rate_limit: int,
        burst_limit: int,
        account_has_log_role: bool,
    ) -> None:
        super().__init__(scope, id_, region=region)
        self.name = name
        self.rate_limit = rate_limit
        self.burst_limit = burst_limit
        self._api_id = api_id
        access_log = LogGroup(self, "access-log", region=region, key=key)
        # API Gateway would create this log group itself, without encryption and retention.
        execution_log = LogGroup(
            self, "execution-log", region=region, key=key, name=f"API-Gateway-Execution-Logs_{api_id}/{name}"
        )
        self._ready: list[core.TerraformResource] = [execution_log.resource]
        if not account_has_log_role:
            self._ready.append(account_log_role(region))
        stage = aws.api_gateway_stage
        self.resource = self._create(
            stage.ApiGatewayStage,
            "Resource",
            rest_api_id=api_id,
            deployment_id=deployment_id,
            stage_name=name,
            access_log_settings=stage.ApiGatewayStageAccessLogSettings(
                destination_arn=self._ref(access_log.resource, "arn"), format=json.dumps(ACCESS_LOG_FIELDS)
            ),
            xray_tracing_enabled=True,
        )
        self._last_settings: core.TerraformResource | None = None
        self.set_limits("settings", "*/*", None, None)
        region.stack.at_synth(self._write_order)

    @cached_property
    def arn(self) -> str:
        """The stage's ARN."""
        return self.resource.arn

    @cached_property
    def url(self) -> str:
        """The stage's invoke URL; disabled behind a custom domain."""
        return self.resource.invoke_url

    def set_limits(self, id_: str, method_path: str, rate_limit: int | None, burst_limit: int | None) -> None:
        """Create the settings of one method or of all methods, complete: one method inherits nothing from `*/*`.

        Args:
            id_: The id of the settings resource.
            method_path: `*/*`, or the path with `~1` for each slash, a slash and the method.
            rate_limit: Requests per second; the stage's by default.
            burst_limit: Requests in a burst; the stage's by default.
        """
        settings = aws.api_gateway_method_settings
        self._last_settings = self._create(
            settings.ApiGatewayMethodSettings,
            id_,
            rest_api_id=self._api_id,
            stage_name=self._ref(self.resource, "stage_name"),
            method_path=method_path,
            settings=settings.ApiGatewayMethodSettingsSettings(
                throttling_rate_limit=self.rate_limit if rate_limit is None else rate_limit,
                throttling_burst_limit=self.burst_limit if burst_limit is None else burst_limit,
                metrics_enabled=True,
                # At INFO the log contains the values of path and query parameters.
                logging_level="ERROR",
                data_trace_enabled=False,
                caching_enabled=False,
                cache_data_encrypted=True,
            ),
            # API Gateway refuses concurrent changes of a stage.
            depends_on=[self._last_settings] if self._last_settings else None,
        )

    def wait_for(self, resource: core.TerraformResource) -> None:
        """Create the stage after a resource."""
        self._ready.append(resource)

    def _write_order(self) -> None:
        self.resource.depends_on = [self.region.stack.address(resource) for resource in self._ready]
