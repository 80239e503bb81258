"""ApiStage: where an API is served, with its logs, its tracing and its throttling."""

from __future__ import annotations

import json
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
"""What the access log keeps of a request: the path's pattern and not its values, and neither headers nor bodies.

See https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html.
"""


class ApiStage(HardenedConstruct):
    """The one stage of an API.

    Args:
        scope: The API.
        id_: The construct's id.
        region: Where the API is.
        key: The key that encrypts the logs.
        api_id: A reference to the API's id.
        deployment_id: A reference to the id of the deployment that the stage serves.
        name: The stage's name.
        rate_limit: Steady requests a second of each method.
        burst_limit: Requests at once of each method.
        account_has_log_role: Whether API Gateway's CloudWatch role is set outside the stack.

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
        # API Gateway would make this one itself, unencrypted and kept for ever.
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
                destination_arn=access_log.arn, format=json.dumps(ACCESS_LOG_FIELDS)
            ),
            xray_tracing_enabled=True,
        )
        self.arn = self._ref(self.resource, "arn")
        self._last_settings: core.TerraformResource | None = None
        self.set_limits("settings", "*/*", None, None)
        region.stack.at_synth(self._write_order)

    def set_limits(self, id_: str, method_path: str, rate_limit: int | None, burst_limit: int | None) -> None:
        """Write the settings of one method, or of all of them, complete: those of one inherit nothing from `*/*`.

        Args:
            id_: The id of the settings resource.
            method_path: `*/*`, or the path with `~1` in place of each slash, a slash and the method.
            rate_limit: Steady requests a second; the stage's when None.
            burst_limit: Requests at once; the stage's when None.
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
                # At INFO the log would hold the values of path and query parameters.
                logging_level="ERROR",
                data_trace_enabled=False,
                caching_enabled=False,
                cache_data_encrypted=True,
            ),
            # A stage takes one change at a time, so that each waits for the one before.
            depends_on=[self._last_settings] if self._last_settings else None,
        )

    def wait_for(self, resource: core.TerraformResource) -> None:
        """Serve what has been deployed only when `resource` is there."""
        self._ready.append(resource)

    def _write_order(self) -> None:
        self.resource.depends_on = [self.region.stack.address(resource) for resource in self._ready]
