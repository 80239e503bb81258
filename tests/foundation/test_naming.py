from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.naming import NAME_RULES, Naming, check_slug, fit, terraform_name

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1", "us-gov-west-1")
slugs = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,3}", fullmatch=True)
paths = st.lists(slugs, min_size=1, max_size=4)
regions = st.sampled_from(REGIONS)


@pytest.mark.parametrize(
    ("path", "region", "expected"),
    [
        (["vpc-eu-west-1", "private-a"], "eu-west-1", "vpc_private_a_eu_west_1"),
        (["vpc-eu-west-1", "Resource"], "eu-west-1", "vpc_eu_west_1"),
        (["vpc", "Resource"], "eu-west-1", "vpc_eu_west_1"),
        (["paymentValidator_us_east_1"], None, "payment_validator_us_east_1"),
        (["mesh", "us-east-1-to-eu-west-1", "accepter"], "eu-west-1", "mesh_us_east_1_to_eu_west_1_accepter_eu_west_1"),
        (["key", "alias-us-east-1"], "us-east-1", "key_alias_us_east_1"),
        (["table"], None, "table"),
        (["9lives"], None, "_9lives"),
    ],
)
def test_terraform_names_are_snake_case_and_end_in_their_region(
    path: list[str], region: str | None, expected: str
) -> None:
    assert terraform_name(path, region) == expected


def test_aws_names_are_project_environment_component_region() -> None:
    naming = Naming("payments", "prod", "eu-west-1")
    assert naming.name(("validator-eu-west-1",), "function") == "payments-prod-validator-eu-west-1"
    assert naming.name(("vpc", "flow-log", "Resource"), "role") == "payments-prod-vpc-flow-log-eu-west-1"


def test_a_global_name_has_no_region() -> None:
    assert Naming("payments", "prod").name(("key",), "alias") == "payments-prod-key"


def test_a_name_that_is_too_long_is_cut_and_ends_in_a_hash_of_the_whole() -> None:
    assert fit("a" * 64, 64) == "a" * 64
    assert fit("a" * 65, 64) == "a" * 55 + "-635361c4"
    assert fit("a" * 65, 64) != fit("a" * 66, 64)


@given(paths, regions, st.sampled_from(sorted(NAME_RULES)))
def test_every_aws_name_is_legal_for_its_service(path: list[str], region: str, kind: str) -> None:
    name = Naming("payments", "staging", region).name(path, kind)
    assert len(name) <= NAME_RULES[kind].max_length
    assert re.fullmatch(r"[a-z][a-z0-9-]*[a-z0-9]", name)
    assert name == Naming("payments", "staging", region).name(path, kind)


@given(paths, regions)
def test_every_terraform_name_is_a_legal_identifier_with_the_region_last_and_once(path: list[str], region: str) -> None:
    name = terraform_name([*path, region], region)
    assert re.fullmatch(r"[a-z_][a-z0-9_]*", name)
    assert name.endswith(region.replace("-", "_"))
    assert name == terraform_name([*path, region], region)


@given(paths, paths, regions)
def test_different_paths_of_words_give_different_names(one: list[str], other: list[str], region: str) -> None:
    if "-".join(one) != "-".join(other):
        assert terraform_name([*one, "end"], region) != terraform_name([*other, "end"], region)


@given(paths, st.sampled_from(REGIONS[:3]), st.sampled_from(REGIONS[:3]))
def test_the_same_path_in_two_regions_gives_two_names(path: list[str], one: str, other: str) -> None:
    names = {Naming("shop", "dev", region).name(path, "role") for region in (one, other)}
    assert len(names) == len({one, other})


@pytest.mark.parametrize("value", ["Shop", "shop_1", "-shop", "shop-", "a--b", "", "1shop", "${x}", None, 7])
def test_a_part_of_a_name_that_aws_would_refuse_somewhere_is_refused(value: object) -> None:
    with pytest.raises(ConfigurationError) as error:
        check_slug("shop", "project", value)
    assert str(error.value) == (
        f"shop: project={value!r}: must be lower-case letters, digits and single hyphens, starting with a letter, "
        "because it becomes part of every AWS name"
    )
