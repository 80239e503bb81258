from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import constructs_lib
from constructs_lib import (
    AliasRecords,
    Certificate,
    HardenedStack,
    HostedZone,
    MultiRegionKey,
    NoAlarms,
    NoWebAcl,
    ScheduledAction,
    SimpleScaling,
    TargetTracking,
    UnprotectedLoadBalancer,
    WebAcl,
)
from tests.constructs.other_stacks import read_from_another_stack
from tests.constructs.web_tier.tiers import (
    ACCOUNT,
    BALANCER,
    BALANCER_GROUP,
    CERTIFICATE,
    EXISTING,
    FLEET,
    GROUP,
    KEY,
    TARGETS,
    TOPIC,
    build,
    make_tier,
    rule,
    statements,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize

    Synth = Callable[..., SynthesizedStack]


@pytest.fixture(scope="module")
def prod(synth_stack: Synth) -> SynthesizedStack:
    return synth_stack(build, "prod")


@pytest.fixture(scope="module")
def dev(synth_stack: Synth) -> SynthesizedStack:
    return synth_stack(lambda stack: make_tier(stack, certificate=None))


def test_the_load_balancer_is_public_with_deletion_protection_and_logs(prod: SynthesizedStack) -> None:
    prod.resource("aws_lb").assert_config(
        {
            "access_logs": {"bucket": "${aws_s3_bucket.logs_eu_west_1.id}", "enabled": True, "prefix": "web"},
            "connection_logs": {"bucket": "${aws_s3_bucket.logs_eu_west_1.id}", "enabled": True, "prefix": "web"},
            "depends_on": ["aws_s3_bucket_policy.logs_policy_eu_west_1"],
            "desync_mitigation_mode": "strictest",
            "drop_invalid_header_fields": True,
            "enable_deletion_protection": True,
            "enable_zonal_shift": True,
            "internal": False,
            "lifecycle": {"prevent_destroy": True},
            "load_balancer_type": "application",
            "name": "shop-prod-web-eu-west-1",
            "preserve_host_header": False,
            "security_groups": [BALANCER_GROUP],
            "subnets": EXISTING[:3],
            "xff_header_processing_mode": "append",
        }
    )


def test_the_bucket_policy_allows_log_delivery_under_the_tiers_prefix(prod: SynthesizedStack) -> None:
    delivery = statements(prod, "*/logs/policy-document")["LoadBalancersWeb"]
    assert delivery["actions"] == ["s3:PutObject"]
    assert delivery["resources"] == [f"${{aws_s3_bucket.logs_eu_west_1.arn}}/web/AWSLogs/{ACCOUNT}/*"]
    assert delivery["principals"] == [
        {"type": "Service", "identifiers": ["logdelivery.elasticloadbalancing.amazonaws.com"]}
    ]


def test_https_requires_tls_1_2_and_http_is_redirected(prod: SynthesizedStack) -> None:
    prod.resource("aws_lb_listener", "*/https").assert_config(
        {
            "certificate_arn": f"arn:aws:acm:eu-west-1:{ACCOUNT}:{CERTIFICATE}",
            "default_action": [{"target_group_arn": TARGETS % "arn", "type": "forward"}],
            "load_balancer_arn": BALANCER % "arn",
            "port": 443,
            "protocol": "HTTPS",
            "routing_http_response_server_enabled": False,
            "routing_http_response_strict_transport_security_header_value": "max-age=31536000",
            "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        }
    )
    prod.resource("aws_lb_listener", "*/http").assert_config(
        {
            "depends_on": ["aws_lb_listener.web_balancer_https_eu_west_1"],
            "default_action": [
                {"redirect": {"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"}, "type": "redirect"}
            ],
            "load_balancer_arn": BALANCER % "arn",
            "port": 80,
            "protocol": "HTTP",
            "routing_http_response_server_enabled": False,
        }
    )
    assert len(prod.resources("aws_lb_listener")) == 2


def test_the_listener_of_port_80_has_the_same_address_with_and_without_a_certificate(
    dev: SynthesizedStack, prod: SynthesizedStack
) -> None:
    address = "aws_lb_listener.web_balancer_http_eu_west_1"
    for stack in (dev, prod):
        assert [one.address for one in stack.resources("aws_lb_listener") if one["port"] == 80] == [address]
        move = {"from": "aws_lb_listener.web_balancer_redirect_eu_west_1", "to": address}
        assert move in stack.document["moved"]


def test_without_a_certificate_dev_serves_plain_http_only(dev: SynthesizedStack) -> None:
    dev.resource("aws_lb_listener").assert_config(
        {
            "default_action": [{"target_group_arn": TARGETS % "arn", "type": "forward"}],
            "load_balancer_arn": BALANCER % "arn",
            "port": 80,
            "protocol": "HTTP",
            "routing_http_response_server_enabled": False,
        }
    )
    rules = dev.resources("aws_vpc_security_group_ingress_rule", "*/balancer/from-*")
    assert [(r["cidr_ipv4"], r["from_port"], r["to_port"], r["description"]) for r in rules] == [
        ("0.0.0.0/0", 80, 80, "Clients")
    ]


def test_the_listener_uses_a_certificate_after_its_validation(synth_stack: Synth) -> None:
    def build(stack: HardenedStack) -> None:
        zone = HostedZone("Z0123456789ABCDEFGHIJ", "example.com")
        region = stack.region("eu-west-1")
        certificate = Certificate(stack, "cert", region=region, domain="www.example.com", zone=zone)
        tier = make_tier(stack, certificate=certificate)
        AliasRecords(
            stack,
            "www",
            region=region,
            zone=zone,
            domain="www.example.com",
            target=tier.dns_name,
            target_zone=tier.zone_id,
            evaluate_health=True,
        )

    stack = synth_stack(build, "prod")
    listener = stack.resource("aws_lb_listener", "*/https")
    assert listener["certificate_arn"] == "${aws_acm_certificate_validation.cert_validation_eu_west_1.certificate_arn}"
    alias = {"evaluate_target_health": True, "name": BALANCER % "dns_name", "zone_id": BALANCER % "zone_id"}
    assert stack.resource("aws_route53_record", "*/www/a")["alias"] == alias


def test_the_target_group_has_a_health_check(prod: SynthesizedStack) -> None:
    prod.resource("aws_lb_target_group").assert_config(
        {
            "deregistration_delay": "30",
            "health_check": {
                "enabled": True,
                "healthy_threshold": 2,
                "interval": 15,
                "matcher": "200",
                "path": "/health",
                "port": "traffic-port",
                "protocol": "HTTP",
                "timeout": 5,
                "unhealthy_threshold": 3,
            },
            "name": "shop-prod-web-eu-west-1",
            "port": 8080,
            "protocol": "HTTP",
            "stickiness": {"enabled": False, "type": "lb_cookie"},
            "target_type": "instance",
            "vpc_id": "vpc-00000001",
        }
    )


def test_stickiness_and_slow_start_are_arguments(synth_stack: Synth) -> None:
    stack = synth_stack(lambda s: make_tier(s, stickiness_seconds=3600, slow_start_seconds=90))
    group = stack.resource("aws_lb_target_group")
    assert group["stickiness"] == {"cookie_duration": 3600, "enabled": True, "type": "lb_cookie"}
    assert group["slow_start"] == 90


def test_header_processing_is_an_argument(synth_stack: Synth) -> None:
    stack = synth_stack(lambda s: make_tier(s, xff_header_processing_mode="remove", preserve_host_header=True))
    balancer = stack.resource("aws_lb")
    assert (balancer["xff_header_processing_mode"], balancer["preserve_host_header"]) == ("remove", True)


def test_instances_allow_traffic_from_the_load_balancer_only(prod: SynthesizedStack) -> None:
    to = "Clients, to be redirected to HTTPS"
    between = "shop/web/balancer/security-group to shop/web/fleet/security-group"
    assert rule(prod, "ingress", "*/from-0.0.0.0-0-443") == (BALANCER_GROUP, "0.0.0.0/0", 443, "Clients")
    assert rule(prod, "ingress", "*/from-0.0.0.0-0-80") == (BALANCER_GROUP, "0.0.0.0/0", 80, to)
    assert rule(prod, "ingress", "*/into-*") == (FLEET, BALANCER_GROUP, 8080, between)
    assert rule(prod, "egress", "*/balancer/*") == (BALANCER_GROUP, FLEET, 8080, between)
    assert rule(prod, "egress", "*/fleet/*") == (
        FLEET,
        "0.0.0.0/0",
        443,
        "Packages, Systems Manager, CloudWatch and other services",
    )
    assert len(prod.resources("aws_vpc_security_group_ingress_rule")) == 3
    assert len(prod.resources("aws_vpc_security_group_egress_rule")) == 2


def test_the_log_group_is_encrypted_and_has_a_retention(prod: SynthesizedStack) -> None:
    prod.resource("aws_cloudwatch_log_group", "*/application/*").assert_config(
        {"kms_key_id": KEY, "name": "shop-prod-web-application-eu-west-1", "retention_in_days": 365}
    )


def test_prod_has_an_alarm_on_instances_below_the_minimum(prod: SynthesizedStack, synth_stack: Synth) -> None:
    alarm = prod.resource("aws_cloudwatch_metric_alarm", "shop/web/in-service-alarm")
    assert (alarm["namespace"], alarm["metric_name"]) == ("AWS/AutoScaling", "GroupInServiceInstances")
    assert alarm["dimensions"] == {"AutoScalingGroupName": GROUP}
    assert (alarm["comparison_operator"], alarm["threshold"], alarm["statistic"]) == ("LessThanThreshold", 2, "Minimum")
    assert (alarm["evaluation_periods"], alarm["treat_missing_data"]) == (15, "breaching")
    assert alarm["metric_name"] in prod.resource("aws_autoscaling_group")["enabled_metrics"]
    night = {"night": ScheduledAction("0 20 * * *", 1, 3), "day": ScheduledAction("0 7 * * *", 3, 4)}
    stack = synth_stack(lambda s: make_tier(s, minimum=2, maximum=4, scheduled_actions=night, alarms=True))
    assert stack.resource("aws_cloudwatch_metric_alarm", "shop/web/in-service-alarm")["threshold"] == 1


def test_prod_has_alarms_on_errors_latency_and_unhealthy_instances(prod: SynthesizedStack) -> None:
    balancer = {"LoadBalancer": BALANCER % "arn_suffix"}
    both = {**balancer, "TargetGroup": TARGETS % "arn_suffix"}
    names = ("metric_name", "threshold", "evaluation_periods", "datapoints_to_alarm", "treat_missing_data")
    expected = {
        "errors": (balancer, "HTTPCode_ELB_5XX_Count", 10, 5, 3, "notBreaching", "Sum"),
        "latency": (both, "TargetResponseTime", 1, 15, 10, "notBreaching", "p99"),
        "rejected": (balancer, "RejectedConnectionCount", 0, 5, 3, "notBreaching", "Sum"),
        "target-errors": (both, "HTTPCode_Target_5XX_Count", 10, 5, 3, "notBreaching", "Sum"),
        "unhealthy": (both, "UnHealthyHostCount", 0, 15, 15, "breaching", "Maximum"),
    }
    found = {}
    for name in expected:
        alarm = prod.resource("aws_cloudwatch_metric_alarm", f"shop/web/{name}-alarm")
        statistic = alarm.config.get("statistic") or alarm["extended_statistic"]
        found[name] = (alarm["dimensions"], *(alarm[key] for key in names), statistic)
        assert (alarm["namespace"], alarm["comparison_operator"], alarm["period"], alarm["alarm_actions"]) == (
            *("AWS/ApplicationELB", "GreaterThanThreshold", 60),
            [TOPIC],
        )
    assert found == expected
    assert len(prod.resources("aws_cloudwatch_metric_alarm", "shop/web/*-alarm")) == 5 + 1 + 1


def test_prod_has_a_web_acl(prod: SynthesizedStack, dev: SynthesizedStack) -> None:
    prod.resource("aws_wafv2_web_acl_association").assert_config(
        {
            "resource_arn": BALANCER % "arn",
            "web_acl_arn": "${aws_wafv2_web_acl.web_web_acl_eu_west_1.arn}",
        }
    )
    assert dev.find("aws_wafv2_web_acl") == []


def test_an_internal_load_balancer_is_in_private_subnets_for_the_vpc(synth_stack: Synth) -> None:
    stack = synth_stack(lambda s: make_tier(s, internal=True), "prod")
    balancer = stack.resource("aws_lb")
    assert (balancer["internal"], balancer["subnets"]) == (True, EXISTING[3:])
    rules = stack.resources("aws_vpc_security_group_ingress_rule", "*/balancer/from-*")
    assert {(r["cidr_ipv4"], r["to_port"]) for r in rules} == {("10.0.0.0/16", 443), ("10.0.0.0/16", 80)}
    assert stack.find("aws_wafv2_web_acl") == []


def test_an_internal_load_balancer_can_have_a_web_acl(synth_stack: Synth) -> None:
    def build(stack: HardenedStack) -> None:
        make_tier(stack, internal=True, web_acl=True, clients=["10.1.0.0/16"])

    stack = synth_stack(build)
    assert stack.resource("aws_wafv2_web_acl_association")["resource_arn"] == BALANCER % "arn"
    rules = stack.resources("aws_vpc_security_group_ingress_rule", "*/balancer/from-*")
    assert {r["cidr_ipv4"] for r in rules} == {"10.1.0.0/16"}


def test_opt_outs_are_recorded(synth_stack: Synth) -> None:
    opt_outs = (
        UnprotectedLoadBalancer("It is rebuilt every week for a drill"),
        NoAlarms("A drill that nobody has to wake up for"),
        NoWebAcl("Only the office may connect to the drill"),
    )
    seen = []

    def build(stack: HardenedStack) -> None:
        tier = make_tier(stack, deletion_protection=opt_outs[0], alarms=opt_outs[1], web_acl=opt_outs[2])
        assert tier.web_acl is None
        seen.extend(stack.opt_outs)

    stack = synth_stack(build, "prod")
    assert {("shop/web", opt_out) for opt_out in opt_outs} <= set(seen)
    assert stack.resource("aws_lb")["enable_deletion_protection"] is False
    assert "lifecycle" not in stack.resource("aws_lb")
    assert stack.find("aws_wafv2_web_acl") == []
    assert stack.find("aws_cloudwatch_metric_alarm") == []


def test_a_web_acl_can_be_passed(synth_stack: Synth) -> None:
    def build(stack: HardenedStack) -> None:
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "acl-key", region=region)
        make_tier(stack, web_acl=WebAcl(stack, "acl", region=region, key=key))

    stack = synth_stack(build)
    association = stack.resource("aws_wafv2_web_acl_association")
    assert association["web_acl_arn"] == "${aws_wafv2_web_acl.acl_eu_west_1.arn}"
    assert association.address == "aws_wafv2_web_acl_association.web_web_acl_association_web_eu_west_1"
    before = "aws_wafv2_web_acl_association.acl_association_web_eu_west_1"
    assert {"from": before, "to": association.address} in stack.document["moved"]


def test_a_web_acl_of_the_tiers_own_is_associated_at_the_same_address(synth_stack: Synth) -> None:
    stack = synth_stack(lambda s: make_tier(s, web_acl=True, alarms=True, alarm_topics=[TOPIC]))
    association = stack.resource("aws_wafv2_web_acl_association")
    assert association.address == "aws_wafv2_web_acl_association.web_web_acl_association_web_eu_west_1"
    assert stack.resource("aws_cloudwatch_metric_alarm", "shop/web/web-acl/blocked-alarm")["alarm_actions"] == [TOPIC]


def test_outputs_are_flat_and_in_the_summary(dev: SynthesizedStack) -> None:
    values = {
        "dns_name": BALANCER % "dns_name",
        "zone_id": BALANCER % "zone_id",
        "load_balancer_arn": BALANCER % "arn",
        "target_group_arn": TARGETS % "arn",
        "group_name": GROUP,
        "log_group": "shop-dev-web-application-eu-west-1",
    }
    assert {name: dev.outputs[f"web_{name}_eu_west_1"] for name in values} == values
    assert dev.outputs["deployment_summary"]["regions"]["eu-west-1"]["web"] == values


def test_30_client_cidr_blocks_are_allowed(synth_stack: Callable[..., SynthesizedStack]) -> None:
    clients = [f"10.{number}.0.0/16" for number in range(30)]
    stack = synth_stack(lambda s: make_tier(s, clients=clients))
    allowed = {rule.config.get("cidr_ipv4") for rule in stack.resources("aws_vpc_security_group_ingress_rule")}
    assert set(clients) <= allowed


def test_references_work_in_another_stack(synthesize: Synthesize) -> None:
    def fill(stack: HardenedStack) -> dict[str, str]:
        tier = make_tier(stack)
        return {
            "dns_name": tier.dns_name,
            "zone_id": tier.zone_id,
            "load_balancer_arn": tier.load_balancer.arn,
            "target_group_arn": tier.load_balancer.target_group_arn,
            "security_group_id": tier.security_group.id,
        }

    assert read_from_another_stack(synthesize, fill) == {
        "dns_name": BALANCER % "dns_name",
        "zone_id": BALANCER % "zone_id",
        "load_balancer_arn": BALANCER % "arn",
        "target_group_arn": TARGETS % "arn",
        "security_group_id": FLEET,
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_names_of_options_work(stack: HardenedStack) -> None:
    assert constructs_lib.CpuAlarms is SimpleScaling  # type: ignore[attr-defined]
    assert constructs_lib.ScheduledSize is ScheduledAction  # type: ignore[attr-defined]
    assert TargetTracking(value=50, figure="cpu") == TargetTracking(50)  # type: ignore[call-arg]
    tier = make_tier(stack, schedules={"morning": ScheduledAction("0 7 * * *", 1, 2)})
    assert "schedule-morning" in tier.auto_scaling_group.resources
    assert tier.fleet is tier.auto_scaling_group


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda _: constructs_lib.CpuAlarms, "constructs_lib.CpuAlarms is deprecated .* use SimpleScaling"),  # type: ignore[attr-defined]
        (lambda _: constructs_lib.ScheduledSize, "constructs_lib.ScheduledSize is deprecated .* use ScheduledAction"),  # type: ignore[attr-defined]
        (lambda _: TargetTracking(value=50), "argument value is deprecated .* use target_value"),  # type: ignore[call-arg]
        (lambda _: TargetTracking(figure="cpu"), "argument figure is deprecated .* use metric"),  # type: ignore[call-arg]
        (lambda stack: make_tier(stack, schedules={}), "argument schedules is deprecated .* use scheduled_actions"),
        (lambda stack: make_tier(stack).fleet, "attribute fleet is deprecated .* use auto_scaling_group"),
    ],
)
def test_old_names_are_deprecated(stack: HardenedStack, use: Callable[[HardenedStack], object], message: str) -> None:
    with pytest.deprecated_call(match=message):
        use(stack)
