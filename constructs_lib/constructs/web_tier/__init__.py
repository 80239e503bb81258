"""WebTier: an Application Load Balancer and an Auto Scaling group of web servers."""

from constructs_lib.constructs.web_tier.arguments import UnprotectedLoadBalancer
from constructs_lib.constructs.web_tier.image import Image
from constructs_lib.constructs.web_tier.scaling import SimpleScaling, TargetTracking
from constructs_lib.constructs.web_tier.scheduled_actions import ScheduledAction
from constructs_lib.constructs.web_tier.tier import WebTier

__all__ = ["Image", "ScheduledAction", "SimpleScaling", "TargetTracking", "UnprotectedLoadBalancer", "WebTier"]
