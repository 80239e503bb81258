"""List prices of resources that are billed without usage, in US dollars without tax.

Compared with published figures on `READ_ON`; AWS changes them without notice. Where a region has no price of its own
here, the price of us-east-1 is used and marked.
"""

from __future__ import annotations

from datetime import date
from typing import Final

READ_ON: Final = date(2026, 11, 22)
HOURS: Final = 730
"""Hours of a month, as in the AWS Pricing Calculator."""
HOME: Final = "us-east-1"
"""The region whose prices are used for regions without a price."""

HOURLY: Final = {
    "NAT gateway": {"us-east-1": 0.045, "eu-west-1": 0.048, "ap-southeast-1": 0.059},
    "public IPv4 address": {"*": 0.005},
    "interface endpoint, each zone": {"us-east-1": 0.01, "eu-west-1": 0.011, "ap-southeast-1": 0.013},
    "application load balancer": {"us-east-1": 0.0225, "eu-west-1": 0.0252, "ap-southeast-1": 0.0252},
}
MONTHLY: Final = {
    "KMS key": 1.00,
    "secret": 0.40,
    "CloudWatch alarm": 0.10,
    "web ACL": 5.00,
    "web ACL rule": 1.00,
    "Route 53 zone": 0.50,
}
SOURCES: Final = (
    "https://aws.amazon.com/vpc/pricing/",
    "https://aws.amazon.com/privatelink/pricing/",
    "https://aws.amazon.com/elasticloadbalancing/pricing/",
    "https://aws.amazon.com/rds/aurora/pricing/",
    "https://aws.amazon.com/kms/pricing/",
    "https://aws.amazon.com/secrets-manager/pricing/",
    "https://aws.amazon.com/cloudwatch/pricing/",
    "https://aws.amazon.com/waf/pricing/",
    "https://aws.amazon.com/route53/pricing/",
)

_SIZES: Final = {
    "medium": 0.5,
    "large": 1,
    "xlarge": 2,
    **{f"{times}xlarge": 2 * times for times in (2, 4, 8, 12, 16, 24, 32, 48)},
}
_AURORA_LARGE: Final = {
    "db.t3": 0.164,
    "db.t4g": 0.146,
    "db.r5": 0.29,
    "db.r6g": 0.26,
    "db.r6i": 0.29,
    "db.r7g": 0.276,
    "db.r8g": 0.276,
}
"""Aurora Standard, an hour of the size `large`; the other sizes cost in proportion."""
IO_OPTIMIZED: Final = 1.3
"""What an instance costs more with I/O-Optimized storage."""


def aurora_hour(instance_class: str) -> float | None:
    """Return the price of an hour of an Aurora instance in us-east-1; None for a class without a price here."""
    family, _, size = instance_class.rpartition(".")
    if family not in _AURORA_LARGE or size not in _SIZES:
        return None
    return _AURORA_LARGE[family] * _SIZES[size]


def hourly(item: str, region: str) -> tuple[float, bool]:
    """Return the price of an hour, and whether it is the region's own."""
    prices = HOURLY[item]
    if "*" in prices:
        return prices["*"], True
    return prices.get(region, prices[HOME]), region in prices
