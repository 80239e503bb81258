"""Statements of the policy of a function's role."""

from __future__ import annotations

from typing import Final

from constructs_lib.core.iam import Condition, Statement
from constructs_lib.core.stack import Region

_MANAGE_INTERFACES: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)
_READ_INTERFACES: Final = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")


def basic_statements(log_group_arn: str) -> list[Statement]:
    """Return the permissions that every function needs: to write log events to its log group, and traces."""
    return [
        Statement(sid="Logs", actions=("logs:CreateLogStream", "logs:PutLogEvents"), resources=(f"{log_group_arn}:*",)),
        Statement(
            sid="Traces",
            actions=(
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                "xray:PutTelemetryRecords",
                "xray:PutTraceSegments",
            ),
            resources=("*",),  # no resource-level permissions
        ),
    ]


def network_statements(region: Region, function_name: str) -> list[Statement]:
    """Return the permissions that a function in a VPC needs: Lambda manages its network interfaces with its role.

    The function's code runs with the same role and is denied these actions.

    See https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html.
    """
    function = region.arn("lambda", f"function:{function_name}")
    return [
        # Lambda checks these before an interface exists, so the resource cannot be narrower.
        Statement(sid="NetworkInterfaces", actions=_MANAGE_INTERFACES, resources=(region.arn("ec2", "*/*"),)),
        Statement(sid="NetworkLookups", actions=_READ_INTERFACES, resources=("*",)),  # no resource-level permissions
        Statement(
            sid="NotFromCode",
            effect="Deny",
            actions=(*_MANAGE_INTERFACES, *_READ_INTERFACES, "ec2:DetachNetworkInterface"),
            resources=("*",),
            conditions=(Condition("ArnEquals", "lambda:SourceFunctionArn", (function,)),),
        ),
    ]
