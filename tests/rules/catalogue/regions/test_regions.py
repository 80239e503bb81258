"""Rules about regions and providers: legal unusual code that stays clean, and other forms of each mistake."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.asking import broken, doubted, found, planned
from tests.rules.catalogue.regions.documents import eu, two_regions, us


def test_one_provider_needs_no_name() -> None:
    assert found("REG-001", {"provider": {"aws": {"region": "eu-west-1"}}, "resource": {"aws_vpc": {"main": {}}}}) == []


def test_what_asks_nobody_and_what_names_its_region_needs_no_provider() -> None:
    document = two_regions(aws_vpc={"main": {"region": "eu-west-1"}}, random_password={"db": {}})
    document["data"] = {"aws_iam_policy_document": {"fn": {}}, "aws_partition": {"current": {}}}
    assert found("REG-001", document) == []


def test_a_plan_does_not_tell_a_default_provider_that_is_named_from_one_that_is_not() -> None:
    document = planned(broken("REG-001", resource__aws_vpc__us__provider=None, data__aws_region__eu__provider=None))
    assert doubted("REG-001", document) == ["a plan does not say whether the default provider is named"]
    document["provider"]["aws"][0]["alias"] = "us_east_1"
    assert len(found("REG-001", document)) == 2


def test_providers_of_another_stack_do_not_count() -> None:
    one = {"provider": {"aws": {"region": "eu-west-1"}}, "resource": {"aws_vpc": {"main": {}}}}
    assert found("REG-001", one, two_regions()) == []


def test_a_module_may_be_given_its_providers() -> None:
    document = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "configuration_aliases": ["aws.eu"]}}},
        "resource": {"aws_vpc": {"main": {"provider": "aws.eu"}}},
    }
    assert found("REG-003", document) == []


@pytest.mark.parametrize("name", ["aws.eu", "${aws.eu}", "aws"])
def test_a_provider_may_be_named_as_text_or_reference(name: str) -> None:
    document = two_regions(aws_vpc={"main": {"provider": name}})
    assert found("REG-003", document) == []
    assert found("REG-015", document) == []


def test_other_providers_are_looked_at_as_well() -> None:
    document = {"resource": {"random_id": {"a": {"provider": "random.other"}}}}
    assert found("REG-003", document) == ['random_id.a: provider = "random.other": is not declared; declared are none']


@pytest.mark.parametrize(
    ("alias", "region", "agree"),
    [
        ("eu_west_1", "eu-west-1", True),
        ("peer-eu-west-1", "eu-west-1", True),
        ("EuWest1", "eu-west-1", True),
        ("euwest1", "eu-west-2", False),
        ("dr_usw2", "us-west-2", True),
        ("dr_usw2", "us-east-2", False),
        ("us_gov_west_1", "us-gov-west-1", True),
        ("us_gov_west_1", "us-west-1", False),
        ("eu_west_1_to_us_east_1", "us-east-1", True),
        ("primary", "ap-southeast-1", True),
        ("network", "us-east-1", True),
    ],
)
def test_aliases_are_read_in_full_and_in_short(alias: str, region: str, agree: bool) -> None:  # noqa: FBT001
    messages = found("REG-004", {"provider": {"aws": {"alias": alias, "region": region}}})
    assert (messages == []) is agree


def test_an_alias_is_compared_through_a_variable() -> None:
    document = {
        "provider": {"aws": {"alias": "eu_west_1", "region": "${var.region}"}},
        "variable": {"region": {"default": "eu-central-1"}},
    }
    assert len(found("REG-004", document)) == 1
    del document["variable"]["region"]["default"]
    assert doubted("REG-004", document) == ["var.region has no default"]


def test_a_block_that_is_repeated_by_other_keys_is_not_about_regions() -> None:
    document = {"provider": {"aws": {"region": "eu-west-1"}}}
    document["resource"] = {"aws_vpc": {"main": {"for_each": {"shop": "10.0.0.0/16"}, "cidr_block": "${each.value}"}}}  # type: ignore[dict-item]
    assert found("REG-016", document) == []


def test_parameters_for_other_regions_may_be_repeated_in_one() -> None:
    document = {
        "provider": {"aws": {"region": "eu-west-1"}},
        "resource": {"aws_ssm_parameter": {"peers": {"for_each": {"us-east-1": "a", "eu-west-1": "b"}}}},
    }
    assert found("REG-016", document) == []


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
def test_what_may_cross_is_clean(types: dict[str, Any]) -> None:
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
def test_other_forms_of_crossing_are_found(id_: str, types: dict[str, Any]) -> None:
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
    assert "aws_vpc.far is in us-east-1, this resource in eu-west-1" in message


def test_a_choice_that_only_a_plan_makes_is_left_alone() -> None:
    document = two_regions(
        aws_vpc={"us": us(), "eu": eu()},
        aws_subnet={"a": eu(vpc_id="${var.here ? aws_vpc.eu.id : aws_vpc.us.id}")},
    ) | {"variable": {"here": {}}}
    assert found("REG-002", document) == []
