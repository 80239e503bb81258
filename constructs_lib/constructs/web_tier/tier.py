"""The WebTier construct: load balancer, instances, and everything that belongs to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from constructs_lib._engine import core
from constructs_lib.constructs.certificate import Certificate
from constructs_lib.constructs.log_group import LogGroup
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.regional_bucket import RegionalBucket
from constructs_lib.constructs.regional_vpc import Vpc
from constructs_lib.constructs.security_group import ANYWHERE, SecurityGroup
from constructs_lib.constructs.web_acl import NoWebAcl, WebAcl, check_web_acl, chosen_web_acl
from constructs_lib.constructs.web_tier import arguments
from constructs_lib.constructs.web_tier.arguments import UnprotectedLoadBalancer, XffMode
from constructs_lib.constructs.web_tier.fleet import Fleet
from constructs_lib.constructs.web_tier.image import Image, check_image
from constructs_lib.constructs.web_tier.load_balancer import LoadBalancer
from constructs_lib.constructs.web_tier.scaling import CpuAlarms, TargetTracking, check_scaling
from constructs_lib.constructs.web_tier.schedules import ScheduledSize, check_schedules
from constructs_lib.constructs.web_tier.user_data import Machine, check_settings, check_size
from constructs_lib.constructs.web_tier.watch import BALANCER_ALARMS, TARGET_ALARMS
from constructs_lib.core.alarms import Alarms, NoAlarms
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Statement
from constructs_lib.core.stack import Region

VOLUME_GB: Final = 20


class WebTier(HardenedConstruct):
    """A load balancer that serves HTTPS, and web servers in private subnets that come and go with the load.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: Where it is.
        vpc: The VPC: public subnets for the load balancer and private ones for the instances, in at least two zones.
        key: Encrypts volumes and logs.
        logs: The bucket, made with `log_delivery=True`, that keeps the load balancer's access and connection logs.
        certificate: A `Certificate`, or the ARN of one that ACM has issued, in the same region. Without one the tier
            serves plain HTTP, in dev only.
        internal: Whether the load balancer stands in private subnets and serves the VPC only; False by default.
        clients: Ranges that may connect; by default everybody, the VPC for an internal one.
        health_path: What the load balancer asks instances for; `/health` by default. The script makes a page there.
        stickiness_seconds: How long a client keeps its instance, by a cookie of the load balancer, 1 to 604,800; by
            default it does not.
        slow_start_seconds: How long a new instance gets fewer requests than the others, 30 to 900; by default it does
            not.
        xff_header_processing_mode: Whether the load balancer adds a client's address to X-Forwarded-For, `append`
            (default), or takes the header away, `remove`.
        preserve_host_header: Whether instances get the Host header just as the client sent it; False by default.
        minimum: Instances at least; by default from the environment, and not less than that.
        maximum: Instances at most, up to 500; by default from the environment. As many as `minimum` are a fixed number.
        instance_type: By default from the environment.
        image: What instances start from; by default the newest Amazon Linux 2023, looked up at each launch.
        volume_gb: Size of the root volume, 8 to 16,384; 20 by default.
        scaling: `CpuAlarms` (default, 70 and 30 percent) or `TargetTracking`.
        schedules: Sizes by time of day, by names such as `morning`; none by default.
        commands: Lines of shell that set the application up, before the web server starts; plain text.
        settings: Environment variables of the commands and the web server; values may be references, never secrets.
        web_acl: A `WebAcl`, True for one of its own, False, or `NoWebAcl(reason)`; by default from the environment, and
            none for an internal load balancer.
        deletion_protection: True, False, or `UnprotectedLoadBalancer` where the environment protects; by default from
            the environment.
        alarms: True, False, or `NoAlarms` where the environment asks for them; by default from the environment.
        alarm_topics: ARNs of SNS topics that are told, of alarms and of instances that could not start or end.

    Attributes:
        load_balancer: Listeners, target group and the load balancer.
        fleet: Launch template, group and role.
        log_group: Access, error and setup logs of the instances.
        web_acl: What stands in front, or None.
        dns_name: A reference to the load balancer's name in DNS, for `AliasRecords`.
        zone_id: A reference to the id of the hosted zone of that name.

    Raises:
        ConfigurationError: An argument that cannot be deployed or that loosens what the environment asks for.

    See https://docs.aws.amazon.com/elasticloadbalancing/latest/application/introduction.html and
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/attach-load-balancer-asg.html.
    """

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
        volume_gb: int = VOLUME_GB,
        scaling: CpuAlarms | TargetTracking | None = None,
        schedules: Mapping[str, ScheduledSize] | None = None,
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
        scaling = CpuAlarms() if scaling is None else scaling
        schedules = {} if schedules is None else schedules
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
        check_schedules(problems, region, schedules)
        arguments.check_commands(problems, commands)
        check_settings(problems, settings)
        if not internal or web_acl not in (None, False):
            check_web_acl(problems, region, web_acl)
        protect = arguments.protected(problems, region, deletion_protection)
        watch = Alarms(self, problems, alarms=alarms, alarm_topics=alarm_topics)
        problems.raise_if_any()
        log_name = self._name("log-group", "application")
        machine = self._machine(vpc, health_path, commands, settings, log_name)
        check_size(problems, machine)
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
        self.fleet = Fleet(
            self,
            "fleet",
            region=region,
            vpc=vpc,
            key=key,
            balancer=self.load_balancer,
            log_group=self.log_group,
            machine=machine,
            image=image,
            instance_type=type_,
            volume_gb=volume_gb,
            sizes=sizes,
            scaling=scaling,
            schedules=schedules,
            topics=watch.topics if watch.wanted else (),
        )
        self.resource = self.load_balancer.resource
        unwatched = internal and web_acl in (None, False)
        self.web_acl = None if unwatched else chosen_web_acl(self, web_acl=web_acl, key=key)
        if self.web_acl:
            self.web_acl.associate(self.component, self.load_balancer.arn)
        self._watch(watch)
        self.dns_name = self._ref(self.resource, "dns_name")
        self.zone_id = self._ref(self.resource, "zone_id")
        self._publish_all()

    @property
    def security_group(self) -> SecurityGroup:
        """That of the instances, so that a database lets them in: `cluster.allow_from(tier)`."""
        return self.fleet.security_group

    def grant(self, statement: Statement) -> None:
        """Add a statement to the role of the instances."""
        self.fleet.role.grant(statement)

    def _machine(
        self, vpc: Vpc, health_path: str, commands: Sequence[str], settings: Mapping[str, str], log_name: str
    ) -> Machine:
        region = self.region
        return Machine(
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

    def _watch(self, watch: Alarms) -> None:
        dimensions = {"LoadBalancer": self.load_balancer.suffix}
        for name, alarm in BALANCER_ALARMS.items():
            watch.add(f"{name}-alarm", alarm, dimensions)
        for name, alarm in TARGET_ALARMS.items():
            watch.add(f"{name}-alarm", alarm, {**dimensions, "TargetGroup": self.load_balancer.target_suffix})

    def _publish_all(self) -> None:
        self._publish("dns_name", self.dns_name, "Name of the load balancer in DNS")
        self._publish("zone_id", self.zone_id, "Hosted zone of the load balancer's name, for alias records")
        self._publish("load_balancer_arn", self.load_balancer.arn, "ARN of the load balancer")
        self._publish("target_group_arn", self.load_balancer.target_group_arn, "ARN of the target group")
        self._publish("group_name", self._ref(self.fleet.resource, "name"), "Name of the Auto Scaling group")
        self._publish("log_group", self.log_group.name, "Log group of the web servers")
