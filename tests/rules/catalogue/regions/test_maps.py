"""Maps with regions as keys, and the aws_region data source: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

import pytest

from constructs_lib.rules.rule import REMOVED, changed
from tests.rules.asking import RULES, found
from tests.rules.catalogue.regions.documents import eu, two_regions, us


def test_other_attributes_and_other_data_sources_are_clean() -> None:
    document = {
        "data": {"aws_region": {"current": {}}, "aws_availability_zone": {"a": {}}},
        "locals": {"zone": "${data.aws_availability_zone.a.name}", "region": "${data.aws_region.current.region}"},
    }
    assert found("REG-011", document) == []


def test_the_attribute_is_found_in_outputs_and_within_strings() -> None:
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


def test_a_missing_region_in_a_variable_is_found() -> None:
    document = {
        "variable": {"images": {"default": {"us-east-1": "ami-1"}}, "region": {"default": "sa-east-1"}},
        "resource": {
            "aws_instance": {"a": {"ami": '${var.images["sa-east-1"]}'}, "b": {"ami": "${var.images[var.region]}"}}
        },
    }
    assert len(found("REG-013", document)) == 2


def test_a_region_without_such_a_resource_is_not_missing() -> None:
    rule = RULES["REG-014"]
    document = changed(rule.good, {"locals.vpcs.ap-southeast-1": REMOVED, "resource.aws_vpc.ap_southeast_1": REMOVED})
    assert found("REG-014", document) == []


def test_a_map_of_peers_may_omit_a_region() -> None:
    document = changed(RULES["REG-014"].good, {"locals.vpcs.ap-southeast-1": REMOVED})
    document["locals"] = {"peer_vpcs": document["locals"]["vpcs"]}
    assert found("REG-014", document) == []


def test_a_map_by_the_region_of_the_peer_is_not_checked() -> None:
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
