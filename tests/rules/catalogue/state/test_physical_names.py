"""Resources with the same physical name: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import found, look
from tests.rules.catalogue.state.documents import PROVIDER, SYNTHESIZED, source


def queues(**bodies: dict[str, Any]) -> dict[str, Any]:
    return {
        "provider": {"aws": [{"region": "us-east-1"}, {"alias": "eu", "region": "eu-west-1"}]},
        "resource": {"aws_sqs_queue": bodies},
    }


@pytest.mark.parametrize(
    "other",
    [
        {"name": "jobs", "provider": "aws.eu"},
        {"name": "jobs", "region": "eu-west-1"},
        {"name": "jobs", "count": "${var.on ? 1 : 0}"},
        {"name_prefix": "jobs"},
        {},
    ],
)
def test_one_name_in_two_regions_is_clean(other: dict[str, Any]) -> None:
    assert found("STATE-019", queues(jobs={"name": "jobs"}, other=other)) == []


def test_many_instances_of_one_name_are_one_finding() -> None:
    assert found("STATE-019", queues(jobs={"name": "jobs", "count": 5})) == [
        'aws_sqs_queue.jobs[1]: name = "jobs": must be unique; aws_sqs_queue.jobs[0] has the same name'
    ]


def test_providers_of_different_accounts_are_distinguished() -> None:
    document = queues(jobs={"name": "jobs"}, other={"name": "jobs", "provider": "aws.eu"})
    document["provider"]["aws"][1] = {"alias": "eu", "region": "us-east-1", "assume_role": {"role_arn": "x"}}
    assert found("STATE-019", document) == []


def test_equal_expressions_are_equal_names() -> None:
    document = queues(jobs={"name": "${var.env}-jobs"}, other={"name": "${var.env}-jobs"})
    document["variable"] = {"env": {}}
    assert len(found("STATE-019", document)) == 1


def test_security_groups_share_a_name_in_two_vpcs_only() -> None:
    groups = {"a": {"name": "web", "vpc_id": "vpc-1"}, "b": {"name": "web", "vpc_id": "vpc-2"}}
    document = {"provider": PROVIDER, "resource": {"aws_security_group": groups}}
    assert found("STATE-019", document) == []
    groups["b"]["vpc_id"] = "vpc-1"
    assert len(found("STATE-019", document)) == 1


def test_stacks_of_one_app_share_an_account() -> None:
    document = queues(jobs={"name": "shop-jobs"})
    assert look("STATE-019", source(document, "one"), source(document, "two"))[0] == []
    synthesized = {**SYNTHESIZED, **document}
    assert look("STATE-019", source(synthesized, "one"), source(synthesized, "two"))[0] == [
        'aws_sqs_queue.jobs: name = "shop-jobs": must be unique; aws_sqs_queue.jobs of the stack one has the same name'
    ]


def test_bucket_names_are_globally_unique() -> None:
    document = {"provider": PROVIDER, "resource": {"aws_s3_bucket": {"b": {"bucket": "acme"}}}}
    assert len(look("STATE-019", source(document, "one"), source(document, "two"))[0]) == 1
