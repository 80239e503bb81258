"""Rules of apis/listeners: valid variants pass, and variants of each mistake are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import Source
from constructs_lib.rules.estate.model import Estate
from tests.rules.asking import RULES, found, good


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
def test_listeners_that_do_not_forward_plain_http_pass(body: dict[str, Any]) -> None:
    assert found("API-025", listener(**body)) == []


def test_the_listener_of_a_gateway_load_balancer_has_no_protocol() -> None:
    document = listener(default_action={"type": "forward"})
    document["resource"]["aws_lb"]["web"]["load_balancer_type"] = "gateway"
    assert found("API-025", document) == []
    assert found("API-026", document) == []


def test_plain_http_is_info_in_dev() -> None:
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
def test_tls_policies_are_judged_by_their_minimum_version(policy: str, *, clean: bool) -> None:
    assert (found("API-026", listener(protocol="HTTPS", ssl_policy=policy)) == []) is clean


def test_listeners_with_opposite_conditions_may_share_a_port() -> None:
    document = good("API-028", {"variable": {"certificate": {}}})
    listeners = document["resource"]["aws_lb_listener"]
    listeners["https"]["port"] = 80
    listeners["https"]["count"] = '${var.certificate == "" ? 0 : 1}'
    listeners["http"]["count"] = '${var.certificate == "" ? 1 : 0}'
    document["resource"]["aws_lb_listener_rule"] = {}
    assert found("API-028", document) == []


def test_listeners_of_other_load_balancers_and_protocols_may_share_a_port() -> None:
    document = good("API-028", {"resource.aws_lb.other": {}})
    document["resource"]["aws_lb_listener"]["http"] |= {"load_balancer_arn": "${aws_lb.other.arn}", "port": 443}
    assert found("API-028", document) == []
    document["resource"]["aws_lb_listener"] = {
        name: {"load_balancer_arn": "${aws_lb.other.arn}", "port": 53, "protocol": name.upper()}
        for name in ("tcp", "udp")
    }
    document["resource"]["aws_lb_listener_rule"] = {}
    assert found("API-028", document) == []


def test_a_listener_in_another_stack_conflicts() -> None:
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
