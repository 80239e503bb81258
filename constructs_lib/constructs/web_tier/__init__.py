"""WebTier: an application load balancer and the instances behind it."""

from constructs_lib.constructs.web_tier.arguments import UnprotectedLoadBalancer
from constructs_lib.constructs.web_tier.image import Image
from constructs_lib.constructs.web_tier.scaling import CpuAlarms, TargetTracking
from constructs_lib.constructs.web_tier.schedules import ScheduledSize
from constructs_lib.constructs.web_tier.tier import WebTier

__all__ = ["CpuAlarms", "Image", "ScheduledSize", "TargetTracking", "UnprotectedLoadBalancer", "WebTier"]
