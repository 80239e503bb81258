from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib import ConfigurationError, RegionalMap

if TYPE_CHECKING:
    from constructs_lib import HardenedStack


@pytest.fixture
def two_regions(stack: HardenedStack) -> HardenedStack:
    stack.region("us-east-1")
    stack.region("eu-west-1")
    return stack


def test_a_complete_map_reads_by_name_and_by_region_in_the_stacks_order(two_regions: HardenedStack) -> None:
    values = RegionalMap(two_regions, {"eu-west-1": 2, "us-east-1": 1})
    assert dict(values) == {"us-east-1": 1, "eu-west-1": 2}
    assert list(values) == ["us-east-1", "eu-west-1"]
    assert values[two_regions.regions["eu-west-1"]] == 2
    assert len(values) == 2


def test_a_missing_region_is_refused_by_name(two_regions: HardenedStack) -> None:
    with pytest.raises(ConfigurationError) as error:
        RegionalMap(two_regions, {"us-east-1": 1}, name="vpcs")
    assert str(error.value) == "shop/vpcs: no value for eu-west-1, a region of the stack; add one"


def test_an_extra_region_is_refused_by_name(two_regions: HardenedStack) -> None:
    with pytest.raises(ConfigurationError) as error:
        RegionalMap(two_regions, {"us-east-1": 1, "eu-west-1": 2, "eu-north-1": 3})
    assert str(error.value) == (
        "shop/RegionalMap: a value for 'eu-north-1', which is not a region of the stack (us-east-1, eu-west-1); remove it, "
        "or call stack.region() first"
    )


def test_everything_wrong_is_named_at_once(two_regions: HardenedStack) -> None:
    with pytest.raises(ConfigurationError) as error:
        RegionalMap(two_regions, {"eu-north-1": 3})
    assert [problem.split(" ")[3].strip("',") for problem in error.value.problems] == [
        "us-east-1",
        "eu-west-1",
        "'eu-north-1'".strip("'"),
    ]
