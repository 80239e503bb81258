"""Custom domain names of APIs, and DNS records for APIs and load balancers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.apis import GATEWAY
from constructs_lib.rules.queries.common import AWS, expect, is_partly_known
from constructs_lib.rules.queries.links import undecidable
from constructs_lib.rules.rule import ADVICE, REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block, Estate, Stack
    from constructs_lib.rules.outcomes import Outcome

_ROUTE53: Final = f"{AWS}/Route53/latest/DeveloperGuide"
_DOMAIN: Final = "aws_api_gateway_domain_name"
_HTTP_DOMAIN: Final = "aws_apigatewayv2_domain_name"
_RECORD: Final = "aws_route53_record"
_ZONES: Final = ("aws_route53_zone", "data.aws_route53_zone")
_MAPPINGS: Final = ("aws_api_gateway_base_path_mapping", "aws_apigatewayv2_api_mapping")
_ENDPOINTS: Final = (
    "aws_lb",
    "aws_alb",
    "aws_elb",
    "aws_cloudfront_distribution",
    "aws_s3_bucket",
    "aws_globalaccelerator_accelerator",
    "aws_vpc_endpoint",
    _DOMAIN,
    _HTTP_DOMAIN,
)
_ZONE_AT: Final = {
    "aws_cloudfront_distribution": "hosted_zone_id",
    "aws_globalaccelerator_accelerator": "hosted_zone_id",
    "aws_s3_bucket": "hosted_zone_id",
    "aws_vpc_endpoint": "dns_entry[0].hosted_zone_id",
    _DOMAIN: "regional_zone_id",
    _HTTP_DOMAIN: "domain_name_configuration[0].hosted_zone_id",
}
"""The attribute with a target's hosted zone ID, where it is not `zone_id`."""
_TARGET_NAMES: Final = frozenset({"cloudfront_domain_name", "domain_name_configuration", "regional_domain_name"})
_OF_AWS: Final = re.compile(
    r"[^.]\.(?:elb\.(?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?|[a-z0-9-]+\.elb\.amazonaws\.com(?:\.cn)?"
    r"|cloudfront\.net|execute-api\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?|s3-website[.-][a-z0-9-]+\.amazonaws\.com"
    r"|[a-z0-9-]+\.elasticbeanstalk\.com|awsglobalaccelerator\.com)$"
)

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_route53_zone": {"main": {"name": "example.com"}},
        "aws_lb": {"web": {"name": "shop-prod-web"}},
        "aws_api_gateway_rest_api": {"shop": {"name": "shop-prod-api"}},
        "aws_api_gateway_domain_name": {
            "api": {
                "domain_name": "api.example.com",
                "security_policy": "TLS_1_2",
                "regional_certificate_arn": "arn:aws:acm:eu-west-1:111122223333:certificate/1",
                "endpoint_configuration": {"types": ["REGIONAL"]},
            }
        },
        "aws_apigatewayv2_domain_name": {
            "http": {
                "domain_name": "http.example.com",
                "domain_name_configuration": {"endpoint_type": "REGIONAL", "security_policy": "TLS_1_2"},
            }
        },
        "aws_api_gateway_base_path_mapping": {
            "api": {
                "api_id": "${aws_api_gateway_rest_api.shop.id}",
                "stage_name": "prod",
                "domain_name": "${aws_api_gateway_domain_name.api.domain_name}",
            }
        },
        "aws_apigatewayv2_api_mapping": {
            "http": {"api_id": "a1b2c3", "stage": "$default", "domain_name": "http.example.com"}
        },
        "aws_route53_record": {
            "api": {
                "zone_id": "${aws_route53_zone.main.zone_id}",
                "name": "api.example.com",
                "type": "A",
                "alias": {
                    "name": "${aws_api_gateway_domain_name.api.regional_domain_name}",
                    "zone_id": "${aws_api_gateway_domain_name.api.regional_zone_id}",
                    "evaluate_target_health": False,
                },
            },
            "http": {
                "zone_id": "${aws_route53_zone.main.zone_id}",
                "name": "http.example.com",
                "type": "CNAME",
                "ttl": 300,
                "records": ["${aws_apigatewayv2_domain_name.http.domain_name_configuration[0].target_domain_name}"],
            },
            "web": {
                "zone_id": "${aws_route53_zone.main.zone_id}",
                "name": "example.com",
                "type": "A",
                "alias": {
                    "name": "${aws_lb.web.dns_name}",
                    "zone_id": "${aws_lb.web.zone_id}",
                    "evaluate_target_health": True,
                },
            },
        },
    }
}
_AT: Final = "resource.aws_route53_record"


@rule(
    "API-016",
    "API Gateway domain name requires TLS 1.2 or later",
    why="TLS 1.0 and 1.1 have known weaknesses, and PCI DSS forbids them for card data. The default depends on the "
    "age and type of the domain name.",
    fix='Set security_policy to "TLS_1_2" or to one of the policies SecurityPolicy_TLS13_*.',
    page=f"{GATEWAY}/apigateway-custom-domain-tls-version.html",
    types=[_DOMAIN, _HTTP_DOMAIN],
    frameworks=Frameworks(pci=("4.2.1",), checkov=("CKV_AWS_206",)),
    good=_GOOD,
    breaks=[
        {f"resource.{_DOMAIN}.api.security_policy": "TLS_1_0"},
        {f"resource.{_DOMAIN}.api.security_policy": REMOVED},
        {f"resource.{_HTTP_DOMAIN}.http.domain_name_configuration.security_policy": "TLS_1_0"},
    ],
)
def domain_requires_tls_1_2(domain: Block) -> Iterator[Outcome]:
    """HTTP APIs support TLS_1_2 only, and the provider requires the argument."""
    at = "security_policy" if domain.type == _DOMAIN else "domain_name_configuration.security_policy"
    yield from expect(
        domain,
        at,
        lambda value: (
            str(value) == "TLS_1_2" or str(value).startswith(("SecurityPolicy_TLS13_", "SecurityPolicy_TLS12_"))
        ),
        'must be "TLS_1_2" or a policy SecurityPolicy_TLS13_*',
    )


@rule(
    "API-041",
    "Route 53 alias record has the hosted zone ID of its target",
    why="AWS rejects an alias with the ID of your own hosted zone: load balancers and API domain names have hosted "
    "zones of AWS.",
    fix="Take name and zone_id from the same resource, such as aws_lb.web.dns_name and aws_lb.web.zone_id.",
    page=f"{_ROUTE53}/resource-record-sets-values-alias.html",
    types=[_RECORD],
    lessons=["EVT-12"],
    good=_GOOD,
    breaks=[
        {f"{_AT}.web.alias.zone_id": "${aws_route53_zone.main.zone_id}"},
        {f"{_AT}.api.alias.zone_id": "${aws_api_gateway_domain_name.api.cloudfront_zone_id}"},
        {f"{_AT}.web.alias": [{"name": "${aws_lb.web.dns_name}", "zone_id": "${aws_route53_zone.main.id}"}]},
        {f"{_AT}.web.zone_id": "Z0123456789ABCDEFGHIJ", f"{_AT}.web.alias.zone_id": "Z0123456789ABCDEFGHIJ"},
    ],
    unknown_passes="the zone ID of a load balancer may be a literal of its region",
)
def alias_has_the_zone_id_of_its_target(record: Block) -> Iterator[Outcome]:
    """Compare the resources that name and zone_id reference."""
    for alias in record.sections("alias"):
        ends = alias.targets("name", *_ENDPOINTS)
        if not ends:
            yield NotApplicable("its target is not in the checked stacks")
            continue
        own = alias.targets("zone_id", *_ZONES)
        name, zone = str(alias.raw("name")), str(alias.raw("zone_id"))
        kinds = [{kind for kind in ("regional_", "cloudfront_") if f".{kind}" in text} for text in (name, zone)]
        is_own = own or (alias.raw("zone_id") and alias.raw("zone_id") == record.raw("zone_id"))
        if is_own and not alias.targets("zone_id", *_ENDPOINTS):
            wanted = f"{ends[0].address}.{_ZONE_AT.get(ends[0].type, 'zone_id')}"
            yield alias.fail(
                f"must be the hosted zone ID of the target, not of your own zone; set it to {wanted}", "zone_id"
            )
        elif all(kinds) and not kinds[0] & kinds[1]:
            yield alias.fail(
                f"must be the zone ID that belongs to {name}: both regional, or both CloudFront", "zone_id"
            )


@rule(
    "API-042",
    "Route 53 record references its target",
    why="A literal name remains after the load balancer or distribution is deleted; anyone who obtains that name "
    "next receives the domain's traffic (subdomain takeover).",
    fix="Reference the resource or a data source, so that the record changes, or the plan fails, when the target is "
    "gone.",
    page=f"{_ROUTE53}/resource-record-sets-choosing-alias-non-alias.html",
    types=[_RECORD],
    severity=ADVICE,
    frameworks=Frameworks(checkov=("CKV2_AWS_23",)),
    good=_GOOD,
    breaks=[
        {
            f"{_AT}.web.alias": {
                "name": "shop-prod-web-1234567890.eu-west-1.elb.amazonaws.com",
                "zone_id": "Z32O12XQLNTSW2",
            }
        },
        {f"{_AT}.http.records": ["d111111abcdef8.cloudfront.net"]},
        {f"{_AT}.http.records": ["a1b2c3.execute-api.eu-west-1.amazonaws.com."]},
    ],
    unknown_passes="a name from a variable, data source or resource is not a literal",
)
def record_references_its_target(record: Block) -> Iterator[Outcome]:
    """Find literal names in domains of AWS."""
    aliases = [(alias, "name", alias.get("name")) for alias in record.sections("alias")]
    values = record.items("records")
    listed = [(record, "records", value) for value in ([] if isinstance(values, Unknown) else values)]
    for section, at, value in (*aliases, *listed):
        if isinstance(value, str) and "${" not in str(section.raw(at)) and _OF_AWS.search(value.lower().rstrip(".")):
            yield section.fail(
                "must not be the literal name of an AWS endpoint; reference its resource or data source", at
            )


@rule(
    "API-043",
    "Route 53 CNAME record is not at the zone apex",
    why="Route 53 rejects a CNAME at the zone apex, because NS and SOA records exist there.",
    fix="Use an alias record of type A.",
    page=f"{_ROUTE53}/resource-record-sets-choosing-alias-non-alias.html",
    types=[_RECORD],
    good=_GOOD,
    breaks=[
        {f"{_AT}.http.name": "example.com"},
        {f"{_AT}.http.name": "${aws_route53_zone.main.name}"},
        {f"{_AT}.http.name": ""},
    ],
)
def no_cname_at_the_apex(record: Block) -> Iterator[Outcome]:
    """Compare the names of record and zone where both are known."""
    type_, name = record.get("type"), record.get("name")
    if type_ != "CNAME":
        yield record.undecided(type_, "type") if isinstance(type_, Unknown) else NotApplicable("not a CNAME record")
        return
    zone = record.target("zone_id", *_ZONES)
    top = zone.get("name") if zone is not None else None
    if isinstance(name, Unknown):
        if is_partly_known(name) and record.targets("name", *_ZONES):
            return  # a host below the apex
        same = name.block is zone if isinstance(name, Computed) else name.text == getattr(top, "text", None)
        if same and zone is not None:
            yield record.fail("must not be the zone apex; use an alias record of type A", "name")
        else:
            yield record.undecided(name, "name")
    elif name == "" or (isinstance(top, str) and str(name).lower().rstrip(".") == top.lower().rstrip(".")):
        yield record.fail("must not be the zone apex; use an alias record of type A", "name")


@rule(
    "API-044",
    "API Gateway domain name has an API mapping and a DNS record",
    why="Without a mapping the domain name returns 403; without a record it does not resolve.",
    fix="Declare an aws_api_gateway_base_path_mapping or aws_apigatewayv2_api_mapping, and an alias record for the "
    "domain name.",
    page=f"{GATEWAY}/how-to-custom-domains.html",
    types=[_DOMAIN, _HTTP_DOMAIN],
    severity=WARNING,
    lessons=["EVT-12"],
    good=_GOOD,
    breaks=[
        {"resource.aws_api_gateway_base_path_mapping": {}},
        {f"{_AT}.api": REMOVED},
        {"resource.aws_apigatewayv2_api_mapping.http.domain_name": "other.example.com"},
        {f"{_AT}.http.records": ["elsewhere.example.com"]},
    ],
    unknown_passes="a mapping with an unknown domain name may be for this one",
)
def domain_has_a_mapping_and_a_record(domain: Block) -> Iterator[Outcome]:
    """An output with the target's DNS name means that the record is created elsewhere."""
    if any(block.type == "module" for block in domain.referrers("module")):
        return
    name = domain.get("domain_name")
    mappings = _by_domain(domain.estate)
    if not domain.referrers_at("domain_name", *_MAPPINGS) and str(name) not in mappings:
        if doubt := mappings.get(None):
            yield domain.undecided(doubt, "domain_name")
        else:
            kind = _MAPPINGS[0] if domain.type == _DOMAIN else _MAPPINGS[1]
            yield domain.fail(f"must have an {kind} to an API", "domain_name")
    records = [block for block in domain.referrers() if "record" in block.type]
    if not records and not _is_put_out(domain.stack, domain):
        yield domain.fail(f"must have an {_RECORD} with an alias to it", "domain_name")


@lru_cache(maxsize=8)
def _by_domain(estate: Estate) -> dict[object, Unknown | None]:
    """Return the domain names of the mappings; those of unknown name under None."""
    found: dict[object, Unknown | None] = {}
    for mapping in estate.of(*_MAPPINGS):
        value = mapping.get("domain_name")
        unknown = undecidable(value)
        found[None if unknown else value if isinstance(value, str) else ""] = unknown
    return found


def _is_put_out(stack: Stack, domain: Block) -> bool:
    outputs = (block for block in stack.blocks if block.type == "output")
    return any(
        target is domain and (not reference.path or reference.path[0] in _TARGET_NAMES)
        for output in outputs
        for target, reference in stack.follow(output.body.get("value"))
    )
