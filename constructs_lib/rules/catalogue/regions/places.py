"""Zones, endpoints, partitions, and what has to be in us-east-1."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.regions import NAME, is_global, is_name, partition_of, short_name
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.queries.networks import other_end
from constructs_lib.rules.queries.texts import texts, without_positions
from constructs_lib.rules.rule import REMOVED, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_ZONES_AT: Final = frozenset(
    {
        "availability_zone",
        "availability_zone_id",
        "availability_zone_name",
        "availability_zones",
        "preferred_availability_zones",
        "preferred_cache_cluster_azs",
    }
)
_ZONE_ID: Final = re.compile(r"([a-z]{3,5}\d)-(?:[a-z]+\d+-)?az\d+")


@rule(
    "REG-005",
    "A zone is one of the resource's own region",
    why="AWS refuses the resource at apply: the zone does not exist in this region.",
    fix="Name a zone of the region, or take it from data.aws_availability_zones under the same provider.",
    page=f"{AWS}/AWSEC2/latest/UserGuide/using-regions-availability-zones.html",
    types=["*"],
    lessons=["PAY-1"],
    good={
        "provider": {"aws": [{"region": "us-east-1", "alias": "us"}, {"region": "eu-west-1", "alias": "eu"}]},
        "data": {"aws_availability_zones": {name: {"provider": f"aws.{name}"} for name in ("us", "eu")}},
        "resource": {
            "aws_subnet": {
                "a": {
                    "provider": "aws.eu",
                    "vpc_id": "vpc-0123456789abcdef0",
                    "cidr_block": "10.0.1.0/24",
                    "availability_zone": "eu-west-1a",
                },
                "b": {
                    "provider": "aws.eu",
                    "vpc_id": "vpc-0123456789abcdef0",
                    "cidr_block": "10.0.2.0/24",
                    "availability_zone": "${data.aws_availability_zones.eu.names[1]}",
                },
                "c": {
                    "provider": "aws.eu",
                    "vpc_id": "vpc-0123456789abcdef0",
                    "cidr_block": "10.0.3.0/24",
                    "availability_zone_id": "euw1-az3",
                },
            }
        },
    },
    breaks=[
        {"resource.aws_subnet.a.availability_zone": "us-east-1a"},
        {"resource.aws_subnet.a.availability_zone": "eu-west-2a"},
        {"resource.aws_subnet.b.availability_zone": "${data.aws_availability_zones.us.names[1]}"},
        {"resource.aws_subnet.c.availability_zone_id": "use1-az3"},
    ],
)
def zones_are_of_the_region(block: Block) -> Iterator[Outcome]:
    """Compare names, ids, and the region that a list of zones was asked in."""
    if not block.type.removeprefix("data.").startswith("aws_") or is_global(block.type):
        return
    for at, _ in texts(block):
        if without_positions(at) not in _ZONES_AT:
            continue
        value, region = block.get(at), block.region
        asked = block.targets(at, "data.aws_availability_zones", "data.aws_availability_zone")
        if isinstance(value, Unknown) and not isinstance(value, Computed) and not asked:
            yield block.undecided(value, at)
        elif isinstance(region, Unknown):
            same = [each.provider is block.provider for each in asked]
            if not all(same) or isinstance(value, str):
                yield block.undecided(region, at)
        elif isinstance(value, str):
            yield from _compared(block, at, value, region)
        elif len(asked) == 1 and isinstance(asked[0].region, str) and asked[0].region != region:
            yield block.fail(
                f"lists the zones of {asked[0].region}, this resource is in {region}; ask under its provider", at
            )


def _compared(block: Block, at: str, zone: str, region: str) -> Iterator[Outcome]:
    by_id, by_name = _ZONE_ID.fullmatch(zone), NAME.match(zone)
    wrong = (
        by_id[1] != short_name(region) if by_id and is_name(region) else by_name is not None and by_name[0] != region
    )
    if wrong:
        yield block.fail(f"is no zone of {region}, where this resource is; name one of its zones", at)


@rule(
    "REG-008",
    "A VPC endpoint is for a service of its own region",
    why="AWS refuses the endpoint at apply: the service does not exist in this region.",
    fix="Write the VPC's region into service_name; name a far one in service_region where AWS offers that.",
    page=f"{AWS}/vpc/latest/privatelink/aws-services-privatelink-support.html",
    types=["aws_vpc_endpoint"],
    lessons=["PAY-1"],
    good={
        "provider": {"aws": {"region": "eu-west-1"}},
        "resource": {
            "aws_vpc_endpoint": {
                "s3": {"vpc_id": "vpc-0123456789abcdef0", "service_name": "com.amazonaws.eu-west-1.s3"},
                "far": {
                    "vpc_id": "vpc-0123456789abcdef0",
                    "service_name": "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0",
                    "service_region": "us-east-1",
                    "vpc_endpoint_type": "Interface",
                },
            }
        },
    },
    breaks=[
        {"resource.aws_vpc_endpoint.s3.service_name": "com.amazonaws.us-east-1.s3"},
        {"resource.aws_vpc_endpoint.far.service_region": REMOVED},
        {"provider.aws.region": "eu-west-2"},
    ],
)
def endpoint_is_of_the_region(endpoint: Block) -> Iterator[Outcome]:
    """Compare the region within the service's name; names of global services have none."""
    service, wanted = endpoint.get("service_name"), endpoint.get("service_region")
    wanted = endpoint.region if wanted is None else wanted
    named = NAME.findall(service) if isinstance(service, str) else []
    if isinstance(service, Unknown) and not isinstance(service, Computed):
        yield endpoint.undecided(service, "service_name")
    elif named and isinstance(wanted, Unknown):
        yield endpoint.undecided(wanted, "service_name")
    elif named and wanted not in named:
        yield endpoint.fail(f"must be of {wanted}, where the endpoint is", "service_name")


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
"""Attributes that CloudFront reads, in its own name or behind an edge-optimised API or a login page."""

_SCOPED: Final = ("aws_wafv2_ip_set", "aws_wafv2_regex_pattern_set", "aws_wafv2_rule_group", "aws_wafv2_web_acl")


@rule(
    "REG-009",
    "Certificates, web ACLs and functions that CloudFront uses are in us-east-1",
    why="CloudFront reads them from there only; AWS refuses the distribution, or the edge-optimised domain, at apply.",
    fix="Make them under a provider for us-east-1.",
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
def edge_is_in_its_home(block: Block) -> Iterator[Outcome]:
    """Compare the region of what is used, given by reference or by ARN, with the one that CloudFront reads."""
    if isinstance(block.region, str) and partition_of(block.region) != "aws":
        yield NotApplicable("another partition")
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
        yield block.fail(f"CloudFront reads it from {_HOME} only, and {what} is in {region}; make it there", at)


_PARTITION: Final = re.compile(r"\barn:(aws[a-z-]*):")


@rule(
    "REG-010",
    "ARNs name the partition of the region",
    why="The ARNs of China and GovCloud begin otherwise; AWS refuses the policy, or nothing ever matches it.",
    fix="Write ${data.aws_partition.current.partition} in the place of the partition.",
    page=f"{AWS}/IAM/latest/UserGuide/reference-arns.html",
    types=["*"],
    good={
        "provider": {"aws": {"region": "us-gov-west-1"}},
        "resource": {
            "aws_iam_role_policy_attachment": {
                "fn": {
                    "role": "shop-prod-fn",
                    "policy_arn": "arn:aws-us-gov:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
                }
            },
            "aws_sqs_queue_policy": {
                "jobs": {
                    "queue_url": "https://sqs.us-gov-west-1.amazonaws.com/111122223333/jobs",
                    "policy": '{"Statement": [{"Resource": "arn:aws-us-gov:sqs:us-gov-west-1:111122223333:jobs"}]}',
                }
            },
        },
    },
    breaks=[
        {
            "resource.aws_iam_role_policy_attachment.fn.policy_arn": (
                "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
            )
        },
        {
            "resource.aws_sqs_queue_policy.jobs.policy": (
                '{"Statement": [{"Resource": "arn:aws:sqs:us-gov-west-1:111122223333:jobs"}]}'
            )
        },
        {"provider.aws.region": "cn-north-1"},
        {"provider.aws.region": "eu-west-1"},
    ],
    unknown_passes="a text that is not known does not say which partition it names",
)
def arns_are_of_the_partition(block: Block) -> Iterator[Outcome]:
    """Look for ARNs in every text; one that names several partitions chooses among them."""
    if not block.type.startswith(("aws_", "data.aws_")) or not _is_partitioned(block):
        return
    for at, raw in texts(block):
        if "arn:aws" not in raw:
            continue
        if isinstance(block.region, Unknown):
            return
        named = set(_PARTITION.findall(raw))
        wanted = partition_of(block.region)
        if len(named) == 1 and wanted not in named:
            yield block.fail(
                f"names the partition {named.pop()}; {block.region}, where this is used, is in {wanted}", at
            )


def _is_partitioned(block: Block) -> bool:
    """Whether the block's provider says where its texts are used: a policy document may be for another's."""
    if block.type != "data.aws_iam_policy_document":
        return True
    providers = (each for each in block.estate.of("provider.aws") if each.stack is block.stack)
    regions = (each.get("region") for each in providers)
    return len({partition_of(region) for region in regions if isinstance(region, str)}) == 1
