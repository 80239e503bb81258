"""Rules about regions and providers: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.foundation.regions import REGIONS
from constructs_lib.rules.facts import crossing, regions
from constructs_lib.rules.rule import REMOVED, changed
from tests.rules.asking import RULES, doubted, found
from tests.rules.catalogue.regions.documents import eu, two_regions, us


def test_the_same_provider_is_the_same_region_even_if_nobody_knows_which() -> None:
    document = {
        "provider": {"aws": {"region": "${var.region}"}},
        "variable": {"region": {}},
        "resource": {"aws_vpc": {"main": {}}, "aws_subnet": {"a": {"vpc_id": "${aws_vpc.main.id}"}}},
    }
    assert found("REG-002", document) == []


def test_regions_that_are_not_known_are_not_compared() -> None:
    document = two_regions(aws_vpc={"us": us()}, aws_subnet={"a": eu(vpc_id="${aws_vpc.us.id}")})
    document["provider"] = {"aws": [{"alias": "us", "region": "${var.region}"}, {"alias": "eu", "region": "eu-west-1"}]}
    assert doubted("REG-002", document | {"variable": {"region": {}}}) == ["var.region has no default"]


def test_a_key_alias_names_no_region() -> None:
    assert found("REG-006", two_regions(aws_sqs_queue={"a": eu(kms_master_key_id="alias/shop")})) == []


def test_every_exception_is_about_an_attribute_that_is_bound_otherwise() -> None:
    names = crossing.BOUND | crossing.KEYS
    assert [path for _, path in crossing.MAY_CROSS if path.rpartition(".")[2] not in names] == []


@pytest.mark.parametrize(
    ("region", "zone", "right"),
    [
        ("us-west-2", "us-west-2a", True),
        ("us-west-2", "us-west-2-lax-1a", True),
        ("us-east-1", "us-east-1-wl1-bos-wlz-1", True),
        ("us-gov-west-1", "us-gov-west-1a", True),
        ("us-west-1", "us-gov-west-1a", False),
        ("eu-west-1", "eu-west-10a", True),
    ],
)
def test_zones_are_read_whole(region: str, zone: str, right: bool) -> None:  # noqa: FBT001
    document = {
        "provider": {"aws": {"region": region}},
        "resource": {"aws_instance": {"web": {"availability_zone": zone}}},
    }
    assert (found("REG-005", document) == []) is right


def test_lists_of_zones_are_looked_at_one_by_one() -> None:
    document = {
        "provider": {"aws": {"region": "eu-west-1"}},
        "resource": {"aws_rds_cluster": {"db": {"availability_zones": ["eu-west-1a", "eu-west-2b"]}}},
    }
    (message,) = found("REG-005", document)
    assert message.startswith('aws_rds_cluster.db: availability_zones.1 = "eu-west-2b"')


def test_a_zone_is_read_through_a_function() -> None:
    document = two_regions(
        aws_subnet={"a": eu(availability_zone="${element(data.aws_availability_zones.us.names, 0)}")}
    )
    document["data"] = {"aws_availability_zones": {"us": us()}}
    assert len(found("REG-005", document)) == 1


@pytest.mark.parametrize(
    "service",
    [
        "com.amazonaws.${data.aws_region.current.id}.sqs",
        "com.amazonaws.s3-global.accesspoint",
        "aws.sagemaker.eu-west-1.notebook",
    ],
)
def test_services_of_the_region_and_of_none_are_clean(service: str) -> None:
    document = {
        "provider": {"aws": {"region": "eu-west-1"}},
        "data": {"aws_region": {"current": {}}},
        "resource": {"aws_vpc_endpoint": {"a": {"service_name": service}}},
    }
    assert found("REG-008", document) == []


def test_an_endpoint_in_a_region_that_is_not_known_is_not_decided() -> None:
    document = {
        "provider": {"aws": {"region": "${var.region}"}},
        "variable": {"region": {}},
        "resource": {"aws_vpc_endpoint": {"a": {"service_name": "com.amazonaws.eu-west-1.s3"}}},
    }
    assert doubted("REG-008", document) == ["var.region has no default"]


def test_a_function_at_the_edge_is_in_us_east_1() -> None:
    edge = {"lambda_function_association": {"lambda_arn": "${aws_lambda_function.edge.qualified_arn}"}}
    document = two_regions(
        aws_lambda_function={"edge": eu()}, aws_cloudfront_distribution={"cdn": us(default_cache_behavior=edge)}
    )
    assert len(found("REG-009", document)) == 1


def test_a_validated_certificate_is_followed() -> None:
    document = two_regions(
        aws_acm_certificate_validation={"cdn": us()},
        aws_cloudfront_distribution={
            "cdn": eu(
                viewer_certificate={"acm_certificate_arn": "${aws_acm_certificate_validation.cdn.certificate_arn}"}
            )
        },
    )
    assert found("REG-009", document) == []


def test_a_regional_domain_has_its_certificate_at_home() -> None:
    document = two_regions(
        aws_acm_certificate={"api": eu()},
        aws_api_gateway_domain_name={"api": eu(regional_certificate_arn="${aws_acm_certificate.api.arn}")},
    )
    assert found("REG-009", document) == []
    assert found("REG-002", document) == []


def test_a_partition_that_is_looked_up_or_chosen_is_clean() -> None:
    document = {
        "provider": {"aws": {"region": "cn-north-1"}},
        "data": {"aws_partition": {"current": {}}},
        "resource": {
            "aws_iam_role_policy_attachment": {
                "a": {"policy_arn": "arn:${data.aws_partition.current.partition}:iam::aws:policy/ReadOnlyAccess"},
                "b": {"policy_arn": '${var.china ? "arn:aws-cn:iam::aws:policy/A" : "arn:aws:iam::aws:policy/A"}'},
            }
        },
    }
    assert found("REG-010", document) == []


def test_policy_documents_of_a_stack_in_two_partitions_may_be_for_either() -> None:
    document: dict[str, Any] = {
        "provider": {"aws": [{"region": "eu-west-1"}, {"region": "cn-north-1", "alias": "cn"}]},
        "data": {"aws_iam_policy_document": {"a": {"statement": {"resources": ["arn:aws-cn:s3:::logs"]}}}},
    }
    assert found("REG-010", document) == []
    del document["provider"]["aws"][1]
    assert len(found("REG-010", document)) == 1


def test_other_attributes_and_other_blocks_may_be_called_name() -> None:
    document = {
        "data": {"aws_region": {"current": {}}, "aws_availability_zone": {"a": {}}},
        "locals": {"zone": "${data.aws_availability_zone.a.name}", "region": "${data.aws_region.current.region}"},
    }
    assert found("REG-011", document) == []


def test_the_name_is_found_in_outputs_and_within_texts() -> None:
    document = {
        "data": {"aws_region": {"all": {"for_each": {"a": 1}}}},
        "output": {"url": {"value": 'https://sqs.${data.aws_region.all["a"].name}.amazonaws.com'}},
    }
    assert found("REG-011", document)


@pytest.mark.parametrize(
    "ami",
    [
        '${lookup(local.images, "sa-east-1", "ami-0")}',
        '${try(local.images["sa-east-1"], "ami-0")}',
        '${contains(keys(local.images), "sa-east-1") ? local.images["sa-east-1"] : "ami-0"}',
        '${local.names["sa-east-1"]}',
        "${local.images[var.region]}",
        "image-${local.images[var.region]}",
        '${local.nested.images["us-east-1"]}',
    ],
)
def test_maps_with_a_default_or_with_other_keys_are_clean(ami: str) -> None:
    document = {
        "variable": {"region": {}},
        "locals": {
            "images": {"us-east-1": "ami-1"},
            "names": {"sa-east-1": "ami-1", "default": "ami-2"},
            "nested": {"images": {"us-east-1": "ami-1"}},
        },
        "resource": {"aws_instance": {"web": {"ami": ami}}},
    }
    assert found("REG-013", document) == []


def test_a_missing_region_of_a_variable_is_found() -> None:
    document = {
        "variable": {"images": {"default": {"us-east-1": "ami-1"}}, "region": {"default": "sa-east-1"}},
        "resource": {
            "aws_instance": {"a": {"ami": '${var.images["sa-east-1"]}'}, "b": {"ami": "${var.images[var.region]}"}}
        },
    }
    assert len(found("REG-013", document)) == 2


def test_a_region_that_has_no_such_resource_is_not_missed() -> None:
    rule = RULES["REG-014"]
    document = changed(rule.good, {"locals.vpcs.ap-southeast-1": REMOVED, "resource.aws_vpc.ap_southeast_1": REMOVED})
    assert found("REG-014", document) == []


def test_a_map_of_peers_leaves_out_its_own_region() -> None:
    document = changed(RULES["REG-014"].good, {"locals.vpcs.ap-southeast-1": REMOVED})
    document["locals"] = {"peer_vpcs": document["locals"]["vpcs"]}
    assert found("REG-014", document) == []


def test_a_map_by_the_peers_region_is_not_by_its_own() -> None:
    document = two_regions(aws_vpc_peering_connection={"a": us(), "b": eu()})
    document["output"] = {
        "connections": {
            "value": {
                "eu-west-1": "${aws_vpc_peering_connection.a.id}",
                "us-east-1": "${aws_vpc_peering_connection.b.id}",
            }
        }
    }
    assert found("REG-014", document) == []


@pytest.mark.parametrize(
    ("region", "short", "partition"),
    [
        ("us-east-1", "use1", "aws"),
        ("ap-southeast-2", "apse2", "aws"),
        ("ap-northeast-1", "apne1", "aws"),
        ("us-gov-west-1", "usgw1", "aws-us-gov"),
        ("cn-northwest-1", "cnnw1", "aws-cn"),
        ("mx-central-1", "mxc1", "aws"),
    ],
)
def test_regions_are_shortened_as_in_zone_ids(region: str, short: str, partition: str) -> None:
    assert regions.is_name(region)
    assert regions.short_name(region) == short
    assert regions.partition_of(region) == partition


def test_every_known_region_has_the_form_of_one_and_short_forms_of_its_own() -> None:
    assert [region for region in REGIONS if not regions.is_name(region)] == []
    assert len(regions.SHORT_FORMS) == 2 * len(REGIONS)


def test_resolvers_are_regional_although_route_53_is_not() -> None:
    assert regions.is_global("aws_route53_record")
    assert not regions.is_global("aws_route53_resolver_endpoint")
    assert regions.is_global("data.aws_iam_role")
    assert not regions.is_global("aws_wafv2_web_acl")
