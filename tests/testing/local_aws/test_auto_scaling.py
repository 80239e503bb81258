"""Fixes of the local AWS for Auto Scaling groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws import LocalAws

pytestmark = pytest.mark.slow
EU = "eu-west-1"
NAMES = (
    "DefaultInstanceWarmup",
    "InstanceMaintenancePolicy",
    "MaxInstanceLifetime",
    "CapacityReservationSpecification",
)


def test_a_group_keeps_how_it_replaces_instances(local_aws: LocalAws) -> None:
    ec2, scaling = local_aws.client("ec2", EU), local_aws.client("autoscaling", EU)
    template = ec2.create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData={"ImageId": "ami-12c6146b", "InstanceType": "t3.micro"}
    )["LaunchTemplate"]

    def kept() -> dict[str, Any]:
        (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["web"])["AutoScalingGroups"]
        return {name: group.get(name) for name in NAMES}

    scaling.create_auto_scaling_group(
        AutoScalingGroupName="web",
        LaunchTemplate={"LaunchTemplateId": template["LaunchTemplateId"], "Version": "1"},
        AvailabilityZones=[f"{EU}a"],
        MinSize=0,
        MaxSize=1,
        DefaultInstanceWarmup=180,
        InstanceMaintenancePolicy={"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150},
        MaxInstanceLifetime=2592000,
    )
    preference = {"CapacityReservationPreference": "default"}
    policy = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150}
    assert list(kept().values()) == [180, policy, 2592000, preference]
    scaling.update_auto_scaling_group(AutoScalingGroupName="web", DefaultInstanceWarmup=60)
    assert list(kept().values()) == [60, policy, 2592000, preference]
