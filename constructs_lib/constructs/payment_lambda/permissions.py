"""What Lambda and the function's runtime need of the function's role, each as narrow as AWS allows."""

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
    """Return what every function needs: its log events, in a group that is there already, and its traces."""
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
            resources=("*",),  # X-Ray knows no resource for these
        ),
    ]


def network_statements(region: Region, function_name: str) -> list[Statement]:
    """Return what a function in a VPC needs: Lambda manages its network interfaces with the function's role.

    The code runs with the same role, and is denied what only Lambda itself should do.

    See https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html.
    """
    function = region.arn("lambda", f"function:{function_name}")
    return [
        # Lambda checks these before there is an interface, so that no single one can be named.
        Statement(sid="NetworkInterfaces", actions=_MANAGE_INTERFACES, resources=(region.arn("ec2", "*/*"),)),
        Statement(sid="NetworkLookups", actions=_READ_INTERFACES, resources=("*",)),  # EC2 knows no resource for these
        Statement(
            sid="NotFromCode",
            effect="Deny",
            actions=(*_MANAGE_INTERFACES, *_READ_INTERFACES, "ec2:DetachNetworkInterface"),
            resources=("*",),
            conditions=(Condition("ArnEquals", "lambda:SourceFunctionArn", (function,)),),
        ),
    ]
