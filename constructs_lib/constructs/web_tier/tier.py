"""WebTier: an Application Load Balancer and an Auto Scaling group of web servers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from constructs_lib._engine import core
from constructs_lib.constructs.certificate import Certificate
from constructs_lib.constructs.log_group import LogGroup
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.regional_bucket import RegionalBucket
from constructs_lib.constructs.regional_vpc import Vpc
from constructs_lib.constructs.security_group import ANYWHERE, SecurityGroup
from constructs_lib.constructs.web_acl import NoWebAcl, WebAcl, check_web_acl, chosen_web_acl
from constructs_lib.constructs.web_tier import arguments
from constructs_lib.constructs.web_tier.alarms import BALANCER_ALARMS, TARGET_ALARMS, in_service_alarm
from constructs_lib.constructs.web_tier.arguments import UnprotectedLoadBalancer, XffMode
from constructs_lib.constructs.web_tier.auto_scaling_group import AutoScalingGroup
from constructs_lib.constructs.web_tier.image import Image, check_image, with_environment
from constructs_lib.constructs.web_tier.load_balancer import LoadBalancer
from constructs_lib.constructs.web_tier.scaling import SimpleScaling, TargetTracking, check_scaling
from constructs_lib.constructs.web_tier.scheduled_actions import ScheduledAction, check_scheduled_actions
from constructs_lib.constructs.web_tier.user_data import UserData, check_settings, check_size
from constructs_lib.core.alarms import Alarms, NoAlarms
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Statement
from constructs_lib.core.stack import Region
from constructs_lib.foundation.deprecation import renamed_arguments, warn_renamed


class WebTier(HardenedConstruct):
    """An Application Load Balancer with HTTPS, and an Auto Scaling group of web servers.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The region.
        vpc: The VPC, with private subnets for the instances and public ones for the load balancer in at least two
            zones.
        key: The KMS key that encrypts volumes and logs.
        logs: The bucket for the load balancer's access and connection logs: a `RegionalBucket` with
            `log_delivery=True`.
        certificate: A `Certificate`, or the ARN of a certificate that ACM has issued, in the same region. Without one
            the tier serves plain HTTP, in dev only.
        internal: Whether the load balancer is internal: in private subnets, for clients in the VPC.
        clients: IPv4 CIDR blocks that may connect, up to 30, or 60 without a certificate; by default `0.0.0.0/0`, or
            the VPC's CIDR block for an internal load balancer.
        health_path: Health check path, without a query; the user data creates a page there.
        stickiness_seconds: Duration of session stickiness by a load balancer cookie in seconds, 1 to 604,800; no
            stickiness by default.
        slow_start_seconds: Slow start duration of the target group in seconds, 30 to 900; no slow start by default.
        xff_header_processing_mode: `append` or `remove`: whether the load balancer adds the client's address to the
            header X-Forwarded-For or removes the header.
        preserve_host_header: Whether the Host header is forwarded unchanged.
        minimum: Minimum size of the group, from the environment's minimum to 500; 1 in dev and 2 in staging and prod by
            default.
        maximum: Maximum size of the group, from `minimum` to 500; 2 in dev, 4 in staging and 12 in prod by default.
        instance_type: The EC2 instance type; `t4g.small` in dev and staging and `m7g.large` in prod by default.
        image: The AMI; by default the latest Amazon Linux 2023, in prod the latest one of the last apply.
        volume_gb: Size of the root volume in GiB, 8 to 16,384.
        scaling: `TargetTracking` or `SimpleScaling`; `TargetTracking(60)` by default: 60 % average CPU utilization.
        scheduled_actions: `ScheduledAction` by name, such as `morning`, up to 125. While there are any, Terraform
            ignores changes of `minimum` and `maximum`.
        commands: Shell commands that run before the web server starts, without references. The instance does not serve
            when one fails.
        settings: Environment variables of the commands and the web server. Values may be references; secrets are
            refused.
        web_acl: A `WebAcl`, True to create one, False for none, or `NoWebAcl` for none in prod; by default one is
            created in prod, unless the load balancer is internal.
        deletion_protection: Whether the load balancer has deletion protection, or `UnprotectedLoadBalancer` for none in
            prod; in prod by default.
        alarms: Whether CloudWatch alarms are created, or `NoAlarms` for none in prod; in prod by default.
        alarm_topics: ARNs of SNS topics in the region that alarms notify, and Auto Scaling when instances fail to
            launch or terminate.

    Attributes:
        load_balancer: The load balancer: `.resource`, `.arn`, `.target_group_arn`, `.listener`, `.security_group`.
        auto_scaling_group: The Auto Scaling group: `.resource`, `.group_name`, `.launch_template`, `.role`.
        log_group: The log group of the instances' access, error and setup logs.
        web_acl: The web ACL of the load balancer, or None.
        resource: The `aws_lb`.

    Raises:
        ConfigurationError: An argument is not allowed, or less strict than the environment requires.

    See https://docs.aws.amazon.com/elasticloadbalancing/latest/application/introduction.html and
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/attach-load-balancer-asg.html.
    """

    @renamed_arguments(schedules="scheduled_actions")
    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        vpc: Vpc,
        key: MultiRegionKey,
        logs: RegionalBucket,
        certificate: Certificate | str | None = None,
        internal: bool = False,
        clients: Sequence[str] | None = None,
        health_path: str = "/health",
        stickiness_seconds: int | None = None,
        slow_start_seconds: int | None = None,
        xff_header_processing_mode: XffMode = "append",
        preserve_host_header: bool = False,
        minimum: int | None = None,
        maximum: int | None = None,
        instance_type: str | None = None,
        image: Image | None = None,
        volume_gb: int = 20,
        scaling: SimpleScaling | TargetTracking | None = None,
        scheduled_actions: Mapping[str, ScheduledAction] | None = None,
        commands: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
        web_acl: WebAcl | NoWebAcl | bool | None = None,
        deletion_protection: bool | UnprotectedLoadBalancer | None = None,
        alarms: bool | NoAlarms | None = None,
        alarm_topics: Iterable[str] = (),
    ) -> None:
        super().__init__(scope, id_, region=region)
        problems = self._problems
        arguments.check_parts(self, problems, vpc, key, internal)
        names = {kind: self._name(kind) for kind in ("load-balancer", "target-group")}
        sizes = (
            region.profile.fleet_minimum if minimum is None else minimum,
            region.profile.fleet_maximum if maximum is None else maximum,
        )
        type_ = region.profile.fleet_instance_type if instance_type is None else instance_type
        image = Image() if image is None else image
        scaling = TargetTracking() if scaling is None else scaling
        scheduled_actions = {} if scheduled_actions is None else scheduled_actions
        settings = {} if settings is None else settings
        given = ([vpc.cidr] if internal else [ANYWHERE]) if clients is None else clients
        arguments.check_name(problems, names["load-balancer"])
        arguments.check_place(problems, region, vpc, internal=internal)
        arguments.check_logs(problems, region, logs)
        arguments.check_certificate(problems, region, certificate)
        arguments.check_clients(problems, given, 1 if certificate is None else 2)
        arguments.check_health_path(problems, health_path)
        arguments.check_targets(problems, stickiness_seconds, slow_start_seconds)
        arguments.check_headers(problems, xff_header_processing_mode, preserve_host_header)
        arguments.check_sizes(problems, region, *sizes)
        check_image(problems, image, type_)
        arguments.check_volume(problems, volume_gb)
        check_scaling(problems, scaling)
        check_scheduled_actions(problems, region, scheduled_actions)
        arguments.check_commands(problems, commands)
        check_settings(problems, settings)
        if not internal or web_acl not in (None, False):
            check_web_acl(problems, region, web_acl)
        protect = arguments.protected(problems, region, deletion_protection)
        alarm_set = Alarms(self, problems, alarms=alarms, alarm_topics=alarm_topics)
        problems.raise_if_any()
        log_name = self._name("log-group", "application")
        user_data = self._user_data(vpc, health_path, commands, settings, log_name)
        check_size(problems, user_data)
        problems.raise_if_any()
        if isinstance(deletion_protection, UnprotectedLoadBalancer):
            self._record(deletion_protection)

        self.log_group = LogGroup(self, "application", region=region, key=key, name=log_name)
        self.load_balancer = LoadBalancer(
            self,
            "balancer",
            region=region,
            vpc=vpc,
            logs=logs,
            certificate_arn=arguments.certificate_arn(self, certificate),
            clients=given,
            internal=internal,
            health_path=health_path,
            stickiness_seconds=stickiness_seconds,
            slow_start_seconds=slow_start_seconds,
            xff_header_processing_mode=xff_header_processing_mode,
            preserve_host_header=preserve_host_header,
            names=names,
            protect=protect,
        )
        self.auto_scaling_group = AutoScalingGroup(
            self,
            "fleet",
            region=region,
            vpc=vpc,
            key=key,
            balancer=self.load_balancer,
            log_group=self.log_group,
            user_data=user_data,
            image=with_environment(image, region),
            instance_type=type_,
            volume_gb=volume_gb,
            sizes=sizes,
            scaling=scaling,
            scheduled_actions=scheduled_actions,
            topics=alarm_set.topics if alarm_set.wanted else (),
        )
        self.resource = self.load_balancer.resource
        self.web_acl = (
            None
            if internal and web_acl in (None, False)
            else chosen_web_acl(
                self,
                web_acl=web_acl,
                key=key,
                resource_arn=self._ref(self.resource, "arn"),
                alarms=alarms,
                alarm_topics=alarm_set.topics,
            )
        )
        # Scheduled actions may set a smaller minimum.
        least = min([sizes[0], *(action.minimum for action in scheduled_actions.values())])
        self._create_alarms(alarm_set, least)
        self._publish_all()

    @cached_property
    def dns_name(self) -> str:
        """The load balancer's DNS name, for `AliasRecords`."""
        return self.resource.dns_name

    @cached_property
    def zone_id(self) -> str:
        """The id of the hosted zone of the load balancer's DNS name, for `AliasRecords`."""
        return self.resource.zone_id

    @property
    def security_group(self) -> SecurityGroup:
        """The instances' security group, for example for `database.allow_from(tier)`."""
        return self.auto_scaling_group.security_group

    @property
    def fleet(self) -> AutoScalingGroup:
        """Deprecated: use `auto_scaling_group`."""
        warn_renamed("attribute ", "fleet", "auto_scaling_group")
        return self.auto_scaling_group

    def grant(self, statement: Statement) -> None:
        """Add a statement to the instances' role; grants such as `bucket.grant_read(tier)` use it.

        Args:
            statement: The statement.
        """
        self.auto_scaling_group.role.grant(statement)

    def _user_data(
        self, vpc: Vpc, health_path: str, commands: Sequence[str], settings: Mapping[str, str], log_name: str
    ) -> UserData:
        region = self.region
        return UserData(
            title=f"{region.naming.project} {self.component}",
            facts={"Region": region.name, "Environment": region.environment.value},
            group=self._name("auto-scaling-group"),
            namespace=self._name("metric-namespace"),
            log_group=log_name,
            network=vpc.cidr,
            health_path=health_path,
            commands=tuple(commands),
            settings=settings,
        )

    def _create_alarms(self, alarm_set: Alarms, minimum: int) -> None:
        dimensions = {"LoadBalancer": self._ref(self.resource, "arn_suffix")}
        targets = {**dimensions, "TargetGroup": self._ref(self.load_balancer.target_group, "arn_suffix")}
        for name, alarm in BALANCER_ALARMS.items():
            alarm_set.add(f"{name}-alarm", alarm, dimensions)
        for name, alarm in TARGET_ALARMS.items():
            alarm_set.add(f"{name}-alarm", alarm, targets)
        group = {"AutoScalingGroupName": self._ref(self.auto_scaling_group.resource, "name")}
        alarm_set.add("in-service-alarm", in_service_alarm(minimum), group)

    def _publish_all(self) -> None:
        self._publish("dns_name", self._ref(self.resource, "dns_name"), "Name of the load balancer in DNS")
        self._publish(
            "zone_id", self._ref(self.resource, "zone_id"), "Hosted zone of the load balancer's name, for alias records"
        )
        self._publish("load_balancer_arn", self._ref(self.resource, "arn"), "ARN of the load balancer")
        self._publish("target_group_arn", self._ref(self.load_balancer.target_group, "arn"), "ARN of the target group")
        self._publish(
            "group_name", self._ref(self.auto_scaling_group.resource, "name"), "Name of the Auto Scaling group"
        )
        self._publish("log_group", self.log_group.name, "Log group of the web servers")
