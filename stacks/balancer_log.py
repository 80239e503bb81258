"""BalancerLog: the access log of a load balancer as a log group, to search while something happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib import LogGroup, aws
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition, PolicyDocument, Statement

if TYPE_CHECKING:
    from constructs_lib import Construct, MultiRegionKey, Region, WebTier

DELIVERY: Final = "delivery.logs.amazonaws.com"


class BalancerLog(HardenedConstruct):
    """A log group that CloudWatch Logs delivers the access logs of a web tier's load balancer to.

    The bucket keeps them all, in files of five minutes; here they are JSON, line by line, for the environment's time.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: That of the tier.
        tier: Whose load balancer it is.
        key: Encrypts the log group.

    See https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html and
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDeliverySource.html.
    """

    def __init__(self, scope: Construct, id_: str, *, region: Region, tier: WebTier, key: MultiRegionKey) -> None:
        super().__init__(scope, id_, region=region)
        self.log_group = LogGroup(self, "requests", region=region, key=key)
        self.name = self.log_group.name
        delivery = self._name("log-delivery")
        policy = self._create(
            aws.cloudwatch_log_resource_policy.CloudwatchLogResourcePolicy,
            "policy",
            policy_name=delivery,
            policy_document=self._policy(region).json,
        )
        source = self._create(
            aws.cloudwatch_log_delivery_source.CloudwatchLogDeliverySource,
            "source",
            name=delivery,
            log_type="ALB_ACCESS_LOGS",
            resource_arn=tier.load_balancer.arn,
        )
        destinations = aws.cloudwatch_log_delivery_destination
        configuration = destinations.CloudwatchLogDeliveryDestinationDeliveryDestinationConfiguration
        destination = self._create(
            destinations.CloudwatchLogDeliveryDestination,
            "destination",
            name=delivery,
            output_format="json",
            delivery_destination_configuration=[configuration(destination_resource_arn=self.log_group.arn)],
        )
        self.resource = self._create(
            aws.cloudwatch_log_delivery.CloudwatchLogDelivery,
            "Resource",
            delivery_source_name=self._ref(source, "name"),
            delivery_destination_arn=self._ref(destination, "arn"),
            depends_on=[policy],
        )
        self._publish("log_group", self.name, "Log group of the load balancer's requests")

    def _policy(self, region: Region) -> PolicyDocument:
        statement = Statement(
            "AccessLogs",
            ("logs:CreateLogStream", "logs:PutLogEvents"),
            (f"{self.log_group.arn}:log-stream:*",),
            principals=(("Service", (DELIVERY,)),),
            conditions=(
                Condition("StringEquals", "aws:SourceAccount", (region.account_id,)),
                Condition("ArnLike", "aws:SourceArn", (region.arn("logs", "*"),)),
            ),
        )
        return PolicyDocument(self, "policy-document", [statement], kind="logs")
