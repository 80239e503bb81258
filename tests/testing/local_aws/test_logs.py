"""The local AWS's fix for log deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws import LocalAws

pytestmark = pytest.mark.slow
EU = "eu-west-1"
BALANCER = f"arn:aws:elasticloadbalancing:{EU}:123456789012:loadbalancer/app/web/0123456789abcdef"


def test_the_access_log_of_a_load_balancer_is_a_source_of_deliveries(local_aws: LocalAws) -> None:
    logs = local_aws.client("logs", EU)
    logs.put_delivery_source(name="web", resourceArn=BALANCER, logType="ALB_ACCESS_LOGS", tags={"Owner": "me"})
    source = logs.get_delivery_source(name="web")["deliverySource"]
    assert (source["resourceArns"], source["logType"], source["service"]) == (
        [BALANCER],
        "ALB_ACCESS_LOGS",
        "elasticloadbalancing",
    )
    assert logs.list_tags_for_resource(resourceArn=source["arn"])["tags"] == {"Owner": "me"}


def test_a_load_balancer_has_no_logs_of_another_kind(local_aws: LocalAws) -> None:
    logs = local_aws.client("logs", EU)
    with pytest.raises(ClientError):
        logs.put_delivery_source(name="other", resourceArn=BALANCER, logType="EVENT_LOGS")
