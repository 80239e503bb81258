"""The address plan: subnets in fixed slots, one /16 a region, and no overlap."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.foundation.addresses import (
    PRIVATE_RANGES,
    RESERVED_RANGES,
    TIER_OFFSETS,
    ZONE_LETTERS,
    AddressPlan,
    Tier,
    check_vpc_cidr,
    refuse_overlaps,
    subnet_cidr,
)
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.regions import REGIONS, zone_letters

TEN = "10.0.0.0/8"
TWO = ("us-east-1", "eu-west-1")
THREE = (*TWO, "ap-southeast-1")
CLASH = {"us": "10.0.0.0/16", "eu": "10.0.0.0/16"}

NETWORK = "must be an IPv4 network such as '10.0.0.0/16'"
SPELLED = "must be the first address and the prefix length of a network:"
PLAIN = "must be a plain value, because subnets, routes and overlaps are worked out from it at synth"
PRIVATE = "must lie in a private range: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10"
TOO_SMALL = "must be /16 to /20: subnets take 8 more bits, and AWS has no subnet smaller than a /28"
TOO_LARGE = "must be /16 to /20: AWS has no VPC larger than a /16"
PAGE = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"
DOCKER = f"172.17.0.0/16, which is the Docker bridge of AWS Cloud9, SageMaker and others ({PAGE})"
SECURITY = "https://docs.aws.amazon.com/vpc/latest/userguide/infrastructure-security.html"
LINK_LOCAL = f"169.254.0.0/16, which is link-local, where instances reach metadata, DNS and time ({SECURITY})"
SECONDARY = f"198.19.0.0/16, which cannot be joined to a private range ({PAGE}#add-cidr-block-restrictions)"


def refusal(path: str, check: Any, *arguments: Any, **named: Any) -> list[str]:
    """The lines of the error, without the path that each of them must start with."""
    with pytest.raises(ConfigurationError) as caught:
        check(*arguments, **named)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    return [line.removeprefix(f"{path}: ") for line in lines]


def plan_refusal(*arguments: Any, **named: Any) -> list[str]:
    return refusal("AddressPlan", AddressPlan, *arguments, **named)


def subnet_refusal(*arguments: Any) -> list[str]:
    return refusal("subnet_cidr", subnet_cidr, *arguments)


def vpc_refusal(*arguments: Any) -> list[str]:
    return refusal("Stack/Vpc", check_vpc_cidr, "Stack/Vpc", *arguments)


def overlap_refusal(*arguments: Any, **named: Any) -> list[str]:
    return refusal("Stack/Mesh", refuse_overlaps, "Stack/Mesh", *arguments, **named)


def overlapping(networks: list[IPv4Network]) -> int:
    return sum(one.overlaps(other) for one, other in combinations(networks, 2))


def parts(space: IPv4Network, prefixes: range) -> st.SearchStrategy[IPv4Network]:
    """Parts of a range with one of the prefix lengths, outside what AWS reserves."""

    def part(prefix: int, slot: int) -> IPv4Network:
        return IPv4Network((int(space[0]) + (slot % (1 << (prefix - space.prefixlen)) << (32 - prefix)), prefix))

    drawn = st.builds(part, st.sampled_from(prefixes), st.integers(0, 1 << 12))
    return drawn.filter(lambda network: not any(network.overlaps(IPv4Network(cidr)) for cidr in RESERVED_RANGES))


vpc_cidrs = st.one_of([parts(private, range(16, 21)) for private in PRIVATE_RANGES])
regions = st.lists(st.sampled_from(sorted(REGIONS)), min_size=1, max_size=12, unique=True)
parents = st.sampled_from([TEN, "10.64.0.0/10", "10.240.0.0/12", "100.64.0.0/10"])


@pytest.mark.parametrize(
    ("tier", "subnets"),
    [
        ("public", ["10.1.1.0/24", "10.1.2.0/24", "10.1.3.0/24", "10.1.9.0/24"]),
        ("private", ["10.1.10.0/24", "10.1.11.0/24", "10.1.12.0/24", "10.1.18.0/24"]),
        ("database", ["10.1.20.0/24", "10.1.21.0/24", "10.1.22.0/24", "10.1.28.0/24"]),
    ],
)
def test_a_tier_has_the_slots_from_its_offset_on(tier: Tier, subnets: list[str]) -> None:
    assert [subnet_cidr("10.1.0.0/16", tier, zone) for zone in "abci"] == subnets


def test_the_smallest_vpc_has_the_smallest_subnets() -> None:
    assert subnet_cidr("10.0.16.0/20", "database", "f") == "10.0.17.144/28"


@given(vpc_cidrs)
def test_no_two_subnets_overlap_and_all_are_inside_the_vpc(vpc: IPv4Network) -> None:
    subnets = [IPv4Network(subnet_cidr(vpc, tier, zone)) for tier, zone in product(TIER_OFFSETS, ZONE_LETTERS)]
    assert all(subnet.subnet_of(vpc) and subnet.prefixlen == vpc.prefixlen + 8 for subnet in subnets)
    assert overlapping(subnets) == 0


def test_an_unknown_tier_and_zone_are_refused_together() -> None:
    assert subnet_refusal("10.0.0.0/16", "web", "j") == [
        "tier='web': must be one of public, private, database",
        "zone_letter='j': must be one letter, a to i",
    ]


@pytest.mark.parametrize("letter", ["", "ab", "A", "eu-west-1a", None])
def test_a_zone_that_is_no_single_letter_is_refused(letter: object) -> None:
    assert subnet_refusal("10.0.0.0/16", "public", letter) == [f"zone_letter={letter!r}: must be one letter, a to i"]


def test_a_range_that_no_vpc_may_have_gets_no_subnets() -> None:
    assert subnet_refusal("10.0.0.0/24", "public", "a") == [f"vpc_cidr='10.0.0.0/24': {TOO_SMALL}"]


@given(vpc_cidrs)
def test_every_private_range_of_the_right_size_is_taken_as_text_and_as_network(vpc: IPv4Network) -> None:
    assert check_vpc_cidr("Stack/Vpc", str(vpc)) == check_vpc_cidr("Stack/Vpc", vpc) == vpc


@pytest.mark.parametrize(
    ("cidr", "problem"),
    [
        ("10.0.1.0/16", f"{SPELLED} '10.0.0.0/16'"),
        ("10.20.30.40/20", f"{SPELLED} '10.20.16.0/20'"),
        ("10.0.0.0/255.255.0.0", f"{SPELLED} '10.0.0.0/16'"),
        ("10.0.0.0/016", f"{SPELLED} '10.0.0.0/16'"),
        ("10.0.0.0/21", TOO_SMALL),
        ("10.0.0.0/29", TOO_SMALL),
        ("10.0.0.0/32", TOO_SMALL),
        ("10.0.0.0/15", TOO_LARGE),
        (TEN, TOO_LARGE),
        ("8.8.0.0/16", PRIVATE),
        ("11.0.0.0/16", PRIVATE),
        ("172.32.0.0/16", PRIVATE),
        ("192.169.0.0/16", PRIVATE),
        ("100.128.0.0/16", PRIVATE),
        ("${var.cidr}", PLAIN),
        ("${TfToken[TOKEN.7]}", PLAIN),
        (None, NETWORK),
        (10, NETWORK),
        ("", NETWORK),
        ("10.0.0", NETWORK),
        ("fd00::/48", NETWORK),
        ([TEN], NETWORK),
    ],
)
def test_a_range_that_no_vpc_may_have_is_refused_with_the_reason(cidr: object, problem: str) -> None:
    assert vpc_refusal(cidr) == [f"cidr={cidr!r}: {problem}"]


@pytest.mark.parametrize(
    ("cidr", "kept"),
    [("172.17.16.0/20", DOCKER), ("169.254.0.0/16", LINK_LOCAL), ("198.19.240.0/20", SECONDARY)],
)
def test_a_range_that_aws_keeps_is_refused_with_reason_and_page(cidr: str, kept: str) -> None:
    assert vpc_refusal(cidr, "main") == [f"main={cidr!r}: overlaps {kept}"]


def test_every_rule_that_a_range_breaks_is_reported() -> None:
    assert vpc_refusal("8.8.8.0/24") == [f"cidr='8.8.8.0/24': {TOO_SMALL}", f"cidr='8.8.8.0/24': {PRIVATE}"]


def test_regions_take_their_slots_in_the_order_given() -> None:
    plan = AddressPlan(TEN, THREE)
    assert plan.cidrs == {"us-east-1": "10.0.0.0/16", "eu-west-1": "10.1.0.0/16", "ap-southeast-1": "10.2.0.0/16"}
    assert plan.cidr("eu-west-1") == "10.1.0.0/16"


def test_a_mapping_pins_the_slots() -> None:
    plan = AddressPlan("10.16.0.0/12", {"us-east-1": 4, "eu-west-1": 15})
    assert plan.cidrs == {"us-east-1": "10.20.0.0/16", "eu-west-1": "10.31.0.0/16"}


def test_a_plan_gives_the_subnet_of_a_tier_in_a_zone() -> None:
    plan = AddressPlan(TEN, THREE)
    assert plan.subnet("eu-west-1", "private", "b") == "10.1.11.0/24"
    assert plan.subnet("eu-west-1", "database", "eu-west-1c") == "10.1.22.0/24"


def test_a_zone_of_another_region_gets_no_subnet() -> None:
    assert refusal("AddressPlan", AddressPlan(TEN, TWO).subnet, "eu-west-1", "public", "us-east-1a") == [
        "zone='us-east-1a': is a zone of 'us-east-1', but the region here is 'eu-west-1'"
    ]


@pytest.mark.parametrize(("method", "rest"), [("cidr", ()), ("subnet", ("public", "a"))])
def test_a_region_that_is_not_in_the_plan_is_refused(method: str, rest: tuple[str, ...]) -> None:
    assert refusal("AddressPlan", getattr(AddressPlan(TEN, TWO), method), "eu-west-2", *rest) == [
        "region='eu-west-2': is not in the plan, which has 'us-east-1', 'eu-west-1'; add new regions at the end"
    ]


@given(parents, regions)
def test_ranges_of_a_plan_never_overlap_and_stay_inside_their_parent(parent: str, names: list[str]) -> None:
    networks = [IPv4Network(cidr) for cidr in AddressPlan(parent, names).cidrs.values()]
    assert all(network.prefixlen == 16 and network.subnet_of(IPv4Network(parent)) for network in networks)
    assert overlapping(networks) == 0


@given(parents, regions, st.integers(1, 12))
def test_adding_regions_at_the_end_moves_nothing(parent: str, names: list[str], kept: int) -> None:
    before, after = AddressPlan(parent, names[:kept]).cidrs, AddressPlan(parent, names).cidrs
    assert list(before.items()) == list(after.items())[: len(before)]


@given(parents, st.permutations(sorted(REGIONS)[:4]))
def test_pinned_slots_do_not_depend_on_the_order_of_the_mapping(parent: str, names: list[str]) -> None:
    slots = {name: index for index, name in enumerate(sorted(names))}
    assert AddressPlan(parent, {name: slots[name] for name in names}).cidrs == AddressPlan(parent, sorted(names)).cidrs


@given(st.sampled_from(sorted(REGIONS)), st.data())
def test_adding_a_zone_or_a_tier_moves_no_subnet(region: str, data: st.DataObject) -> None:
    def layout(tiers: list[Tier], zones: list[str]) -> dict[tuple[str, str], str]:
        plan = AddressPlan(TEN, [region])
        return {(tier, zone): plan.subnet(region, tier, zone) for tier, zone in product(tiers, zones)}

    every: list[Tier] = list(TIER_OFFSETS)
    letters = list(zone_letters(region))
    tiers = data.draw(st.lists(st.sampled_from(every), unique=True))
    zones = data.draw(st.lists(st.sampled_from(letters), unique=True))
    assert layout(tiers, zones).items() <= layout(every, letters).items()


def test_a_plan_cannot_be_changed_from_outside() -> None:
    names, office = ["us-east-1"], {"office": "10.9.0.0/16"}
    plan = AddressPlan(TEN, names, on_premises=office, reserved=office)
    names.append("eu-west-1")
    office["lab"] = "10.0.0.0/16"
    plan.cidrs["us-east-1"] = "10.5.0.0/16"
    assert plan == AddressPlan(TEN, ("us-east-1",), on_premises=plan.on_premises, reserved=plan.reserved)
    assert (plan.parent, plan.cidrs) == (TEN, {"us-east-1": "10.0.0.0/16"})
    assert plan.on_premises == plan.reserved == {"office": "10.9.0.0/16"}


@pytest.mark.parametrize(
    ("parent", "problem"),
    [
        ("11.0.0.0/8", PRIVATE),
        ("10.0.0.0/7", PRIVATE),
        ("10.0.0.0/17", "must be /16 or larger, because each region gets a /16"),
        ("10.1.0.0/8", f"{SPELLED} '10.0.0.0/8'"),
        ("${var.parent}", PLAIN),
        (None, NETWORK),
    ],
)
def test_a_parent_that_cannot_hold_regions_is_refused(parent: object, problem: str) -> None:
    assert plan_refusal(parent, ["us-east-1"]) == [f"parent={parent!r}: {problem}"]


@pytest.mark.parametrize("names", ["us-east-1", {"us-east-1"}, None])
def test_regions_in_one_string_or_without_an_order_are_refused(names: object) -> None:
    assert plan_refusal(TEN, names) == [
        f"regions={names!r}: must be a list or tuple of regions, or a mapping of regions to slots"
    ]


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ((), "regions=(): must name at least one region"),
        ({}, "regions={}: must name at least one region"),
        ([*TWO, "us-east-1"], "regions[2]='us-east-1': is regions[0] as well; name each region once"),
        (dict.fromkeys(TWO, 1), "regions['eu-west-1']=1: is the slot of 'us-east-1'; give each region its own"),
        ({"us-east-1": -1}, "regions['us-east-1']=-1: must be a slot, a whole number from 0"),
        ({"us-east-1": True}, "regions['us-east-1']=True: must be a slot, a whole number from 0"),
        ({"us-east-1": "1"}, "regions['us-east-1']='1': must be a slot, a whole number from 0"),
    ],
)
def test_regions_without_a_slot_of_their_own_are_refused(names: object, problem: str) -> None:
    assert plan_refusal(TEN, names) == [problem]


@pytest.mark.parametrize(("names", "place"), [(["us-east-1", "eu-wst-1"], "[1]"), ({"eu-wst-1": 0}, "['eu-wst-1']")])
def test_an_unknown_region_is_refused_with_its_place(names: object, place: str) -> None:
    near = "the nearest names are 'eu-west-1', 'us-west-1', 'eu-west-3'"
    assert plan_refusal(TEN, names) == [f"regions{place}='eu-wst-1': is no AWS region known on 2026-11-22; {near}"]


def test_slots_outside_the_parent_are_refused_with_those_it_has() -> None:
    assert plan_refusal("10.0.0.0/15", {"us-east-1": 1, "eu-west-1": 2, "sa-east-1": 1 << 20}) == [
        "regions['eu-west-1']=2: is outside 10.0.0.0/15, whose slots of /16 are 0 to 1",
        "regions['sa-east-1']=1048576: is outside 10.0.0.0/15, whose slots of /16 are 0 to 1",
    ]
    assert plan_refusal("192.168.0.0/16", THREE) == [
        "regions['eu-west-1']=1: is outside 192.168.0.0/16, whose slots of /16 are 0 to 0",
        "regions['ap-southeast-1']=2: is outside 192.168.0.0/16, whose slots of /16 are 0 to 0",
    ]


def test_regions_on_taken_ranges_are_refused_and_offered_a_free_slot_each() -> None:
    office, lab = "overlaps on_premises['office']='10.0.0.0/15'", "overlaps reserved['lab']='10.1.8.0/24'"
    taken = {"on_premises": {"office": "10.0.0.0/15"}, "reserved": {"lab": "10.1.8.0/24"}}
    assert plan_refusal(TEN, THREE, **taken) == [
        f"cidr('us-east-1')='10.0.0.0/16': {office}; 10.3.0.0/16 is free: regions={{..., 'us-east-1': 3}}",
        f"cidr('eu-west-1')='10.1.0.0/16': {office}; 10.4.0.0/16 is free: regions={{..., 'eu-west-1': 4}}",
        f"cidr('eu-west-1')='10.1.0.0/16': {lab}; 10.4.0.0/16 is free: regions={{..., 'eu-west-1': 4}}",
    ]
    pinned = {"us-east-1": 3, "eu-west-1": 4, "ap-southeast-1": 2}
    assert AddressPlan(TEN, pinned, **taken).cidr("us-east-1") == "10.3.0.0/16"


def test_the_slot_of_the_docker_bridge_is_refused() -> None:
    assert plan_refusal("172.16.0.0/12", TWO) == [
        f"cidr('eu-west-1')='172.17.0.0/16': overlaps {DOCKER}; 172.18.0.0/16 is free: regions={{..., 'eu-west-1': 2}}"
    ]


def test_a_full_parent_is_said_to_be_full() -> None:
    assert plan_refusal("10.0.0.0/15", TWO, reserved={"lab": "10.0.0.0/15"}) == [
        "cidr('us-east-1')='10.0.0.0/16': overlaps reserved['lab']='10.0.0.0/15'; no /16 is free in 10.0.0.0/15",
        "cidr('eu-west-1')='10.1.0.0/16': overlaps reserved['lab']='10.0.0.0/15'; no /16 is free in 10.0.0.0/15",
    ]


def test_ranges_that_touch_do_not_overlap() -> None:
    assert AddressPlan(TEN, TWO, on_premises={"below": "9.0.0.0/8", "above": "10.2.0.0/15"}).cidrs


def test_everything_that_is_wrong_with_a_plan_is_reported_at_once() -> None:
    assert plan_refusal(None, [], on_premises={"office": "10.0.0.1/8"}, reserved={"lab": "${var.lab}"}) == [
        f"parent=None: {NETWORK}",
        "regions=[]: must name at least one region",
        f"on_premises['office']='10.0.0.1/8': {SPELLED} '10.0.0.0/8'",
        f"reserved['lab']='${{var.lab}}': {PLAIN}",
    ]


def test_only_ranges_that_overlap_one_of_ours_are_refused() -> None:
    fixed = {"office": "10.2.0.0/16", "same office": "10.2.0.0/16"}
    clashes = overlap_refusal({"us": "10.0.0.0/16", "eu": "10.1.0.0/16", "ap": "10.2.0.0/17"}, against=fixed)
    assert [line.split(" (")[0] for line in clashes] == [f"ap='10.2.0.0/17': overlaps {name}" for name in fixed]


def test_every_overlapping_pair_is_refused_with_both_names_and_a_free_range() -> None:
    assert overlap_refusal(CLASH | {"ap": "10.0.128.0/17"}) == [
        "eu='10.0.0.0/16': overlaps us (10.0.0.0/16); 10.1.0.0/16 is free",
        "ap='10.0.128.0/17': overlaps us (10.0.0.0/16); 10.2.0.0/17 is free",
        "ap='10.0.128.0/17': overlaps eu (10.0.0.0/16); 10.2.0.0/17 is free",
    ]


def test_ranges_are_compared_with_those_that_stay_where_they_are() -> None:
    fixed = {"office": "10.0.0.0/12", "partner": "192.168.7.0/24"}
    assert overlap_refusal({"us": "10.3.0.0/16", "eu": "192.168.0.0/20"}, against=fixed) == [
        "us='10.3.0.0/16': overlaps office (10.0.0.0/12); 10.16.0.0/16 is free",
        "eu='192.168.0.0/20': overlaps partner (192.168.7.0/24); 192.168.16.0/20 is free",
    ]


@pytest.mark.parametrize(
    ("parent", "advice"),
    [
        ("172.16.0.0/14", "172.18.0.0/16 is free"),  # 172.16 is the lab's, 172.17 the Docker bridge
        ("172.16.0.0/15", "no /16 is free in 172.16.0.0/15"),
        ("172.18.0.0/16", "172.18.0.0/16 is free"),
        ("10.8.0.0/17", "no /16 is free in 10.8.0.0/17"),
        (None, "10.1.0.0/16 is free"),
    ],
)
def test_a_free_range_is_looked_for_in_the_parent(parent: str | None, advice: str) -> None:
    assert overlap_refusal(CLASH, parent=parent, against={"lab": "172.16.9.0/24"}) == [
        f"eu='10.0.0.0/16': overlaps us (10.0.0.0/16); {advice}"
    ]


def test_for_a_public_range_a_private_one_is_suggested() -> None:
    advice = "eu='8.0.0.0/24': overlaps us (8.0.0.0/16); 10.0.0.0/24 is free"
    assert overlap_refusal({"us": "8.0.0.0/16", "eu": "8.0.0.0/24"}) == [advice]


def test_values_that_are_no_networks_are_refused_before_anything_is_compared() -> None:
    assert overlap_refusal(CLASH | {"ap": "10.0.0.7/16"}, against={"office": "x"}, parent="${var.parent}") == [
        f"ap='10.0.0.7/16': {SPELLED} '10.0.0.0/16'",
        f"office='x': {NETWORK}",
        f"parent='${{var.parent}}': {PLAIN}",
    ]


@given(st.lists(parts(IPv4Network("10.0.0.0/13"), range(16, 21)), min_size=2, max_size=5))
def test_every_overlap_is_refused_and_the_advice_is_free(networks: list[IPv4Network]) -> None:
    ranges = {f"vpc{index}": str(network) for index, network in enumerate(networks)}
    lines = overlap_refusal(ranges) if overlapping(networks) else []
    refused = {line.partition("=")[0]: IPv4Network(line.split("; ")[1].removesuffix(" is free")) for line in lines}
    assert len(lines) == overlapping(networks)
    moved = {name: refused.get(name, IPv4Network(cidr)) for name, cidr in ranges.items()}
    refuse_overlaps("Stack/Mesh", {name: str(network) for name, network in moved.items()})
