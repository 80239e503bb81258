"""The Application Load Balancer: listeners, target group, security group and logs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.regional_bucket import RegionalBucket
from constructs_lib.constructs.regional_vpc import Vpc
from constructs_lib.constructs.security_group import SecurityGroup
from constructs_lib.constructs.web_tier.arguments import XffMode
from constructs_lib.constructs.web_tier.user_data import PORT
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region

TLS_POLICY: Final = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.2 and 1.3. See
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html."""
HTTP: Final = 80
HTTPS: Final = 443
DRAIN_SECONDS: Final = 30
"""Deregistration delay: how long an instance may take to finish requests."""
HSTS: Final = "max-age=31536000"
"""A year, without includeSubDomains."""


class LoadBalancer(HardenedConstruct):
    """The Application Load Balancer of a `WebTier`, with its listeners and target group.

    Attributes:
        resource: The `aws_lb`.
        target_group: The `aws_lb_target_group`.
        listener: The `aws_lb_listener` that forwards to the target group.
        security_group: Allows clients in, and the instances out.

    See https://docs.aws.amazon.com/elasticloadbalancing/latest/application/introduction.html.
    """

    def __init__(
        self,
        scope: HardenedConstruct,
        id_: str,
        *,
        region: Region,
        vpc: Vpc,
        logs: RegionalBucket,
        certificate_arn: str | None,
        clients: Sequence[str],
        internal: bool,
        health_path: str,
        stickiness_seconds: int | None,
        slow_start_seconds: int | None,
        xff_header_processing_mode: XffMode,
        preserve_host_header: bool,
        names: dict[str, str],
        protect: bool,
    ) -> None:
        super().__init__(scope, id_, region=region)
        self.security_group = SecurityGroup(
            self, "security-group", region=region, vpc=vpc, description=f"Load balancer of {scope.path}"
        )
        ports = (HTTPS, HTTP) if certificate_arn else (HTTP,)
        self._allow_clients(clients, ports)
        prefix = scope.component
        logs.allow_load_balancer_logs(prefix)
        lb = aws.lb
        self.resource = self._create(
            lb.Lb,
            "Resource",
            name=names["load-balancer"],
            load_balancer_type="application",
            internal=internal,
            subnets=[subnet.id_in(region.stack) for subnet in vpc.subnets("private" if internal else "public")],
            security_groups=[self._ref(self.security_group.resource, "id")],
            access_logs=lb.LbAccessLogs(bucket=self._ref(logs.resource, "id"), prefix=prefix, enabled=True),
            connection_logs=lb.LbConnectionLogs(bucket=self._ref(logs.resource, "id"), prefix=prefix, enabled=True),
            drop_invalid_header_fields=True,
            desync_mitigation_mode="strictest",
            xff_header_processing_mode=xff_header_processing_mode,
            preserve_host_header=preserve_host_header,
            enable_deletion_protection=protect,
            enable_zonal_shift=True,
            # Otherwise Terraform deletes listeners and instances before AWS refuses to delete the load balancer.
            lifecycle=core.TerraformResourceLifecycle(prevent_destroy=True) if protect else None,
            # AWS writes a test object when logs are turned on.
            depends_on=[logs.policy],
        )
        self.target_group = self._target_group(
            vpc, names["target-group"], health_path, stickiness_seconds, slow_start_seconds
        )
        self.listener = self._listen(certificate_arn)

    @cached_property
    def arn(self) -> str:
        """The load balancer's ARN."""
        return self.resource.arn

    @cached_property
    def target_group_arn(self) -> str:
        """The target group's ARN."""
        return self.target_group.arn

    def _allow_clients(self, clients: Sequence[str], ports: tuple[int, ...]) -> None:
        for port in ports:
            for cidr in clients:
                self._create(
                    aws.vpc_security_group_ingress_rule.VpcSecurityGroupIngressRule,
                    f"from-{cidr.replace('/', '-')}-{port}",
                    security_group_id=self._ref(self.security_group.resource, "id"),
                    cidr_ipv4=cidr,
                    ip_protocol="tcp",
                    from_port=port,
                    to_port=port,
                    description="Clients" if len(ports) == 1 or port == HTTPS else "Clients, to be redirected to HTTPS",
                )

    def _target_group(
        self, vpc: Vpc, name: str, health_path: str, stickiness_seconds: int | None, slow_start_seconds: int | None
    ) -> aws.lb_target_group.LbTargetGroup:
        return self._create(
            aws.lb_target_group.LbTargetGroup,
            "targets",
            name=name,
            vpc_id=vpc.id,
            target_type="instance",
            # TLS ends at the load balancer; the instances allow traffic from its security group only.
            protocol="HTTP",
            port=PORT,
            deregistration_delay=str(DRAIN_SECONDS),
            slow_start=slow_start_seconds,
            # Always present: the provider does not turn stickiness off when the block is removed.
            stickiness=aws.lb_target_group.LbTargetGroupStickiness(
                type="lb_cookie", enabled=stickiness_seconds is not None, cookie_duration=stickiness_seconds
            ),
            health_check=aws.lb_target_group.LbTargetGroupHealthCheck(
                enabled=True,
                protocol="HTTP",
                port="traffic-port",
                path=health_path,
                matcher="200",
                interval=15,
                timeout=5,
                healthy_threshold=2,
                unhealthy_threshold=3,
            ),
        )

    def _listen(self, certificate_arn: str | None) -> aws.lb_listener.LbListener:
        """Create the listeners; that of port 80 has one address, so that a certificate can be added and removed.

        A load balancer can have one listener on a port: another address would be created before this is destroyed.
        """
        listeners = aws.lb_listener
        forward = listeners.LbListenerDefaultAction(
            type="forward", target_group_arn=self._ref(self.target_group, "arn")
        )
        if certificate_arn is None:
            return self._http(forward)
        https = self._listener(
            "https",
            HTTPS,
            forward,
            ssl_policy=TLS_POLICY,
            certificate_arn=certificate_arn,
            routing_http_response_strict_transport_security_header_value=HSTS,
        )
        self._http(
            listeners.LbListenerDefaultAction(
                type="redirect",
                redirect=listeners.LbListenerDefaultActionRedirect(
                    protocol="HTTPS", port=str(HTTPS), status_code="HTTP_301"
                ),
            ),
            # Clients are not redirected to a port that is not served yet.
            depends_on=[https],
        )
        return https

    def _http(
        self, action: aws.lb_listener.LbListenerDefaultAction, depends_on: Sequence[core.TerraformResource] = ()
    ) -> aws.lb_listener.LbListener:
        listener = self._listener("http", HTTP, action, depends_on=depends_on or None)
        self.region.moved_from(listener, (*self.components, "redirect"))
        return listener

    def _listener(
        self,
        id_: str,
        port: int,
        action: aws.lb_listener.LbListenerDefaultAction,
        **further: Any,  # noqa: ANN401  arguments for TLS
    ) -> aws.lb_listener.LbListener:
        return self._create(
            aws.lb_listener.LbListener,
            id_,
            load_balancer_arn=self._ref(self.resource, "arn"),
            port=port,
            protocol="HTTPS" if port == HTTPS else "HTTP",
            default_action=[action],
            # No header Server in responses.
            routing_http_response_server_enabled=False,
            **further,
        )
