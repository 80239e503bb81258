"""Listeners of load balancers: HTTPS, TLS policies, certificates, and unique ports and priorities."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, expect_set
from constructs_lib.rules.queries.links import called, undecidable
from constructs_lib.rules.queries.networks import may_be_absent
from constructs_lib.rules.rule import REMOVED, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate, Section
    from constructs_lib.rules.outcomes import Outcome

_ELB: Final = f"{AWS}/elasticloadbalancing/latest/application"
_BALANCERS: Final = ("aws_lb", "aws_alb")
_LISTENERS: Final = ("aws_lb_listener", "aws_alb_listener")
_RULES: Final = ("aws_lb_listener_rule", "aws_alb_listener_rule")
_MODERN: Final = (
    "ELBSecurityPolicy-TLS13-1-2-",
    "ELBSecurityPolicy-TLS13-1-3-",
    "ELBSecurityPolicy-TLS-1-2-",
    "ELBSecurityPolicy-FS-1-2-",
)
_SENDING_ON: Final = ("forward", "authenticate-cognito", "authenticate-oidc")

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_lb": {"web": {"name": "shop-prod-web", "load_balancer_type": "application"}},
        "aws_lb_target_group": {"web": {"port": 8443, "protocol": "HTTPS"}},
        "aws_acm_certificate": {"web": {"domain_name": "shop.example.com", "validation_method": "DNS"}},
        "aws_lb_listener": {
            "http": {
                "load_balancer_arn": "${aws_lb.web.arn}",
                "port": 80,
                "protocol": "HTTP",
                "default_action": {
                    "type": "redirect",
                    "redirect": {"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"},
                },
            },
            "https": {
                "load_balancer_arn": "${aws_lb.web.arn}",
                "port": 443,
                "protocol": "HTTPS",
                "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
                "certificate_arn": "${aws_acm_certificate.web.arn}",
                "default_action": {"type": "forward", "target_group_arn": "${aws_lb_target_group.web.arn}"},
            },
        },
        "aws_lb_listener_rule": {
            "orders": {
                "listener_arn": "${aws_lb_listener.https.arn}",
                "priority": 10,
                "condition": {"path_pattern": {"values": ["/orders/*"]}},
                "action": {"type": "forward", "target_group_arn": "${aws_lb_target_group.web.arn}"},
            },
            "baskets": {
                "listener_arn": "${aws_lb_listener.https.arn}",
                "priority": 20,
                "condition": {"path_pattern": {"values": ["/baskets/*"]}},
                "action": {"type": "forward", "target_group_arn": "${aws_lb_target_group.web.arn}"},
            },
        },
    }
}
_HTTP: Final = "resource.aws_lb_listener.http"
_HTTPS: Final = "resource.aws_lb_listener.https"
_RULE: Final = "resource.aws_lb_listener_rule.orders"


def _protocol(listener: Block) -> str | Unknown | None:
    """Return the protocol; HTTP for a listener of an Application Load Balancer without one."""
    value = listener.text("protocol")
    if value is not None:
        return value.upper() if isinstance(value, str) else value
    balancer = listener.target("load_balancer_arn", *_BALANCERS)
    kind = balancer.get("load_balancer_type") if balancer is not None else "gateway"
    return "HTTP" if kind in (None, "application") else None


@rule(
    "API-025",
    "Load balancer redirects HTTP to HTTPS",
    why="Passwords, cookies and responses cross the internet in plain text.",
    fix="Redirect to HTTPS on port 443 with status_code HTTP_301 in the default_action of the HTTP listener.",
    page=f"{_ELB}/create-http-listener.html",
    types=[*_LISTENERS, *_RULES],
    severity=Severity("info", "error", "error"),
    lessons=["TRD-4"],
    frameworks=Frameworks(fsbp=("ELB.1",), pci=("4.2.1",), checkov=("CKV_AWS_2", "CKV2_AWS_20")),
    good=_GOOD,
    breaks=[
        {f"{_HTTP}.default_action": {"type": "forward", "target_group_arn": "${aws_lb_target_group.web.arn}"}},
        {f"{_HTTP}.default_action.redirect.protocol": REMOVED},
        {f"{_HTTP}.protocol": REMOVED, f"{_HTTP}.default_action": [{"type": "authenticate-oidc"}]},
        {f"{_RULE}.listener_arn": "${aws_lb_listener.http.arn}"},
    ],
)
def http_is_redirected_to_https(block: Block) -> Iterator[Outcome]:
    """A fixed response forwards nothing; rules of an HTTP listener are checked by their own actions."""
    listener = block if block.type in _LISTENERS else block.target("listener_arn", *_LISTENERS)
    protocol = _protocol(listener) if listener is not None else undecidable(block.get("listener_arn"))
    at = "default_action" if block.type in _LISTENERS else "action"
    if isinstance(protocol, Unknown):
        yield block.undecided(protocol, "protocol" if listener is block else "listener_arn")
    elif protocol != "HTTP":
        yield NotApplicable("not an HTTP listener")
    else:
        for action in block.sections(at):
            yield from _is_closed(action)


def _is_closed(action: Section) -> Iterator[Outcome]:
    type_ = action.get("type")
    if isinstance(type_, Unknown):
        yield action.undecided(type_, "type")
    elif type_ in _SENDING_ON:
        yield action.fail('must be "redirect" to HTTPS, or "fixed-response": the listener accepts plain HTTP', "type")
    elif type_ == "redirect":
        value = action.get("redirect.protocol")
        if isinstance(value, Unknown):
            yield action.undecided(value, "redirect.protocol")
        elif value != "HTTPS":
            yield action.fail('must be "HTTPS"; the default keeps the protocol, HTTP', "redirect.protocol")


@rule(
    "API-026",
    "Load balancer listener requires TLS 1.2 or later",
    why="The default policy accepts TLS 1.0 and 1.1, which have known weaknesses and which PCI DSS forbids for card "
    "data.",
    fix='Set ssl_policy to "ELBSecurityPolicy-TLS13-1-2-Res-2021-06".',
    page=f"{_ELB}/describe-ssl-policies.html",
    types=_LISTENERS,
    lessons=["TRD-4"],
    frameworks=Frameworks(fsbp=("ELB.17",), pci=("4.2.1",), checkov=("CKV_AWS_103", "CKV2_AWS_74")),
    good=_GOOD,
    breaks=[
        {f"{_HTTPS}.ssl_policy": "ELBSecurityPolicy-2016-08"},
        {f"{_HTTPS}.ssl_policy": REMOVED},
        {f"{_HTTPS}.ssl_policy": "ELBSecurityPolicy-TLS13-1-0-2021-06", f"{_HTTPS}.protocol": "TLS"},
    ],
)
def listener_requires_tls_1_2(listener: Block) -> Iterator[Outcome]:
    """TLS listeners of Network Load Balancers are checked too."""
    protocol, policy = _protocol(listener), listener.get("ssl_policy")
    if isinstance(protocol, Unknown):
        yield listener.undecided(protocol, "protocol")
    elif protocol not in ("HTTPS", "TLS"):
        yield NotApplicable("not an HTTPS or TLS listener")
    elif isinstance(policy, Unknown):
        if not policy.text.startswith(_MODERN):
            yield listener.undecided(policy, "ssl_policy")
    elif not str(policy).startswith(_MODERN):
        yield listener.fail(
            'must be a policy that requires TLS 1.2 or later, such as "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"',
            "ssl_policy",
        )


@rule(
    "API-027",
    "Load balancer HTTPS or TLS listener has a certificate",
    why="AWS rejects the listener at apply; terraform validate and plan do not report it.",
    fix="Set certificate_arn to the ARN of a validated certificate in the same region.",
    page=f"{_ELB}/https-listener-certificates.html",
    types=_LISTENERS,
    lessons=["TRD-4"],
    good=_GOOD,
    breaks=[{f"{_HTTPS}.certificate_arn": REMOVED}, {f"{_HTTPS}.certificate_arn": ""}],
)
def listener_has_a_certificate(listener: Block) -> Iterator[Outcome]:
    """An aws_lb_listener_certificate adds further certificates; it does not set the default one."""
    protocol = _protocol(listener)
    if isinstance(protocol, Unknown):
        yield listener.undecided(protocol, "protocol")
    elif protocol not in ("HTTPS", "TLS"):
        yield NotApplicable("not an HTTPS or TLS listener")
    else:
        yield from expect_set(
            listener, "certificate_arn", f"must be the ARN of a certificate, since protocol is {protocol}"
        )


@rule(
    "API-028",
    "Load balancer listener ports and rule priorities are unique",
    why="AWS rejects the duplicate at apply; terraform validate and plan do not report it.",
    fix="Give each listener of a load balancer its own port, and each rule of a listener its own priority.",
    page=f"{_ELB}/listener-update-rules.html",
    types=[*_LISTENERS, *_RULES],
    good=_GOOD,
    breaks=[
        {f"{_RULE}.priority": 20},
        {f"{_RULE}.priority": "20"},
        {f"{_HTTP}.port": 443},
    ],
)
def ports_and_priorities_are_unique(block: Block) -> Iterator[Outcome]:
    """Conditional blocks are exempt: often only one of two listeners is created."""
    at = "port" if block.type in _LISTENERS else "priority"
    value = block.number(at)
    if isinstance(value, Unknown):
        yield block.undecided(value, at)
        return
    owner_at = "load_balancer_arn" if at == "port" else "listener_arn"
    owner = block.target(owner_at, *_BALANCERS, *_LISTENERS)
    if owner is None or value is None:
        return
    first = _taken(block.estate, at).get((owner, value), block)
    if first is not block and not may_be_absent(block):
        yield block.fail(f"must be unique in {called(owner, block)}: {called(first, block)} has the same {at}", at)


@lru_cache(maxsize=8)
def _taken(estate: Estate, at: str) -> dict[tuple[Block, float], Block]:
    """Return the first block for each owner and port or priority."""
    types, owner_at = (_LISTENERS, "load_balancer_arn") if at == "port" else (_RULES, "listener_arn")
    found: dict[tuple[Block, float], Block] = {}
    for block in estate.of(*types):
        owners = block.targets(owner_at, *_BALANCERS, *_LISTENERS)
        value = block.number(at)
        plain = at == "priority" or _protocol(block) in ("HTTP", "HTTPS")
        if len(owners) == 1 and isinstance(value, int | float) and plain and not may_be_absent(block):
            found.setdefault((owners[0], value), block)
    return found
