"""The Auto Scaling group: launch template, instance role, scaling policies and scheduled actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from constructs_lib._engine import aws, core
from constructs_lib.constructs.log_group import LogGroup
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.regional_vpc import Vpc
from constructs_lib.constructs.security_group import ANYWHERE, SecurityGroup
from constructs_lib.constructs.web_tier.image import ROOT_DEVICE, Image, parameter_of
from constructs_lib.constructs.web_tier.load_balancer import HTTPS, LoadBalancer
from constructs_lib.constructs.web_tier.scaling import SimpleScaling, TargetTracking, tracking
from constructs_lib.constructs.web_tier.scheduled_actions import ScheduledAction
from constructs_lib.constructs.web_tier.user_data import PORT, UserData, encoded
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition, ServiceRole, Statement
from constructs_lib.core.stack import Region

WARM_UP: Final = 180
"""Default instance warmup in seconds."""
GRACE: Final = 300
"""Health check grace period in seconds."""
LIFETIME: Final = 30 * 24 * 60 * 60
"""Maximum instance lifetime in seconds: replacements have the latest patches of the AMI."""
HEALTHY: Final = (100, 150)
"""Minimum and maximum healthy percentage: new instances are launched before old ones are terminated."""
GROUP_METRICS: Final = (
    *("GroupMinSize", "GroupMaxSize", "GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances"),
    *("GroupStandbyInstances", "GroupTerminatingInstances", "GroupTotalInstances"),
)

FAILURES: Final = ("autoscaling:EC2_INSTANCE_LAUNCH_ERROR", "autoscaling:EC2_INSTANCE_TERMINATE_ERROR")
"""The notifications that topics receive. See
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-sns-notifications.html."""


class AutoScalingGroup(HardenedConstruct):
    """The Auto Scaling group of a `WebTier`, with its launch template and instance role.

    Attributes:
        resource: The `aws_autoscaling_group`.
        group_name: The group's name.
        launch_template: The `aws_launch_template`.
        role: The instances' role.
        security_group: Allows the load balancer in, and HTTPS out.

    See https://docs.aws.amazon.com/autoscaling/ec2/userguide/what-is-amazon-ec2-auto-scaling.html.
    """

    def __init__(
        self,
        scope: HardenedConstruct,
        id_: str,
        *,
        region: Region,
        vpc: Vpc,
        key: MultiRegionKey,
        balancer: LoadBalancer,
        log_group: LogGroup,
        user_data: UserData,
        image: Image,
        instance_type: str,
        volume_gb: int,
        sizes: tuple[int, int],
        scaling: SimpleScaling | TargetTracking,
        scheduled_actions: Mapping[str, ScheduledAction],
        topics: Iterable[str],
    ) -> None:
        super().__init__(scope, id_, region=region)
        self._tags = {**region.stack.tags, "Name": self._name("tag")}
        self.group_name = user_data.group
        self.security_group = SecurityGroup(
            self, "security-group", region=region, vpc=vpc, description=f"Instances of {scope.path}"
        )
        self.security_group.allow_to_cidr(ANYWHERE, HTTPS, "Packages, Systems Manager, CloudWatch and other services")
        balancer.security_group.allow_to(self.security_group, PORT)
        self.role = ServiceRole(
            self,
            "role",
            region=region,
            service=f"ec2.{region.dns_suffix}",
            description=f"Instances of {scope.path}",
            statements=_statements(region, log_group, user_data.namespace),
        )
        # Auto Scaling launches instances with its service-linked role: without access to the key they terminate.
        key.allow_auto_scaling(self)
        self.launch_template = self._template(key.arn_for(self), user_data, image, instance_type, volume_gb)
        minimum, maximum = sizes
        group = aws.autoscaling_group
        self.resource = self._create(
            group.AutoscalingGroup,
            "Resource",
            name=self.group_name,
            min_size=minimum,
            max_size=maximum,
            # No desired_capacity: each apply would undo what the scaling policies changed.
            vpc_zone_identifier=[subnet.id_in(region.stack) for subnet in vpc.subnets("private")],
            launch_template=group.AutoscalingGroupLaunchTemplate(
                id=self._ref(self.launch_template, "id"),
                version=self._ref(self.launch_template, "latest_version"),
            ),
            target_group_arns=[self._ref(balancer.target_group, "arn")],
            health_check_type="ELB",
            health_check_grace_period=GRACE,
            default_instance_warmup=WARM_UP,
            default_cooldown=scaling.cooldown if isinstance(scaling, SimpleScaling) else None,
            enabled_metrics=list(GROUP_METRICS),
            max_instance_lifetime=LIFETIME,
            instance_maintenance_policy=group.AutoscalingGroupInstanceMaintenancePolicy(
                min_healthy_percentage=HEALTHY[0], max_healthy_percentage=HEALTHY[1]
            ),
            instance_refresh=group.AutoscalingGroupInstanceRefresh(
                strategy="Rolling",
                preferences=group.AutoscalingGroupInstanceRefreshPreferences(
                    # AWS refuses auto rollback for an AMI that is resolved at launch.
                    auto_rollback=image.resolved == "plan",
                    min_healthy_percentage=HEALTHY[0],
                    max_healthy_percentage=HEALTHY[1],
                ),
            ),
            tag=[
                group.AutoscalingGroupTag(key=name, value=value, propagate_at_launch=True)
                for name, value in sorted(self._tags.items())
            ],
            # Each apply would undo the sizes that scheduled actions have set.
            lifecycle=core.TerraformResourceLifecycle(ignore_changes=["min_size", "max_size"])
            if scheduled_actions
            else None,
            # What the user data needs, and what health checks need.
            depends_on=[
                balancer.listener,
                self.role.policy,
                log_group.resource,
                *self.security_group.resources.values(),
                *_egress_routes(vpc, region),
            ],
        )
        if isinstance(scaling, TargetTracking):
            self._track(scaling, balancer)
        else:
            self._scale_by_alarms(scaling)
        for name, size in scheduled_actions.items():
            self._schedule(name, size)
        for topic in dict.fromkeys(topics):
            self._notify(topic)

    def _template(
        self, key_arn: str, user_data: UserData, image: Image, instance_type: str, volume_gb: int
    ) -> aws.launch_template.LaunchTemplate:
        profile = self._create(
            aws.iam_instance_profile.IamInstanceProfile,
            "profile",
            name=self._name("instance-profile"),
            role=self._ref(self.role.resource, "name"),
        )
        template = aws.launch_template
        return self._create(
            template.LaunchTemplate,
            "template",
            name=self._name("launch-template"),
            update_default_version=True,
            image_id=self._image(image, instance_type),
            instance_type=instance_type,
            user_data=encoded(user_data),
            iam_instance_profile=template.LaunchTemplateIamInstanceProfile(arn=self._ref(profile, "arn")),
            metadata_options=template.LaunchTemplateMetadataOptions(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            monitoring=template.LaunchTemplateMonitoring(enabled=True),
            block_device_mappings=[
                template.LaunchTemplateBlockDeviceMappings(
                    device_name=ROOT_DEVICE,
                    ebs=template.LaunchTemplateBlockDeviceMappingsEbs(
                        volume_type="gp3",
                        volume_size=volume_gb,
                        encrypted="true",
                        kms_key_id=key_arn,
                        delete_on_termination="true",
                    ),
                )
            ],
            network_interfaces=[
                template.LaunchTemplateNetworkInterfaces(
                    device_index=0,
                    associate_public_ip_address="false",
                    delete_on_termination="true",
                    security_groups=[self._ref(self.security_group.resource, "id")],
                )
            ],
            # The group tags instances; volumes and network interfaces are tagged by the template only.
            tag_specifications=[
                template.LaunchTemplateTagSpecifications(resource_type=type_, tags=self._tags)
                for type_ in ("network-interface", "volume")
            ],
        )

    def _image(self, image: Image, instance_type: str) -> str:
        name = parameter_of(image, instance_type)
        if image.resolved == "launch":
            return f"resolve:ssm:{name}"
        parameter = self._create(aws.data_aws_ssm_parameter.DataAwsSsmParameter, "image", name=name)
        # The provider marks the attribute value as sensitive.
        return self._ref(parameter, "insecure_value")

    def _scale_by_alarms(self, scaling: SimpleScaling) -> None:
        self._scale("grow", scaling.step, scaling.cooldown, "GreaterThanThreshold", scaling.high, minutes=2)
        self._scale("shrink", -scaling.step, scaling.cooldown, "LessThanThreshold", scaling.low, minutes=15)

    def _scale(
        self,
        id_: str,
        step: int,
        cooldown: int,
        comparison: Literal["GreaterThanThreshold", "LessThanThreshold"],
        threshold: int,
        *,
        minutes: int,
    ) -> None:
        name = self._ref(self.resource, "name")
        policy = self._create(
            aws.autoscaling_policy.AutoscalingPolicy,
            id_,
            name=self._name("scaling-policy", id_),
            autoscaling_group_name=name,
            policy_type="SimpleScaling",
            adjustment_type="ChangeInCapacity",
            scaling_adjustment=step,
            cooldown=cooldown,
        )
        # Part of the scaling policy, so not limited to environments with alarms.
        self._create(
            aws.cloudwatch_metric_alarm.CloudwatchMetricAlarm,
            f"{id_}-alarm",
            alarm_name=self._name("alarm", f"{id_}-alarm"),
            alarm_description=f"Average CPU of the group is {'over' if step > 0 else 'under'} {threshold} %: {id_}s it",
            namespace="AWS/EC2",
            metric_name="CPUUtilization",
            dimensions={"AutoScalingGroupName": name},
            statistic="Average",
            comparison_operator=comparison,
            threshold=threshold,
            period=60,
            evaluation_periods=minutes,
            datapoints_to_alarm=minutes,
            treat_missing_data="missing",
            actions_enabled=True,
            alarm_actions=[self._ref(policy, "arn")],
        )

    def _track(self, scaling: TargetTracking, balancer: LoadBalancer) -> None:
        parts = (balancer.resource, balancer.target_group)
        resource_label = "/".join(self._ref(part, "arn_suffix") for part in parts)
        self._create(
            aws.autoscaling_policy.AutoscalingPolicy,
            "tracking",
            name=self._name("scaling-policy", "tracking"),
            autoscaling_group_name=self._ref(self.resource, "name"),
            policy_type="TargetTrackingScaling",
            target_tracking_configuration=tracking(scaling, resource_label),
        )

    def _schedule(self, name: str, size: ScheduledAction) -> None:
        self._create(
            aws.autoscaling_schedule.AutoscalingSchedule,
            f"schedule-{name}",
            scheduled_action_name=name,
            autoscaling_group_name=self._ref(self.resource, "name"),
            recurrence=size.recurrence,
            time_zone=size.time_zone,
            min_size=size.minimum,
            max_size=size.maximum,
            # Unchanged; the provider would send 0 by default.
            desired_capacity=-1,
        )

    def _notify(self, topic: str) -> None:
        # Addressed by topic: with numbers, a change of the order would replace notifications of the same topic.
        self._create(
            aws.autoscaling_notification.AutoscalingNotification,
            f"failures-{self._called(topic).split(':', 4)[-1]}",
            group_names=[self._ref(self.resource, "name")],
            notifications=list(FAILURES),
            topic_arn=topic,
        )


def _statements(region: Region, log_group: LogGroup, namespace: str) -> list[Statement]:
    """Return the permissions of Session Manager and the CloudWatch agent.

    The managed policy AmazonSSMManagedInstanceCore lets instances read every parameter of the account.

    See https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html.
    """
    return [
        Statement("Register", ("ssm:UpdateInstanceInformation",), (region.arn("ec2", "instance/*"),)),
        Statement(
            "Sessions",
            (
                *("ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel"),
                *("ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"),
            ),
            # These actions do not support resources.
            ("*",),
        ),
        Statement(
            "WriteLogs",
            ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
            (f"{region.stack.ref(log_group.resource, 'arn')}:*",),
        ),
        Statement(
            "WriteMetrics",
            ("cloudwatch:PutMetricData",),
            # The action does not support resources; the condition limits the namespace.
            ("*",),
            conditions=(Condition("StringEquals", "cloudwatch:namespace", (namespace,)),),
        ),
    ]


def _egress_routes(vpc: Vpc, region: Region) -> list[core.TerraformElement]:
    """Return the routes and endpoints of the private subnets, if this stack creates them."""
    if vpc.region.stack is not region.stack:
        return []
    roles = ("private-default-", "private-association-", "s3-gateway")
    return [element for role, element in vpc.resources.items() if role.startswith(roles)]
