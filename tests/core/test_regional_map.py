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


def test_a_map_is_read_by_name_and_by_region_in_the_order_of_the_stack(two_regions: HardenedStack) -> None:
    values = RegionalMap(two_regions, {"eu-west-1": 2, "us-east-1": 1})
    assert dict(values) == {"us-east-1": 1, "eu-west-1": 2}
    assert list(values) == ["us-east-1", "eu-west-1"]
    assert values[two_regions.regions["eu-west-1"]] == 2
    assert len(values) == 2


def test_a_missing_region_is_refused(two_regions: HardenedStack) -> None:
    with pytest.raises(ConfigurationError) as error:
        RegionalMap(two_regions, {"us-east-1": 1}, name="vpcs")
    assert str(error.value) == "shop/vpcs: no value for eu-west-1, a region of the stack; add one"


def test_a_region_that_the_stack_does_not_have_is_refused(two_regions: HardenedStack) -> None:
    with pytest.raises(ConfigurationError) as error:
        RegionalMap(two_regions, {"us-east-1": 1, "eu-west-1": 2, "eu-north-1": 3})
    assert str(error.value) == (
        "shop/RegionalMap: a value for 'eu-north-1', which is not a region of the stack (us-east-1, eu-west-1); remove it, "
        "or call stack.region() first"
    )


def test_all_problems_are_reported_at_once(two_regions: HardenedStack) -> None:
    with pytest.raises(ConfigurationError) as error:
        RegionalMap(two_regions, {"eu-north-1": 3})
    assert error.value.problems == (
        "no value for us-east-1, a region of the stack; add one",
        "no value for eu-west-1, a region of the stack; add one",
        (
            "a value for 'eu-north-1', which is not a region of the stack (us-east-1, eu-west-1); remove it, or call "
            "stack.region() first"
        ),
    )


def test_something_else_than_a_stack_is_refused() -> None:
    with pytest.raises(ConfigurationError) as error:
        RegionalMap("shop", {"eu-west-1": 1}, name="vpcs")  # type: ignore[arg-type]
    assert str(error.value) == "vpcs: stack='shop': expected a HardenedStack"
