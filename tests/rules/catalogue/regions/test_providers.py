"""AWS providers, their aliases and regions: valid configurations pass, other forms of each mistake are found."""

from __future__ import annotations

import pytest

from tests.rules.asking import broken, doubted, found, planned
from tests.rules.catalogue.regions.documents import two_regions


def test_a_single_provider_may_be_implicit() -> None:
    assert found("REG-001", {"provider": {"aws": {"region": "eu-west-1"}}, "resource": {"aws_vpc": {"main": {}}}}) == []


def test_local_data_sources_and_resources_with_a_region_need_no_provider() -> None:
    document = two_regions(aws_vpc={"main": {"region": "eu-west-1"}}, random_password={"db": {}})
    document["data"] = {"aws_iam_policy_document": {"fn": {}}, "aws_partition": {"current": {}}}
    assert found("REG-001", document) == []


def test_an_explicit_default_provider_is_undecided_in_a_plan() -> None:
    document = planned(broken("REG-001", resource__aws_vpc__us__provider=None, data__aws_region__eu__provider=None))
    assert doubted("REG-001", document) == ["a plan does not show whether the default provider is explicit"]
    document["provider"]["aws"][0]["alias"] = "us_east_1"
    assert len(found("REG-001", document)) == 2


def test_providers_of_another_stack_do_not_count() -> None:
    one = {"provider": {"aws": {"region": "eu-west-1"}}, "resource": {"aws_vpc": {"main": {}}}}
    assert found("REG-001", one, two_regions()) == []


def test_configuration_aliases_of_a_module_are_defined() -> None:
    document = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "configuration_aliases": ["aws.eu"]}}},
        "resource": {"aws_vpc": {"main": {"provider": "aws.eu"}}},
    }
    assert found("REG-003", document) == []


@pytest.mark.parametrize("name", ["aws.eu", "${aws.eu}", "aws"])
def test_a_provider_may_be_a_string_or_a_reference(name: str) -> None:
    document = two_regions(aws_vpc={"main": {"provider": name}})
    assert found("REG-003", document) == []
    assert found("REG-015", document) == []


def test_other_providers_are_checked_too() -> None:
    document = {"resource": {"random_id": {"a": {"provider": "random.other"}}}}
    assert found("REG-003", document) == [
        (
            'random_id.a: provider = "random.other": must be a defined provider of random; '
            "or add a provider block with the alias other"
        )
    ]


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
def test_long_and_short_region_names_in_aliases_are_compared(alias: str, region: str, agree: bool) -> None:  # noqa: FBT001
    messages = found("REG-004", {"provider": {"aws": {"alias": alias, "region": region}}})
    assert (messages == []) is agree


def test_a_region_from_a_variable_is_compared_with_the_alias() -> None:
    document = {
        "provider": {"aws": {"alias": "eu_west_1", "region": "${var.region}"}},
        "variable": {"region": {"default": "eu-central-1"}},
    }
    assert len(found("REG-004", document)) == 1
    del document["variable"]["region"]["default"]
    assert doubted("REG-004", document) == ["var.region has no default"]


def test_for_each_over_other_keys_is_clean() -> None:
    document = {"provider": {"aws": {"region": "eu-west-1"}}}
    document["resource"] = {"aws_vpc": {"main": {"for_each": {"shop": "10.0.0.0/16"}, "cidr_block": "${each.value}"}}}  # type: ignore[dict-item]
    assert found("REG-016", document) == []


def test_parameters_with_for_each_over_regions_may_be_in_one_region() -> None:
    document = {
        "provider": {"aws": {"region": "eu-west-1"}},
        "resource": {"aws_ssm_parameter": {"peers": {"for_each": {"us-east-1": "a", "eu-west-1": "b"}}}},
    }
    assert found("REG-016", document) == []
