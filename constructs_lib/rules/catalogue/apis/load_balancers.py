"""Load balancers and target groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Computed, Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, expect, expect_flag, expect_set
from constructs_lib.rules.queries.firewalls import is_behind_web_acl
from constructs_lib.rules.queries.links import undecidable
from constructs_lib.rules.queries.networks import other_ends
from constructs_lib.rules.rule import ADVICE, PRODUCTION, REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.blocks import Block, Section
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
    "A load balancer writes access logs",
    why="Nobody can tell afterwards who asked for what, and which target was slow.",
    fix="Give access_logs with a bucket and enabled = true.",
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
def balancer_writes_access_logs(balancer: Block) -> Iterator[Outcome]:
    """A network load balancer logs its TLS listeners only, a gateway load balancer nothing."""
    kind = _kind(balancer)
    if kind == "gateway" or (kind == "network" and not _has_tls(balancer)):
        yield NotApplicable("this kind writes none")
        return
    section = balancer.section("access_logs")
    if section is None:
        yield balancer.fail("must name a bucket, with enabled = true", "access_logs")
    else:
        yield from expect_flag(section, "enabled", "must be true; the bucket alone turns nothing on")


def _has_tls(balancer: Block) -> bool:
    listeners = balancer.referrers_at("load_balancer_arn", "aws_lb_listener", "aws_alb_listener")
    return any(listener.get("protocol") == "TLS" for listener in listeners)


@rule(
    "API-031",
    "A load balancer is protected from deletion",
    why="A mistake in a plan takes the address away that customers and DNS use.",
    fix="Set enable_deletion_protection to true.",
    page=f"{_ELB}/edit-load-balancer-attributes.html",
    types=_BALANCERS,
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("ELB.6",), checkov=("CKV_AWS_150",)),
    good=_GOOD,
    breaks=[{f"{_AT}.enable_deletion_protection": REMOVED}, {f"{_AT}.enable_deletion_protection": "false"}],
)
def balancer_is_protected(balancer: Block) -> Iterator[Outcome]:
    """Off is the default."""
    yield from expect_flag(balancer, "enable_deletion_protection", "must be true where customers depend on it")


@rule(
    "API-032",
    "A load balancer drops malformed headers",
    why="Headers that targets read differently from the load balancer let requests be smuggled past it.",
    fix="Set drop_invalid_header_fields to true.",
    page=f"{_ELB}/edit-load-balancer-attributes.html",
    types=_BALANCERS,
    severity=WARNING,
    frameworks=Frameworks(fsbp=("ELB.4",), checkov=("CKV_AWS_131",)),
    good=_GOOD,
    breaks=[{f"{_AT}.drop_invalid_header_fields": REMOVED}, {f"{_AT}.drop_invalid_header_fields": False}],
)
def balancer_drops_invalid_headers(balancer: Block) -> Iterator[Outcome]:
    """Only application load balancers read headers."""
    if _kind(balancer) in ("network", "gateway"):
        yield NotApplicable("reads no headers")
        return
    yield from expect_flag(balancer, "drop_invalid_header_fields", "must be true; AWS lets them through by default")


@rule(
    "API-033",
    "A load balancer defends targets against ambiguous requests",
    why="In monitor mode requests that targets may read in two ways are sent on.",
    fix='Leave desync_mitigation_mode out, or set it to "defensive" or "strictest".',
    page=f"{_ELB}/edit-load-balancer-attributes.html",
    types=[*_BALANCERS, "aws_elb"],
    severity=WARNING,
    frameworks=Frameworks(fsbp=("ELB.12",), checkov=("CKV_AWS_328",)),
    good=_GOOD,
    breaks=[{f"{_AT}.desync_mitigation_mode": "monitor"}],
)
def balancer_defends_against_desync(balancer: Block) -> Iterator[Outcome]:
    """Defensive is the default."""
    yield from expect(
        balancer,
        "desync_mitigation_mode",
        lambda value: value in (None, "", "defensive", "strictest"),
        'must be "defensive" or "strictest"',
    )


@rule(
    "API-034",
    "An application load balancer stands in two zones",
    why="AWS refuses fewer than two subnets, and two subnets of one zone; neither validate nor plan says so.",
    fix="Give one subnet of each of two zones.",
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
def balancer_stands_in_two_zones(balancer: Block) -> Iterator[Outcome]:
    """Network and gateway load balancers may stand in one."""
    if _kind(balancer) in ("network", "gateway"):
        yield NotApplicable("may stand in one zone")
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
        yield balancer.fail("must hold a subnet in each of two zones", at)
    elif len(set(plain)) < len(plain):
        yield balancer.fail("names a subnet twice; it must hold one in each of two zones", at)
    else:
        subnets = [end for each in mappings for end in other_ends(each, "subnet_id", "aws_subnet")]
        for name in _ZONES:
            yield from _differ(balancer, subnets or other_ends(balancer, "subnets", "aws_subnet"), name, at)


def _unknown_mapping(mappings: list[Section]) -> Unknown | None:
    """Return why it is not known how many subnets are mapped, or None."""
    for each in mappings:
        if isinstance(each.body, Unknown):
            return each.body
        if "dynamic" in each.at and (unknown := undecidable(each.get("subnet_id"))):
            return unknown
    return None


def _differ(balancer: Block, subnets: list[Block], name: str, at: str) -> Iterator[Outcome]:
    """Fail where two subnets name the same zone."""
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
                f"must hold one subnet of each zone: {first[text].address} and {subnet.address} are both in {text}", at
            )
            return
        first[text] = subnet
    if doubt:
        yield balancer.undecided(doubt, at)


@rule(
    "API-035",
    "A public load balancer stands behind a web ACL",
    why="Every bot and every known attack reaches the code behind it.",
    fix="Associate an aws_wafv2_web_acl with its ARN, or with a CloudFront distribution in front of it.",
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
    """An internal one is not on the internet, and others than application load balancers take no ACL."""
    internal = balancer.flag("internal")
    if _kind(balancer) in ("network", "gateway") or internal is True:
        yield NotApplicable("internal, or of a kind that takes no web ACL")
        return
    found = internal if isinstance(internal, Unknown) else is_behind_web_acl(balancer)
    if isinstance(found, Unknown):
        yield balancer.undecided(found, "internal" if found is internal else "")
    elif not found:
        yield balancer.fail("needs an aws_wafv2_web_acl_association with its ARN as resource_arn")


@rule(
    "API-036",
    "A target group asks its targets for a path",
    why="By default it asks for /, which many applications answer with a redirect, a login page, or in spite of a "
    "broken database.",
    fix="Set health_check.path to a page that answers 200 only when the application works.",
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
def target_group_asks_for_a_path(group: Block) -> Iterator[Outcome]:
    """Functions, gRPC and targets that are asked by TCP have no path of their own."""
    check = group.section("health_check")
    protocol, version = group.get("protocol"), group.get("protocol_version")
    asked = check.get("protocol") if check is not None else None
    by_http = asked in ("HTTP", "HTTPS") or (asked is None and protocol in ("HTTP", "HTTPS"))
    unknown = next(filter(None, map(undecidable, (asked, protocol))), None)
    if group.get("target_type") in ("lambda", "alb") or version == "GRPC":
        yield NotApplicable("its targets are not asked for a path")
    elif not by_http:
        yield group.undecided(unknown, "protocol") if unknown else NotApplicable("its targets are not asked by HTTP")
    elif check is None:
        yield group.fail("must name a path that answers 200 only when the application works", "health_check")
    else:
        yield from expect_flag(check, "enabled", "must be true, or broken targets get requests", default=True)
        yield from expect_set(check, "path", "must be a page that answers 200 only when the application works")
