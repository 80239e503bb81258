"""Rules about APIs, load balancers and domains: legal unusual code that stays clean, other forms of each mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import Source
from constructs_lib.rules.estate.model import Estate
from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import RULES, doubted, found, good, look, resources


def test_an_acl_of_rule_groups_of_ones_own_is_taken_at_its_word() -> None:
    rule = {"name": "own", "priority": 1, "statement": {"rule_group_reference_statement": {"arn": "arn"}}}
    assert found("API-023", resources(aws_wafv2_web_acl={"shop": {"rule": [rule]}})) == []


def listener(**body: object) -> dict[str, Any]:
    document = good("API-025", {"resource.aws_lb_listener_rule": {}})
    document["resource"]["aws_lb_listener"] = {"it": {"load_balancer_arn": "${aws_lb.web.arn}"} | body}
    return document


@pytest.mark.parametrize(
    "body",
    [
        {"protocol": "HTTP", "default_action": {"type": "fixed-response", "fixed_response": {"status_code": "404"}}},
        {"protocol": "HTTPS", "default_action": {"type": "forward"}},
        {"protocol": "TCP", "default_action": {"type": "forward"}},
        {"protocol": "http", "default_action": [{"type": "redirect", "redirect": [{"protocol": "HTTPS"}]}]},
    ],
)
def test_listeners_that_send_nothing_on_in_plain_text_are_clean(body: dict[str, Any]) -> None:
    assert found("API-025", listener(**body)) == []


def test_the_listener_of_a_gateway_load_balancer_has_no_protocol() -> None:
    document = listener(default_action={"type": "forward"})
    document["resource"]["aws_lb"]["web"]["load_balancer_type"] = "gateway"
    assert found("API-025", document) == []
    assert found("API-026", document) == []


def test_plain_http_weighs_little_in_dev() -> None:
    rule = RULES["API-025"]
    assert (rule.severity.dev, rule.severity.staging) == ("info", "error")


@pytest.mark.parametrize(
    ("policy", "clean"),
    [
        ("ELBSecurityPolicy-TLS13-1-2-2021-06", True),
        ("ELBSecurityPolicy-TLS13-1-3-2021-06", True),
        ("ELBSecurityPolicy-FS-1-2-Res-2020-10", True),
        ("ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04", True),
        ("ELBSecurityPolicy-TLS13-1-1-2021-06", False),
        ("ELBSecurityPolicy-TLS-1-1-2017-01", False),
        ("ELBSecurityPolicy-2015-05", False),
    ],
)
def test_policies_of_tls_are_told_by_their_oldest_version(policy: str, *, clean: bool) -> None:
    assert (found("API-026", listener(protocol="HTTPS", ssl_policy=policy)) == []) is clean


def test_one_of_two_listeners_that_a_plan_chooses_may_share_the_port() -> None:
    document = good("API-028", {"variable": {"certificate": {}}})
    listeners = document["resource"]["aws_lb_listener"]
    listeners["https"]["port"] = 80
    listeners["https"]["count"] = '${var.certificate == "" ? 0 : 1}'
    listeners["http"]["count"] = '${var.certificate == "" ? 1 : 0}'
    document["resource"]["aws_lb_listener_rule"] = {}
    assert found("API-028", document) == []


def test_ports_of_different_load_balancers_and_of_tcp_and_udp_may_be_the_same() -> None:
    document = good("API-028", {"resource.aws_lb.other": {}})
    document["resource"]["aws_lb_listener"]["http"] |= {"load_balancer_arn": "${aws_lb.other.arn}", "port": 443}
    assert found("API-028", document) == []
    document["resource"]["aws_lb_listener"] = {
        name: {"load_balancer_arn": "${aws_lb.other.arn}", "port": 53, "protocol": name.upper()}
        for name in ("tcp", "udp")
    }
    document["resource"]["aws_lb_listener_rule"] = {}
    assert found("API-028", document) == []


def test_a_listener_of_another_stack_takes_the_port_too() -> None:
    first = good("API-028", {})
    first["output"] = {"cross-stack-output-lb": {"value": "${aws_lb.web.arn}"}}
    reading = "cross-stack-reference-input-shop"
    second = {
        "data": {"terraform_remote_state": {reading: {"backend": "local", "config": {"path": "shop.tfstate"}}}},
        "resource": {
            "aws_lb_listener": {
                "more": {
                    "load_balancer_arn": f"${{data.terraform_remote_state.{reading}.outputs.cross-stack-output-lb}}",
                    "port": 443,
                    "protocol": "HTTPS",
                }
            }
        },
    }
    sources = [
        Source(name=name, folder=Path("stacks") / name, document=document)
        for name, document in (("shop", first), ("more", second))
    ]
    (finding,) = run(Estate(sources, "prod"), [RULES["API-028"]]).findings
    assert finding.message.endswith(
        "must be unique in aws_lb.web of the stack shop: aws_lb_listener.https of the stack shop has the same port"
    )


def test_a_network_load_balancer_without_tls_has_nothing_to_log() -> None:
    balancer = {"load_balancer_type": "network", "subnets": ["${aws_subnet.a.id}"]}
    document = resources(aws_lb={"cards": balancer})
    for id_ in ("API-030", "API-032", "API-034", "API-035"):
        assert found(id_, document) == []


def test_subnets_that_only_a_plan_can_tell_are_not_decided() -> None:
    document = resources(aws_lb={"web": {"subnets": "${var.subnets}"}})
    assert doubted("API-034", document | {"variable": {"subnets": {}}}) == ["var.subnets has no default"]


@pytest.mark.parametrize(
    ("subnet", "subnets"),
    [
        (
            {"count": 2, "availability_zone": "${data.aws_availability_zones.all.names[count.index]}"},
            "${aws_subnet.it[*].id}",
        ),
        ({"for_each": {"a": 1, "b": 2}, "availability_zone": "eu-west-1${each.key}"}, "${values(aws_subnet.it)[*].id}"),
        (
            {"for_each": {"a": 1, "b": 2}, "availability_zone": "eu-west-1${each.key}"},
            "${[for s in aws_subnet.it : s.id]}",
        ),
        ({}, ["${var.subnets[0]}", "${var.subnets[1]}"]),
        ({"count": 2}, ["${aws_subnet.it[0].id}", "${aws_subnet.it[1].id}"]),
        ({"for_each": {"a": 1, "b": 2}}, ['${aws_subnet.it["a"].id}', '${aws_subnet.it["b"].id}']),
    ],
)
def test_subnets_of_different_zones_may_be_written_in_many_ways(subnet: dict[str, Any], subnets: object) -> None:
    document = resources(aws_lb={"web": {"subnets": subnets}}, aws_subnet={"it": subnet})
    document |= {"data": {"aws_availability_zones": {"all": {}}}, "variable": {"subnets": {}}}
    assert look("API-034", document)[0] == []


def test_subnets_of_one_computed_zone_are_found() -> None:
    zone = "${data.aws_availability_zones.all.names[0]}"
    subnets = {name: {"availability_zone": zone} for name in ("a", "b")}
    document = resources(aws_lb={"web": {"subnets": ["${aws_subnet.a.id}", "${aws_subnet.b.id}"]}}, aws_subnet=subnets)
    document["data"] = {"aws_availability_zones": {"all": {}}}
    (message,) = found("API-034", document)
    assert "aws_subnet.a and aws_subnet.b are both in" in message


def test_an_internal_load_balancer_needs_no_web_acl() -> None:
    assert found("API-035", resources(aws_lb={"web": {"internal": "true"}})) == []


@pytest.mark.parametrize(
    "group",
    [
        {"target_type": "lambda"},
        {"protocol": "TCP", "health_check": {"protocol": "TCP"}},
        {"protocol": "TCP"},
        {"protocol": "HTTP", "protocol_version": "GRPC"},
        {"protocol": "TCP", "health_check": [{"protocol": "HTTP", "path": "/health"}]},
    ],
)
def test_target_groups_that_are_not_asked_by_http_need_no_path(group: dict[str, Any]) -> None:
    assert found("API-036", resources(aws_lb_target_group={"web": group})) == []


def test_a_private_authority_may_issue_any_name() -> None:
    certificate = {
        "domain_name": "shop.local",
        "certificate_authority_arn": "${aws_acmpca_certificate_authority.own.arn}",
    }
    document = resources(
        aws_acm_certificate={"web": certificate},
        aws_acmpca_certificate_authority={"own": {}},
        aws_lb_listener={"https": {"certificate_arn": "${aws_acm_certificate.web.arn}"}},
    )
    for id_ in ("API-029", "API-038", "API-039"):
        assert found(id_, document) == []


@pytest.mark.parametrize(("name", "fine"), [("local.example.org", True), ("${terraform.workspace}.shop.local", False)])
def test_names_are_told_by_their_end(name: str, *, fine: bool) -> None:
    document = resources(aws_acm_certificate={"web": {"domain_name": name, "validation_method": "DNS"}})
    assert (found("API-029", document) == []) is fine


def test_a_certificate_may_be_waited_for_by_depends_on_or_in_another_stack() -> None:
    used = {"resource.aws_lb_listener.https.certificate_arn": "${aws_acm_certificate.web.arn}"}
    waits = used | {"resource.aws_lb_listener.https.depends_on": ["aws_acm_certificate_validation.web"]}
    assert found("API-039", good("API-039", waits)) == []
    assert len(found("API-039", good("API-039", used))) == 1


def record(**body: object) -> dict[str, Any]:
    document = good("API-041", {})
    document["resource"]["aws_route53_record"] = {"it": {"zone_id": "${aws_route53_zone.main.zone_id}"} | body}
    return document


def test_an_alias_of_another_record_is_in_the_same_zone() -> None:
    document = record(
        name="www",
        type="A",
        alias={"name": "${aws_route53_record.it.name}", "zone_id": "${aws_route53_zone.main.zone_id}"},
    )
    assert found("API-041", document) == []


def test_the_zone_of_a_target_may_be_a_text() -> None:
    alias = {"name": "${aws_lb.web.dns_name}", "zone_id": "Z32O12XQLNTSW2"}
    assert found("API-041", record(type="A", alias=alias)) == []


@pytest.mark.parametrize(
    "name", ["s3-website-eu-west-1.amazonaws.com", "shop.example.com", "mail.amazonaws.com", "amazonses.com"]
)
def test_names_of_services_are_no_names_of_resources(name: str) -> None:
    assert found("API-042", record(type="CNAME", records=[name])) == []


def test_records_are_compared_with_the_top_of_their_own_zone() -> None:
    assert found("API-043", record(type="CNAME", name="www.example.com")) == []
    assert found("API-043", record(type="A", name="example.com")) == []
    assert len(found("API-043", record(type="CNAME", name="Example.com."))) == 1
    document = record(type="CNAME", name="example.com") | {"data": {"aws_route53_zone": {"main": {"name": "com"}}}}
    document["resource"]["aws_route53_record"]["it"]["zone_id"] = "${data.aws_route53_zone.main.zone_id}"
    assert found("API-043", document) == []


def test_the_name_of_a_zone_that_is_not_known_is_the_top_of_that_zone() -> None:
    document = record(
        type="CNAME", name="${data.aws_route53_zone.main.name}", zone_id="${data.aws_route53_zone.main.id}"
    )
    document["data"] = {"aws_route53_zone": {"main": {"zone_id": "Z0123456789"}}}
    assert len(found("API-043", document)) == 1
    document["resource"]["aws_route53_record"]["it"]["name"] = "www.${data.aws_route53_zone.main.name}"
    assert found("API-043", document) == []


def test_a_domain_whose_dns_name_is_put_out_gets_its_record_elsewhere() -> None:
    document = good("API-044", {"resource.aws_route53_record.api": REMOVED})
    document["output"] = {"target": {"value": {"name": "${aws_api_gateway_domain_name.api.regional_domain_name}"}}}
    assert found("API-044", document) == []
    document["output"] = {"url": {"value": "https://${aws_api_gateway_domain_name.api.domain_name}"}}
    assert len(found("API-044", document)) == 1


def test_a_record_of_another_provider_leads_to_the_domain() -> None:
    document = good("API-044", {"resource.aws_route53_record.api": REMOVED})
    value = "${aws_api_gateway_domain_name.api.regional_domain_name}"
    document["resource"]["cloudflare_record"] = {"api": {"value": value}}
    assert found("API-044", document) == []


def test_a_mapping_of_an_unknown_domain_may_be_for_this_one() -> None:
    at = "resource.aws_api_gateway_base_path_mapping.api.domain_name"
    document = good("API-044", {at: "${var.domain}", "variable": {"domain": {}}})
    assert doubted("API-044", document) == ["var.domain has no default"]


def test_every_good_document_is_json() -> None:
    for rule in RULES.values():
        assert json.loads(json.dumps(rule.good)) == rule.good
