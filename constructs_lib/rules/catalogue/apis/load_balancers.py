"""Load balancers and target groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, expect, expect_flag, expect_set
from constructs_lib.rules.queries.firewalls import is_behind_web_acl
from constructs_lib.rules.queries.links import undecidable
from constructs_lib.rules.queries.networks import other_ends
from constructs_lib.rules.rule import ADVICE, PRODUCTION, REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Section
    from constructs_lib.rules.outcomes import Outcome

_ELB: Final = f"{AWS}/elasticloadbalancing/latest/application"
_BALANCERS: Final = ("aws_lb", "aws_alb")
_GROUPS: Final = ("aws_lb_target_group", "aws_alb_target_group")
_ZONES: Final = ("availability_zone", "availability_zone_id")

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_subnet": {
            "public_a": {"vpc_id": "vpc-0a1b2c3d", "availability_zone": "eu-west-1a"},
            "public_b": {"vpc_id": "vpc-0a1b2c3d", "availability_zone": "eu-west-1b"},
        },
        "aws_lb": {
            "web": {
                "name": "shop-prod-web",
                "load_balancer_type": "application",
                "subnets": ["${aws_subnet.public_a.id}", "${aws_subnet.public_b.id}"],
                "access_logs": {"bucket": "shop-prod-logs", "enabled": True},
                "enable_deletion_protection": True,
                "drop_invalid_header_fields": True,
                "desync_mitigation_mode": "defensive",
            },
            "cards": {
                "name": "shop-prod-cards",
                "load_balancer_type": "network",
                "internal": True,
                "subnets": ["${aws_subnet.public_a.id}"],
                "access_logs": {"bucket": "shop-prod-logs", "enabled": True},
                "enable_deletion_protection": True,
            },
        },
        "aws_lb_listener": {"cards": {"load_balancer_arn": "${aws_lb.cards.arn}", "protocol": "TLS", "port": 443}},
        "aws_lb_target_group": {
            "web": {"port": 8443, "protocol": "HTTPS", "target_type": "ip", "health_check": {"path": "/health"}}
        },
        "aws_wafv2_web_acl_association": {
            "web": {
                "resource_arn": "${aws_lb.web.arn}",
                "web_acl_arn": "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/1",
            }
        },
    }
}
_AT: Final = "resource.aws_lb.web"
_AT_GROUP: Final = "resource.aws_lb_target_group.web"


def _kind(balancer: Block) -> object:
    value = balancer.get("load_balancer_type")
    return "application" if value is None else value


@rule(
    "API-030",
    "Load balancer has access logging enabled",
    why="Incidents cannot be investigated: who sent a request, and which target was slow.",
    fix="Add an access_logs block with bucket and enabled = true.",
    page=f"{_ELB}/load-balancer-access-logs.html",
    types=_BALANCERS,
    severity=PRODUCTION,
    lessons=["TRD-11"],
    frameworks=Frameworks(fsbp=("ELB.5",), pci=("10.2.1",), checkov=("CKV_AWS_91",)),
    good=_GOOD,
    breaks=[
        {f"{_AT}.access_logs": REMOVED},
        {f"{_AT}.access_logs.enabled": REMOVED},
        {f"{_AT}.access_logs": [{"bucket": "shop-prod-logs", "enabled": "false"}]},
        {"resource.aws_lb.cards.access_logs": REMOVED},
    ],
)
def balancer_has_access_logging(balancer: Block) -> Iterator[Outcome]:
    """A Network Load Balancer logs TLS listeners only, a Gateway Load Balancer nothing."""
    kind = _kind(balancer)
    if kind == "gateway" or (kind == "network" and not _has_tls(balancer)):
        yield NotApplicable("load balancers of this type have no access logs")
        return
    section = balancer.section("access_logs")
    if section is None:
        yield balancer.fail("must set bucket, and set enabled to true", "access_logs")
    else:
        yield from expect_flag(section, "enabled", "must be true; bucket alone does not enable access logging")


def _has_tls(balancer: Block) -> bool:
    listeners = balancer.referrers_at("load_balancer_arn", "aws_lb_listener", "aws_alb_listener")
    return any(listener.get("protocol") == "TLS" for listener in listeners)


@rule(
    "API-031",
    "Load balancer has deletion protection enabled",
    why="A wrong plan can delete the load balancer, and with it the DNS name that clients use.",
    fix="Set enable_deletion_protection to true.",
    page=f"{_ELB}/edit-load-balancer-attributes.html",
    types=_BALANCERS,
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("ELB.6",), checkov=("CKV_AWS_150",)),
    good=_GOOD,
    breaks=[{f"{_AT}.enable_deletion_protection": REMOVED}, {f"{_AT}.enable_deletion_protection": "false"}],
)
def balancer_has_deletion_protection(balancer: Block) -> Iterator[Outcome]:
    """The default is false."""
    yield from expect_flag(
        balancer, "enable_deletion_protection", "must be true, or a wrong plan can delete the load balancer"
    )


@rule(
    "API-032",
    "Application Load Balancer drops invalid header fields",
    why="Targets may parse malformed headers differently from the load balancer, which allows request smuggling.",
    fix="Set drop_invalid_header_fields to true.",
    page=f"{_ELB}/edit-load-balancer-attributes.html",
    types=_BALANCERS,
    severity=WARNING,
    frameworks=Frameworks(fsbp=("ELB.4",), checkov=("CKV_AWS_131",)),
    good=_GOOD,
    breaks=[{f"{_AT}.drop_invalid_header_fields": REMOVED}, {f"{_AT}.drop_invalid_header_fields": False}],
)
def balancer_drops_invalid_header_fields(balancer: Block) -> Iterator[Outcome]:
    """Only Application Load Balancers parse headers."""
    if _kind(balancer) in ("network", "gateway"):
        yield NotApplicable("load balancers of this type do not parse headers")
        return
    yield from expect_flag(
        balancer, "drop_invalid_header_fields", "must be true; by default invalid header fields are forwarded"
    )


@rule(
    "API-033",
    "Load balancer mitigates HTTP desync attacks",
    why="In monitor mode ambiguous requests are forwarded, which allows request smuggling.",
    fix='Set desync_mitigation_mode to "defensive" or "strictest", or omit it.',
    page=f"{_ELB}/edit-load-balancer-attributes.html",
    types=[*_BALANCERS, "aws_elb"],
    severity=WARNING,
    frameworks=Frameworks(fsbp=("ELB.12",), checkov=("CKV_AWS_328",)),
    good=_GOOD,
    breaks=[{f"{_AT}.desync_mitigation_mode": "monitor"}],
)
def balancer_mitigates_desync(balancer: Block) -> Iterator[Outcome]:
    """The default is "defensive"."""
    yield from expect(
        balancer,
        "desync_mitigation_mode",
        lambda value: value in (None, "", "defensive", "strictest"),
        'must be "defensive" or "strictest"',
    )


@rule(
    "API-034",
    "Application Load Balancer spans two Availability Zones",
    why="AWS rejects fewer than two subnets, or two subnets in one zone, at apply; terraform validate and plan do "
    "not report it.",
    fix="Set subnets to one subnet in each of at least two Availability Zones.",
    page=f"{_ELB}/application-load-balancers.html",
    types=_BALANCERS,
    frameworks=Frameworks(fsbp=("ELB.13",)),
    good=_GOOD,
    breaks=[
        {f"{_AT}.subnets": ["${aws_subnet.public_a.id}"]},
        {f"{_AT}.subnets": ["${aws_subnet.public_a.id}", "${aws_subnet.public_a.id}"]},
        {"resource.aws_subnet.public_b.availability_zone": "eu-west-1a"},
        {f"{_AT}.subnets": REMOVED, f"{_AT}.subnet_mapping": [{"subnet_id": "${aws_subnet.public_a.id}"}]},
    ],
)
def balancer_spans_two_zones(balancer: Block) -> Iterator[Outcome]:
    """Network and Gateway Load Balancers may use a single zone."""
    if _kind(balancer) in ("network", "gateway"):
        yield NotApplicable("load balancers of this type may use a single Availability Zone")
        return
    mappings = balancer.sections("subnet_mapping")
    at = "subnet_mapping" if mappings else "subnets"
    values = [each.get("subnet_id") for each in mappings] if mappings else balancer.items("subnets")
    if isinstance(values, Unknown):
        yield balancer.undecided(values, at)
        return
    if unknown := _unknown_mapping(mappings):
        yield balancer.undecided(unknown, at)
        return
    named = [
        (value.block, value.text) if isinstance(value, Computed) else (None, value)
        for value in values
        if isinstance(value, str | Computed)
    ]
    plain = [pair for pair in named if "each." not in str(pair[1]) and "count." not in str(pair[1])]
    if len(values) < 2:  # noqa: PLR2004  two zones
        yield balancer.fail("must contain subnets in at least two Availability Zones", at)
    elif len(set(plain)) < len(plain):
        yield balancer.fail("must contain subnets in at least two Availability Zones; one subnet is listed twice", at)
    else:
        subnets = [end for each in mappings for end in other_ends(each, "subnet_id", "aws_subnet")]
        for name in _ZONES:
            yield from _differ(balancer, subnets or other_ends(balancer, "subnets", "aws_subnet"), name, at)


def _unknown_mapping(mappings: list[Section]) -> Unknown | None:
    """Return why the number of mapped subnets is unknown, or None."""
    for each in mappings:
        if isinstance(each.body, Unknown):
            return each.body
        if "dynamic" in each.at and (unknown := undecidable(each.get("subnet_id"))):
            return unknown
    return None


def _differ(balancer: Block, subnets: list[Block], name: str, at: str) -> Iterator[Outcome]:
    """Fail where two subnets are in the same zone."""
    first: dict[str, Block] = {}
    doubt: Unknown | None = None
    for subnet in subnets:
        zone = subnet.get(name)
        doubt = undecidable(zone) or doubt
        text = zone.text if isinstance(zone, Computed) else zone
        if not isinstance(text, str) or "each." in text or "count." in text:
            continue
        if text in first:
            yield balancer.fail(
                f"must contain one subnet per Availability Zone: {first[text].address} and {subnet.address} are both "
                f"in {text}",
                at,
            )
            return
        first[text] = subnet
    if doubt:
        yield balancer.undecided(doubt, at)


@rule(
    "API-035",
    "Internet-facing Application Load Balancer is associated with a WAF web ACL",
    why="Bots and known exploits reach the application unfiltered.",
    fix="Associate an aws_wafv2_web_acl with the load balancer's ARN, or with a CloudFront distribution in front of "
    "it.",
    page=f"{AWS}/waf/latest/developerguide/web-acl-associating-aws-resource.html",
    types=_BALANCERS,
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("ELB.16",), pci=("6.4.2",), checkov=("CKV2_AWS_28",)),
    good=_GOOD,
    breaks=[
        {"resource.aws_wafv2_web_acl_association": {}},
        {"resource.aws_wafv2_web_acl_association.web.resource_arn": "${aws_lb.cards.arn}"},
    ],
)
def public_balancer_has_a_web_acl(balancer: Block) -> Iterator[Outcome]:
    """An internal load balancer is not on the internet; only Application Load Balancers support web ACLs."""
    internal = balancer.flag("internal")
    if _kind(balancer) in ("network", "gateway") or internal is True:
        yield NotApplicable("internal, or of a type that does not support web ACLs")
        return
    found = internal if isinstance(internal, Unknown) else is_behind_web_acl(balancer)
    if isinstance(found, Unknown):
        yield balancer.undecided(found, "internal" if found is internal else "")
    elif not found:
        yield balancer.fail("must have an aws_wafv2_web_acl_association with its ARN as resource_arn")


@rule(
    "API-036",
    "Target group has a health check path",
    why="The default path is /, which many applications answer with a redirect or a login page, or even when their "
    "database is down.",
    fix="Set health_check.path to a page that returns 200 only while the application works.",
    page=f"{_ELB}/target-group-health-checks.html",
    types=_GROUPS,
    severity=ADVICE,
    frameworks=Frameworks(checkov=("CKV_AWS_261",)),
    good=_GOOD,
    breaks=[
        {f"{_AT_GROUP}.health_check": REMOVED},
        {f"{_AT_GROUP}.health_check.path": REMOVED},
        {f"{_AT_GROUP}.health_check": [{"path": "/health", "enabled": False}]},
    ],
)
def target_group_has_a_health_check_path(group: Block) -> Iterator[Outcome]:
    """Lambda and ALB targets, gRPC, and TCP health checks are exempt."""
    check = group.section("health_check")
    protocol, version = group.get("protocol"), group.get("protocol_version")
    check_protocol = check.get("protocol") if check is not None else None
    by_http = check_protocol in ("HTTP", "HTTPS") or (check_protocol is None and protocol in ("HTTP", "HTTPS"))
    unknown = next(filter(None, map(undecidable, (check_protocol, protocol))), None)
    if group.get("target_type") in ("lambda", "alb") or version == "GRPC":
        yield NotApplicable("health checks of this target type need no path")
    elif not by_http:
        yield group.undecided(unknown, "protocol") if unknown else NotApplicable("its health checks do not use HTTP")
    elif check is None:
        yield group.fail("must set path to a page that returns 200 only while the application works", "health_check")
    else:
        yield from expect_flag(check, "enabled", "must be true, or unhealthy targets receive requests", default=True)
        yield from expect_set(check, "path", "must be a page that returns 200 only while the application works")
