"""Rules about labels: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import found
from tests.rules.catalogue.naming.documents import TWO


def test_labels_with_a_hash_of_cdktf_pass() -> None:
    document: dict[str, Any] = {"resource": {"aws_sqs_queue": {"jobs_queue_7C2F9D1E": {}, "_1st": {}}}}
    assert found("NAME-002", document) == []


def test_a_label_with_several_instances_is_reported_once() -> None:
    document = {"resource": {"aws_sqs_queue": {"jobQueue": {"count": 3}}}}
    assert found("NAME-002", document) == ["aws_sqs_queue.jobQueue[0]: must be in snake_case, such as job_queue"]


@pytest.mark.parametrize(
    "resources",
    [
        {"aws_vpc": {"main": {}}, "aws_acm_certificate": {"cdn": {"provider": "aws.eu"}}},
        {"aws_vpc": {"primary": {}, "replica": {"provider": "aws.eu"}}},
        {"aws_iam_role": {"worker": {}, "other": {"provider": "aws.eu"}}},
        {"aws_vpc": {"use1": {}, "euw1": {"provider": "aws.eu"}}},
        {"aws_vpc": {"us": {}, "main_eu": {"provider": "aws.eu"}}},
        {
            "aws_vpc_peering_connection": {
                "us_east_1_to_eu_west_1": {},
                "eu_west_1_to_us_east_1": {"provider": "aws.eu"},
            }
        },
        {"aws_vpc": {"all": {"for_each": {"us-east-1": 1, "eu-west-1": 2}, "region": "${each.key}"}}},
    ],
)
def test_unambiguous_labels_pass(resources: dict[str, Any]) -> None:
    assert found("NAME-003", {"provider": TWO, "resource": resources}) == []


def test_an_area_with_two_regions_does_not_count_as_region() -> None:
    providers = [{"region": "eu-central-1"}, {"alias": "eu", "region": "eu-west-1"}]
    document = {"provider": {"aws": providers}, "resource": {"aws_vpc": {"eu": {}, "eu_2": {"provider": "aws.eu"}}}}
    assert len(found("NAME-003", document)) == 2


def test_the_provider_alias_counts_as_region_if_the_region_is_a_variable() -> None:
    document = {
        "variable": {"region": {}},
        "provider": {"aws": [{"alias": "eu_west_1", "region": "${var.region}"}]},
        "resource": {"aws_vpc": {"us_east_1": {"provider": "aws.eu_west_1"}}},
    }
    assert found("NAME-003", document) == [
        "aws_vpc.us_east_1: label contains us-east-1, but the resource is in eu-west-1; correct the label or the provider"
    ]
