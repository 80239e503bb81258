"""The table of regions, and the checks of region and zone arguments."""

from __future__ import annotations

import re
from typing import Any

import pytest

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.regions import (
    REGIONS,
    check_region,
    check_zone,
    check_zones,
    dns_suffix,
    is_token,
    partition,
    zone_letters,
)


def refusal(check: Any, *arguments: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        check("Stack/Vpc", *arguments)
    return str(caught.value).splitlines()


def test_the_table_names_every_commercial_govcloud_and_china_region_once_and_in_order() -> None:
    assert list(REGIONS) == sorted(REGIONS)
    by_partition = {name: sum(facts.partition == name for facts in REGIONS.values()) for name in ("aws", "aws-cn")}
    assert by_partition == {"aws": 34, "aws-cn": 2}
    assert [name for name, facts in REGIONS.items() if facts.partition == "aws-us-gov"] == [
        "us-gov-east-1",
        "us-gov-west-1",
    ]


def test_every_region_has_three_to_six_zones_in_alphabetical_order() -> None:
    for name, facts in REGIONS.items():
        assert re.fullmatch(r"[a-z]{2}-(gov-)?[a-z]+-[1-9]", name)
        assert re.fullmatch("a?b?c?d?e?f?", facts.zone_letters), name
        assert 3 <= len(facts.zone_letters) <= 6, name


@pytest.mark.parametrize(
    ("region", "letters"),
    [
        ("us-east-1", "abcdef"),
        ("us-west-2", "abcd"),
        ("ap-northeast-1", "acd"),
        ("ca-central-1", "abd"),
        ("cn-north-1", "abd"),
        ("eu-west-1", "abc"),
    ],
)
def test_a_region_knows_the_letters_of_its_zones(region: str, letters: str) -> None:
    assert zone_letters(region) == tuple(letters)


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("eu-west-1", ("aws", "amazonaws.com")),
        ("us-gov-west-1", ("aws-us-gov", "amazonaws.com")),
        ("cn-north-1", ("aws-cn", "amazonaws.com.cn")),
    ],
)
def test_a_region_knows_its_partition_and_domain(region: str, expected: tuple[str, str]) -> None:
    assert (partition(region), dns_suffix(region)) == expected


@pytest.mark.parametrize("look_up", [partition, dns_suffix, zone_letters])
def test_looking_up_an_unknown_region_names_the_look_up(look_up: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"^{look_up.__name__}: region='mars-1': is no AWS region"):
        look_up("mars-1")


def test_a_known_region_is_returned_as_it_is() -> None:
    assert [check_region("Stack", name) for name in REGIONS] == list(REGIONS)


def test_a_mistyped_region_is_refused_with_the_nearest_names() -> None:
    near = "the nearest names are 'eu-west-1', 'us-west-1', 'eu-west-3'"
    assert refusal(check_region, "eu-wst-1") == [
        f"Stack/Vpc: region='eu-wst-1': is no AWS region known on 2026-11-22; {near}"
    ]


def test_a_region_in_capitals_is_refused_with_the_right_spelling_first() -> None:
    assert "the nearest names are 'us-east-1'," in refusal(check_region, "US-EAST-1")[0]


def test_a_region_like_no_other_is_refused_with_all_names() -> None:
    names = ", ".join(repr(name) for name in REGIONS)
    assert refusal(check_region, "Frankfurt", "home") == [
        f"Stack/Vpc: home='Frankfurt': is no AWS region known on 2026-11-22; the names are {names}"
    ]


@pytest.mark.parametrize("token", ["${data.aws_region.here.name}", "${TfToken[TOKEN.3]}", "#{TfToken[TOKEN.4]}"])
def test_a_region_that_only_terraform_knows_is_refused(token: str) -> None:
    why = "because names, zones and addresses are derived from it at synth"
    assert refusal(check_region, token) == [f"Stack/Vpc: region={token!r}: must be a plain value, {why}"]


@pytest.mark.parametrize("value", [None, 1, ["eu-west-1"]])
def test_a_region_of_another_type_is_refused(value: object) -> None:
    assert refusal(check_region, value) == [
        f"Stack/Vpc: region={value!r}: must be the name of an AWS region, such as 'eu-west-1'"
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("${var.x}", True), ("a-${var.x}", True), ("#{TfToken[TOKEN.0]}", True), ("$x {", False), ("", False), (3, False)],
)
def test_a_token_is_told_from_plain_text(value: object, expected: bool) -> None:  # noqa: FBT001
    assert is_token(value) is expected


@pytest.mark.parametrize(
    ("zones", "expected"),
    [
        (["a"], ("a",)),
        (("c", "a"), ("c", "a")),
        (["eu-west-1b", "a"], ("b", "a")),
        (["eu-west-1a", "eu-west-1b", "eu-west-1c"], ("a", "b", "c")),
    ],
)
def test_zones_are_letters_or_full_names_and_keep_their_order(zones: Any, expected: tuple[str, ...]) -> None:
    assert check_zones("Stack/Vpc", "eu-west-1", zones) == expected


def test_no_zone_at_all_is_refused() -> None:
    assert refusal(check_zones, "eu-west-1", ()) == ["Stack/Vpc: zones=(): must name at least one of 'a', 'b', 'c'"]


def test_a_zone_of_another_region_is_refused_with_both_regions() -> None:
    assert refusal(check_zones, "eu-west-1", ["a", "us-east-1b"]) == [
        "Stack/Vpc: zones[1]='us-east-1b': is a zone of 'us-east-1', but the region here is 'eu-west-1'"
    ]


@pytest.mark.parametrize("zone", ["d", "eu-west-1d", "eu-west-1", "A", "ab", "", "us-east-1-bos-1a", "mars-1a"])
def test_an_unknown_zone_is_refused_with_the_letters_allowed(zone: str) -> None:
    assert refusal(check_zones, "eu-west-1", [zone]) == [
        f"Stack/Vpc: zones[0]={zone!r}: is no zone of 'eu-west-1'; its letters are 'a', 'b', 'c'"
    ]


def test_a_letter_that_the_region_skips_is_refused() -> None:
    assert refusal(check_zones, "ap-northeast-1", ["a", "b"]) == [
        "Stack/Vpc: zones[1]='b': is no zone of 'ap-northeast-1'; its letters are 'a', 'c', 'd'"
    ]


def test_the_same_zone_twice_is_refused_however_it_is_written() -> None:
    assert refusal(check_zones, "eu-west-1", ["a", "b", "eu-west-1a", "b"]) == [
        "Stack/Vpc: zones[2]='eu-west-1a': is the same zone as zones[0]; name each zone once",
        "Stack/Vpc: zones[3]='b': is the same zone as zones[1]; name each zone once",
    ]


def test_a_zone_that_only_terraform_knows_is_refused() -> None:
    assert refusal(check_zones, "eu-west-1", ["${TfToken[TOKEN.3]}"]) == [
        "Stack/Vpc: zones[0]='${TfToken[TOKEN.3]}': must be a plain value, because subnets are laid out at synth"
    ]


def test_a_zone_of_another_type_is_refused() -> None:
    assert refusal(check_zones, "eu-west-1", [1]) == [
        "Stack/Vpc: zones[0]=1: must be a letter such as 'a' or a full name such as 'eu-west-1a'"
    ]


@pytest.mark.parametrize(("zones", "kind"), [("abc", "str"), ({"a"}, "set"), (None, "NoneType"), (3, "int")])
def test_zones_in_one_string_or_without_an_order_are_refused(zones: Any, kind: str) -> None:
    assert refusal(check_zones, "eu-west-1", zones) == [
        f"Stack/Vpc: zones={zones!r}: must be a list or tuple of zones such as ('a', 'b'), not a {kind}"
    ]


def test_all_bad_zones_are_reported_together_under_the_callers_name() -> None:
    assert refusal(check_zones, "eu-west-1", ["z", 3], "places") == [
        "Stack/Vpc: places[0]='z': is no zone of 'eu-west-1'; its letters are 'a', 'b', 'c'",
        "Stack/Vpc: places[1]=3: must be a letter such as 'a' or a full name such as 'eu-west-1a'",
    ]


def test_zones_of_an_unknown_region_are_not_looked_at() -> None:
    assert refusal(check_zones, "eu-west-9", ["z"])[0].startswith("Stack/Vpc: region='eu-west-9': is no AWS region")


def test_a_single_zone_is_a_letter_or_a_full_name() -> None:
    assert check_zone("Stack/Vpc", "eu-west-1", "eu-west-1c") == check_zone("Stack/Vpc", "eu-west-1", "c") == "c"


def test_a_single_unknown_zone_is_refused() -> None:
    assert refusal(check_zone, "eu-west-1", "f") == [
        "Stack/Vpc: zone='f': is no zone of 'eu-west-1'; its letters are 'a', 'b', 'c'"
    ]


def test_a_single_zone_of_an_unknown_region_is_refused() -> None:
    assert refusal(check_zone, "eu-west-9", "a")[0].startswith("Stack/Vpc: region='eu-west-9': is no AWS region")
