"""FlowLog: the flow log of a VPC, in an encrypted log group."""

from __future__ import annotations

from typing import Final

from constructs_lib._engine import aws
from constructs_lib.constructs.log_group import LogGroup
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.regional_vpc.network import Vpc
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition, ServiceRole, Statement

INTERVALS: Final = (60, 600)
"""Maximum aggregation intervals in seconds that AWS supports."""
FIELDS: Final = (
    *("version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets"),
    *("bytes", "start", "end", "action", "log-status"),
    *("vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr"),
    *("region", "az-id", "pkt-src-aws-service", "pkt-dst-aws-service", "flow-direction", "traffic-path"),
)
"""The default fields, and those with the addresses behind a NAT gateway and the traffic path."""


class FlowLog(HardenedConstruct):
    """The flow log of a VPC, with a log group and a role that may write to this log group only.

    See https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html and
    https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html.
    """

    def __init__(self, vpc: Vpc, id_: str, *, vpc_id: str, key: MultiRegionKey, interval: int) -> None:
        region = vpc.region
        super().__init__(vpc, id_, region=region)
        self.log_group = LogGroup(self, "log-group", region=region, key=key, name=self._name("log-group"))
        group = self._ref(self.log_group.resource, "arn")
        self.role = ServiceRole(
            self,
            "role",
            region=region,
            service="vpc-flow-logs.amazonaws.com",
            description=f"Writes the flow log of {vpc.path}",
            statements=[
                Statement(
                    sid="WriteFlowLog",
                    actions=("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
                    resources=(group, f"{group}:*"),
                ),
                # The service lists all log groups to find its own; the action does not support resources.
                Statement(sid="FindLogGroup", actions=("logs:DescribeLogGroups",), resources=("*",)),
            ],
            conditions=(
                Condition("StringEquals", "aws:SourceAccount", (region.account_id,)),
                Condition("ArnLike", "aws:SourceArn", (region.arn("ec2", "vpc-flow-log/*"),)),
            ),
        )
        self.resource = self._create(
            aws.flow_log.FlowLog,
            "Resource",
            vpc_id=vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group,
            iam_role_arn=self._ref(self.role.resource, "arn"),
            max_aggregation_interval=interval,
            # $${field} is Terraform's escape for ${field}.
            log_format=" ".join(f"$${{{field}}}" for field in FIELDS),
            depends_on=[self.role.policy],
            tags={"Name": self._name("tag")},
        )
