"""Listeners of load balancers: TLS, redirects, and what AWS refuses to have twice."""

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

    from constructs_lib.rules.estate.blocks import Block, Section
    from constructs_lib.rules.estate.model import Estate
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
    """Return the protocol; HTTP where an application load balancer's listener names none."""
    value = listener.text("protocol")
    if value is not None:
        return value.upper() if isinstance(value, str) else value
    balancer = listener.target("load_balancer_arn", *_BALANCERS)
    kind = balancer.get("load_balancer_type") if balancer is not None else "gateway"
    return "HTTP" if kind in (None, "application") else None


@rule(
    "API-025",
    "HTTP is redirected to HTTPS",
    why="Passwords, cookies and answers cross the internet in plain text.",
    fix="Let the HTTP listener's default_action redirect to HTTPS on port 443 with HTTP_301.",
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
def http_is_redirected(block: Block) -> Iterator[Outcome]:
    """A fixed answer sends nothing on; a rule of an HTTP listener sends on what its action says."""
    listener = block if block.type in _LISTENERS else block.target("listener_arn", *_LISTENERS)
    protocol = _protocol(listener) if listener is not None else undecidable(block.get("listener_arn"))
    at = "default_action" if block.type in _LISTENERS else "action"
    if isinstance(protocol, Unknown):
        yield block.undecided(protocol, "protocol" if listener is block else "listener_arn")
    elif protocol != "HTTP":
        yield NotApplicable("no HTTP listener")
    else:
        for action in block.sections(at):
            yield from _is_closed(action)


def _is_closed(action: Section) -> Iterator[Outcome]:
    type_ = action.get("type")
    if isinstance(type_, Unknown):
        yield action.undecided(type_, "type")
    elif type_ in _SENDING_ON:
        yield action.fail('must be "redirect" to HTTPS, or "fixed-response": the listener speaks plain HTTP', "type")
    elif type_ == "redirect":
        value = action.get("redirect.protocol")
        if isinstance(value, Unknown):
            yield action.undecided(value, "redirect.protocol")
        elif value != "HTTPS":
            yield action.fail('must be "HTTPS"; without it the redirect stays with HTTP', "redirect.protocol")


@rule(
    "API-026",
    "A listener accepts TLS 1.2 and newer only",
    why="The default policy still speaks TLS 1.0 and 1.1, which are broken and forbidden for card data.",
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
def listener_speaks_modern_tls(listener: Block) -> Iterator[Outcome]:
    """TLS listeners of network load balancers too."""
    protocol, policy = _protocol(listener), listener.get("ssl_policy")
    if isinstance(protocol, Unknown):
        yield listener.undecided(protocol, "protocol")
    elif protocol not in ("HTTPS", "TLS"):
        yield NotApplicable("no TLS listener")
    elif isinstance(policy, Unknown):
        if not policy.text.startswith(_MODERN):
            yield listener.undecided(policy, "ssl_policy")
    elif not str(policy).startswith(_MODERN):
        yield listener.fail(
            'must be a policy of TLS 1.2 and newer, such as "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"', "ssl_policy"
        )


@rule(
    "API-027",
    "A TLS listener has a certificate",
    why="AWS refuses the listener; neither validate nor plan says so.",
    fix="Set certificate_arn to that of a validated certificate of the same region.",
    page=f"{_ELB}/https-listener-certificates.html",
    types=_LISTENERS,
    lessons=["TRD-4"],
    good=_GOOD,
    breaks=[{f"{_HTTPS}.certificate_arn": REMOVED}, {f"{_HTTPS}.certificate_arn": ""}],
)
def listener_has_a_certificate(listener: Block) -> Iterator[Outcome]:
    """Further certificates may be added by resources of their own, the first may not."""
    protocol = _protocol(listener)
    if isinstance(protocol, Unknown):
        yield listener.undecided(protocol, "protocol")
    elif protocol not in ("HTTPS", "TLS"):
        yield NotApplicable("no TLS listener")
    else:
        yield from expect_set(
            listener, "certificate_arn", f"must be the ARN of a certificate, since the protocol is {protocol}"
        )


@rule(
    "API-028",
    "No two listeners share a port, and no two rules a priority",
    why="AWS refuses the second one; neither validate nor plan says so.",
    fix="Give each listener of a load balancer a port of its own, and each rule of a listener a priority of its own.",
    page=f"{_ELB}/listener-update-rules.html",
    types=[*_LISTENERS, *_RULES],
    good=_GOOD,
    breaks=[
        {f"{_RULE}.priority": 20},
        {f"{_RULE}.priority": "20"},
        {f"{_HTTP}.port": 443},
    ],
)
def ports_and_priorities_differ(block: Block) -> Iterator[Outcome]:
    """What a plan may leave out shares nothing: often one of two listeners is made."""
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
        yield block.fail(f"is the {at} of {called(first, block)} too; {called(owner, block)} needs different ones", at)


@lru_cache(maxsize=8)
def _taken(estate: Estate, at: str) -> dict[tuple[Block, float], Block]:
    """Return the first block by what it belongs to and its port or priority."""
    types, owner_at = (_LISTENERS, "load_balancer_arn") if at == "port" else (_RULES, "listener_arn")
    found: dict[tuple[Block, float], Block] = {}
    for block in estate.of(*types):
        owners = block.targets(owner_at, *_BALANCERS, *_LISTENERS)
        value = block.number(at)
        plain = at == "priority" or _protocol(block) in ("HTTP", "HTTPS")
        if len(owners) == 1 and isinstance(value, int | float) and plain and not may_be_absent(block):
            found.setdefault((owners[0], value), block)
    return found
