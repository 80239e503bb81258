"""Alarm of a NAT gateway; the dimension is NatGatewayId.

See https://docs.aws.amazon.com/vpc/latest/userguide/metrics-dimensions-nat-gateway.html.
"""

from __future__ import annotations

from typing import Final

from constructs_lib.constructs.shared.alarms import occurrence_alarm

PORT_ALARM: Final = occurrence_alarm(
    "AWS/NATGateway",
    "ErrorPortAllocation",
    "The NAT gateway has no free source port for a destination: about 55,000 connections to it are open; spread them "
    "over more NAT gateways",
)
