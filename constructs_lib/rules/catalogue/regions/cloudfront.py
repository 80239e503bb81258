"""Resources for CloudFront."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.regions import partition_of
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.networks import other_end
from constructs_lib.rules.queries.texts import texts, without_positions
from constructs_lib.rules.rule import REMOVED, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome


_HOME: Final = "us-east-1"


_USED: Final = {
    "aws_api_gateway_domain_name": ("certificate_arn",),
    "aws_appsync_domain_name": ("certificate_arn",),
    "aws_cloudfront_distribution": (
        "viewer_certificate.acm_certificate_arn",
        "web_acl_id",
        "default_cache_behavior.lambda_function_association.lambda_arn",
        "ordered_cache_behavior.lambda_function_association.lambda_arn",
    ),
    "aws_cognito_user_pool_domain": ("certificate_arn",),
}
"""Arguments of CloudFront, of edge-optimized APIs and of Cognito domains that need resources in us-east-1."""


_SCOPED: Final = ("aws_wafv2_ip_set", "aws_wafv2_regex_pattern_set", "aws_wafv2_rule_group", "aws_wafv2_web_acl")


@rule(
    "REG-009",
    "Certificate, web ACL or function for CloudFront is in us-east-1",
    why="CloudFront supports us-east-1 only: AWS rejects the distribution or the edge-optimized domain name at apply.",
    fix="Create the resource with a provider for us-east-1.",
    page=f"{AWS}/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html",
    types=[*_USED, *_SCOPED],
    lessons=["PAY-1", "EVT-12"],
    good={
        "provider": {"aws": [{"region": "eu-west-1"}, {"region": "us-east-1", "alias": "us_east_1"}]},
        "resource": {
            "aws_acm_certificate": {
                "cdn": {"provider": "aws.us_east_1", "domain_name": "cdn.shop.example", "validation_method": "DNS"}
            },
            "aws_wafv2_web_acl": {
                "cdn": {"provider": "aws.us_east_1", "name": "shop-prod-cdn", "scope": "CLOUDFRONT"},
                "api": {"provider": "aws", "name": "shop-prod-api", "scope": "REGIONAL"},
            },
            "aws_cloudfront_distribution": {
                "cdn": {
                    "provider": "aws",
                    "web_acl_id": "${aws_wafv2_web_acl.cdn.arn}",
                    "viewer_certificate": {"acm_certificate_arn": "${aws_acm_certificate.cdn.arn}"},
                }
            },
            "aws_api_gateway_domain_name": {
                "api": {
                    "provider": "aws",
                    "domain_name": "api.shop.example",
                    "certificate_arn": "arn:aws:acm:us-east-1:111122223333:certificate/1",
                }
            },
        },
    },
    breaks=[
        {"resource.aws_acm_certificate.cdn.provider": "aws"},
        {"resource.aws_wafv2_web_acl.cdn.provider": REMOVED},
        {
            "resource.aws_api_gateway_domain_name.api.certificate_arn": (
                "arn:aws:acm:eu-west-1:111122223333:certificate/1"
            ),
        },
        {"resource.aws_wafv2_web_acl.api.scope": "CLOUDFRONT"},
    ],
)
def cloudfront_resources_are_in_us_east_1(block: Block) -> Iterator[Outcome]:
    """Compare the region of each resource, which is a reference or an ARN."""
    if isinstance(block.region, str) and partition_of(block.region) != "aws":
        yield NotApplicable("it is in another partition")
        return
    if block.type in _SCOPED:
        scope = block.get("scope")
        if isinstance(scope, Unknown):
            yield block.undecided(scope, "scope")
        elif scope == "CLOUDFRONT":
            yield from _at_home(block, "scope", block.region, "this resource")
        return
    for at, _ in texts(block):
        if without_positions(at) not in _USED[block.type]:
            continue
        value = block.get(at)
        end = other_end(block, at)
        match = re.match(r"arn:[^:]*:[^:]*:([a-z0-9-]+):", value) if isinstance(value, str) else None
        if end is not None:
            yield from _at_home(block, at, end.region, end.address)
        elif match is not None and match[1] != _HOME:
            yield from _at_home(block, at, match[1], "it")
        elif isinstance(value, Unknown) and not isinstance(value, Computed):
            yield block.undecided(value, at)


def _at_home(block: Block, at: str, region: str | Unknown, what: str) -> Iterator[Outcome]:
    if isinstance(region, Unknown):
        yield block.undecided(region, at)
    elif region != _HOME:
        yield block.fail(f"must be in {_HOME} for CloudFront; {what} is in {region}", at)
