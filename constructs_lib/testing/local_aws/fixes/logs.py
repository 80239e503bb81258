"""Fixes for log delivery by CloudWatch Logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.logs.models import DeliverySource, LogsBackend

from constructs_lib.testing.local_aws.fixes.patching import around

if TYPE_CHECKING:
    from collections.abc import Callable

ALB_LOGS = ("ALB_ACCESS_LOGS", "ALB_CONNECTION_LOGS", "ALB_HEALTH_CHECK_LOGS")


def load_balancer_log_deliveries_exist() -> None:
    """Load balancers are not supported as a delivery source."""

    @around(LogsBackend, "put_delivery_source")
    def put_delivery_source(  # noqa: PLR0917  moto's
        original: Callable[..., DeliverySource],
        self: LogsBackend,
        name: str,
        resource_arn: str,
        log_type: str,
        tags: dict[str, str],
    ) -> DeliverySource:
        if ":elasticloadbalancing:" not in resource_arn or log_type not in ALB_LOGS:
            return original(self, name, resource_arn, log_type, tags)
        source = DeliverySource(
            account_id=self.account_id,
            region=self.region_name,
            name=name,
            resource_arn=resource_arn,
            log_type=log_type,
            tags=tags,
        )
        self.delivery_sources[name] = source
        if tags:
            self.tag_resource(source.arn, tags)
        return source


FIXES = (load_balancer_log_deliveries_exist,)
