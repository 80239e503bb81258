"""Cross-region references, KMS keys and ARNs: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.rules.facts import crossing
from tests.rules.asking import doubted, found
from tests.rules.catalogue.regions.documents import eu, two_regions, us


@pytest.mark.parametrize(
    "types",
    [
        pytest.param(
            {"aws_iam_role": {"fn": us()}, "aws_lambda_function": {"fn": eu(role="${aws_iam_role.fn.arn}")}}, id="role"
        ),
        pytest.param(
            {
                "aws_vpc_peering_connection": {"p": us()},
                "aws_vpc_peering_connection_accepter": {
                    "p": eu(vpc_peering_connection_id="${aws_vpc_peering_connection.p.id}")
                },
                "aws_route": {"p": eu(vpc_peering_connection_id="${aws_vpc_peering_connection.p.id}")},
            },
            id="peering",
        ),
        pytest.param(
            {"aws_vpc": {"a": eu()}, "aws_route53_zone_association": {"a": us(vpc_id="${aws_vpc.a.id}")}}, id="zone"
        ),
        pytest.param(
            {"aws_lb": {"a": eu()}, "aws_route53_record": {"a": us(alias={"zone_id": "${aws_lb.a.zone_id}"})}},
            id="record",
        ),
        pytest.param(
            {
                "aws_kms_key": {"us": us(multi_region=True)},
                "aws_kms_replica_key": {"eu": eu(primary_key_arn="${aws_kms_key.us.arn}")},
            },
            id="replica key",
        ),
        pytest.param(
            {
                "aws_kms_key": {"us": us()},
                "aws_dynamodb_table": {
                    "t": eu(replica={"region_name": "us-east-1", "kms_key_arn": "${aws_kms_key.us.arn}"})
                },
            },
            id="replica table",
        ),
        pytest.param(
            {
                "aws_s3_bucket": {"us": us(bucket="b")},
                "aws_s3_bucket_replication_configuration": {
                    "eu": eu(bucket="a", rule={"destination": {"bucket": "${aws_s3_bucket.us.arn}"}})
                },
            },
            id="replica bucket",
        ),
        pytest.param(
            {"aws_sns_topic": {"us": us()}, "aws_sqs_queue": {"eu": eu()}}
            | {
                "aws_sns_topic_subscription": {
                    "s": us(topic_arn="${aws_sns_topic.us.arn}", endpoint="${aws_sqs_queue.eu.arn}")
                }
            },
            id="subscription",
        ),
        pytest.param(
            {
                "aws_cloudwatch_event_bus": {"us": us(name="bus")},
                "aws_cloudwatch_event_target": {"t": eu(arn="${aws_cloudwatch_event_bus.us.arn}")},
            },
            id="bus",
        ),
        pytest.param(
            {"aws_vpc": {"us": us()}, "aws_ssm_parameter": {"eu": eu(value="${aws_vpc.us.id}")}}, id="parameter"
        ),
        pytest.param(
            {
                "aws_vpc": {"us": us()},
                "aws_lambda_function": {"fn": eu(environment={"variables": {"vpc_id": "${aws_vpc.us.id}"}})},
            },
            id="environment",
        ),
        pytest.param(
            {"aws_vpc": {"us": us()}, "aws_subnet": {"eu": eu(tags={"vpc_id": "${aws_vpc.us.id}"})}}, id="tag"
        ),
        pytest.param(
            {
                "aws_acm_certificate": {"us": us()},
                "aws_api_gateway_domain_name": {"d": eu(certificate_arn="${aws_acm_certificate.us.arn}")},
            },
            id="edge certificate",
        ),
    ],
)
def test_allowed_cross_region_references_are_clean(types: dict[str, Any]) -> None:
    for id_ in ("REG-002", "REG-006", "REG-007"):
        assert found(id_, two_regions(**types)) == []


@pytest.mark.parametrize(
    ("id_", "types"),
    [
        (
            "REG-002",
            {
                "aws_acm_certificate": {"us": us()},
                "aws_lb_listener": {"a": eu(certificate_arn="${aws_acm_certificate.us.arn}")},
            },
        ),
        (
            "REG-002",
            {
                "aws_s3_bucket": {"us": us(bucket="b")},
                "aws_s3_bucket_versioning": {"a": eu(bucket="${aws_s3_bucket.us.id}")},
            },
        ),
        (
            "REG-002",
            {"aws_security_group": {"us": us()}, "aws_lb": {"a": eu(security_groups="${aws_security_group.us[*].id}")}},
        ),
        ("REG-002", {"aws_vpc": {"us": us()}, "aws_subnet": {"a": eu(vpc_id='${local.vpcs["us"]}')}}),
        (
            "REG-002",
            {
                "aws_sns_topic": {"us": us()},
                "aws_sns_topic_subscription": {"a": eu(topic_arn="${aws_sns_topic.us.arn}")},
            },
        ),
        (
            "REG-006",
            {
                "aws_kms_key": {"us": us()},
                "aws_s3_bucket_server_side_encryption_configuration": {
                    "a": eu(
                        rule=[
                            {
                                "apply_server_side_encryption_by_default": [
                                    {"kms_master_key_id": "${aws_kms_key.us.arn}"}
                                ]
                            }
                        ]
                    )
                },
            },
        ),
        (
            "REG-006",
            {"aws_kms_key": {"us": us()}, "aws_kms_alias": {"a": eu(target_key_id="${aws_kms_key.us.key_id}")}},
        ),
        (
            "REG-006",
            {
                "aws_kms_alias": {"us": us()},
                "aws_cloudwatch_log_group": {"a": eu(kms_key_id="${aws_kms_alias.us.target_key_arn}")},
            },
        ),
        ("REG-007", {"aws_lambda_function": {"a": eu(layers=["arn:aws:lambda:us-east-1:111122223333:layer:x:1"])}}),
        ("REG-007", {"aws_lb_listener": {"a": eu(certificate_arn="${local.certificate}")}}),
    ],
)
def test_other_forms_of_cross_region_references_are_found(id_: str, types: dict[str, Any]) -> None:
    document = two_regions(**types)
    document["locals"] = {
        "vpcs": {"us": "${aws_vpc.us.id}"},
        "certificate": "arn:aws:acm:us-east-1:111122223333:certificate/1",
    }
    assert len(found(id_, document)) == 1


def test_data_sources_are_in_the_region_of_their_provider() -> None:
    document = two_regions(aws_subnet={"a": eu(vpc_id="${data.aws_vpc.us.id}")}) | {"data": {"aws_vpc": {"us": us()}}}
    assert len(found("REG-002", document)) == 1


def test_a_reference_to_another_stack_of_another_region_is_found() -> None:
    far = {
        "provider": {"aws": {"region": "us-east-1"}},
        "resource": {"aws_vpc": {"far": {}}},
        "output": {"vpc": {"value": "${aws_vpc.far.id}"}},
    }
    near = {
        "provider": {"aws": {"region": "eu-west-1"}},
        "data": {"terraform_remote_state": {"cross-stack-reference-input-shop": {"backend": "local"}}},
        "resource": {
            "aws_subnet": {
                "a": {"vpc_id": "${data.terraform_remote_state.cross-stack-reference-input-shop.outputs.vpc}"}
            }
        },
    }
    (message,) = found("REG-002", far, near)
    assert "must be in eu-west-1, the region of this resource; aws_vpc.far is in us-east-1" in message


def test_a_conditional_reference_is_not_checked() -> None:
    document = two_regions(
        aws_vpc={"us": us(), "eu": eu()},
        aws_subnet={"a": eu(vpc_id="${var.here ? aws_vpc.eu.id : aws_vpc.us.id}")},
    ) | {"variable": {"here": {}}}
    assert found("REG-002", document) == []


def test_resources_of_one_provider_are_in_one_region_even_if_it_is_unknown() -> None:
    document = {
        "provider": {"aws": {"region": "${var.region}"}},
        "variable": {"region": {}},
        "resource": {"aws_vpc": {"main": {}}, "aws_subnet": {"a": {"vpc_id": "${aws_vpc.main.id}"}}},
    }
    assert found("REG-002", document) == []


def test_unknown_regions_are_undecided() -> None:
    document = two_regions(aws_vpc={"us": us()}, aws_subnet={"a": eu(vpc_id="${aws_vpc.us.id}")})
    document["provider"] = {"aws": [{"alias": "us", "region": "${var.region}"}, {"alias": "eu", "region": "eu-west-1"}]}
    assert doubted("REG-002", document | {"variable": {"region": {}}}) == ["var.region has no default"]


def test_a_key_alias_has_no_region() -> None:
    assert found("REG-006", two_regions(aws_sqs_queue={"a": eu(kms_master_key_id="alias/shop")})) == []


def test_every_exception_is_for_an_argument_that_is_otherwise_regional() -> None:
    names = crossing.BOUND | crossing.KEYS
    assert [path for _, path in crossing.MAY_CROSS if path.rpartition(".")[2] not in names] == []
