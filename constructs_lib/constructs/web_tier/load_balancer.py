"""The load balancer: what it listens on, what it writes down, and where it sends requests."""

from __future__ import annotations

from collections.abc import Sequence
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
"""How long a request may take that an instance has when it goes."""
HSTS: Final = "max-age=31536000"
"""A year, for the very name; names below it may still be served otherwise."""


class LoadBalancer(HardenedConstruct):
    """An application load balancer with its listeners and its one target group; made by `WebTier`.

    Attributes:
        resource: The load balancer.
        target_group: Where it sends requests.
        listener: The one that sends them there.
        security_group: Open to the clients, and to the instances only.

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
        self._admit(clients, ports)
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
            access_logs=lb.LbAccessLogs(bucket=logs.id, prefix=prefix, enabled=True),
            connection_logs=lb.LbConnectionLogs(bucket=logs.id, prefix=prefix, enabled=True),
            drop_invalid_header_fields=True,
            desync_mitigation_mode="strictest",
            xff_header_processing_mode=xff_header_processing_mode,
            preserve_host_header=preserve_host_header,
            enable_deletion_protection=protect,
            enable_zonal_shift=True,
            # A destroy would take listeners and instances before AWS refuses to delete the load balancer.
            lifecycle=core.TerraformResourceLifecycle(prevent_destroy=True) if protect else None,
            # AWS tries to write when logs are turned on.
            depends_on=[logs.policy],
        )
        self.arn = self._ref(self.resource, "arn")
        self.suffix = self._ref(self.resource, "arn_suffix")
        self.target_group = self._target_group(
            vpc, names["target-group"], health_path, stickiness_seconds, slow_start_seconds
        )
        self.target_group_arn = self._ref(self.target_group, "arn")
        self.target_suffix = self._ref(self.target_group, "arn_suffix")
        self.listener = self._listen(certificate_arn)

    def _admit(self, clients: Sequence[str], ports: tuple[int, ...]) -> None:
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
            # TLS ends at the load balancer: behind it only its security group reaches the instances.
            protocol="HTTP",
            port=PORT,
            deregistration_delay=str(DRAIN_SECONDS),
            slow_start=slow_start_seconds,
            # Said in either case: the provider leaves on what is no longer mentioned.
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
        listeners = aws.lb_listener
        forward = listeners.LbListenerDefaultAction(type="forward", target_group_arn=self.target_group_arn)
        if certificate_arn is None:
            return self._listener("http", HTTP, forward)
        self._listener(
            "redirect",
            HTTP,
            listeners.LbListenerDefaultAction(
                type="redirect",
                redirect=listeners.LbListenerDefaultActionRedirect(
                    protocol="HTTPS", port=str(HTTPS), status_code="HTTP_301"
                ),
            ),
        )
        return self._listener(
            "https",
            HTTPS,
            forward,
            ssl_policy=TLS_POLICY,
            certificate_arn=certificate_arn,
            routing_http_response_strict_transport_security_header_value=HSTS,
        )

    def _listener(
        self,
        id_: str,
        port: int,
        action: aws.lb_listener.LbListenerDefaultAction,
        **further: Any,  # noqa: ANN401  what TLS needs
    ) -> aws.lb_listener.LbListener:
        return self._create(
            aws.lb_listener.LbListener,
            id_,
            load_balancer_arn=self.arn,
            port=port,
            protocol="HTTPS" if port == HTTPS else "HTTP",
            default_action=[action],
            # Not which load balancer it is.
            routing_http_response_server_enabled=False,
            **further,
        )
